"""The XML of an Excel sheet -> rows of cells as they are seen.

Costs what is there, whatever size the file says the sheet has.
"""

import io
import re
from collections.abc import Iterator
from typing import Any

from lxml import etree
from msgspec import Struct

from rag_service.readers.cells import Cell, Cells
from rag_service.readers.grids import Area, Grid, column_of, place_of
from rag_service.readers.opc import name_of
from rag_service.readers.outline import one_line
from rag_service.readers.packages import refuse_entities

MOST_CELLS = 3_000_000
"""Of one sheet, blank ones between others included."""

_TAGS = ("{*}row", "{*}col", "{*}mergeCell", "{*}oddHeader", "{*}oddFooter")
_MARGIN_PARTS = re.compile("&[LCR]")
_MARGIN_FIELDS = re.compile("&[PNDTFZAG]")
_MARGIN_FORMATS = re.compile(r'&(?:"[^"]*"|K[0-9A-Fa-f]{6}|K\d\d[+-]\d{3}|\d+|[BIUESXYHO])')


class Worksheet(Struct):
    grid: Grid
    formulas: int = 0
    """Those whose value nobody has stored, and that are shown themselves."""
    hidden_cells: int = 0
    margins: list[str] = []
    """What is printed above and below each page, less page numbers and dates."""


def read_worksheet(xml: bytes, cells: Cells, *, calculates_on_load: bool) -> Worksheet:
    """`calculates_on_load`: the workbook says that its values are not up to date. If all of a sheet
    are 0 then, they are placeholders of a program that cannot calculate."""
    grid = Grid(most=MOST_CELLS)
    found: list[tuple[int, int, Cell]] = []
    margins: list[str] = []
    for row in _elements(xml, grid, margins):
        for column, element in _placed(row):
            cell = cells.read(element)
            if cell.formula or cell.is_hidden:
                found.append((grid.row, column, cell))
            grid.put(column, cell.text)
    sheet = Worksheet(grid=grid, margins=margins)
    formulas = [cell for _, _, cell in found if cell.formula]
    are_placeholders = calculates_on_load and all(
        cell.is_zero or cell.is_missing for cell in formulas
    )
    for row, column, cell in found:
        is_seen = grid.is_seen(row, column)
        if cell.formula and (cell.is_missing or are_placeholders):
            grid.replace(row, column, cell.formula)
            sheet.formulas += is_seen
        elif cell.is_hidden:
            sheet.hidden_cells += is_seen
    return sheet


def _elements(xml: bytes, grid: Grid, margins: list[str]) -> Iterator[Any]:
    """Each row, when the grid has been told of it; other parts of the sheet on the way."""
    refuse_entities(xml)
    parser = etree.iterparse(
        io.BytesIO(xml), tag=_TAGS, resolve_entities=False, no_network=True, load_dtd=False
    )
    for _, element in parser:
        match name_of(element):
            case "row":
                number = element.get("r", "")
                at = int(number) - 1 if number.isdecimal() else grid.row + 1
                grid.start_row(at, is_hidden=_is_hidden(element, "ht"))
                yield element
            case "col" if _is_hidden(element, "width"):
                first, last = int(element.get("min", "1")), int(element.get("max", "1"))
                grid.hide_columns(first - 1, last - 1)
            case "mergeCell":
                first_place, _, last_place = element.get("ref", "").partition(":")
                area = place_of(first_place), place_of(last_place)
                if area[0] and area[1]:
                    grid.merge(Area(*area[0], *area[1]))
            case "oddHeader" | "oddFooter":
                margins += _margin(element.text or "")
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]


def _placed(row: Any) -> Iterator[tuple[int, Any]]:
    column = -1
    for element in row:
        if name_of(element) == "c":
            reference = element.get("r", "").rstrip("0123456789")
            column = column_of(reference) if reference else column + 1
            yield column, element


def _margin(code: str) -> list[str]:
    """Its parts left, middle and right. Those with a field are of a page, not of the sheet."""
    parts = [part for part in _MARGIN_PARTS.split(code) if not _MARGIN_FIELDS.search(part)]
    texts = [_MARGIN_FORMATS.sub("", part).replace("&&", "&") for part in parts]
    return [one_line(text) for text in texts if text.strip()]


def _is_hidden(element: Any, size: str) -> bool:
    is_flat = re.fullmatch(r"0(?:\.0*)?", element.get(size, "1")) is not None
    return element.get("hidden") in ("1", "true") or is_flat
