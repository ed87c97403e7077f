"""Filling: rows for a workbook from what exists: catalogue, config.json, price list, measured points."""


class UnknownNameError(ValueError):
    """Nothing of this name can be added; says which is nearest."""
