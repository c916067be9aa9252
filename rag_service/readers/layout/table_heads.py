"""The header row of a table that goes on over pages stands above its rows on each of them."""

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile

from msgspec.structs import replace

from rag_service.readers.layout.page_line import PageLine

_LINES_BETWEEN = 2
"""So many lines may stand below a table at the end of a page, or above its rest on the next one: a
note, a page number, "continued"."""
_NUMERIC = re.compile(r"[^\w]*\d[\d\s.,:/%-]*\W*")


def with_heads(pages: Sequence[list[PageLine]]) -> Iterator[list[PageLine]]:
    """The pages, with a table's header row where its rows go on. One that is there already is not
    doubled."""
    head: PageLine | None = None
    for lines in pages:
        at = _first_row(lines)
        if head is not None and at is not None and _goes_on(head, lines[at]):
            base = lines[at].base + 1.2 * lines[at].size
            lines = [*lines[:at], replace(head, base=base), *lines[at:]]
        yield lines
        head = _open_head(lines)


def _first_row(lines: list[PageLine]) -> int | None:
    return next((n for n, line in enumerate(lines[: _LINES_BETWEEN + 1]) if _is_row(line)), None)


def _is_row(line: PageLine) -> bool:
    return len(line.cells) > 1


def _goes_on(head: PageLine, row: PageLine) -> bool:
    """Whether the row stands in the columns of that head, and is another one."""
    if head.cells == row.cells:
        return False
    if len(head.cells) != len(row.cells):
        return False
    if head.is_ruled or row.is_ruled:
        # a single row has no grid: its text stands a little within that of the head
        return abs(head.left - row.left) < head.size and row.right < head.right + head.size
    pairs = zip(head.spans, row.spans, strict=True)
    return all(a[0] < b[1] and b[0] < a[1] for a, b in pairs)


def _open_head(lines: list[PageLine]) -> PageLine | None:
    """The header row of the table at the end of a page."""
    backwards = lines[::-1]
    at = _first_row(backwards)
    if at is None:
        return None
    columns = len(backwards[at].cells)
    table = list(takewhile(lambda line: len(line.cells) == columns, backwards[at:]))[::-1]
    return table[0] if len(table) > 1 and _is_head(table[0], table[1]) else None


def _is_head(first: PageLine, second: PageLine) -> bool:
    """Whether it names the columns."""
    if first.bold and not second.bold:
        return True
    filled = sum(map(bool, first.cells))
    return 2 * filled > len(first.cells) and not any(map(_NUMERIC.fullmatch, first.cells))
