"""The order in which a reader takes a page: columns one after the other, rows whole."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median

from msgspec.structs import replace

from rag_service.readers.layout.gutters import find_gutters
from rag_service.readers.layout.page_line import PageLine
from rag_service.readers.layout.tables import as_rows

_DEEPEST = 8
_FEWEST_PIECES = 8
"""In a part of a page that is cut further."""
_APART = 1.3
"""Times the usual space between lines: where a part of a page may end."""


def in_order(lines: Sequence[PageLine]) -> Sequence[PageLine]:
    """From top to bottom; what stands side by side is a row of cells, or columns of prose, which
    are read one after the other, above and below whatever goes across them."""
    if not any(line.cells for line in lines) and all(
        before.base - line.base > 0.25 * line.size for before, line in pairwise(lines)
    ):
        return lines
    pieces = [piece for line in lines for piece in _pieces(line)]
    return [line for part in _parts(pieces, 0) for line in as_rows(part)]


def _pieces(line: PageLine) -> Iterable[PageLine]:
    """The line cut at its gaps."""
    if not line.spans:
        return (line,)
    last = len(line.cells) - 1
    return (
        replace(
            line,
            text=cell,
            left=left,
            right=right,
            hyphen=line.hyphen and at == last,
            cells=(),
            spans=(),
        )
        for at, (cell, (left, right)) in enumerate(zip(line.cells, line.spans, strict=True))
    )


def _parts(pieces: list[PageLine], depth: int) -> list[list[PageLine]]:
    """Each is read by its rows."""
    if len(pieces) < _FEWEST_PIECES or depth > _DEEPEST:
        return [pieces]
    if gutters := find_gutters(pieces):
        return _by_columns(pieces, gutters)
    cut = _widest_space(pieces)
    if cut is None:
        return [pieces]
    above = [piece for piece in pieces if piece.base > cut]
    below = [piece for piece in pieces if piece.base <= cut]
    parts = [*_parts(above, depth + 1), *_parts(below, depth + 1)]
    return parts if len(parts) > 2 or _has_columns(parts) else [pieces]


def _has_columns(parts: list[list[PageLine]]) -> bool:
    return any(
        min(piece.base for piece in part) < max(piece.base for piece in other)
        for part, other in pairwise(parts)
    )


def _by_columns(pieces: list[PageLine], gutters: list[float]) -> list[list[PageLine]]:
    edges = [float("-inf"), *gutters, float("inf")]
    parts: list[list[PageLine]] = []
    columns: list[list[PageLine]] = [[] for _ in edges[1:]]
    across: list[PageLine] = []
    for piece in sorted(pieces, key=lambda piece: -piece.base):
        if any(piece.left < x < piece.right for x in gutters):
            parts += [column for column in columns if column]
            columns = [[] for _ in edges[1:]]
            across.append(piece)
            continue
        if across:
            parts.append(across)
            across = []
        middle = (piece.left + piece.right) / 2
        column = next(n for n, (a, b) in enumerate(pairwise(edges)) if a <= middle <= b)
        columns[column].append(piece)
    parts += [column for column in columns if column]
    return [*parts, across] if across else parts


def _widest_space(pieces: list[PageLine]) -> float | None:
    """A height at which the page may be cut in two."""
    bases = sorted({piece.base for piece in pieces}, reverse=True)
    spaces = [(a - b, (a + b) / 2) for a, b in pairwise(bases) if a - b > 1]
    if len(spaces) < 2:
        return None
    space, height = max(spaces)
    return height if space > _APART * median(space for space, _ in spaces) else None
