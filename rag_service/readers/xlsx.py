"""Excel workbooks -> their visible sheets as they look, each under its name, in tables."""

import io
import zipfile
from typing import Any

from rag_service.documents import ParsedDocument
from rag_service.errors import Unreadable
from rag_service.readers.cells import Cells
from rag_service.readers.grids import Grid
from rag_service.readers.office_parts import OfficeParts, relation_id
from rag_service.readers.outline import Outline, one_line
from rag_service.readers.packages import read_package
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
    return read_package(data, _read)


def _read(file: io.BytesIO) -> ParsedDocument:
    outline = Outline()
    with zipfile.ZipFile(file) as package:
        parts = OfficeParts(package)
        if parts.root.endswith(".bin"):
            raise Unreadable("is a binary workbook (xlsb), which cannot be read: save it as xlsx")
        book = parts.tree(parts.root)
        sheets = book.findall("{*}sheets/{*}sheet")
        hidden = [sheet.get("name", "") for sheet in sheets if _is_hidden(sheet)]
        reader = _SheetReader(parts, book, hidden, outline)
        for sheet in sheets:
            if not _is_hidden(sheet):
                reader.read(one_line(sheet.get("name", "")), relation_id(sheet))
        for name in hidden:
            outline.leave_out("hidden sheet", "hidden sheets", where=f"sheet {one_line(name)}")
        return outline.parsed(_title(parts))


class _SheetReader:
    def __init__(self, parts: OfficeParts, book: Any, hidden: list[str], outline: Outline) -> None:
        self._parts = parts
        self._relations = parts.relations(parts.root)
        self._cells = Cells(parts, since_1904=_has(book, "workbookPr", "date1904"))
        self._calculates_on_load = _has(book, "calcPr", "fullCalcOnLoad")
        self._hidden = hidden
        self._outline = outline

    def read(self, name: str, relation: str) -> None:
        """What a sheet shows, or nothing of one that the workbook has only in name."""
        sheet = self._relations.pop(relation, None)  # each is read once
        if sheet is None:
            return
        self._outline.heading(1, name)
        where = f"sheet {name}"
        if sheet.kind == "worksheet":
            grid = self._write_cells(sheet.part, where)
            write_notes(self._parts, sheet.part, grid, where, self._outline)
        write_drawings(self._parts, sheet.part, self._hidden, where, self._outline)

    def _write_cells(self, part: str, where: str) -> Grid:
        sheet = read_worksheet(
            self._parts.read(part), self._cells, calculates_on_load=self._calculates_on_load
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


def _title(parts: OfficeParts) -> str:
    for part in parts.related("", "core-properties"):
        return one_line(parts.tree(part).findtext("{*}title") or "")
    return ""
