"""Boxes of recognised text -> the lines of a page in reading order, as a PDF gives them."""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from rag_service.readers.layout import PageLine
from rag_service.readers.outline import one_line

_BOX_HEIGHTS = 1.35
"""A box is so much higher than the size of its text: measured on drawn text of 8 to 40 points."""
_BASE = 0.3
"""The baseline lies so far below the middle of a line, in sizes of the text."""
_SAME_SIZE = 0.22
"""Sizes that differ by less from the page's usual one are that: boxes are no finer."""
_SAME_ROW = 0.45
"""In sizes of the text: middles that differ by less are on one baseline."""
_SAME_LINE = 1.0
"""In sizes of the text: a narrower gap is one between words, not between columns."""
_MOST_SKEW = math.radians(15)
_FEWEST_IN_COLUMN = 3
_COLUMN_SHARE = 0.3
"""Of the width of what is on the page: what is narrower is a column of a table."""
_PROSE_SHARE = 0.6
"""Lines that fill less of their column on average are cells of a table."""


class Box(NamedTuple):
    """A line or part of a line. Corners are in pixels, y downwards, from the top left clockwise."""

    text: str
    score: float
    corners: NDArray[np.float64]

    @property
    def width(self) -> float:
        return float(np.ptp(self.corners[:, 0]))

    @property
    def height(self) -> float:
        return float(np.ptp(self.corners[:, 1]))


def page_lines(boxes: Sequence[Box], *, height: float, points: float) -> list[PageLine]:
    """In reading order; every text of a box is in one line. `height` is that of the picture, in
    pixels; `points` is the size of a pixel."""
    if not boxes:
        return []
    angle = _skew(boxes)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    lines = [_line(box, box.corners @ turn, height, points) for box in boxes]
    rows = _rows(_with_usual_sizes(lines))
    gutter = _gutter(rows)
    return _in_columns(rows, gutter) if gutter else [_as_line(row) for row in rows]


def _skew(boxes: Sequence[Box]) -> float:
    """The angle at which most text rises; long lines tell it best. 0 for what is no skew."""
    angles = []
    for box in sorted(boxes, key=lambda box: -box.width)[:15]:
        (left, right) = box.corners[0], box.corners[1]
        if box.width > 4 * box.height or len(boxes) < 3:
            angles.append(math.atan2(right[1] - left[1], right[0] - left[0]))
    angle = median(angles) if angles else 0.0
    return angle if abs(angle) < _MOST_SKEW else 0.0


def _line(box: Box, corners: Any, height: float, points: float) -> PageLine:
    top = float(corners[:2, 1].mean())
    bottom = float(corners[2:, 1].mean())
    size = max(abs(bottom - top) / _BOX_HEIGHTS, 1.0)
    return PageLine(
        text=one_line(box.text),
        left=float(corners[:, 0].min()) * points,
        right=float(corners[:, 0].max()) * points,
        base=(height - (top + bottom) / 2 - _BASE * size) * points,
        size=size * points,
        certainty=box.score,
    )


def _with_usual_sizes(lines: Sequence[PageLine]) -> list[PageLine]:
    usual = round(median(line.size for line in lines for _ in line.text), 1)
    return [
        replace(line, size=usual) if abs(line.size / usual - 1) < _SAME_SIZE else line
        for line in lines
    ]


def _rows(lines: Sequence[PageLine]) -> list[list[PageLine]]:
    """From top to bottom and left to right, on one baseline; parts of a line are put together."""
    rows: list[list[PageLine]] = []
    for line in sorted(lines, key=lambda line: -line.base):
        if rows and rows[-1][0].base - line.base < _SAME_ROW * min(line.size, rows[-1][0].size):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [_joined([replace(line, base=row[0].base) for line in row]) for row in rows]


def _joined(row: list[PageLine]) -> list[PageLine]:
    found: list[PageLine] = []
    for line in sorted(row, key=lambda line: line.left):
        before = found[-1] if found else None
        if before and line.left - before.right < _SAME_LINE * min(line.size, before.size):
            text = f"{before.text} {line.text}"
            size = max(before.size, line.size)
            right = max(before.right, line.right)
            certainty = min(before.certainty, line.certainty)
            found[-1] = replace(before, text=text, right=right, size=size, certainty=certainty)
        else:
            found.append(line)
    return found


# -- two columns -----------------------------------------------------------------------------------


def _gutter(rows: Sequence[Sequence[PageLine]]) -> float | None:
    """Where two columns of prose part: the place near the middle that most rows leave free."""
    gaps = [
        (a.right + b.left) / 2
        for row in rows
        for a, b in pairwise(row)
        if b.left - a.right > _SAME_LINE * a.size
    ]
    if len(gaps) < _FEWEST_IN_COLUMN:
        return None
    gutter = median(gaps)
    left = [line for row in rows for line in row if line.right < gutter]
    right = [line for row in rows for line in row if line.left > gutter]
    whole = _width([line for row in rows for line in row])
    is_prose = all(_is_prose(column, whole) for column in (left, right))
    return gutter if is_prose else None


def _is_prose(column: Sequence[PageLine], whole: float) -> bool:
    if len(column) < _FEWEST_IN_COLUMN:
        return False
    width = _width(column)
    filled = sum(line.right - line.left for line in column) / len(column)
    return width > _COLUMN_SHARE * whole and filled > _PROSE_SHARE * width


def _width(lines: Sequence[PageLine]) -> float:
    return max(line.right for line in lines) - min(line.left for line in lines)


def _in_columns(rows: Sequence[Sequence[PageLine]], gutter: float) -> list[PageLine]:
    """The left column before the right one, between rows that go across both."""
    ordered: list[PageLine] = []
    right: list[PageLine] = []
    for row in rows:
        before = [line for line in row if line.right < gutter]
        after = [line for line in row if line.left > gutter]
        if len(before) + len(after) < len(row):
            ordered += [*right, _as_line(row)]
            right = []
            continue
        ordered += [_as_line(before)] if before else []
        right += [_as_line(after)] if after else []
    return [*ordered, *right]


def _as_line(row: Sequence[PageLine]) -> PageLine:
    """What stands apart on one baseline is a row of a table."""
    if len(row) == 1:
        return row[0]
    texts = tuple(line.text for line in row)
    certainty = min(line.certainty for line in row)
    right = row[-1].right
    return replace(row[0], text=" ".join(texts), right=right, cells=texts, certainty=certainty)
