"""Rows of tables and records: which of their cells a question asks for, and how they are told."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from rag_service.models.chat.extractive.cues import Cue, shows
from rag_service.models.chat.extractive.markup import STOPS, clean
from rag_service.texts.stems import informative, stems


class Cell(NamedTuple):
    column: str
    """Its header; empty where the table has none."""
    value: str


Row = tuple[Cell, ...]

_RULE = re.compile(r"[\s|:+=*_~-]+")
_LONGEST_NAME = 60
_LONGEST_VALUE = 120
_STEM = 3
_ENDING = 2
"""Letters: `bed` and `beds`, `Bett` and `Betten` name the same column."""
_FIELD = re.compile(
    rf"\s*([^\W\d][^:\n|\uff1a]{{0,{_LONGEST_NAME}}}?)\s?[:\uff1a]\s+(\S.{{0,{_LONGEST_VALUE}}})"
)


def is_row(line: str) -> bool:
    return " | " in line or line.lstrip().startswith("|")


def read_rows(lines: Sequence[str]) -> list[Row]:
    """The rows below the header, without their empty cells; none of a header or a menu alone.

    The first row is the header where a rule stands below it, and else where nothing in it reads
    as data; of two columns, only where the second one holds numbers.
    """
    table = [_cells(line) for line in lines if not _RULE.fullmatch(line)]
    has_rule = len(lines) > 1 and not is_rule(lines[0]) and is_rule(lines[1])
    if not table:
        return []
    header = table[0] if has_rule or _is_header(table) else []
    rows = table[1:] if header else table
    return [row for cells in rows if (row := _row(header, cells))]


def is_rule(line: str) -> bool:
    return "|" in line and "-" in line and _RULE.fullmatch(line) is not None


def read_records(blocks: Sequence[Sequence[str]]) -> list[Row | None]:
    """For each block of `name: value` lines its fields, where another block has the same names."""
    fields = [_fields(lines) for lines in blocks]
    names = [frozenset(cell.column for cell in row) for row in fields]
    alike = {
        at for a, b in pairwise(range(len(names))) if len(names[a] & names[b]) > 1 for at in (a, b)
    }
    return [row if at in alike else None for at, row in enumerate(fields)]


def whole(row: Row) -> str:
    """`column: value; column: value`; without a header, `first: second; third`."""
    if row[0].column or len(row) == 1:
        return "; ".join(_named(cell) for cell in row)
    return f"{row[0].value}: {'; '.join(cell.value for cell in row[1:])}"


def asked(question: str, rows: Sequence[Row], cue: Cue | None) -> list[str]:
    """The columns that the question names; or the one that alone holds what it asks for, such as
    a price, where those do not."""
    wanted = set(informative(stems(question)))
    columns = list(dict.fromkeys(cell.column for row in rows for cell in row if cell.column))
    shared = {column: _alike(wanted, column) for column in columns}
    named = [
        column
        for column in columns
        if shared[column] and not any(shared[column] < other for other in shared.values())
    ]
    others = [column for column in named if column != columns[0]]
    if cue is None or cue.worth < 1 or _shown(cue, question, rows, others):
        return named
    held = [
        column
        for column in columns[1:]
        if all(shows(cue, value, question) for value in _values(rows, column))
    ]
    return held if len(held) == 1 else named


def known(question: str, rows: Sequence[Row]) -> list[bool]:
    """Whether the question speaks of this row: by a word of it that not every row has. All of
    them, where it speaks of none."""
    wanted = set(informative(stems(question)))
    words = [set(stems(" ".join(cell.value for cell in row))) & wanted for row in rows]
    common = set.intersection(*words)
    most = max(len(found - common) for found in words)
    return [len(found - common) == most for found in words]


def told(question: str, row: Row, columns: Sequence[str]) -> str:
    """`name \u2014 column: value` of the columns that were asked for; else the whole row."""
    cells = [cell for cell in row if cell.column in columns]
    if not cells or len(cells) == len(row):
        return whole(row)
    name = _name(question, row)
    if name in cells:
        return "; ".join(map(_named, cells))
    return f"{name.value} \u2014 {'; '.join(map(_named, cells))}"


def _cells(line: str) -> list[str]:
    return [clean(cell) for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]


def _row(header: Sequence[str], cells: Sequence[str]) -> Row:
    names = header if len(header) == len(cells) else [""] * len(cells)
    if len(header) > len(cells):
        names = header[: len(cells)]
    row = tuple(Cell(name, value) for name, value in zip(names, cells, strict=True) if value)
    return row if all(cell.column for cell in row) else tuple(Cell("", value) for _, value in row)


def _is_header(table: Sequence[Sequence[str]]) -> bool:
    first, rest = table[0], table[1:]
    names = [name for name in first if name]
    reads_as_names = all(
        len(name) <= _LONGEST_NAME and not _has_digit(name) and not name.endswith(STOPS)
        for name in names
    )
    if not rest or len(names) < 2 or not reads_as_names or len(set(names)) < len(names):
        return False
    return len(names) > 2 or all(_has_digit(row[-1]) for row in rest)


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))


def _fields(lines: Sequence[str]) -> Row:
    found = [_FIELD.fullmatch(line) for line in lines]
    cells = tuple(Cell(clean(field[1]), clean(field[2])) for field in found if field)
    return cells if len(lines) > 1 and len(cells) == len(lines) else ()


def _shown(cue: Cue, question: str, rows: Sequence[Row], columns: Sequence[str]) -> bool:
    """Whether any of these columns has what the question asks for."""
    values = (value for column in columns for value in _values(rows, column))
    return any(shows(cue, value, question) for value in values)


def _values(rows: Sequence[Row], column: str) -> list[str]:
    return [cell.value for row in rows for cell in row if cell.column == column]


def _alike(wanted: set[str], column: str) -> set[str]:
    """The words of the question that the column's name has, but for a plural's ending."""
    names = stems(column)
    return {
        word
        for word in wanted
        if any(
            word == name or (min(len(word), len(name)) >= _STEM and _is_longer(word, name))
            for name in names
        )
    }


def _is_longer(word: str, name: str) -> bool:
    return abs(len(word) - len(name)) <= _ENDING and (
        word.startswith(name) or name.startswith(word)
    )


def _name(question: str, row: Row) -> Cell:
    """The cell that the question knows the row by; else the first that is no number."""
    wanted = set(informative(stems(question)))
    known = [len(wanted & set(stems(cell.value))) for cell in row]
    if max(known):
        return row[known.index(max(known))]
    return next((cell for cell in row if any(map(str.isalpha, cell.value))), row[0])


def _named(cell: Cell) -> str:
    return f"{cell.column}: {cell.value}" if cell.column else cell.value
