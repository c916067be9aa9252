"""PDF -> the text of its pages in reading order, by PDFium; scans have none and are refused."""

import ctypes
import math
import re
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from statistics import median
from typing import Any

import pypdfium2
from pypdfium2 import raw

from rag_service.documents import ParsedDocument
from rag_service.errors import Unreadable
from rag_service.readers.layout import PageLine, read_pages
from rag_service.readers.outline import one_line
from rag_service.readers.rulings import Box, Grid, find_grids

MOST_PAGES = 10_000
MOST_CHARACTERS = 20_000_000

_MOST_OBJECTS = 20_000
"""A page with more is a drawing or a map: nobody looks for tables there."""
_THIN = 3.0
_WIDE_GAP = 1.5
"""In sizes of the text: between two columns, but not between two words of a justified line."""
_NARROW_GAP = 0.8
"""Between two columns of a line that has a wide gap."""

_LINE_END = re.compile("\r\n|[\r\n\ufffe\x02]")
_HYPHENS = ("\ufffe", "\x02")
"""In place of a hyphen that breaks a word at the end of a line."""
_BROKEN_WORD = re.compile(r"(?<=\w)[-\u00ad\u2010]\Z")
_BOLD = re.compile(r"bold|black|heavy|semibold|[A-Z]BX\d", re.I)
_FILE_NAME = re.compile(r"^(?:microsoft \w+ - |untitled)|\.\w{2,5}$|^\S+$", re.I)

_one_at_a_time = threading.Lock()  # PDFium may not be called by two threads, on any document


def read_pdf(data: bytes) -> ParsedDocument:
    """Each block has its page. Raises Unreadable: encrypted, damaged, or without any text."""
    with _one_at_a_time:
        pages, title = _read(data)
    if not any(any(c.isalnum() for c in line.text) for lines in pages for line in lines):
        raise Unreadable(
            "is a PDF without text, which scans are: run text recognition on it first, for "
            "instance with ocrmypdf"
        )
    return read_pages(pages, title)


def _read(data: bytes) -> tuple[list[list[PageLine]], str]:
    document = _open(data)
    try:
        if len(document) > MOST_PAGES:
            raise Unreadable(f"is a PDF of more than {MOST_PAGES:,} pages: split it")
        pages = []
        left = MOST_CHARACTERS
        for number in range(len(document)):
            lines = _read_page(document, number)
            left -= sum(len(line.text) for line in lines)
            if left < 0:
                raise Unreadable(f"has more than {MOST_CHARACTERS:,} characters: split it")
            pages.append(lines)
        title = one_line(document.get_metadata_value("Title"))
        return pages, "" if _FILE_NAME.search(title) else title
    finally:
        document.close()


def _open(data: bytes) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if raw.FPDF_GetLastError() == raw.FPDF_ERR_PASSWORD or "password" in str(error):
            raise Unreadable("is an encrypted PDF: save it without a password") from error
        raise Unreadable("is a damaged PDF: open it in a viewer and save it again") from error


def _read_page(document: pypdfium2.PdfDocument, number: int) -> list[PageLine]:
    try:
        page = document[number]
        try:
            text_page = page.get_textpage()
        except pypdfium2.PdfiumError:
            page.close()
            raise
    except pypdfium2.PdfiumError as error:
        raise Unreadable(
            f"is a damaged PDF (page {number + 1}): open it in a viewer and save it again"
        ) from error
    try:
        reader = _TextPage(text_page)
        lines = list(reader.lines())
        for grid in find_grids(_rulings(page.raw)) if lines else ():
            lines = _with_table(lines, list(reader.rows(grid)), grid)
        return lines
    finally:
        text_page.close()
        page.close()


def _rulings(page: Any) -> list[Box]:
    """Lines and edges that are drawn; boxes around a table count as their four sides."""
    found: list[Box] = []
    count = raw.FPDFPage_CountObjects(page)
    if count > _MOST_OBJECTS:
        return found
    values = [ctypes.c_float() for _ in range(4)]
    mode, stroke = ctypes.c_int(), ctypes.c_int()
    for number in range(count):
        item = raw.FPDFPage_GetObject(page, number)
        if raw.FPDFPageObj_GetType(item) != raw.FPDF_PAGEOBJ_PATH:
            continue
        if not raw.FPDFPageObj_GetBounds(item, *values):
            continue
        left, bottom, right, top = (value.value for value in values)
        if min(right - left, top - bottom) <= _THIN:
            found.append((left, bottom, right, top))
        elif raw.FPDFPath_GetDrawMode(item, mode, stroke) and stroke.value:
            found += [(left, bottom, left, top), (right, bottom, right, top)]
            found += [(left, bottom, right, bottom), (left, top, right, top)]
    return found


def _with_table(lines: list[PageLine], rows: list[tuple[str, ...]], grid: Grid) -> list[PageLine]:
    """Rows in place of the lines within the grid, if it is one, and not a frame around some text.

    Nothing is lost and nothing is there twice: where the two differ, the lines stay.
    """
    inside = [line for line in lines if grid.covers(line.left + line.size / 4, line.base)]
    full = [row for row in rows if sum(map(bool, row)) > 1]
    if not inside or len(full) < 2 or 2 * len(full) < len(rows):
        return lines
    if _ink(line.text for line in inside) != _ink(cell for row in rows for cell in row):
        return lines
    size = median(line.size for line in inside)
    table = [
        PageLine(
            text=" ".join(row),
            left=grid.xs[0],
            right=grid.xs[-1],
            base=(top + bottom) / 2,
            size=size,
            cells=row,
        )
        for row, (top, bottom) in zip(rows, pairwise(grid.ys), strict=True)
        if any(row)
    ]
    at = lines.index(inside[0])
    gone = set(map(id, inside))
    before = [line for line in lines[:at] if id(line) not in gone]
    return [*before, *table, *(line for line in lines[at:] if id(line) not in gone)]


def _ink(texts: Iterable[str]) -> Counter[str]:
    """Their characters; blanks and hyphens depend on where lines end."""
    found = Counter(char for text in texts for char in text)
    del found[" "], found["-"]
    return found


class _TextPage:
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
