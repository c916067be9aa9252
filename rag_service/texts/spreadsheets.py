"""CSV as spreadsheets read it, in which no cell is a formula."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

BYTE_ORDER_MARK = "\ufeff"
"""Before a file, or Excel takes it for one in the encoding of the country."""

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_QUOTED = re.compile(r"'+[=+\-@\t\r]")


def lines(rows: Iterable[Sequence[str]]) -> str:
    """Of cells; ends with the end of a line."""
    file = io.StringIO(newline="")
    csv.writer(file).writerows(rows)
    return file.getvalue()


def cell(value: Any) -> str:
    """Nothing for None, yes or no, text, or JSON; a quote is put before what began a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return f"'{text}" if _FORMULA.match(text) else text


def text_of(cell: str) -> str:
    """The text that `cell` was made of."""
    return cell[1:] if _QUOTED.match(cell) else cell
