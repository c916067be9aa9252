"""The text of a PDF page in lines, with their places. PDFium orders and parts them."""

import ctypes
import math
import re
from collections.abc import Iterator
from itertools import pairwise
from statistics import median

import pypdfium2
from pypdfium2 import raw

from rag_service.readers.layout import PageLine
from rag_service.readers.layout.rulings import Grid
from rag_service.readers.outline import one_line

_WIDE_GAP = 1.5
"""In sizes of the text: between two columns, but not between two words of a justified line."""
_NARROW_GAP = 0.8
"""Between two columns of a line that has a wide gap."""

_LINE_END = re.compile("\r\n|[\r\n\ufffe\x02]")
_HYPHENS = ("\ufffe", "\x02")
"""In place of a hyphen that breaks a word at the end of a line."""
_BROKEN_WORD = re.compile(r"(?<=\w)[-\u00ad\u2010]\Z")
_BOLD = re.compile(r"bold|black|heavy|semibold|[A-Z]BX\d", re.I)


class TextPage:
    """Where the characters of a page stand. PDFium puts them in order and parts the lines."""

    def __init__(self, page: pypdfium2.PdfTextPage) -> None:
        self._page_text = page
        self._page = page.raw
        self._text = page.get_text_range()
        self._plain = len(self._text) == page.count_chars()
        self._a, self._b, self._c, self._d = (ctypes.c_double() for _ in range(4))
        self._name = ctypes.create_string_buffer(128)
        self._flags = ctypes.c_int()
        self._matrix = raw.FS_MATRIX()

    def lines(self) -> Iterator[PageLine]:
        start = 0
        for end in _LINE_END.finditer(self._text):
            yield from self._line(start, end.start(), end[0] in _HYPHENS)
            start = end.end()
        yield from self._line(start, len(self._text), False)

    def rows(self, grid: Grid) -> Iterator[tuple[str, ...]]:
        """The texts of the cells, row by row."""
        for row in grid.rows():
            cells = [self._page_text.get_text_bounded(*cell) for cell in row]
            yield tuple(_readable(_LINE_END.sub("\n", cell)) for cell in cells)

    def _line(self, start: int, end: int, broken: bool) -> Iterator[PageLine]:
        source = self._text[start:end]
        text = source.strip()
        if not text or text.isspace():
            return
        first = start + len(source) - len(source.lstrip())
        last = first + len(text) - 1
        begin, finish = self._box(first), self._box(last)
        size = median((self._size(first), self._size((first + last) // 2), self._size(last)))
        cells = self._cells(text, first, size)
        hyphen = _BROKEN_WORD.search(text)
        if hyphen:
            text = text[: hyphen.start()]
        yield PageLine(
            text=_readable(text),
            left=min(begin[0], finish[0]),
            right=max(begin[1], finish[1]),
            base=self._base(first),
            size=size,
            bold=self._is_bold(first) and self._is_bold(last),
            right_to_left=begin[0] > finish[1],
            hyphen=broken or hyphen is not None,
            cells=cells,
        )

    def _cells(self, text: str, first: int, size: float) -> tuple[str, ...]:
        """The parts between wide gaps; one part is none."""
        gaps = [
            (self._box(first + space + 1)[0] - self._box(first + space - 1)[1], space)
            for space, char in enumerate(text)
            if char == " " and 0 < space < len(text) - 1
        ]
        if not gaps or max(gaps)[0] < _WIDE_GAP * size:
            return ()
        cuts = [0, *(space for gap, space in gaps if gap > _NARROW_GAP * size), len(text)]
        return tuple(_readable(text[start:end]) for start, end in pairwise(cuts))

    def _box(self, position: int) -> tuple[float, float]:
        """The left and right edge of a character."""
        raw.FPDFText_GetCharBox(
            self._page, self._index(position), self._a, self._b, self._c, self._d
        )
        return self._a.value, self._b.value

    def _base(self, position: int) -> float:
        raw.FPDFText_GetCharOrigin(self._page, self._index(position), self._a, self._b)
        return self._b.value

    def _size(self, position: int) -> float:
        """As it is seen: some writers make all text one point high and scale it."""
        index = self._index(position)
        size = float(raw.FPDFText_GetFontSize(self._page, index))
        if raw.FPDFText_GetMatrix(self._page, index, self._matrix):
            size *= math.hypot(self._matrix.c, self._matrix.d)
        return size if 0 < size < 10_000 else 10.0

    def _is_bold(self, position: int) -> bool:
        index = self._index(position)
        if raw.FPDFText_GetFontWeight(self._page, index) >= 600:
            return True
        raw.FPDFText_GetFontInfo(self._page, index, self._name, 128, self._flags)
        return _BOLD.search(self._name.value.decode(errors="replace")) is not None

    def _index(self, position: int) -> int:
        """PDFium counts characters that have no text, and two for one outside the BMP."""
        if self._plain:
            return position
        units = len(self._text[:position].encode("utf-16-le", "surrogatepass")) // 2
        return max(0, int(raw.FPDFText_GetCharIndexFromTextIndex(self._page, units)))


def _readable(text: str) -> str:
    return one_line(text)
