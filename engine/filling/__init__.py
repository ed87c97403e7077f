"""Filling: rows for a workbook from what exists: the catalogue, a model's config.json, a price list."""


class UnknownNameError(ValueError):
    """Nothing of this name can be added; says which is nearest."""
