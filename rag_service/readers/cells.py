"""Cells of an Excel sheet -> the text that they show."""

import datetime
from typing import Any

from msgspec import Struct

from rag_service.readers.number_codes import BUILT_IN, GENERAL
from rag_service.readers.number_formats import number_text, plain_number, text_text
from rag_service.readers.opc import OfficePackage, name_of
from rag_service.readers.outline import one_line

_MOST_CACHED = 100_000
"""Numbers whose text is remembered: columns repeat them."""


class Cell(Struct, frozen=True, gc=False):
    text: str
    """On one line."""
    formula: str = ""
    """Where it has one."""
    is_missing: bool = False
    """Nobody has stored a value."""
    is_zero: bool = False
    is_hidden: bool = False
    """It has a number, not 0, that its format shows nothing of."""


class Cells:
    """What the cells of one workbook refer to: its strings, its formats and its first day."""

    def __init__(self, package: OfficePackage, since_1904: bool) -> None:
        self._since_1904 = since_1904
        trees = _of(package, "sharedStrings")
        self._strings = [one_line(text) for tree in trees for text in _strings(tree)]
        self._codes = [code for part in _of(package, "styles") for code in _codes(part)]
        self._shown: dict[tuple[str, str], str] = {}

    def read(self, cell: Any) -> Cell:
        """A cell that has neither value nor formula is blank."""
        value: str | None = None
        formula = inline = ""
        for child in cell:
            match name_of(child):
                case "v":
                    value = child.text or ""
                case "f":
                    formula = "=" + one_line(child.text or "formula").removeprefix("=")
                case "is":
                    inline = one_line(string_text(child))
        code = self._code(cell.get("s"))
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            return Cell(text_text(inline, code))
        if value is None or (not value and kind != "str"):
            return Cell("", formula, is_missing=True)
        text = self._text(kind, value, code)
        is_zero = value in ("0", "0.0")
        is_hidden = not text and kind == "n" and not is_zero
        return Cell(text, formula, is_zero=is_zero, is_hidden=is_hidden)

    def _code(self, style: str | None) -> str:
        at = int(style) if style and style.isdecimal() else 0
        return self._codes[at] if at < len(self._codes) else GENERAL

    def _text(self, kind: str, value: str, code: str) -> str:
        match kind:
            case "s":
                at = int(value) if value.isdecimal() else -1
                return text_text(self._strings[at], code) if 0 <= at < len(self._strings) else ""
            case "str":
                return text_text(one_line(value), code)
            case "b":
                return "FALSE" if value in ("0", "false") else "TRUE"
            case "e":
                return one_line(value)
            case "d":
                return self._date(value, code)
        return self._number(value, code)

    def _number(self, value: str, code: str) -> str:
        known = self._shown.get((value, code))
        if known is not None:
            return known
        try:
            number = float(value)
        except ValueError:
            return one_line(value)
        if code == GENERAL:
            text = value if value.isdecimal() else plain_number(number)
        else:
            text = one_line(number_text(number, code, since_1904=self._since_1904))
        if len(self._shown) < _MOST_CACHED:
            self._shown[value, code] = text
        return text

    def _date(self, value: str, code: str) -> str:
        """Of Strict files, which may store dates as ISO 8601 has them."""
        try:
            moment = datetime.datetime.fromisoformat(value)
        except ValueError:
            return one_line(value)
        if code == GENERAL:
            return value.removesuffix("T00:00:00").replace("T", " ")
        first = datetime.datetime.fromisoformat("1904-01-01" if self._since_1904 else "1899-12-30")
        serial = (moment.replace(tzinfo=None) - first) / datetime.timedelta(days=1)
        return one_line(number_text(serial, code, since_1904=self._since_1904))


def string_text(element: Any) -> str:
    """The runs of a string; how it is pronounced (`rPh`) is not shown and left out."""
    pieces: list[str] = []
    for child in element:
        match name_of(child):
            case "t":
                pieces.append(child.text or "")
            case "r":
                pieces.append(string_text(child))
    return "".join(pieces)


def _of(package: OfficePackage, kind: str) -> list[Any]:
    return [package.xml(part) for part in package.related(package.main, kind)]


def _strings(tree: Any) -> list[str]:
    return [string_text(item) for item in tree.iterchildren("{*}si")]


def _codes(tree: Any) -> list[str]:
    """The format of each style that a cell can have."""
    own = {
        element.get("numFmtId"): element.get("formatCode", GENERAL)
        for element in tree.iterfind("{*}numFmts/{*}numFmt")
    }
    numbers = [style.get("numFmtId", "0") for style in tree.iterfind("{*}cellXfs/{*}xf")]
    return [
        own.get(number) or BUILT_IN.get(int(number) if number.isdecimal() else 0, GENERAL)
        for number in numbers
    ]
