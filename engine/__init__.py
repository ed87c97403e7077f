"""inference-margin: what served tokens cost, and what they earn. The layout is explained in CONTRIBUTING.md."""

__version__ = "0.1.0"
