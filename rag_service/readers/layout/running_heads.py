"""Lines at the edges of pages that say the same on many of them."""

import re
from collections import Counter
from collections.abc import Sequence

from rag_service.readers.layout.page_line import PageLine
from rag_service.readers.outline import one_line

_EDGE_LINES = 2
"""So many lines at the top of each page, and at its bottom, may be running heads."""
_FEWEST_REPEATS = 3
_COMMON_SHARE = 0.4

_DIGITS = re.compile(r"\d+")


def without_running_heads(pages: Sequence[Sequence[PageLine]]) -> list[list[PageLine]]:
    """Lines at the edges that are the same on many pages, or that count them, are left out."""
    edges = [_edges(lines) for lines in pages]
    found: dict[tuple[str, int], list[tuple[int, PageLine]]] = {}
    for number, lines in enumerate(edges):
        for line in lines:
            key = (_DIGITS.sub("#", one_line(line.text)), round(line.base / 6))
            found.setdefault(key, []).append((number, line))
    dropped: dict[int, set[int]] = {}
    for (text, _), places in found.items():
        if _is_running(text, places, len(pages)):
            for number, line in places:
                dropped.setdefault(number, set()).add(id(line))
    kept = [
        [line for line in lines if id(line) not in dropped.get(number, ())]
        for number, lines in enumerate(pages)
    ]
    return kept if any(kept) else [list(lines) for lines in pages]


def _edges(lines: Sequence[PageLine]) -> list[PageLine]:
    """The topmost and the lowest lines; one baseline may have several."""
    bases = sorted({round(line.base) for line in lines})
    if len(bases) <= 2 * _EDGE_LINES:
        return []
    low, high = bases[_EDGE_LINES - 1], bases[-_EDGE_LINES]
    return [line for line in lines if not low < round(line.base) < high]


def _is_running(text: str, places: list[tuple[int, PageLine]], pages: int) -> bool:
    repeats = len({number for number, _ in places})
    if repeats < _FEWEST_REPEATS:
        return False
    if "#" not in text:
        return repeats >= _COMMON_SHARE * pages
    # a number that grows with the pages, as long as there is little else
    offsets = Counter(
        int(digits) - number
        for number, line in places
        for digits in _DIGITS.findall(line.text)
        if len(digits) < 10
    )
    most = offsets.most_common(1)[0][1] if offsets else 0
    return most >= 0.8 * repeats or repeats >= _COMMON_SHARE * pages
