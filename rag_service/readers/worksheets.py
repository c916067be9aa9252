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
from rag_service.readers.office_parts import name_of

MOST_CELLS = 3_000_000
"""Of one sheet, blank ones between others included."""

_TAGS = ("{*}row", "{*}col", "{*}mergeCell")


class Worksheet(Struct):
    grid: Grid
    formulas: int = 0
    """Those whose value nobody has stored, and that are shown themselves."""
    hidden_cells: int = 0


def read_worksheet(xml: bytes, cells: Cells, *, calculates_on_load: bool) -> Worksheet:
    """`calculates_on_load`: the workbook says that its values are not up to date. If all of a sheet
    are 0 then, they are placeholders of a program that cannot calculate."""
    grid = Grid(most=MOST_CELLS)
    found: list[tuple[int, int, Cell]] = []
    for row in _elements(xml, grid):
        for column, element in _placed(row):
            cell = cells.read(element)
            if cell.formula or cell.is_hidden:
                found.append((grid.row, column, cell))
            grid.put(column, cell.text)
    sheet = Worksheet(grid=grid)
    formulas = [cell for _, _, cell in found if cell.formula]
    are_placeholders = calculates_on_load and all(cell.is_zero for cell in formulas)
    for row, column, cell in found:
        if cell.formula and cell.is_zero and (are_placeholders or not cell.text):
            grid.replace(row, column, cell.formula)
            sheet.formulas += grid.is_seen(row, column)
        elif cell.is_hidden:
            sheet.hidden_cells += grid.is_seen(row, column)
    return sheet


def _elements(xml: bytes, grid: Grid) -> Iterator[Any]:
    """Each row, when the grid has been told of it."""
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


def _is_hidden(element: Any, size: str) -> bool:
    is_flat = re.fullmatch(r"0(?:\.0*)?", element.get(size, "1")) is not None
    return element.get("hidden") in ("1", "true") or is_flat
