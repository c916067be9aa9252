"""OpenDocument spreadsheets -> their visible sheets as they look, each under its name."""

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from lxml import etree

from rag_service.documents import ParsedDocument
from rag_service.errors import Unreadable
from rag_service.readers.grids import MOST_COLUMNS, Area, Grid, place_name
from rag_service.readers.number_formats import plain_number
from rag_service.readers.opc import name_of, parse_xml
from rag_service.readers.outline import Outline, one_line
from rag_service.readers.packages import read_office_file
from rag_service.readers.tables import write_tables

MOST_CELLS = 1_000_000
"""Of one sheet. One element may stand for any number of them."""

_NAMES = {
    "draw": "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0",
    "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
    "style": "urn:oasis:names:tc:opendocument:xmlns:style:1.0",
    "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
    "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
    "xlink": "http://www.w3.org/1999/xlink",
}
_MOST_BLANK = 1_000
"""Rows that are looked at, of those that one element stands for: a sheet may end in a million."""
_SHAPES = ("frame", "custom-shape", "g", "rect", "ellipse", "line", "control", "caption")
_REFERENCE_SIGNS = re.compile(r"(?<=[\[:])\.|[\[\]]")
"""`[.B2:.B3]` is a reference to B2:B3."""


def read_ods(data: bytes) -> ParsedDocument:
    """The text of cells as the program that wrote the file showed it. Raises Unreadable.

    Hidden sheets, rows and columns are left out. A formula whose value nobody has stored stands for
    itself. Notes, text boxes and the titles of charts follow their sheet.
    """
    return read_office_file(data, _read)


def _read(file: io.BytesIO) -> ParsedDocument:
    outline = Outline()
    with zipfile.ZipFile(file) as package:
        if b"encryption-data" in package.read("META-INF/manifest.xml"):
            raise Unreadable("is protected by a password: save it without one")
        for sheet in _sheets(package.read("content.xml")):
            if sheet.is_hidden:
                outline.leave_out("hidden sheet", "hidden sheets", where=sheet.where)
            else:
                _write(sheet, package, outline)
        return outline.parsed(_title(package))


def _write(sheet: "_Sheet", package: zipfile.ZipFile, outline: Outline) -> None:
    outline.heading(1, sheet.name)
    write_tables(outline, sheet.grid.rows(), level=2)
    outline.end_section(2)
    outline.add("paragraph", "\n".join(sheet.notes))
    for shape in sheet.shapes:
        _write_shape(shape, sheet.where, package, outline)
    for one, many, count in (
        ("hidden row", "hidden rows", sheet.grid.hidden_rows),
        ("hidden column", "hidden columns", sheet.grid.hidden_columns),
        ("formula without a stored value", "formulas without a stored value", sheet.formulas),
    ):
        if count:
            outline.leave_out(one, many, count=count, where=sheet.where)


def _write_shape(shape: Any, where: str, package: zipfile.ZipFile, outline: Outline) -> None:
    outline.add("paragraph", _paragraphs(shape))
    names = {name_of(element) for element in shape.iter()}
    if "object" in names:
        path = next(shape.iter(_name("draw:object"))).get(_name("xlink:href"), "")
        part = f"{path.removeprefix('./')}/content.xml"
        if part in package.namelist():
            chart = parse_xml(package.read(part))
            for title in chart.iter("{*}title", "{*}subtitle"):
                outline.add("paragraph", _paragraphs(title))
    elif "image" in names:
        outline.leave_out("picture", "pictures", where=where)


class _Sheet:
    def __init__(self, name: str, *, is_hidden: bool) -> None:
        self.name = one_line(name)
        self.is_hidden = is_hidden
        self.grid = Grid(most=MOST_CELLS)
        self.notes: list[str] = []
        self.shapes: list[Any] = []
        self.formulas = 0
        self._column = 0
        self._row = 0
        self._left = MOST_CELLS

    @property
    def where(self) -> str:
        return f"sheet {self.name}"

    def take(self, element: Any) -> None:
        """A part of the sheet, in the order of the file."""
        match name_of(element):
            case "table-column":
                self._add_columns(element)
            case "table-row":
                self._add_row(element)
                element.clear(keep_tail=True)
            case "shapes":
                self.shapes += list(element)

    def _add_columns(self, element: Any) -> None:
        count = _count(element, "table:number-columns-repeated")
        if _is_collapsed(element):
            self.grid.hide_columns(self._column, self._column + count - 1)
        self._column = min(self._column + count, MOST_COLUMNS)

    def _add_row(self, element: Any) -> None:
        """A row that is repeated costs what it shows; one of blank cells costs nothing."""
        count = _count(element, "table:number-rows-repeated")
        cells = list(_cells(element))
        is_blank = not any(cell.has_content for cell in cells)
        for row in range(self._row, self._row + (min(count, _MOST_BLANK) if is_blank else count)):
            self.grid.start_row(row, is_hidden=_is_collapsed(element))
            for cell in cells:
                self._put(cell, row)
        self._row += count

    def _put(self, cell: "_Cell", row: int) -> None:
        self._left -= cell.count if cell.has_content else 0
        if self._left < 0:
            raise Unreadable(f"has a sheet of more than {MOST_CELLS:,} cells: split it")
        if cell.has_content:
            for column in range(cell.column, cell.column + cell.count):
                self.grid.put(column, cell.text)
        if cell.high > 1 or cell.wide > 1:
            last_row, last_column = row + cell.high - 1, cell.column + cell.wide - 1
            self.grid.merge(Area(row, cell.column, last_row, last_column))
        is_seen = self.grid.is_seen(row, cell.column)
        self.formulas += cell.is_formula and is_seen
        if cell.note and is_seen:
            self.notes.append(f"{place_name(row, cell.column)}: {cell.note}")
        self.shapes += cell.shapes


class _Cell:
    """A cell, or `count` of them that are alike."""

    def __init__(self, element: Any, column: int) -> None:
        self.column = column
        self.count = _count(element, "table:number-columns-repeated")
        self.wide = _count(element, "table:number-columns-spanned")
        self.high = _count(element, "table:number-rows-spanned")
        self.text = one_line(_paragraphs(element)) or _value(element)
        formula = element.get(_name("table:formula"))
        has_value = element.get(_name("office:value-type")) is not None
        self.is_formula = formula is not None and not self.text and not has_value
        if self.is_formula:
            self.text = one_line("=" + _REFERENCE_SIGNS.sub("", formula.partition("=")[2]))
        notes = element.iterchildren(_name("office:annotation"))
        self.note = " ".join(one_line(_paragraphs(note)) for note in notes)
        self.shapes = [shape for shape in element if name_of(shape) in _SHAPES]
        self.has_content = bool(self.text or self.note or self.shapes)


def _sheets(xml: bytes) -> Iterator[_Sheet]:
    tags = ("style:style", "table:table", "table:table-column", "table:table-row", "table:shapes")
    events = etree.iterparse(
        io.BytesIO(xml),
        events=("start", "end"),
        tag=[_name(tag) for tag in tags],
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
    )
    hidden: set[str] = set()
    sheet: _Sheet | None = None
    for event, element in events:
        if event == "start":
            if _is_sheet(element):
                style = element.get(_name("table:style-name"), "")
                sheet = _Sheet(element.get(_name("table:name"), ""), is_hidden=style in hidden)
        elif name_of(element) == "style":
            if _hides(element):
                hidden.add(element.get(_name("style:name"), ""))
        elif sheet is not None:
            sheet.take(element)
            if _is_sheet(element):
                yield sheet
                sheet = None


def _is_sheet(element: Any) -> bool:
    return name_of(element) == "table" and name_of(element.getparent()) == "spreadsheet"


def _hides(style: Any) -> bool:
    properties = style.find(_name("style:table-properties"))
    return properties is not None and properties.get(_name("table:display")) == "false"


def _cells(row: Any) -> Iterator[_Cell]:
    column = 0
    for element in row:
        if column < MOST_COLUMNS and name_of(element) in ("table-cell", "covered-table-cell"):
            if name_of(element) == "table-cell":
                yield _Cell(element, column)
            column += _count(element, "table:number-columns-repeated")


def _value(cell: Any) -> str:
    """What is stored, where no program has written what is shown."""
    kind = cell.get(_name("office:value-type"), "")
    stored = [
        cell.get(_name(f"office:{name}"))
        for name in ("string-value", "date-value", "time-value", "boolean-value", "value")
    ]
    text = one_line(next((value for value in stored if value), ""))
    if kind == "percentage" and text:
        return f"{plain_number(float(text) * 100)}%"
    return f"{text} {cell.get(_name('office:currency'), '')}".strip()


def _paragraphs(element: Any) -> str:
    """Of an element and what is in it; of a cell, without the notes and shapes that lie on it."""
    lines: list[str] = []
    is_cell = name_of(element) == "table-cell"
    for child in element:
        name = name_of(child)
        if name in ("p", "h"):
            lines.append(_line(child))
        elif not is_cell or name not in ("annotation", *_SHAPES):
            lines.append(_paragraphs(child))
    return "\n".join(filter(None, lines))


def _line(element: Any) -> str:
    pieces = [element.text or ""]
    for child in element:
        match name_of(child):
            case "s":
                pieces.append(" ")
            case "tab" | "line-break":
                pieces.append("\n")
            case "annotation" | "ruby-text" | "":
                pass
            case _:
                pieces.append(_line(child))
        pieces.append(child.tail or "")
    return "".join(pieces)


def _title(package: zipfile.ZipFile) -> str:
    if "meta.xml" not in package.namelist():
        return ""
    meta = parse_xml(package.read("meta.xml"))
    return one_line(next((title.text or "" for title in meta.iter("{*}title")), ""))


def _count(element: Any, attribute: str) -> int:
    text = element.get(_name(attribute), "1")
    return max(int(text), 1) if text.isdecimal() and len(text) < 10 else 1


def _is_collapsed(element: Any) -> bool:
    return element.get(_name("table:visibility")) in ("collapse", "filter")


def _name(prefixed: str) -> str:
    prefix, _, name = prefixed.partition(":")
    return f"{{{_NAMES[prefix]}}}{name}"
