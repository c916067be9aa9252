"""Tables that are ruled with level lines alone: what stands between the lines tells the columns."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from rag_service.readers.layout.page_line import PageLine
from rag_service.readers.layout.rulings import Box, Grid

_THIN = 3.0
_SHORTEST = 40.0
_NEAR = 3.0
_FEWEST = 3
"""Above the head, below it, and below the last row."""
_GUTTER = 0.4
"""In sizes of the text. Narrower than where no line is drawn."""
_LONGEST_CELL = 24
"""Characters, of most cells: what is longer is prose in columns."""
_SAME_BASE = 0.3
_HEAD_ROWS = 3

Row = list[tuple[float, float, int]]
"""From where to where each piece goes, and how many characters it has."""


def level_grids(boxes: Sequence[Box], lines: Sequence[PageLine]) -> Iterator[Grid]:
    """`boxes` are the rulings of a page without upright ones in the place of a table."""
    level = [box for box in boxes if box[3] - box[1] <= _THIN and box[2] - box[0] >= _SHORTEST]
    upright = [box for box in boxes if box[2] - box[0] <= _THIN < box[3] - box[1]]
    for group in _of_one_width(level):
        ys = _places(group)
        left, right = group[0][0], group[0][2]
        if len(ys) < _FEWEST or any(_crosses(box, left, right, ys) for box in upright):
            continue
        inside = [
            line
            for line in lines
            if ys[-1] < line.base < ys[0] and left - _NEAR <= line.left <= right
        ]
        if grid := _grid(ys, (left, right), inside):
            yield grid


def _of_one_width(level: Sequence[Box]) -> list[list[Box]]:
    groups: list[list[Box]] = []
    for box in sorted(level):
        for group in groups:
            if abs(group[0][0] - box[0]) <= _NEAR and abs(group[0][2] - box[2]) <= _NEAR:
                group.append(box)
                break
        else:
            groups.append([box])
    return groups


def _places(group: Sequence[Box]) -> list[float]:
    """From top to bottom."""
    ys: list[float] = []
    for y in sorted((box[1] for box in group), reverse=True):
        if not ys or ys[-1] - y > _NEAR:
            ys.append(y)
    return ys


def _crosses(box: Box, left: float, right: float, ys: Sequence[float]) -> bool:
    return left - _NEAR <= box[0] <= right + _NEAR and box[1] < ys[0] and box[3] > ys[-1]


def _grid(ys: list[float], width: tuple[float, float], lines: Sequence[PageLine]) -> Grid | None:
    rows = _rows(lines)
    pieces = [piece for _, row in rows for piece in row]
    if not pieces or median(letters for _, _, letters in pieces) > _LONGEST_CELL:
        return None
    xs = _gutters(pieces, _GUTTER * median(line.size for line in lines))
    if not xs:
        return None
    found = [ys[0]]
    for top, bottom in pairwise(ys):
        band = [(base, row) for base, row in rows if bottom < base < top]
        full = sum(len(row) == len(xs) + 1 for _, row in band)
        if not band or (top == ys[0] and len(band) > _HEAD_ROWS):
            return None
        if full == len(band):
            size = median(line.size for line in lines)
            found += [base - _SAME_BASE * size for base, _ in band[:-1]]
        elif full > 1:
            return None
        found.append(bottom)
    walls = [(x, ys[-1], x, ys[0]) for x in xs]
    return Grid([width[0], *xs, width[1]], found, walls)


def _rows(lines: Sequence[PageLine]) -> list[tuple[float, Row]]:
    """From top to bottom, each with its baseline."""
    rows: list[tuple[float, Row]] = []
    for line in sorted(lines, key=lambda line: -line.base):
        spans = line.spans or ((line.left, line.right),)
        texts = line.cells or (line.text,)
        row = [(*span, len(text)) for span, text in zip(spans, texts, strict=True)]
        if rows and rows[-1][0] - line.base < _SAME_BASE * line.size:
            rows[-1][1].extend(row)
        else:
            rows.append((line.base, row))
    return rows


def _gutters(pieces: Row, least: float) -> list[float]:
    """The middles of what no piece covers."""
    xs = []
    end = min(left for left, _, _ in pieces)
    for left, right, _ in sorted(pieces):
        if left - end > least:
            xs.append((left + end) / 2)
        end = max(end, right)
    return xs
