"""What is usual in a document: the size of most text, its weight, the space between its lines."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from rag_service.readers.layout.page_line import PageLine

LARGER = 1.08
"""A line that is larger than most text by this is a heading."""
LONGEST_HEADING = 200
_BODY_SHARE = 0.65
"""So much of the text is no larger than the body of the document."""
_LEVELS = 5
_WIDER_PITCH = 1.25
"""A gap between lines that is wider than usual by this parts two paragraphs."""

NUMBERING = re.compile(r"(?:\d+\.?)+|[A-Z]\.?|[IVX]+\.?")
_LETTERS = re.compile(r"[^\W\d_].*[^\W\d_]", re.S)


class Style:
    """What is usual in the document."""

    def __init__(self, pages: list[list[PageLine]]) -> None:
        sizes: Counter[float] = Counter()
        bold: Counter[float] = Counter()
        pitches: list[float] = []
        for lines in pages:
            for line in lines:
                sizes[_rounded(line.size)] += len(line.text)
                bold[_rounded(line.size)] += len(line.text) * line.bold
            pitches += _pitches(lines)
        self.body = _body_size(sizes)
        self.is_bold = 2 * bold[self.body] > sizes[self.body]
        self.pitch = median(pitches or [1.2]) * _WIDER_PITCH
        """In sizes of the text."""
        large = [size for size in sizes if size > self.body * LARGER]
        large.sort(reverse=True)
        self.plain_level = min(len(large) + 2, _LEVELS + 2)
        """Of headings in the size and weight of the text."""
        self._levels = {size: min(n, _LEVELS) for n, size in enumerate(large, 1)}

    def level(self, line: PageLine) -> int:
        """0 is no heading."""
        is_numbered = len(line.cells) == 2 and NUMBERING.fullmatch(line.cells[0])
        if (line.cells and not is_numbered) or len(line.text) > LONGEST_HEADING:
            return 0
        if _LETTERS.search(line.text) is None:
            return 0
        size = _rounded(line.size)
        if size in self._levels:
            return self._levels[size]
        if line.bold and not self.is_bold and size >= self.body * 0.98:
            return min(len(self._levels) + 1, _LEVELS + 1)
        return 0


def _pitches(lines: Sequence[PageLine]) -> Iterator[float]:
    for before, line in pairwise(lines):
        if abs(before.size - line.size) < 0.6 and line.size > 0:
            pitch = (before.base - line.base) / line.size
            if 0.8 < pitch < 3:
                yield pitch


def _body_size(sizes: Counter[float]) -> float:
    """What is small print does not make all else large."""
    seen = 0
    for size in sorted(sizes):
        seen += sizes[size]
        if seen >= _BODY_SHARE * sizes.total():
            return size
    return 10.0


def _rounded(size: float) -> float:
    return round(size * 2) / 2
