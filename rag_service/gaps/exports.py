"""Gaps as a spreadsheet reads them."""

from collections.abc import Iterable, Iterator

import msgspec

from rag_service.access.scope import Scope
from rag_service.gaps.gap import Gap, GapFilter, GapSort
from rag_service.gaps.store import GapStore
from rag_service.texts.spreadsheets import BYTE_ORDER_MARK, cell, lines

COLUMNS = Gap.__struct_fields__


_GROUP = 500


def pages(
    store: GapStore, scope: Scope, where: GapFilter, *, sort: GapSort, descending: bool
) -> Iterator[list[Gap]]:
    """All that match, a group at a time."""
    start = 0
    while True:
        _, found = store.page(
            scope, where, sort=sort, descending=descending, limit=_GROUP, offset=start
        )
        if not found:
            return
        yield found
        start += _GROUP


def csv_lines(groups: Iterable[list[Gap]]) -> Iterator[str]:
    """The whole file, a group of rows at a time; no cell is a formula to a spreadsheet."""
    yield BYTE_ORDER_MARK + lines([COLUMNS])
    for gaps in groups:
        yield lines([cell(value) for value in msgspec.to_builtins(gap).values()] for gap in gaps)
