"""Extensions: validations and conditional formats that Excel files where openpyxl does not look. Knows no content.

Excel 2010 and later move a rule that refers to another sheet into an extension of the sheet's part. A rule means the
same in the ordinary place, so a copy brings it there.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element
from zipfile import ZipFile

from openpyxl import Workbook
from openpyxl.formatting.rule import Rule
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from engine.workbook.parts import is_extension, local_name, parsed, sheet_parts

# The kinds of conditional formats that say the same in both places; bars and icons look otherwise.
ORDINARY = ("expression", "cellIs")
FORMULAS = ("formula1", "formula2")
OPTIONS = (
    "type",
    "operator",
    "errorStyle",
    "errorTitle",
    "error",
    "promptTitle",
    "prompt",
    "allowBlank",
    "showDropDown",
    "showErrorMessage",
    "showInputMessage",
)
RULE_OPTIONS = ("type", "priority", "operator", "stopIfTrue")


def bring_in(data: bytes, book: Workbook) -> None:
    """Adds to the book what openpyxl passed over when it loaded these bytes."""
    with ZipFile(io.BytesIO(data)) as package:
        for name, part in sheet_parts(package):
            sheet = book[name]
            if isinstance(sheet, Worksheet):
                for element in parsed(package, part).iter():
                    _bring(sheet, element)


def is_ordinary(conditional_format: Element) -> bool:
    """Whether every rule of the conditional format means the same in the ordinary place."""
    rules = [each for each in conditional_format if local_name(each) == "cfRule"]
    return all(rule.get("type") in ORDINARY for rule in rules)


def _bring(sheet: Worksheet, element: Element) -> None:
    if not is_extension(element):
        return
    if local_name(element) == "dataValidation":
        sheet.add_data_validation(_validation(element))
    elif local_name(element) == "conditionalFormatting" and is_ordinary(element):
        for rule in element:
            if local_name(rule) == "cfRule":
                sheet.conditional_formatting.add(_text(element, "sqref"), _rule(rule))


def _validation(element: Element) -> DataValidation:
    options: dict[str, Any] = {name: element.get(name) for name in OPTIONS if element.get(name) is not None}
    formulas: dict[str, Any] = {name: _text(child, "f") for child in element if (name := local_name(child)) in FORMULAS}
    return DataValidation(sqref=_text(element, "sqref"), **options, **formulas)


def _rule(element: Element) -> Rule:
    style: Any = next((each for each in element if local_name(each) == "dxf"), None)
    options: dict[str, Any] = {name: element.get(name) for name in RULE_OPTIONS if element.get(name) is not None}
    formulas = list(_texts(element, "f"))
    return Rule(**options, formula=formulas, dxf=None if style is None else DifferentialStyle.from_tree(style))


def _text(element: Element, name: str) -> str:
    return next(_texts(element, name), "")


def _texts(element: Element, name: str) -> Iterator[str]:
    return (each.text or "" for each in element.iter() if local_name(each) == name)
