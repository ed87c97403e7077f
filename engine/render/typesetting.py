"""The look as data: brand.toml, its fonts, how wide text is, numbers set in columns. Knows neither pages nor charts."""

from __future__ import annotations

import math
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from matplotlib.font_manager import FontEntry, fontManager, get_font
from matplotlib.ft2font import FT2Font, LoadFlags

from engine.units import MINUS, NO_BREAK, NUMBER_LANGUAGES, digits, show, unit_of, with_currency

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
MM_PER_POINT = 25.4 / 72
MISSING = "\u2013"
UNPRINTABLE = "\u25a1"

_WEIGHTS = {"regular": (400, "normal"), "italic": (400, "italic"), "semibold": (600, "normal")}
_SPACES = re.compile(r"[\t\n\v\f\r]+")


@dataclass(frozen=True)
class Face:
    """One font file: `family` is its role (text, headline, subhead), so that no font of the machine can stand in."""

    family: str
    cut: str
    file: Path

    @property
    def weight(self) -> int:
        return _WEIGHTS[self.cut][0]

    @property
    def style(self) -> str:
        return _WEIGHTS[self.cut][1]


@dataclass(frozen=True)
class Brand:
    """brand.toml, read once."""

    name: str
    author: str
    subject: str
    kicker: str
    footer: str
    numbers: str
    logo: str
    colours: Mapping[str, str]
    faces: tuple[Face, ...]


@lru_cache(maxsize=1)
def brand() -> Brand:
    """The brand, with its fonts made known to matplotlib.

    Errors: ValueError where a font file is missing, the logo lies outside the templates, or nobody writes numbers so.
    """
    data = tomllib.loads((TEMPLATES / "brand.toml").read_text(encoding="utf-8"))
    faces = tuple(
        Face(family, cut, _inside(file)) for family, cuts in data.pop("fonts").items() for cut, file in cuts.items()
    )
    for face in faces:
        fontManager.ttflist.append(
            FontEntry(fname=str(face.file), name=face.family, style=face.style, weight=face.weight, size="scalable")
        )
    if data["numbers"] not in NUMBER_LANGUAGES:
        known = ", ".join(NUMBER_LANGUAGES)
        raise ValueError(f"brand.toml: numbers is '{data['numbers']}'; allowed is one of {known}")
    logo = data.pop("logo").strip()
    if logo and not logo.startswith("<"):
        logo = _inside(logo).read_text(encoding="utf-8")
    return Brand(**data, logo=logo, faces=faces)


def _inside(name: str) -> Path:
    path = (TEMPLATES / name).resolve()
    if not path.is_file() or not path.is_relative_to(TEMPLATES):
        raise ValueError(f"brand.toml names {name!r}, which is not a file in the templates folder.")
    return path


@lru_cache(maxsize=8)
def _font(family: str, cut: str) -> FT2Font:
    face = next(face for face in brand().faces if (face.family, face.cut) == (family, cut))
    return get_font(str(face.file))


@lru_cache(maxsize=4096)
def text_width(text: str, points: float, family: str = "text", cut: str = "regular") -> float:
    """How many mm the text takes in one line, as it is printed."""
    font = _font(family, cut)
    font.set_size(points, 72)
    font.set_text(printable(text), 0.0, flags=LoadFlags.NO_HINTING)
    return float(font.get_width_height()[0]) / 64 * MM_PER_POINT


@lru_cache(maxsize=64)
def balanced_width(text: str, points: float, family: str, width: float) -> float:
    """The narrowest measure in mm that needs no more lines than `width` does, so that no line ends up short."""
    words = text.split(" ")
    lengths = [text_width(word, points, family, "semibold") for word in words]
    space = text_width("n n", points, family, "semibold") - text_width("nn", points, family, "semibold")

    def lines(measure: float) -> int:
        count, used = 1, -space
        for length in lengths:
            if used + space + length > measure:
                count, used = count + 1, -space
            used += space + length
        return count

    wanted, low, high = lines(width), max(lengths), width
    while high - low > 0.2:
        middle = (low + high) / 2
        low, high = (low, middle) if lines(middle) <= wanted else (middle, high)
    # Kerning across words is not measured: leave it room.
    return min(width, high + 1)


@lru_cache(maxsize=1)
def _printable() -> frozenset[str]:
    return frozenset(chr(code) for code in _font("text", "regular").get_charmap() if code >= 32)


def printable(text: str) -> str:
    """The text in glyphs the bundled fonts have; others become a box, as no font of the machine may step in."""
    text = _SPACES.sub(" ", unicodedata.normalize("NFC", text))
    return "".join(character if character in _printable() else UNPRINTABLE for character in text)


def number(
    value: Any, annotation: Any, *, decimals: int | None = None, signed: bool = False, label: bool = False
) -> str:
    """A number as a column or a chart shows it: always the same decimals, the unit only where `label` asks for it.

    Text, dates and flags show as everywhere. A missing number, and a change of zero, is an en dash. A small number that
    would round to zero gets up to two more decimals, since a loss of 0.2% must not read as none.
    """
    unit = unit_of(annotation)
    if isinstance(value, str):
        return value
    if value is None or not unit.is_number or unit.kind == "flag":
        return show(value, annotation)
    shown = float(value) * (100 if unit.kind == "share" else 1)
    if math.isnan(shown) or (signed and shown == 0):
        return MISSING
    places = unit.decimals if decimals is None else decimals
    for more in range(3):
        figures = digits(abs(shown), places + more) if math.isfinite(shown) else "\u221e"
        if shown == 0 or figures == "\u221e" or any(each in "123456789" for each in figures):
            break
    else:  # noise of the arithmetic
        if signed:
            return MISSING
        shown, figures = 0.0, digits(0, places)
    sign = MINUS if shown < 0 else "+" if signed else ""
    if unit.kind == "share":
        return f"{sign}{figures}%"
    if not label or not unit.symbol:
        return sign + figures
    if unit.is_money:
        return f"{sign}{with_currency(figures)}{unit.of_money}"
    return f"{sign}{figures}{NO_BREAK}{unit.symbol}"
