"""The report as values: which tables and charts, in which order, saying what. Knows neither Excel nor HTML."""
