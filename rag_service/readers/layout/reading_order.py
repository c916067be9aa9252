"""The order in which a reader takes the lines of a page."""

from collections.abc import Sequence
from itertools import pairwise

from msgspec.structs import replace

from rag_service.readers.layout.page_line import PageLine

_COLUMN_SHARE = 0.3
"""Of the width of what is on the page: two lines side by side that take more are two columns."""


def in_order(lines: Sequence[PageLine]) -> Sequence[PageLine]:
    """From top to bottom, what stands side by side as a row; two columns stay as they came."""
    rows = _rows(lines)
    if len(rows) == len(lines) and all(a.base >= b.base for a, b in pairwise(lines)):
        return lines
    if any(_has_columns(row, lines) for row in rows):
        return lines
    return [_as_row(row) for row in rows]


def _rows(lines: Sequence[PageLine]) -> list[list[PageLine]]:
    rows: list[list[PageLine]] = []
    for line in sorted(lines, key=lambda line: -line.base):
        if rows and rows[-1][0].base - line.base < 0.25 * line.size:
            rows[-1].append(line)
        else:
            rows.append([line])
    return rows


def _has_columns(row: list[PageLine], lines: Sequence[PageLine]) -> bool:
    width = max(line.right for line in lines) - min(line.left for line in lines)
    return sum(line.right - line.left > _COLUMN_SHARE * width for line in row) > 1


def _as_row(row: list[PageLine]) -> PageLine:
    if len(row) == 1:
        return row[0]
    row = sorted(row, key=lambda line: -line.right if line.right_to_left else line.left)
    cells = tuple(cell for line in row for cell in (line.cells or (line.text,)))
    return replace(
        row[0],
        text=" ".join(line.text for line in row),
        left=min(line.left for line in row),
        right=max(line.right for line in row),
        bold=all(line.bold for line in row),
        hyphen=False,
        cells=cells,
    )
