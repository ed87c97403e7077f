"""The input workbook: writing an empty one, reading a filled one, and every message an analyst sees about a cell."""
