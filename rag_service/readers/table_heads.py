"""Rows of a table -> which of them are its title, and which name its columns.

No file says it, so it is told by how the first rows differ from those below: names against values.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from statistics import median_high

from msgspec import Struct

Row = Sequence[str]
"""Its cells. A cell that spans several columns or rows stands in each of them."""

SAMPLE = 40
"""Rows that are looked at. A title block is rarely longer than a few lines."""
MOST_HEADS = 3
LONGEST_NAME = 200
"""Characters. Forms have whole questions above their columns; a paragraph is no name."""

_FULL = 0.6
"""Of the cells that rows usually have, a row that names columns has this share at least: a guess
that leaves room for a blank corner and columns without a name."""

_VALUE = re.compile(
    r"""
      [(\-+\u2212~<>=]* \s* (?:[€$£¥₹]|[A-Z]{3}\s)? \s* [-\u2212(]? \s*
      \.?\d[\d.,:/'\u2019\s\u00a0\u202f\u2212-]*
      (?:[eE][+-]?\d+)? \s* [)%\u2030]? \s* (?:[^\W\d]{1,5}|[°€$£¥₹]\w?)?[²³.]? \)?
    | true | false | yes | no | ja | nein | n/a | -
    """,
    re.I | re.X,
)
_PERIOD = re.compile(
    r"(?:19|20)\d\d(?:[-/.](?:\d\d?|(?:19|20)?\d\d)){0,2}|\d\d?[./]\d\d?[./]\d{2,4}"
)
"""A year, a month or a day: columns of a series are named so."""
_TIME = re.compile(r"\d\d?[:.]\d\d(?:\s?[-\u2013]\s?\d\d?[:.]\d\d)?")
_AGAIN = 2
"""Cells of a column that say what its name would be: one may be chance."""
_DIGITS = re.compile(r"\d+")


class Heads(Struct, frozen=True, kw_only=True):
    """The first `titles` rows stand above the table; the next `heads` rows name its columns."""

    titles: int = 0
    heads: int = 0
    is_sure: bool = False
    """Not only that it may be so, as in a table of texts alone: values stand below the names."""


def find_heads(rows: Sequence[Row]) -> Heads:
    """Looks at SAMPLE rows. A row of names is a head as a rule, unless values of its column repeat
    it or look like it."""
    sample = [_filled(row) for row in rows[:SAMPLE]]
    usual = median_high([len(cells) for cells in sample if len(cells) > 1] or [1])
    if usual == 1:
        return _of_one_column(sample)
    first = next((at for at, cells in enumerate(sample) if _is_full(cells, usual)), None)
    if first is None:
        return Heads(titles=len(sample) if len(sample) <= 3 else 0)
    if not _names(sample[first], sample[first + 1 :]) or _is_record(sample[first:]):
        return Heads(titles=_titles(sample, first))
    last = first + 1
    while last < len(sample) and last - first < MOST_HEADS and _is_below_group(sample, last):
        last += 1
    top = first
    while top and last - top < MOST_HEADS and _is_group(sample[top - 1], sample[top]):
        top -= 1
    body = sample[last:]
    return Heads(
        titles=top,
        heads=last - top,
        is_sure=any(_values(column, body) for column in sample[last - 1]),
    )


def value_columns(rows: Sequence[Row]) -> set[int]:
    """Those in which most of these rows have values."""
    body = [_filled(row) for row in rows]
    columns = {column for cells in body for column in cells}
    return {column for column in columns if _values(column, body)}


def join_heads(heads: Sequence[Row]) -> list[str]:
    """One row of names for several: `Summer` over `opens` is `Summer opens`."""
    width = max(map(len, heads), default=0)
    rows = [[*row, *[""] * (width - len(row))] for row in heads]
    for row in rows[:-1]:
        if all(one != other or not one for one, other in pairwise(row)):
            _spread(row)
    return [" ".join(dict.fromkeys(filter(None, column))) for column in zip(*rows, strict=True)]


def is_value(cell: str) -> bool:
    """It reads as a number, an amount, a date, a time, or yes or no."""
    return len(cell) <= 40 and _VALUE.fullmatch(cell) is not None


Cells = dict[int, str]
"""Those of a row that are not blank, by column."""


def _filled(row: Row) -> Cells:
    return {at: cell for at, cell in enumerate(row) if cell}


def _distinct(cells: Cells) -> int:
    return len(set(cells.values()))


def _is_full(cells: Cells, usual: int) -> bool:
    """It has room for a head: more than a title, and more than `Created by` and a name."""
    is_note = len(cells) < usual and set(cells) <= {0, 1}
    return _distinct(cells) > 1 and len(cells) >= usual * _FULL and not is_note


def _of_one_column(sample: list[Cells]) -> Heads:
    cells = [next(iter(cells.values()), "") for cells in sample]
    values = sum(is_value(cell) for cell in cells[1:])
    if len(cells) > 2 and not is_value(cells[0]) and values > len(cells[1:]) / 2:
        return Heads(heads=1, is_sure=True)
    return Heads()


def _titles(sample: list[Cells], first: int) -> int:
    """Of a table without a head: only what cannot be a row of it."""
    titles = 0
    while titles < first and _distinct(sample[titles]) <= 1:
        titles += 1
    return titles


def _names(cells: Cells, below: list[Cells]) -> bool:
    """They read as names of columns, and as nothing that stands in these columns."""
    if any(len(cell) > LONGEST_NAME for cell in cells.values()):
        return False
    values = [at for at, cell in cells.items() if is_value(cell)]
    if values and (0 in values or not _is_series([cells[at] for at in values])):
        return False
    bodies = [other for other in below if other != cells]  # a head may come again on each page
    again = 0
    for at, cell in cells.items():
        column = [other[at] for other in bodies if at in other]
        if column[:1] == [cell] and _has_run(cells):  # a name that stands over two rows of names
            column = column[1:]
        again += column.count(cell)
        if column and _looks_alike(cell, column):
            return False
    return again < _AGAIN


def _is_series(names: list[str]) -> bool:
    """Periods, times or numbers that count on: columns may be named so."""
    if all(_PERIOD.fullmatch(name) or _TIME.fullmatch(name) for name in names):
        return True
    counts = [int(name) for name in names if name.isdecimal() and len(name) < 5]
    steps = {later - former for former, later in pairwise(counts)}
    return len(counts) == len(names) > 2 and steps == {1}


def _looks_alike(cell: str, column: list[str]) -> bool:
    """But for its digits, the cell is like most of its column."""
    if not _DIGITS.search(cell):
        return False
    if cell.isdecimal():  # a year over numbers
        periods = sum(_PERIOD.fullmatch(other) is not None for other in column)
        return _PERIOD.fullmatch(cell) is not None and periods > len(column) / 2
    shape = _DIGITS.sub("0", cell)
    return sum(_DIGITS.sub("0", other) == shape for other in column) > len(column) / 2


def _is_record(sample: list[Cells]) -> bool:
    """Two columns of names and values, some of them numbers and some text: it has no head."""
    if any(set(cells) - {0, 1} for cells in sample):
        return False
    if sum(cells.get(0, "").endswith(":") for cells in sample) > len(sample) / 2:
        return True
    second = [cells[1] for cells in sample[1:] if 1 in cells and cells != sample[0]]
    texts = [cell for cell in second if not is_value(cell)]
    values = len(second) - len(texts)
    is_mixed = 0 < min(values, len(texts)) >= len(second) / 3
    return is_mixed and len(set(texts)) == len(texts)


def _values(column: int, body: list[Cells]) -> bool:
    cells = [row[column] for row in body if column in row]
    return sum(is_value(cell) for cell in cells) > len(cells) / 2


def _is_below_group(sample: list[Cells], at: int) -> bool:
    """The row names parts of what the row above it names."""
    cells, above, body = sample[at], sample[at - 1], sample[at + 1 :]
    if len(cells) < 2 or not body or not _names(cells, body) or _has_values(cells):
        return False
    fills = any(column not in above for column in cells)
    if 0 not in cells and all(_values(column, body) for column in cells):
        return True  # units
    if any(_values(column, body) for column in cells):
        return fills or _has_run(above)
    stands = any(cells.get(column) in (None, name) for column, name in above.items())
    return _has_run(above) and (fills or stands)


def _is_group(cells: Cells, below: Cells) -> bool:
    """The row above a head names groups of its columns, and is no title."""
    if _has_values(cells):
        return False
    is_inside = bool(cells) and set(cells) <= set(below) and len(cells) <= len(below)
    if not is_inside or (_distinct(cells) == 1 and len(cells) == len(below)):
        return False
    return _has_run(cells) or (0 not in cells and _distinct(cells) > 1)


def _has_values(cells: Cells) -> bool:
    return any(is_value(cell) and not _PERIOD.fullmatch(cell) for cell in cells.values())


def _has_run(cells: Cells) -> bool:
    return any(cells.get(at + 1) == cell for at, cell in cells.items())


def _spread(row: list[str]) -> None:
    """The name of a group stands over the blank cells that follow it."""
    for at in range(1, len(row)):
        row[at] = row[at] or row[at - 1]
