"""The upright strips of white that part columns of prose."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from rag_service.readers.layout.page_line import PageLine

_NARROWEST = 0.5
"""Of a gutter, in sizes of the text."""
_ACROSS_SHARE = 0.1
"""So many of the lines may go across a gutter: headings, captions, the lines of a wide table."""
_WIDE_SHARE = 0.55
"""A line that takes more of the width of what is on the page goes across."""
_FEWEST_LINES = 3
_FULL_SHARE = 0.6
"""Of its column's width: half of the lines of prose take more."""
_COLUMN_SHARE = 0.15
"""Of the width of the page: no column of prose is narrower."""
_FEWEST_CHARACTERS = 14
"""Half of the lines of prose have more."""
_WIDEST_PITCH = 1.9
"""Prose has its lines closer, in sizes of the text; rows of a table may stand apart."""


def find_gutters(pieces: Sequence[PageLine]) -> list[float]:
    """Where columns of prose part, from left to right; none in a table or a single column."""
    left = min(piece.left for piece in pieces)
    right = max(piece.right for piece in pieces)
    width = right - left
    narrow = [
        piece
        for piece in pieces
        if not piece.is_ruled and piece.right - piece.left < _WIDE_SHARE * width
    ]
    if len(narrow) < 2 * _FEWEST_LINES:
        return []
    size = median(piece.size for piece in narrow)
    gutters = [
        (a + b) / 2
        for a, b in _strips(narrow, max(1, int(_ACROSS_SHARE * len(narrow))))
        if b - a >= _NARROWEST * size and left < a and b < right and _parts_most(a, b, pieces)
    ]
    while gutters:
        edges = [left - 1, *gutters, right + 1]
        columns = [
            [piece for piece in narrow if a <= piece.left and piece.right <= b]
            for a, b in pairwise(edges)
        ]
        prose = [_is_prose(column, width) for column in columns]
        wrong = [n for n, pair in enumerate(pairwise(prose)) if not all(pair)]
        if not wrong:
            return gutters
        del gutters[wrong[0]]
    return []


def _parts_most(left: float, right: float, pieces: Sequence[PageLine]) -> bool:
    """Whether more lines end at the strip than go across."""
    middle = (left + right) / 2
    across = sum(piece.left < middle < piece.right for piece in pieces)
    before = sum(piece.right <= middle for piece in pieces)
    after = sum(piece.left >= middle for piece in pieces)
    return across <= min(before, after)


def _strips(pieces: Sequence[PageLine], most: int) -> list[tuple[float, float]]:
    """Intervals that at most so many pieces cross."""
    events = sorted([(piece.left, 1) for piece in pieces] + [(piece.right, -1) for piece in pieces])
    strips: list[tuple[float, float]] = []
    covered = 0
    begin: float | None = None
    for x, step in events:
        covered += step
        if covered <= most:
            begin = x if begin is None else begin
        elif begin is not None:
            strips.append((begin, x))
            begin = None
    return strips


def _is_prose(column: list[PageLine], width: float) -> bool:
    """Lines close below each other, most of which go to the column's end."""
    bases = sorted({round(piece.base) for piece in column})
    if len(bases) < _FEWEST_LINES:
        return False
    wide = max(piece.right for piece in column) - min(piece.left for piece in column)
    size = median(piece.size for piece in column)
    return (
        wide >= _COLUMN_SHARE * width
        and median(piece.right - piece.left for piece in column) >= _FULL_SHARE * wide
        and median(len(piece.text) for piece in column) >= _FEWEST_CHARACTERS
        and sum(" " in piece.text for piece in column) > len(column) / 2
        and median(b - a for a, b in pairwise(bases)) <= _WIDEST_PITCH * size
    )
