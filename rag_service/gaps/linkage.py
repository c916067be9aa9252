"""Average linkage of many rows, without a matrix of all pairs. Pure.

The mean likeness of two clusters is the product of their mean rows, so a cluster is its mean, and
memory is that of the rows and of one block. Those that are nearest to each other are merged in
rounds, all at once: this gives the same tree as merging the best pair each time, since a merged
cluster is never nearer to a third one than the nearer of its parts was (reciprocal nearest
neighbours, Murtagh 1983).
"""

from collections.abc import Iterator

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]

_BLOCK = 1 << 23
"""Likenesses that are held at once."""
_COLUMNS = 1 << 13


class Points(Struct, kw_only=True):
    """What is clustered. `mirrored @ means.T` is their likeness. Two whose codes differ are never
    put together; 0 goes with any."""

    means: Floats
    signs: Floats
    sizes: Floats
    codes: Indices

    def take(self, rows: Indices | NDArray[np.bool_]) -> "Points":
        return Points(
            means=self.means[rows],
            signs=self.signs,
            sizes=self.sizes[rows],
            codes=self.codes[rows],
        )

    def likeness(self, rows: Indices, start: int, end: int) -> Floats:
        """Of some with those in [start, end), shape (rows, end - start); -inf with itself."""
        mirrored = (self.means[rows] * self.signs).astype(np.float32)
        found: Floats = mirrored @ self.means[start:end].T.astype(np.float32, copy=False)
        mine, theirs = self.codes[rows], self.codes[start:end]
        coded, others = np.flatnonzero(mine), np.flatnonzero(theirs)  # few, as a rule
        if len(coded) and len(others):
            apart = mine[coded, None] != theirs[others]
            block = np.ix_(coded, others)
            found[block] = np.where(apart, -np.inf, found[block])
        inside = np.flatnonzero((rows >= start) & (rows < end))
        found[inside, rows[inside] - start] = -np.inf
        return found


def average_linkage(points: Points, least: float) -> Indices:
    """The cluster of each point, numbered from 0 by its first point. Clusters are put together as
    long as their mean likeness is `least` or more.

    Of n points, time grows with the square of n, and memory with n.
    """
    group = np.arange(len(points.means))
    alive = group.copy()
    points = points.take(alive)
    near, likeness = _nearest(points, alive)
    while (likeness >= least).any():
        kept = likeness >= least
        kept[near[kept]] = True  # rounding may tell the two sides of a pair apart
        alive, points, near, likeness = _kept(kept, alive, points, near, likeness)
        ones, others = _pairs(near, likeness, least)
        _merge(points, ones, others)
        group[alive[others]] = alive[ones]
        stale = np.zeros(len(alive), np.bool_)
        stale[ones] = stale[others] = True
        stale |= stale[near]
        kept = np.ones(len(alive), np.bool_)
        kept[others] = False
        stale = stale[kept]
        alive, points, near, likeness = _kept(kept, alive, points, near, likeness)
        rows = np.flatnonzero(stale)
        near[rows], likeness[rows] = _nearest(points, rows)
    return _numbered(group)


def nearest_rows(
    points: Points, count: int, block: int
) -> Iterator[tuple[Indices, Indices, Floats]]:
    """`block` at a time: some points, the `count` likest each, likest first, and their likeness."""
    size = len(points.means)
    for first in range(0, size, block):
        rows = np.arange(first, min(first + block, size))
        found = np.full((len(rows), 0), -1, np.int64)
        likeness = np.full((len(rows), 0), -np.inf, np.float32)
        for start in range(0, size, _COLUMNS):
            end = min(start + _COLUMNS, size)
            here = points.likeness(rows, start, end)
            best = _best(here, count)
            found = np.hstack([found, best + start])
            likeness = np.hstack([likeness, np.take_along_axis(here, best, 1)])
            best = np.argsort(-likeness, axis=1, kind="stable")[:, :count]
            found = np.take_along_axis(found, best, 1)
            likeness = np.take_along_axis(likeness, best, 1)
        yield rows, found, likeness


def _best(likeness: Floats, count: int) -> Indices:
    size = likeness.shape[1]
    count = min(count, size)
    return np.argpartition(likeness, size - count, axis=1)[:, size - count :]


def _nearest(points: Points, rows: Indices) -> tuple[Indices, Floats]:
    """The likest other point of each of these, and its likeness; -inf where there is none."""
    size = len(points.means)
    near = np.zeros(len(rows), np.int64)
    likeness = np.full(len(rows), -np.inf, np.float32)
    done = 0
    for block in _blocks(rows, size):
        found = points.likeness(block, 0, size)
        place = slice(done, done + len(block))
        near[place] = found.argmax(axis=1)
        likeness[place] = np.take_along_axis(found, near[place][:, None], 1)[:, 0]
        done += len(block)
    return near, likeness


def _blocks(rows: Indices, columns: int) -> Iterator[Indices]:
    step = max(1, _BLOCK // max(1, columns))
    for start in range(0, len(rows), step):
        yield rows[start : start + step]


def _kept(
    kept: NDArray[np.bool_], alive: Indices, points: Points, near: Indices, likeness: Floats
) -> tuple[Indices, Points, Indices, Floats]:
    """The others are gone; whose nearest is gone is looked up anew."""
    if kept.all():
        return alive, points, near, likeness
    place = np.cumsum(kept) - 1
    return alive[kept], points.take(kept), place[near[kept]], likeness[kept]


def _pairs(near: Indices, likeness: Floats, least: float) -> tuple[Indices, Indices]:
    """Those nearest to each other; the best pair where rounding leaves none."""
    ones = np.arange(len(near))
    mutual = (near[near] == ones) & (ones < near) & (likeness >= least)
    if not mutual.any():
        best = int(likeness.argmax())
        pair = sorted((best, int(near[best])))
        return np.array(pair[:1]), np.array(pair[1:])
    return ones[mutual], near[mutual]


def _merge(points: Points, ones: Indices, others: Indices) -> None:
    weights = points.sizes[ones] / (points.sizes[ones] + points.sizes[others])
    points.means[ones] *= weights[:, None]
    points.means[ones] += points.means[others] * (1 - weights)[:, None]
    points.sizes[ones] += points.sizes[others]
    points.codes[ones] = np.maximum(points.codes[ones], points.codes[others])


def _numbered(group: Indices) -> Indices:
    """Each follows the one it was merged into, which comes before it."""
    for point in range(len(group)):
        group[point] = group[group[point]]
    _, numbers = np.unique(group, return_inverse=True)
    return numbers.astype(np.int64)
