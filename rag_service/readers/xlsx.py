"""Excel workbooks -> their visible sheets, each a table under its name."""

import datetime
import io
import warnings
from typing import Any

from openpyxl import load_workbook

from rag_service.documents import ParsedDocument
from rag_service.errors import Unreadable
from rag_service.readers.outline import Outline, one_line
from rag_service.readers.packages import read_package

MOST_CELLS = 5_000_000


def read_xlsx(data: bytes) -> ParsedDocument:
    """Values as they were last calculated; empty rows and columns vanish. Raises Unreadable."""
    return read_package(data, _read)


def _read(file: io.BytesIO) -> ParsedDocument:
    outline = Outline()
    left = MOST_CELLS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of features that openpyxl would lose on writing
        workbook = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        try:
            for sheet in workbook.worksheets:
                if sheet.sheet_state != "visible":
                    continue
                outline.heading(1, sheet.title)
                sheet.reset_dimensions()  # what the file says of its size need not be true
                for row in sheet.iter_rows(values_only=True):
                    left -= len(row)
                    if left < 0:
                        raise Unreadable(f"has more than {MOST_CELLS:,} cells: split it")
                    outline.row(_cells(row))
                outline.close()
            title = one_line(workbook.properties.title or "")
        finally:
            workbook.close()
    return outline.parsed(title)


def _cells(row: tuple[Any, ...]) -> list[str]:
    cells = [one_line(_text(value)) for value in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.15g}"
        case datetime.datetime() if value.time() == datetime.time():
            return value.date().isoformat()
        case datetime.datetime() | datetime.date() | datetime.time():
            return value.isoformat(" ") if isinstance(value, datetime.datetime) else str(value)
        case _:
            return str(value)
