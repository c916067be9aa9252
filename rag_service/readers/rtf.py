"""RTF files -> headings, paragraphs, lists and tables, as a word processor shows them.

Notes and text boxes come below what they belong to, headers and footers where their section
begins, once each. Rich Text Format 1.9.1.
"""

import re

from rag_service.documents import ParsedDocument
from rag_service.errors import Unreadable
from rag_service.readers.outline import Outline, one_line
from rag_service.readers.rtf_flow import Flow, Lines, leave_out_contents
from rag_service.readers.rtf_groups import Destination, Groups, Look
from rag_service.readers.rtf_heads import Heads
from rag_service.readers.rtf_lists import BULLET
from rag_service.readers.rtf_tables import Table

_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{\\rtf")
_HEADERS = frozenset(
    f"{edge}{pages}" for edge in ("header", "footer") for pages in ("", "l", "r", "f")
)
_PAGE_WORDS = re.compile(r"\W*(?:\w+\W*){0,2}")
_LOWEST_HEADING = 9


def read_rtf(data: bytes) -> ParsedDocument:
    """The title is the paragraph of that style, that of the file, or the first main heading.

    Text that is hidden or that a tracked change deletes is left out. Raises Unreadable.
    """
    outline = Outline()
    title = write_rtf(data, outline)
    return outline.parsed(title or outline.top_heading)


def write_rtf(data: bytes, outline: Outline) -> str:
    """Adds the document to what has been read so far; gives its title. Raises Unreadable."""
    if _START.match(data) is None:
        raise Unreadable("is no RTF file, or a damaged one: save it again")
    heads = Heads()
    body = _Body(heads, outline)
    is_whole = Groups(heads.fonts, _File(body)).read(data[data.index(b"{") :])
    body.end()
    if not is_whole:
        outline.leave_out("end of a file that is cut off", "ends of files that are cut off")
    return body.title or one_line(heads.title)


class _File(Destination):
    def __init__(self, body: "_Body") -> None:
        self._body = body

    def enter(self, word: str, is_optional: bool) -> Destination | None:
        return self._body


class _Body(Flow):
    def __init__(self, heads: Heads, outline: Outline) -> None:
        super().__init__(heads, outline)
        self.title = ""
        self._table = Table()
        self._cell: list[str] = []
        """The paragraphs of the cell that has begun."""
        self._below: list[str] = []
        """Notes and text boxes of the paragraph that has begun."""
        self._due: list[str] = []
        """Those of what has been written, which a list or a table keeps waiting."""
        self._headers: set[str] = set()

    def enter(self, word: str, is_optional: bool) -> Destination | None:
        if word in _HEADERS:
            return Lines(self._heads, self._outline, self._write_header)
        return super().enter(word, is_optional)

    def word(self, word: str, number: int | None, look: Look) -> None:
        if word == "cell":
            self._end_line(look)
            self._table.add_cell("\n".join(self._cell))
            self._cell = []
        elif word == "row":
            self._table.end_row()
        else:
            self._table.define(word, number)
            super().word(word, number, look)

    def below(self, flow: Lines) -> None:
        self._below += flow.lines

    def end_paragraph(self, look: Look) -> None:
        if look.in_table or self._table.is_open:
            self._end_line(look)
            return
        self._end_table()
        text = self.taken().strip()
        if text:
            self._write(text, look)
        elif not look.list:
            self._write_due()

    def end(self) -> None:
        self.end_paragraph(Look())
        self._end_table()
        self._write_due()

    def _end_line(self, look: Look) -> None:
        """Of a cell."""
        self._due, self._below = self._due + self._below, []
        text = self.taken().strip()
        if text:
            marker = self.item_marker(look)
            self._cell.append(f"{'' if marker == BULLET else marker}{text}")

    def _end_table(self) -> None:
        self._table.write(self._outline)
        lines, self._cell = self._cell, []
        for line in lines:  # which no cell has taken
            self._outline.add("paragraph", line)

    def _write(self, text: str, look: Look) -> None:
        style = self._heads.styles.get(look.style)
        level = style.level if look.outline is None else look.outline + 1
        marker = self.item_marker(look)
        if self._due and (level or not marker):
            below, self._below = self._below, []
            self._write_due()
            self._below = below
        if style.name.startswith("toc "):
            leave_out_contents(self._outline)
        elif 0 < level <= _LOWEST_HEADING:
            self._outline.heading(level, ("" if marker == BULLET else marker) + text)
        elif marker:
            self._outline.item(look.list_level + 1, marker, text)
            self._due, self._below = self._due + self._below, []
            return
        else:
            self.title = self.title or (one_line(text) if style.name == "title" else "")
            self._outline.add("paragraph", text)
        self._write_due()

    def _write_due(self) -> None:
        due, self._due, self._below = self._due + self._below, [], []
        for line in due:
            self._outline.add("paragraph", line)

    def _write_header(self, flow: Lines) -> None:
        text = "\n".join(flow.lines)
        if flow.page_numbers and _PAGE_WORDS.fullmatch(text):
            self._outline.leave_out(
                "line that counts the pages", "lines that count the pages", where="page edges"
            )
        elif text not in self._headers:
            self._headers.add(text)
            self._outline.add("paragraph", text)
