"""Pieces of plain text under their headings, put down in reading order: a ParsedDocument grows."""

import re
from typing import Literal

from msgspec.structs import replace

from rag_service.documents import Block, LeftOut, ParsedDocument
from rag_service.readers.text import clean

GAP = "\n\n"
"""Between two blocks."""

_INVISIBLE = re.compile("[\u00ad\u200b\ufeff]")
"""Where a word may be broken. With them inside, a word would not be found."""

_LIGATURE = re.compile("[\ufb00-\ufb06]")
_LIGATURES = dict(enumerate(("ff", "fi", "fl", "ffi", "ffl", "st", "st"), 0xFB00))
"""With one of them as a single character, a word would not be found either."""

DEEPEST_INDENT = 8
"""List levels below this one are not indented further, or deep nesting would cost its square."""


class Outline:
    """Every piece ends up in the text once, without control characters; blank pieces vanish."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._blocks: list[Block] = []
        self._path: tuple[str, ...] = ()
        self._levels: list[int] = []
        self._lines: list[str] = []
        self._lines_kind: Literal["list", "table"] = "list"
        self._heads = 1
        self.page: int | None = None
        """What is added is on this page."""
        self.top_heading = ""
        """The first level-1 heading."""
        self._left_out: dict[str, LeftOut] = {}

    def heading(self, level: int, text: str) -> None:
        """What follows stands below this heading, until one of the same level or a higher one."""
        self.close()
        text = one_line(text)
        if not text:
            return
        self.end_section(level)
        self._path = (*self._path, text)
        self._levels.append(level)
        if level == 1 and not self.top_heading:
            self.top_heading = text
        self._put("heading", text)

    def add(self, kind: Literal["paragraph", "code"], text: str, *, lead: str = "") -> None:
        """A block of its own. Code keeps the white space its first line starts with.

        `lead` stands before the text, and again above each piece of it.
        """
        self.close()
        lead = _visible(lead).strip()
        text = clean(text).strip("\n").rstrip() if kind == "code" else _visible(text).strip()
        if lead and text:
            self._put(kind, f"{lead}\n{text}", len(lead))
        else:
            self._put(kind, lead or text)

    def item(self, depth: int, marker: str, text: str) -> None:
        """A list item, `depth` 1 being the outermost; its later lines stand below its first."""
        text = text.strip("\n").rstrip()
        if text:
            indent = "  " * (min(depth, DEEPEST_INDENT) - 1)
            below = "\n" + indent + " " * len(marker)
            self._line("list", indent + marker + text.replace("\n", below))

    def row(self, cells: list[str]) -> None:
        """A row of a table; a row of empty cells is none."""
        if any(cells):
            self._line("table", " | ".join(cells).strip())

    def table(self, rows: list[list[str]], *, heads: int) -> None:
        """A table of its own; its first `heads` rows stand again above each piece of it."""
        self.close()
        for row in rows:
            self.row(row)
        self._heads = heads
        self.close()
        self._heads = 1

    def end_section(self, level: int) -> None:
        """What follows stands below no heading of this level or a lower one."""
        self.close()
        while self._levels and self._levels[-1] >= level:
            self._levels.pop()
        self._path = self._path[: len(self._levels)]

    def close(self) -> None:
        """End the block that `item` and `row` have been adding to."""
        if self._lines:
            lines, self._lines = self._lines, []
            text = "\n".join(lines).strip("\n")
            is_table = self._lines_kind == "table"
            self._put(self._lines_kind, text, _head(text, self._heads) if is_table else 0)

    def leave_out(
        self, one: str, many: str, *, count: int = 1, where: str = "", is_loss: bool = True
    ) -> None:
        """Tell that some of the file is not taken. Such as "chart" and "charts", on "slide 3"; what
        is of one kind adds up."""
        before = self._left_out.get(many) or LeftOut(one=one, many=many, count=0, is_loss=is_loss)
        places = before.where if where in ("", *before.where) else (*before.where, where)
        self._left_out[many] = replace(before, count=before.count + count, where=places)

    def parsed(self, title: str) -> ParsedDocument:
        self.close()
        return ParsedDocument(
            title=title,
            text="".join(self._parts),
            blocks=self._blocks,
            left_out=list(self._left_out.values()),
        )

    def _line(self, kind: Literal["list", "table"], text: str) -> None:
        if self._lines and kind != self._lines_kind:
            self.close()
        self._lines_kind = kind
        self._lines.append(_visible(text))

    def _put(
        self,
        kind: Literal["paragraph", "heading", "list", "table", "code"],
        text: str,
        lead: int = 0,
    ) -> None:
        if not text or text.isspace():
            return
        if self._blocks:
            self._parts.append(GAP)
            self._length += len(GAP)
        start = self._length
        self._parts.append(text)
        self._length += len(text)
        self._blocks.append(
            Block(
                kind=kind,
                start=start,
                end=self._length,
                headings=self._path,
                page=self.page,
                lead=lead,
            )
        )


def _head(table: str, rows: int) -> int:
    """How many characters its first rows have; none where no row is left below them."""
    end = -1
    for _ in range(rows):
        end = table.find("\n", end + 1)
        if end < 0:
            return 0
    return max(end, 0)


def one_line(text: str) -> str:
    """The text with every run of white space made one blank, and none at its ends."""
    return " ".join(_visible(text).split())


def _visible(text: str) -> str:
    text = _INVISIBLE.sub("", clean(text))
    return text if _LIGATURE.search(text) is None else text.translate(_LIGATURES)
