"""Drawing a report: as an Excel workbook and as a PDF. Knows neither quantities nor formulas."""
