"""The rows of a sheet -> its tables, each with its title above it and its head in front.

Shared by what has sheets: workbooks of either kind, and CSV.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from msgspec import Struct

from rag_service.readers.outline import Outline
from rag_service.readers.table_heads import (
    SAMPLE,
    Row,
    find_heads,
    is_value,
    join_heads,
    value_columns,
)

LONGEST_HEADING = 120
"""Characters of a title line that becomes a heading; a longer one is a paragraph."""
_MOST_BESIDE = 16
"""Tables side by side; with more gaps than that, columns are spaced and no tables are parted."""
_MOST_LINES = 3
"""That stand alone and are read as text; more of them are a list, and stay a table."""


def write_tables(outline: Outline, rows: Iterable[Row], level: int, joint: str = " | ") -> None:
    """Blank rows part tables, and so do blank columns where two tables stand side by side.

    A single line above a table is a heading of this `level`; other lines are paragraphs. `joint`
    stands between the cells of such a line.
    """
    is_below_heading = False
    for table in _tables(list(rows)):
        titles = [joint.join(_once(row)).replace(f":{joint}", ": ") for row in table.titles]
        if titles and is_below_heading:
            outline.end_section(level)
            is_below_heading = False
        if titles and table.rows and len(titles[0]) <= LONGEST_HEADING:
            outline.heading(level, titles.pop(0))
            is_below_heading = True
        outline.add("paragraph", "\n".join(titles))
        outline.table(table.rows, heads=table.heads)


class _Table(Struct):
    titles: list[list[str]]
    rows: list[list[str]]
    heads: int
    columns: list[int]
    """Where its cells stood in the sheet."""
    values: set[int] = set()
    """Which of its columns hold values, as it was when it had `measured` rows."""
    measured: int = 0


def _tables(rows: list[Row]) -> Iterator[_Table]:
    """Rows without a head of their own, below a table of their width, go on with it."""
    last: _Table | None = None
    for region in _regions(rows):
        for columns in _side_by_side(region):
            table, is_sure = _read(_cut(region, columns), columns)
            if last is not None and _goes_on(last, table, is_sure):
                last.rows += _cut(region, last.columns)
                continue
            if last is not None and not last.rows and table.rows:
                table.titles = last.titles + table.titles
            elif last is not None:
                yield last
            last = table
    if last is not None:
        yield last


def _regions(rows: Sequence[Row]) -> Iterator[list[Row]]:
    for is_filled, group in groupby(rows, any):
        if is_filled:
            yield list(group)


def _side_by_side(region: list[Row]) -> list[list[int]]:
    """The columns of each table of a region, without blank ones."""
    used = sorted({at for row in region for at, cell in enumerate(row) if cell})
    groups: list[list[int]] = [[used[0]]]
    for column in used[1:]:
        if column == groups[-1][-1] + 1:
            groups[-1].append(column)
        else:
            groups.append([column])
    is_parted = 1 < len(groups) <= _MOST_BESIDE and _are_tables(region, groups)
    return groups if is_parted else [used]


def _are_tables(region: list[Row], groups: list[list[int]]) -> bool:
    """They differ in height or begin with the same names: no row goes over both."""
    if any(len(columns) < 2 for columns in groups):
        return False
    parts = [_cut(region, columns) for columns in groups]
    filled = [[at for at, row in enumerate(part) if any(row)] for part in parts]
    if any(len(rows) < 2 for rows in filled):
        return False
    heights = {(rows[0], rows[-1]) for rows in filled}
    names = [set(part[rows[0]]) - {""} for part, rows in zip(parts, filled, strict=True)]
    return len(heights) > 1 or len(set().union(*names)) < sum(map(len, names))


def _cut(region: list[Row], columns: list[int]) -> list[list[str]]:
    """These columns, without the blank cells that a row ends with."""
    cut: list[list[str]] = []
    for row in region:
        cells = [row[at] for at in columns[: bisect_left(columns, len(row))]]
        while cells and not cells[-1]:
            cells.pop()
        cut.append(cells)
    return cut


def _read(rows: list[list[str]], columns: list[int]) -> tuple[_Table, bool]:
    rows = [row for row in rows if row]
    if len(rows) <= _MOST_LINES and not any(_is_row(row) for row in rows):
        return _Table(titles=rows, rows=[], heads=0, columns=columns), False
    found = find_heads(rows)
    below = found.titles + found.heads
    heads = [join_heads(rows[found.titles : below])] if found.heads else []
    table = _Table(
        titles=rows[: found.titles], rows=heads + rows[below:], heads=len(heads), columns=columns
    )
    return table, found.is_sure


def _is_row(row: Row) -> bool:
    cells = _once(row)
    return len(cells) > 1 or is_value(cells[0])


def _goes_on(last: _Table, table: _Table, is_sure: bool) -> bool:
    if table.titles or not table.rows or not last.rows or (table.heads and is_sure):
        return False
    if not _holds(last.columns, table.columns) or (table.heads and not last.heads):
        return False
    if table.columns != last.columns:
        return True
    if len(last.rows) >= 2 * last.measured:
        last.values = value_columns(last.rows[max(last.heads, len(last.rows) - SAMPLE) :])
        last.measured = len(last.rows)
    return all(
        is_value(cell) for at, cell in enumerate(table.rows[0]) if cell and at in last.values
    )


def _holds(columns: list[int], others: list[int]) -> bool:
    places = [bisect_left(columns, other) for other in others]
    return all(
        at < len(columns) and columns[at] == other for at, other in zip(places, others, strict=True)
    )


def _once(row: Row) -> list[str]:
    """The cells of a title line: what is merged over several columns is told once."""
    return list(dict.fromkeys(cell for cell in row if cell))
