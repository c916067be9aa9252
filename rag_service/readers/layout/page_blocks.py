"""The lines of a page, in reading order -> headings, paragraphs, lists and rows of tables."""

import re
from collections.abc import Sequence
from itertools import zip_longest

from rag_service.readers.layout.hyphens import Words
from rag_service.readers.layout.markers import BULLET, list_marker
from rag_service.readers.layout.page_line import PageLine
from rag_service.readers.layout.plain_headings import is_plain_heading
from rag_service.readers.layout.style import LONGEST_HEADING, Style
from rag_service.readers.outline import Outline

_SENTENCE_END = re.compile(r"[.!?:;…。][\"'\u201d\u2019)\]]*\Z")


class PageBlocks:
    """Puts the lines of one page into the outline."""

    def __init__(
        self, lines: Sequence[PageLine], style: Style, words: Words, outline: Outline
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
        for line, after in zip_longest(self._lines, self._lines[1:]):
            self._read(line, after)
            self._before = line
        self._flush()
        self._outline.close()

    def _read(self, line: PageLine, after: PageLine | None) -> None:
        level = self._style.level(line)
        if not level and self._is_plain_heading(line, after):
            level = self._style.plain_level
        marker = None if level else list_marker(line.text)
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

    def _is_plain_heading(self, line: PageLine, after: PageLine | None) -> bool:
        before = None if self._heading else self._before  # it may stand right below another one
        if before and (before.hyphen or before.text[-1:] in ",-"):
            return False
        return is_plain_heading(before, line, after, self._style.pitch)

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
        is_number = BULLET.match(line.text) is None
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
            if len(text) > LONGEST_HEADING:
                self._outline.add("paragraph", text)
            else:
                self._outline.heading(self._heading, text)
        elif self._marker:
            self._outline.item(len(self._items), self._marker, text)
        elif text:
            self._outline.add("paragraph", text)
        self._marker = ""
        self._heading = 0


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
