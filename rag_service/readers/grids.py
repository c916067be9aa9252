"""What is seen of a sheet: its cells, less hidden rows and columns, with merged ones repeated."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache

from msgspec import Struct

from rag_service.errors import Unreadable

MOST_COLUMNS = 18_278
"""Column ZZZ is the last that has a name of three letters."""


_REFERENCE = re.compile(r"\$?([A-Za-z]{1,3})\$?(\d{1,7})")


class Area(Struct, frozen=True):
    """Cells that are merged into one; all counts from 0, the last ones included."""

    row: int
    column: int
    last_row: int
    last_column: int


class Grid:
    """Filled row by row; holds what is there, however far apart that is."""

    def __init__(self, most: int) -> None:
        """`rows` raises Unreadable when the sheet takes more than `most` cells."""
        self.row = -1
        """The one that cells are put into."""
        self._most = most
        self._rows: dict[int, dict[int, str]] = {}
        self._hidden_rows: set[int] = set()
        self._hides = bytearray(MOST_COLUMNS)
        self._areas: list[Area] = []

    def start_row(self, row: int, *, is_hidden: bool = False) -> None:
        self.row = row
        if is_hidden:
            self._hidden_rows.add(row)

    def put(self, column: int, text: str) -> None:
        """A blank cell is none."""
        if text and 0 <= column < MOST_COLUMNS:
            self._rows.setdefault(self.row, {})[column] = text

    def replace(self, row: int, column: int, text: str) -> None:
        self.row = row
        self.put(column, text)

    def hide_columns(self, first: int, last: int) -> None:
        last = min(last, MOST_COLUMNS - 1)
        self._hides[first : last + 1] = bytes([1]) * (last + 1 - first)

    def merge(self, area: Area) -> None:
        self._areas.append(area)

    def is_seen(self, row: int, column: int) -> bool:
        return row not in self._hidden_rows and not self._hides[column : column + 1].strip(b"\0")

    @property
    def hidden_rows(self) -> int:
        """Those that have text."""
        return len(self._hidden_rows & self._rows.keys())

    @property
    def hidden_columns(self) -> int:
        """Those that have text."""
        used = {column for cells in self._rows.values() for column in cells}
        return sum(self._hides[column] for column in used)

    def rows(self) -> Iterator[list[str]]:
        """Those that are seen, with one blank row or column for any number of them."""
        numbers = sorted(self._rows.keys() - self._hidden_rows)
        columns = self._columns(numbers)
        self._repeat(numbers, columns)
        places = list(self._with_gaps(columns))
        hidden = sorted(self._hidden_rows)
        left = self._most
        last = -1
        for number in numbers:
            between = bisect_left(hidden, number) - bisect_left(hidden, last + 1)
            if number - last - 1 > between:
                yield []
            last = number
            row = self._rows[number]
            left -= len(places)
            if left < 0:
                raise Unreadable(f"has a sheet of more than {self._most:,} cells: split it")
            yield [row.get(column, "") for column in places]

    def _columns(self, numbers: list[int]) -> list[int]:
        used = {column for number in numbers for column in self._rows[number]}
        return sorted(column for column in used if not self._hides[column])

    def _with_gaps(self, columns: list[int]) -> Iterator[int]:
        """A column that has nothing, where one is seen between two that have something."""
        last = columns[0] if columns else 0
        for column in columns:
            if 0 in self._hides[last + 1 : column]:
                yield -1
            yield column
            last = column

    def _repeat(self, numbers: list[int], columns: list[int]) -> None:
        """The text of merged cells goes into each row and column where others have some, but for
        what takes a whole row: a title is told once."""
        left = self._most
        for area in self._areas:
            text = self._rows.get(area.row, {}).get(area.column)
            if not text:
                continue
            end = bisect_left(columns, area.last_column + 1)
            inside = columns[bisect_left(columns, area.column) : end]
            first = bisect_left(numbers, area.row)
            for number in numbers[first : bisect_left(numbers, area.last_row + 1)]:
                row = self._rows[number]
                if row.keys() - set(inside):
                    row.update(dict.fromkeys(inside, text))
                left -= len(row) + len(inside)
            if left < 0:
                raise Unreadable(f"merges more than {self._most:,} cells: split it")


def place_of(reference: str) -> tuple[int, int] | None:
    """Row and column from 0 of such as `B2`; None for what is no reference."""
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        return None
    return int(match[2]) - 1, column_of(match[1])


@lru_cache(maxsize=MOST_COLUMNS)
def column_of(letters: str) -> int:
    """From 0, of such as `B`."""
    column = 0
    for letter in letters.upper():
        column = column * 26 + ord(letter) - ord("A") + 1
    return column - 1


def place_name(row: int, column: int) -> str:
    """Such as `B2` for row 1 and column 1."""
    letters = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return f"{letters}{row + 1}"
