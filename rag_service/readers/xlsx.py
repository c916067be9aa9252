"""Excel workbooks -> their visible sheets as they look, each under its name, in tables."""

import io
from typing import Any

from rag_service.documents import ParsedDocument
from rag_service.errors import Unreadable
from rag_service.readers.cells import Cells
from rag_service.readers.grids import Grid
from rag_service.readers.opc import OfficePackage, R
from rag_service.readers.outline import Outline, one_line
from rag_service.readers.packages import read_office_file
from rag_service.readers.sheet_notes import write_drawings, write_notes
from rag_service.readers.tables import write_tables
from rag_service.readers.worksheets import read_worksheet

_TRUE = ("1", "true")


def read_xlsx(data: bytes) -> ParsedDocument:
    """Values as they were last calculated, in the formats of their cells. Raises Unreadable.

    Hidden sheets, rows and columns are left out, and so is what a format hides. A formula whose
    value nobody has stored stands for itself. What is printed at the edges of pages, notes, text
    boxes and the titles of charts follow their sheet.
    """
    return read_office_file(data, _read)


def _read(file: io.BytesIO) -> ParsedDocument:
    package = OfficePackage(file)
    if package.main.endswith(".bin"):
        raise Unreadable("is a binary workbook (xlsb), which cannot be read: save it as xlsx")
    book = package.xml(package.main)
    sheets = book.findall("{*}sheets/{*}sheet")
    hidden = [sheet.get("name", "") for sheet in sheets if _is_hidden(sheet)]
    outline = Outline()
    reader = _SheetReader(package, book, hidden, outline)
    for sheet in sheets:
        if not _is_hidden(sheet):
            reader.read(one_line(sheet.get("name", "")), sheet.get(f"{R}id", ""))
    for name in hidden:
        outline.leave_out("hidden sheet", "hidden sheets", where=f"sheet {one_line(name)}")
    return outline.parsed(package.title)


class _SheetReader:
    def __init__(
        self, package: OfficePackage, book: Any, hidden: list[str], outline: Outline
    ) -> None:
        self._package = package
        self._read: set[str] = set()
        self._cells = Cells(package, since_1904=_has(book, "workbookPr", "date1904"))
        self._calculates_on_load = _has(book, "calcPr", "fullCalcOnLoad")
        self._hidden = hidden
        self._outline = outline

    def read(self, name: str, relation: str) -> None:
        """What a sheet shows, or nothing of one that the workbook has only in name."""
        part = self._package.target(self._package.main, relation)
        if part is None or part in self._read:
            return
        self._read.add(part)
        self._outline.heading(1, name)
        where = f"sheet {name}"
        if self._package.kind(self._package.main, relation) == "worksheet":
            grid = self._write_cells(part, where)
            write_notes(self._package, part, grid, where, self._outline)
        write_drawings(self._package, part, self._hidden, where, self._outline)

    def _write_cells(self, part: str, where: str) -> Grid:
        sheet = read_worksheet(
            self._package.data(part), self._cells, calculates_on_load=self._calculates_on_load
        )
        grid = sheet.grid
        write_tables(self._outline, grid.rows(), level=2)
        self._outline.end_section(2)
        self._outline.add("paragraph", "\n".join(sheet.margins))
        for one, many, count in (
            ("hidden row", "hidden rows", grid.hidden_rows),
            ("hidden column", "hidden columns", grid.hidden_columns),
            ("cell that its format hides", "cells that their formats hide", sheet.hidden_cells),
            ("formula without a stored value", "formulas without a stored value", sheet.formulas),
        ):
            if count:
                self._outline.leave_out(one, many, count=count, where=where)
        return grid


def _is_hidden(sheet: Any) -> bool:
    return bool(sheet.get("state", "visible") != "visible")


def _has(book: Any, element: str, attribute: str) -> bool:
    found = book.find(f"{{*}}{element}")
    return found is not None and found.get(attribute) in _TRUE
