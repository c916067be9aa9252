"""Ruling lines on a page -> the grids of tables. Pure geometry, in points, upwards."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

_THIN = 3.0
_SHORTEST = 6.0
_NEAR = 3.0
MOST_RULINGS = 2_000
"""More are a drawing."""
MOST_CELLS = 4_000

Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""


class Grid(Struct, frozen=True):
    """Where the columns and the rows of a table begin and end: at least two of each."""

    xs: list[float]
    """From left to right."""
    ys: list[float]
    """From top to bottom."""
    walls: list[Box]
    """The upright rulings; where one is missing, a cell goes over several columns."""

    def rows(self) -> Iterable[list[Box]]:
        """The cells of each row."""
        for top, bottom in pairwise(self.ys):
            middle = (top + bottom) / 2
            edges = [self.xs[0]]
            edges += [x for x in self.xs[1:-1] if self._has_wall(x, middle)]
            edges.append(self.xs[-1])
            yield [(a, bottom, b, top) for a, b in pairwise(edges)]

    def covers(self, x: float, y: float) -> bool:
        return self.xs[0] <= x <= self.xs[-1] and self.ys[-1] <= y <= self.ys[0]

    def _has_wall(self, x: float, y: float) -> bool:
        return any(abs(wall[0] - x) <= _NEAR and wall[1] <= y <= wall[3] for wall in self.walls)


def find_grids(boxes: Sequence[Box]) -> list[Grid]:
    """Of the rulings that cross or touch each other."""
    upright = [box for box in boxes if box[2] - box[0] <= _THIN and box[3] - box[1] >= _SHORTEST]
    level = [box for box in boxes if box[3] - box[1] <= _THIN and box[2] - box[0] >= _SHORTEST]
    if len(upright) + len(level) > MOST_RULINGS:
        return []
    grids = []
    for group in _touching(upright + level):
        walls = [box for box in group if box[2] - box[0] < box[3] - box[1]]
        xs = _places(wall[0] for wall in walls)
        ys = _places(box[1] for box in group if box[2] - box[0] >= box[3] - box[1])[::-1]
        if len(xs) > 2 and len(ys) > 2 and len(xs) * len(ys) <= MOST_CELLS:
            grids.append(Grid(xs, ys, walls))
    return grids


def _touching(boxes: list[Box]) -> list[list[Box]]:
    """In groups: each touches another one of its group."""
    if not boxes:
        return []
    edges = np.array(boxes, np.float32)
    left = np.ones(len(boxes), bool)
    groups = []
    while left.any():
        group = [int(left.argmax())]
        left[group[0]] = False
        for index in group:  # which grows meanwhile
            near = np.flatnonzero(left & _touch(edges, edges[index]))
            left[near] = False
            group += near.tolist()
        groups.append([boxes[index] for index in group])
    return groups


def _touch(edges: NDArray[np.float32], box: NDArray[np.float32]) -> NDArray[np.bool_]:
    touches: NDArray[np.bool_] = (
        (edges[:, 0] - _NEAR <= box[2])
        & (edges[:, 2] + _NEAR >= box[0])
        & (edges[:, 1] - _NEAR <= box[3])
        & (edges[:, 3] + _NEAR >= box[1])
    )
    return touches


def _places(values: Iterable[float]) -> list[float]:
    """In ascending order, those that are next to each other once."""
    found: list[float] = []
    for value in sorted(values):
        if not found or value - found[-1] > _NEAR:
            found.append(value)
    return found
