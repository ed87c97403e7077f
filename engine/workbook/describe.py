"""Describe: a column's unit, bounds and blank in words, for prompts and messages. Knows no workbook and no cell."""

from __future__ import annotations

from engine.sheets import Column


def number(value: float) -> str:
    """The number with separators and no more decimals than it has."""
    return f"{value:,.10f}".rstrip("0").rstrip(".")


def plain(value: float) -> str:
    """The number as it is typed."""
    return number(value).replace(",", "")


def unit(column: Column) -> str:
    """The unit as it stands above the column's head; empty over text."""
    if column.unit.symbol or not column.unit.is_number:
        return column.unit.symbol
    return "share" if column.unit.kind == "share" else "count" if column.whole else "number"


def amount(column: Column, value: float) -> str:
    """The value with the column's unit: `60 %`, `80 GB`, `$2.5/h`."""
    symbol = column.unit.symbol
    if column.unit.kind == "share":
        return f"{plain(value * 100)} %"
    if symbol.startswith("$"):
        return f"{'-' if value < 0 else ''}${number(abs(value))}{symbol[1:]}"
    return f"{number(value)} {symbol}".rstrip()


def typed(column: Column, value: float) -> str:
    """What to type for the value: `60 % or 0.6`, `1234.5`."""
    return f"{amount(column, value)} or {plain(value)}" if column.unit.kind == "share" else plain(value)


def bounds(column: Column) -> str:
    """What a number may be: `1 % to 100 %`, `50 to 100,000 GB/s`, `at least 1`, with the words that also do."""
    low, high = column.at_least, column.at_most
    if low is not None and high is not None:
        # A plain unit is named once; % and $ belong to each number.
        both = column.unit.kind == "share" or column.unit.is_money
        text = f"{amount(column, low) if both else number(low)} to {amount(column, high)}"
    elif low is not None:
        text = f"at least {amount(column, low)}"
    elif high is not None:
        text = f"at most {amount(column, high)}"
    else:
        text = f"any number {column.unit.symbol}".rstrip()
    return " or ".join((text, *column.words))


def sheets(names: tuple[str, ...]) -> str:
    """`the Traffic or Traffic mixes sheet`."""
    return f"the {' or '.join(names)} sheet"


def allowed(column: Column) -> str:
    """What a cell of the column may hold, as a phrase."""
    if column.unit.is_number:
        return ("a whole number, " if column.whole else "") + bounds(column)
    if column.refers_to:
        return f"a name on {sheets(column.refers_to)}"
    if words := column.choices or tuple(column.words):
        return f"one of {', '.join(words)}" if len(words) > 1 else words[0]
    return "a date, such as 2026-11-03" if column.unit.kind in ("date", "month") else "text"


def blank(column: Column) -> str:
    """What a blank cell of the column means, as a phrase; empty where it must be filled."""
    if column.required or column.blank:
        return column.blank
    if column.otherwise:
        return f"the setting {column.otherwise}"
    if column.default in (None, ""):
        return "nothing known" if column.unit.is_number else "nothing"
    return str(column.default) if isinstance(column.default, str) else amount(column, column.default)


def prompt(column: Column) -> str:
    """What an analyst reads on selecting a cell of the column."""
    rule, meaning = allowed(column), blank(column)
    sentences = [column.help]
    if rule != "text":
        sentences.append(f"{rule[0].upper()}{rule[1:]}.")
    if column.required:
        sentences.append("Must be filled.")
    else:
        sentences.append("May be blank." if meaning.startswith("nothing") else f"Blank: {meaning}.")
    return " ".join(sentences)
