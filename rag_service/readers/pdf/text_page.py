"""The text of a PDF page in lines, with their places. PDFium orders and parts them."""

import ctypes
import math
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from statistics import median
from typing import NamedTuple

import pypdfium2
from pypdfium2 import raw

from rag_service.readers.layout import PageLine
from rag_service.readers.layout.rulings import Box, Grid
from rag_service.readers.outline import one_line
from rag_service.readers.pdf.frame import UPRIGHT, Frame, frame_of
from rag_service.readers.pdf.placed_text import below

_GAP = 0.45
"""In sizes of the text: such a gap may part two columns. Between words it is about 0.3."""
_NO_GAP = 0.06
"""In sizes of the text: a blank that is drawn narrower is none. Those of fonts take 0.2 or more."""
_MOST_UNREADABLE = 0.3
"""Of the characters of a page without a character map."""
_SAMPLE = 200
"""So many characters of a page are asked for their map."""

_LINE_END = re.compile("\r\n|[\r\n\ufffe\x02]")
_HYPHENS = ("\ufffe", "\x02")
"""In place of a hyphen that breaks a word at the end of a line."""
_BROKEN_WORD = re.compile(r"(?<=\w)[-\u00ad\u2010]\Z")
_BLANKS = re.compile(r"(?<=\S)\s+(?=\S)")
_WORD = re.compile(r"\S+")
_SPACED = re.compile(r"(?:(?<!\S)\S\s+){4,}\S(?!\S)")
"""Letters that stand one by one."""
_BOLD = re.compile(r"bold|black|heavy|semibold|[A-Z]BX\d", re.I)


Span = tuple[float, float]


class _Blank(NamedTuple):
    """Characters `start` to `end` of a line are blank; what is left of them ends at `left`."""

    start: int
    end: int
    left: float
    right: float

    @property
    def width(self) -> float:
        return self.right - self.left


class TextPage:
    """Where the characters of a page stand. PDFium puts them in order and parts the lines."""

    def __init__(self, page: pypdfium2.PdfTextPage) -> None:
        self._page_text = page
        self._page = page.raw
        self._text = page.get_text_range()
        self._plain = len(self._text) == page.count_chars()
        self._a, self._b, self._c, self._d = (ctypes.c_double() for _ in range(4))
        self._edges = tuple(map(ctypes.byref, (self._a, self._b, self._c, self._d)))
        self._name = ctypes.create_string_buffer(128)
        self._flags = ctypes.c_int()
        self._matrix = raw.FS_MATRIX()
        self._frame = UPRIGHT

    def lines(self) -> tuple[list[PageLine], Frame]:
        """As most of the text is read; what is turned otherwise comes last, below the rest."""
        turned: dict[Frame, list[PageLine]] = {}
        start = 0
        for end in _LINE_END.finditer(self._text):
            self._line(start, end.start(), end[0] in _HYPHENS, turned)
            start = end.end()
        self._line(start, len(self._text), False, turned)
        if not turned:
            return [], UPRIGHT
        most = max(turned, key=lambda frame: sum(len(line.text) for line in turned[frame]))
        lines = turned.pop(most)
        for others in turned.values():
            lines = below(lines, others)
        return lines, most

    def rows(self, grid: Grid, frame: Frame) -> Iterator[tuple[str, ...]]:
        """The texts of the cells, row by row."""
        for row in grid.rows():
            yield tuple(self.within(cell, frame) for cell in row)

    def within(self, box: Box, frame: Frame) -> str:
        text = self._page_text.get_text_bounded(*frame.back(box))
        return _readable(_LINE_END.sub("\n", text))

    def has_character_map(self) -> bool:
        """Whether most characters are more than the numbers of glyphs."""
        count = raw.FPDFText_CountChars(self._page)
        sample = range(0, count, max(1, count // _SAMPLE))
        unknown = sum(self._is_unknown(index) for index in sample)
        return unknown <= _MOST_UNREADABLE * len(sample)

    def _is_unknown(self, index: int) -> bool:
        code = raw.FPDFText_GetUnicode(self._page, index)
        return (
            raw.FPDFText_HasUnicodeMapError(self._page, index) == 1
            or code in (0, 0xFFFD)
            or 0xE000 <= code <= 0xF8FF
        )

    def _line(
        self, start: int, end: int, broken: bool, turned: dict[Frame, list[PageLine]]
    ) -> None:
        source = self._text[start:end]
        text = source.strip()
        if not text:
            return
        first = start + len(source) - len(source.lstrip())
        last = first + len(text) - 1
        size = median((self._size(last), self._size((first + last) // 2), self._size(first)))
        self._frame = frame_of(self._matrix.a, self._matrix.b)
        begin, finish = self._box(first), self._box(last)
        right_to_left = begin[0] > finish[1]
        if right_to_left and " " in text and not any(map(_is_right_to_left, text)):
            # of a line that is turned by 180 degrees, PDFium gives the last word first
            for word in _WORD.finditer(source):
                self._line(start + word.start(), start + word.end(), False, turned)
            return
        blanks = [] if right_to_left else list(self._blanks(text, first))
        pieces = list(self._pieces(text, first, size, blanks))
        text = " ".join(piece[0] for piece in pieces)
        hyphen = _BROKEN_WORD.search(text)
        if hyphen:
            text = text[: hyphen.start()]
        if not text or text.isspace():
            return
        parted = len(pieces) > 1
        line = PageLine(
            text=text,
            left=min(begin[0], finish[0]),
            right=max(begin[1], finish[1]),
            base=self._base(first),
            size=size,
            bold=self._is_bold(first) and self._is_bold(last),
            right_to_left=right_to_left,
            hyphen=broken or hyphen is not None,
            cells=tuple(piece[0] for piece in pieces) if parted else (),
            spans=tuple((piece[1], piece[2]) for piece in pieces) if parted else (),
        )
        turned.setdefault(self._frame, []).append(line)

    def _blanks(self, text: str, first: int) -> Iterator[_Blank]:
        if not self._plain or self._frame != UPRIGHT:
            for blank in _BLANKS.finditer(text):
                start, end = blank.span()
                left = self._box(first + start - 1)[1]
                yield _Blank(start, end, left, self._box(first + end)[0])
            return
        # two calls a word: most of the time of a page
        box, page, edges = raw.FPDFText_GetCharBox, self._page, self._edges
        for blank in _BLANKS.finditer(text):
            start, end = blank.span()
            box(page, first + start - 1, *edges)
            left = self._b.value
            box(page, first + end, *edges)
            yield _Blank(start, end, left, self._a.value)

    def _pieces(
        self, text: str, first: int, size: float, blanks: list[_Blank]
    ) -> Iterator[tuple[str, float, float]]:
        """The parts between gaps, each with its left and right edge; without blanks that are not
        seen."""
        widest = _letter_gap(text, blanks, size)
        at, left, piece = 0, self._box(first)[0], ""
        for blank in blanks:
            piece += text[at : blank.start]
            at = blank.end
            if blank.width > max(_GAP * size, 2 * widest):
                yield _readable(piece), left, blank.left
                left, piece = blank.right, ""
            elif blank.width > max(_NO_GAP * size, widest):
                piece += " "
        yield _readable(piece + text[at:]), left, self._box(first + len(text) - 1)[1]

    def _box(self, position: int) -> Span:
        """The left and right edge of a character, as it is read."""
        raw.FPDFText_GetCharBox(self._page, self._index(position), *self._edges)
        if self._frame == UPRIGHT:
            return self._a.value, self._b.value
        left, _, right, _ = self._frame.turn(
            (self._a.value, self._c.value, self._b.value, self._d.value)
        )
        return left, right

    def _base(self, position: int) -> float:
        raw.FPDFText_GetCharOrigin(self._page, self._index(position), self._a, self._b)
        x, y = self._a.value, self._b.value
        return self._frame.turn((x, y, x, y))[1]

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
        return _is_bold_font(self._name.value)

    def _index(self, position: int) -> int:
        """PDFium counts characters that have no text, and two for one outside the BMP."""
        if self._plain:
            return position
        units = len(self._text[:position].encode("utf-16-le", "surrogatepass")) // 2
        return max(0, int(raw.FPDFText_GetCharIndexFromTextIndex(self._page, units)))


@lru_cache(1000)
def _is_bold_font(name: bytes) -> bool:
    return _BOLD.search(name.decode(errors="replace")) is not None


def _is_right_to_left(char: str) -> bool:
    return unicodedata.bidirectional(char) in ("R", "AL")


def _letter_gap(text: str, blanks: list[_Blank], size: float) -> float:
    """How wide the gaps between letters are, where most of the line is s p a c e d; otherwise 0."""
    spaced = sum(len(found[0]) for found in _SPACED.finditer(text))
    if 2 * spaced < len(text):
        return 0.0
    return 1.5 * median(blank.width for blank in blanks) if blanks else 0.0


def _readable(text: str) -> str:
    return one_line(text)
