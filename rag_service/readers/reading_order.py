"""The order in which the boxes of a page are read: from top to bottom, from left to right."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from msgspec import Struct

T = TypeVar("T")

_OVERLAP = 0.5
"""Boxes stand side by side when they share more than this part of the lower one's height."""


class Box(Struct, frozen=True):
    """In any unit, y growing downwards."""

    left: float
    top: float
    width: float
    height: float


def in_reading_order(items: Sequence[T], box: Callable[[T], Box | None]) -> list[T]:
    """Boxes at one height are read from left to right. What has no box follows its predecessor.

    Takes the time that sorting takes.
    """
    placed: list[tuple[Box, list[T]]] = []
    first: list[T] = []
    for item in items:
        own = box(item)
        if own is not None:
            placed.append((own, [item]))
        else:
            (placed[-1][1] if placed else first).append(item)
    placed.sort(key=lambda entry: (entry[0].top, entry[0].left))
    ordered = list(first)
    for row in _rows(placed):
        for _, items_there in sorted(row, key=lambda entry: (entry[0].left, entry[0].top)):
            ordered.extend(items_there)
    return ordered


def _rows(placed: list[tuple[Box, list[T]]]) -> list[list[tuple[Box, list[T]]]]:
    """Boxes that overlap the first one of their row by most of their height."""
    rows: list[list[tuple[Box, list[T]]]] = []
    for entry in placed:
        if rows and _side_by_side(rows[-1][0][0], entry[0]):
            rows[-1].append(entry)
        else:
            rows.append([entry])
    return rows


def _side_by_side(above: Box, below: Box) -> bool:
    shared = min(above.top + above.height, below.top + below.height) - below.top
    return shared > _OVERLAP * min(above.height, below.height) if shared > 0 else (
        above.top == below.top
    )  # fmt: skip
