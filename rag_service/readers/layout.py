"""Lines as they stand on pages -> headings, paragraphs, lists and tables.

What a page shows by size, weight, indents and gaps is turned back into what its author wrote.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from msgspec import Struct
from msgspec.structs import replace

from rag_service.documents import ParsedDocument
from rag_service.readers.outline import Outline, one_line

_LARGER = 1.08
"""A line that is larger than most text by this is a heading."""
_BODY_SHARE = 0.65
"""So much of the text is no larger than the body of the document."""
_LONGEST_HEADING = 200
_LEVELS = 5
_WIDER_PITCH = 1.25
"""A gap between lines that is wider than usual by this parts two paragraphs."""
_COLUMN_SHARE = 0.3
"""Of the width of what is on the page: two lines side by side that take more are two columns."""
_EDGE_LINES = 2
"""So many lines at the top of each page, and at its bottom, may be running heads."""
_FEWEST_REPEATS = 3
_COMMON_SHARE = 0.4

_BULLET = re.compile(
    r"([•‣◦▪▫■□●○◆◇➢➤✓✔·*-]|[\u2013\u2014\u2043\uf0b7\uf0a7\uf0d8]|o(?= ))\s*(?=\S)"
)
_NUMBER = re.compile(r"(\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,5})[.)])\s+(?=\S)")
_NUMBERING = re.compile(r"(?:\d+\.?)+|[A-Z]\.?|[IVX]+\.?")
_DIGITS = re.compile(r"\d+")
_LETTERS = re.compile(r"[^\W\d_].*[^\W\d_]", re.S)
_WORDS = re.compile(r"\w+(?:-\w+)*")
_LAST_WORD = re.compile(r"\w+(?:-\w+)*\Z")
_FIRST_WORD = re.compile(r"\w+(?:-\w+)*")
_COMPOUNDING = frozenset(
    [
        "all",
        "cross",
        "full",
        "half",
        "high",
        "long",
        "low",
        "mid",
        "multi",
        "non",
        "one",
        "self",
        "well",
    ]
)
_SENTENCE_END = re.compile(r"[.!?:;…。][\"'\u201d\u2019)\]]*\Z")


class PageLine(Struct, frozen=True, kw_only=True, gc=False):
    """A line of a page in points; `base` is its baseline, counted upwards."""

    text: str
    left: float
    right: float
    base: float
    size: float
    bold: bool = False
    right_to_left: bool = False
    hyphen: bool = False
    """A hyphen that broke its last word has been taken away."""
    cells: tuple[str, ...] = ()
    """The line in columns, where gaps part it into two or more; or a row of a ruled table."""


def read_pages(pages: Sequence[Sequence[PageLine]], title: str) -> ParsedDocument:
    """Pages count from 1. Without a title, that of a cover page or the first main heading."""
    kept = _without_running_heads([_in_order(lines) for lines in pages])
    style = _Style(kept)
    words = _Words(kept)
    outline = Outline()
    cover = _cover(kept, style)
    for number, lines in enumerate(kept, 1):
        outline.page = number
        if cover and number == 1:
            outline.add("paragraph", "\n".join(line.text for line in lines))
        else:
            _Page(lines, style, words, outline).read()
    parsed = outline.parsed(title or cover)
    return parsed if parsed.title else replace(parsed, title=_first_heading(parsed))


def _cover(pages: list[list[PageLine]], style: "_Style") -> str:
    """The title that stands alone on the first page."""
    if len(pages) < 2 or not pages[0] or len(pages[0]) > 6:
        return ""
    if all(line.size > style.body * _LARGER for line in pages[0]):
        return one_line(" ".join(line.text for line in pages[0]))[:_LONGEST_HEADING]
    return ""


def _first_heading(parsed: ParsedDocument) -> str:
    """That of the document where it begins with one, or else its first main one."""
    headings = [block.headings for block in parsed.blocks if block.kind == "heading"]
    if parsed.blocks and parsed.blocks[0].kind == "heading":
        return headings[0][-1]
    return next((path[0] for path in headings if len(path) == 1), "")


class _Style:
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
        large = [size for size in sizes if size > self.body * _LARGER]
        large.sort(reverse=True)
        self._levels = {size: min(n, _LEVELS) for n, size in enumerate(large, 1)}

    def level(self, line: PageLine) -> int:
        """0 is no heading."""
        is_numbered = len(line.cells) == 2 and _NUMBERING.fullmatch(line.cells[0])
        if (line.cells and not is_numbered) or len(line.text) > _LONGEST_HEADING:
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


class _Words:
    """The words of the document, to tell whether a hyphen at a line's end belongs to the word."""

    def __init__(self, pages: list[list[PageLine]]) -> None:
        self._known: set[str] | None = None
        self._pages = pages

    def join(self, before: str, after: str) -> str:
        """`before` has lost its hyphen."""
        left, right = _LAST_WORD.search(before), _FIRST_WORD.match(after)
        if left is None or right is None:
            return f"{before}-{after}"
        return f"{before}{'-' if self._keeps(left[0], right[0]) else ''}{after}"

    def _keeps(self, left: str, right: str) -> bool:
        known = self._all()
        first, last = left.lower(), right.lower()
        if f"{first}-{last}" in known or not last[0].isalpha() or right[0].isupper():
            return True
        if first + last in known:
            return False
        halves = first in known and last in known and len(first) > 2
        return "-" in first or first in _COMPOUNDING or halves

    def _all(self) -> set[str]:
        if self._known is None:
            self._known = set()
            for lines in self._pages:
                broken = False
                for line in lines:
                    words = _WORDS.findall(line.text.lower())
                    # a half of a broken word is none
                    self._known.update(words[broken : len(words) - line.hyphen])
                    broken = line.hyphen
        return self._known


class _Page:
    """Puts the lines of one page into the outline."""

    def __init__(
        self, lines: Sequence[PageLine], style: _Style, words: _Words, outline: Outline
    ) -> None:
        self._lines = lines
        self._style = style
        self._words = words
        self._outline = outline
        self._columns = _columns(lines, style.body)
        self._text = ""
        """Of the paragraph or item that goes on."""
        self._before: PageLine | None = None
        self._marker = ""
        self._items: list[float] = []
        """How far the items are indented that we are in."""
        self._heading = 0

    def read(self) -> None:
        for line in self._lines:
            self._read(line)
            self._before = line
        self._flush()
        self._outline.close()

    def _read(self, line: PageLine) -> None:
        level = self._style.level(line)
        marker = None if level else _marker(line.text)
        if level:
            self._read_heading(level, line)
        elif len(line.cells) > 1 and not marker:
            self._end_list()
            self._outline.row(list(line.cells))
        elif marker and not self._is_wrapped(line):
            self._flush()
            self._marker = marker[0] + " "
            self._text = line.text[marker[1] :]
            while self._items and self._items[-1] > line.left - line.size / 2:
                self._items.pop()
            self._items.append(line.left)
        elif self._goes_on(line):
            self._append(line)
        else:
            self._end_list()
            self._text = line.text

    def _read_heading(self, level: int, line: PageLine) -> None:
        before = self._before
        if self._heading == level and before and self._is_below(before, line):
            self._append(line)
            return
        self._end_list()
        self._heading = level
        self._text = line.text

    def _goes_on(self, line: PageLine) -> bool:
        before = self._before
        if before is None or not self._text or self._heading or before.cells:
            return False
        if abs(before.size - line.size) > 0.6 and len(line.text) > 3:
            return False
        if before.hyphen:
            return True
        if not self._is_below(before, line):
            is_open = _SENTENCE_END.search(before.text) is None
            return is_open and line.base > before.base and line.text[0].islower()
        if self._marker:
            return line.left > self._items[-1] + line.size * 0.3 or self._wraps(before, line)
        return True

    def _is_below(self, before: PageLine, line: PageLine) -> bool:
        gap = before.base - line.base
        return -0.3 * line.size <= gap <= self._style.pitch * max(line.size, before.size)

    def _is_wrapped(self, line: PageLine) -> bool:
        """What looks like a marker is but a number or dash at which the line above was broken."""
        before = self._before
        if before is None or not self._text or self._heading or not self._is_below(before, line):
            return False
        is_number = _BULLET.match(line.text) is None
        return (is_number or line.text[0] in "-*o\u2013\u2014") and (
            before.hyphen
            or (
                self._wraps(before, line)
                and not _SENTENCE_END.search(before.text)
                and not self._marker
            )
        )

    def _wraps(self, before: PageLine, line: PageLine) -> bool:
        """Whether the line had to end there, since the next word would not have fitted."""
        if before.hyphen:
            return True
        word = line.text.split(" ", 1)[0]
        width = (len(word) + 1) * (line.right - line.left) / max(len(line.text), 1)
        left, right = self._margins(before)
        room = before.left - left if before.right_to_left else right - before.right
        return width > room - line.size  # the width is an estimate

    def _margins(self, line: PageLine) -> tuple[float, float]:
        for left, right in self._columns:
            if left - 1 <= line.left <= right:
                return left, max(right, line.right)
        return line.left, line.right

    def _append(self, line: PageLine) -> None:
        before = self._before
        if before is not None and before.hyphen:
            self._text = self._words.join(self._text, line.text)
        elif before is not None and (self._heading or self._wraps(before, line)):
            self._text += " " + line.text
        else:
            self._text += "\n" + line.text

    def _end_list(self) -> None:
        self._flush()
        self._items.clear()

    def _flush(self) -> None:
        text, self._text = self._text, ""
        if self._before is not None and self._before.hyphen and text:
            text += "-"
        if self._heading:
            if len(text) > _LONGEST_HEADING:
                self._outline.add("paragraph", text)
            else:
                self._outline.heading(self._heading, text)
        elif self._marker:
            self._outline.item(len(self._items), self._marker, text)
        elif text:
            self._outline.add("paragraph", text)
        self._marker = ""
        self._heading = 0


def _marker(text: str) -> tuple[str, int] | None:
    """What stands before a list item, and where the item's text begins."""
    if match := _BULLET.match(text):
        return "-", match.end()
    if match := _NUMBER.match(text):
        return match[1], match.end()
    return None


def _columns(lines: Sequence[PageLine], body: float) -> list[tuple[float, float]]:
    """Left and right margins, from the lines in the size of most text."""
    found: list[tuple[float, float]] = []
    spans = sorted((line.left, line.right) for line in lines if abs(line.size - body) < 0.6)
    for left, right in spans:
        if found and left < found[-1][1]:
            found[-1] = (found[-1][0], max(right, found[-1][1]))
        else:
            found.append((left, right))
    return found


# -- reading order ---------------------------------------------------------------------------------


def _in_order(lines: Sequence[PageLine]) -> Sequence[PageLine]:
    """From top to bottom, what stands side by side as a row; two columns stay as they came."""
    rows = _rows(lines)
    if len(rows) == len(lines) and all(a.base >= b.base for a, b in pairwise(lines)):
        return lines
    if any(_has_columns(row, lines) for row in rows):
        return lines
    return [_as_row(row) for row in rows]


def _rows(lines: Sequence[PageLine]) -> list[list[PageLine]]:
    rows: list[list[PageLine]] = []
    for line in sorted(lines, key=lambda line: -line.base):
        if rows and rows[-1][0].base - line.base < 0.25 * line.size:
            rows[-1].append(line)
        else:
            rows.append([line])
    return rows


def _has_columns(row: list[PageLine], lines: Sequence[PageLine]) -> bool:
    width = max(line.right for line in lines) - min(line.left for line in lines)
    return sum(line.right - line.left > _COLUMN_SHARE * width for line in row) > 1


def _as_row(row: list[PageLine]) -> PageLine:
    if len(row) == 1:
        return row[0]
    row = sorted(row, key=lambda line: -line.right if line.right_to_left else line.left)
    cells = tuple(cell for line in row for cell in (line.cells or (line.text,)))
    return replace(
        row[0],
        text=" ".join(line.text for line in row),
        left=min(line.left for line in row),
        right=max(line.right for line in row),
        bold=all(line.bold for line in row),
        hyphen=False,
        cells=cells,
    )


# -- running heads ---------------------------------------------------------------------------------


def _without_running_heads(pages: Sequence[Sequence[PageLine]]) -> list[list[PageLine]]:
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
