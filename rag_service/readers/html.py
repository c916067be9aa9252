"""HTML -> the plain text that a reader of the page would read, without navigation and scripts.

More than 300 lines: one walk over one tree, whose cases share its state.
"""

import re

import lxml.html
from selectolax.lexbor import LexborHTMLParser, LexborNode

from rag_service.documents import ParsedDocument
from rag_service.readers.equations import math_ml
from rag_service.readers.html_boilerplate import Boilerplate, hidden_elements, leave_out
from rag_service.readers.html_controls import CONTROLS, control_text
from rag_service.readers.html_tables import Tables
from rag_service.readers.outline import Outline, one_line
from rag_service.readers.tags import BLOCK_TAGS, SILENT_TAGS, flat_text, is_hostile
from rag_service.readers.text import clean, read_text

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LIST_TAGS = frozenset(("ul", "ol", "menu", "dir", "dl", "li", "dt", "dd"))
_TABLE_TAGS = frozenset(("table", "thead", "tbody", "tfoot", "tr", "td", "th"))
_PERMALINK = re.compile(r"\s*¶\Z| #\Z")
_MARKS = {"q": ("\u201c", "\u201d"), "rt": ("(", ")")}
"""Put around them by browsers, or by us where these would set them above the line."""
_LARGEST_EQUATION = 1_000
"""Tags. It is read by recursion."""
_FRAMES = {
    "iframe": "embedded frame",
    "object": "embedded object",
    "embed": "embedded object",
    "video": "video",
    "audio": "audio recording",
    "canvas": "drawing",
}
_SMALLEST_PICTURE = 2_000
"""Characters of a `data:` address; icons are shorter."""
_FILE_NAME = re.compile(r"[\w-]*\.(?:jpe?g|png|gif|webp|svg)|(?:img|dsc)[_-]?\d+|image|photo", re.I)


def read_html(content: str) -> ParsedDocument:
    """The title is that of the page, or else its first level-1 heading.

    A source nested so deep that nobody can have written it loses its structure, but not its text.
    """
    content = clean(content)
    if is_hostile(content):
        return read_text(flat_text(content))
    parser = LexborHTMLParser(content)
    parser.strip_tags(["script", "style"])
    root = parser.root
    if root is None:
        return read_text("")
    parsed = _Reader(Outline(), hidden_elements(root), Boilerplate()).read_page(root)
    # all of it looked like navigation: rather too much than nothing
    return parsed if parsed.blocks else _Reader(Outline(), frozenset(), None).read_page(root)


def write_html(source: str, outline: Outline) -> None:
    """Add a piece of HTML, as found within Markdown, to what has been read so far."""
    if is_hostile(source):
        outline.add("paragraph", flat_text(source))
    elif (root := LexborHTMLParser(source).root) is not None:
        _Reader(outline, hidden_elements(root), None).read(root)


class _Reader:
    """Walks the tree without recursion, and puts its text into an outline."""

    def __init__(
        self, outline: Outline, hidden: frozenset[int], boilerplate: Boilerplate | None
    ) -> None:
        self._outline = outline
        self._hidden = hidden
        self._boilerplate = boilerplate
        self._title = ""
        self._pieces: list[str] = []
        """The text since the last block began or ended."""
        self._pre = 0
        self._heading = 0
        self._lists = _Lists()
        self._tables = Tables(outline)

    def read_page(self, root: LexborNode) -> ParsedDocument:
        self.read(root)
        return self._outline.parsed(self._title or self._outline.top_heading)

    def read(self, root: LexborNode) -> None:
        node = root
        above: list[LexborNode] = []
        while True:
            child = self._enter(node.tag or "-", node)
            if child is not None:
                above.append(node)
                node = child
                continue
            while above and node.next is None:
                node = above.pop()
                self._leave(node.tag or "-", node)
            if not above or (after := node.next) is None:
                break
            node = after
        self._flush()
        self._outline.close()

    def _enter(self, tag: str, node: LexborNode) -> LexborNode | None:
        """The first child, if there is something to read below."""
        if tag == "-text":
            text = node.text_content or ""
            self._pieces.append(text if self._pre else text.replace("\n", " "))
            return None
        if tag[0] == "-" or self._is_leaf(tag, node):
            return None
        if self._hidden and node.mem_id in self._hidden:
            leave_out("hidden parts", node, self._outline)
            return None
        if self._boilerplate is not None:
            if kind := self._boilerplate.covers(tag, node):
                leave_out(kind, node, self._outline)
                return None
            self._boilerplate.enter(tag, node)
        self._open(tag, node)
        child = node.first_child
        if child is None:
            self._leave(tag, node)
        return child

    def _is_leaf(self, tag: str, node: LexborNode) -> bool:
        """What is read without a look at what is in it."""
        if tag == "title" and not self._title:
            self._title = one_line(node.text())
        elif node.mem_id in self._hidden:
            return False
        elif tag in CONTROLS:
            self._pieces.append(f" {control_text(tag, node, self._outline)} ")
        elif tag == "svg":
            self._pieces.append(f" {' '.join(text.text() for text in node.css('text'))} ")
        elif tag == "math":
            self._pieces.append(f" {_equation(node)} ")
        elif tag in _FRAMES:
            self._outline.leave_out(_FRAMES[tag], f"{_FRAMES[tag]}s")
        elif tag == "noscript" and self._boilerplate is None:
            return False
        return tag in SILENT_TAGS or tag == "rp"

    def _open(self, tag: str, node: LexborNode) -> None:
        if tag == "br":
            self._pieces.append("\n")
        elif tag == "img":
            self._pieces.append(f" {self._picture(node)} ")
        elif tag in _MARKS:
            self._pieces.append(_MARKS[tag][0])
        elif tag == "sup":
            self._pieces.append(_before_superscript(node, self._pieces))
        elif tag not in BLOCK_TAGS:
            return
        elif self._pre:
            self._pieces.append("\n")
            self._pre += tag == "pre"
        else:
            self._open_block(tag, node)

    def _picture(self, node: LexborNode) -> str:
        attributes = node.attributes
        alternative = (attributes.get("alt") or "").strip()
        if alternative and not _FILE_NAME.fullmatch(alternative):
            return alternative
        source = attributes.get("src") or ""
        if source.startswith("data:") and len(source) >= _SMALLEST_PICTURE:
            self._outline.leave_out("picture without a text", "pictures without a text")
        return ""

    def _open_block(self, tag: str, node: LexborNode) -> None:
        if tag in _HEADINGS or tag in ("table", "pre"):
            self._arrange()
        self._flush()
        if self._tables.in_data and tag not in _TABLE_TAGS:
            return  # it is text of its cell
        if tag in _HEADINGS:
            self._heading = _HEADINGS[tag]
        elif tag == "pre":
            self._pre = 1
        elif tag in _TABLE_TAGS:
            self._tables.open(tag, node)
        elif tag in _LIST_TAGS:
            self._lists.open(tag, node)

    def _leave(self, tag: str, node: LexborNode) -> None:
        if self._boilerplate is not None:
            self._boilerplate.leave(tag, node)
        if tag in _MARKS:
            self._pieces.append(_MARKS[tag][1])
        if tag in BLOCK_TAGS or tag in _TABLE_TAGS:
            self._leave_block(tag, node)

    def _leave_block(self, tag: str, node: LexborNode) -> None:
        if self._pre > 1 or (self._pre and tag != "pre"):
            self._pre -= tag == "pre"
            self._pieces.append("\n")
        elif tag in _HEADINGS and self._heading:
            self._end_heading()
        elif tag in _TABLE_TAGS:
            self._leave_table(tag, node)
        else:
            self._flush()
            self._pre = 0
            if not self._tables.in_data and tag in _LIST_TAGS and self._lists.close(tag):
                self._outline.close()

    def _end_heading(self) -> None:
        text = _PERMALINK.sub("", one_line("".join(self._pieces)))
        self._pieces.clear()
        self._outline.heading(self._heading, text)
        self._heading = 0

    def _leave_table(self, tag: str, node: LexborNode) -> None:
        if self._tables.is_nested:
            self._pieces.append("; " if tag == "tr" else " ")
            self._tables.leave_nested(tag)
            return
        if tag in ("td", "th") and self._tables.in_row:
            self._tables.add_cell(tag, node, "".join(self._pieces))
            self._pieces.clear()
            return
        self._flush()
        if tag == "tr":
            self._tables.end_row()
        elif tag == "table":
            self._tables.close()

    def _arrange(self) -> None:
        """A table that has blocks in its cells only arranges them: read on as if it were none."""
        if self._tables.in_row and not self._tables.in_data:
            self._tables.make_layout()

    def _flush(self) -> None:
        if self._heading or self._tables.in_row:
            self._pieces.append(" " if self._heading else "\n")
            return
        if not self._pieces:
            return
        text = "".join(self._pieces)
        self._pieces.clear()
        if not self._pre:
            text = "\n".join(" ".join(line.split()) for line in text.split("\n"))
        if not text or text.isspace():
            return
        if self._lists.depth:
            self._outline.item(self._lists.depth, self._lists.take_marker(), text)
        else:
            self._outline.add("code" if self._pre else "paragraph", text)


class _Lists:
    """The lists that we are in, and what stands before the text of each item."""

    def __init__(self) -> None:
        self._numbers: list[int | None] = []
        self._markers: list[str] = []

    @property
    def depth(self) -> int:
        return len(self._markers)

    def open(self, tag: str, node: LexborNode) -> None:
        match tag:
            case "li":
                self._markers.append(self._next_marker())
            case "dt":
                self._markers.append("")
            case "dd":
                self._markers.append("  ")
            case "ol":
                start = node.attributes.get("start") or "1"
                is_number = start.isascii() and start.isdigit() and len(start) < 10
                self._numbers.append(int(start) if is_number else 1)
            case _:
                self._numbers.append(None)

    def close(self, tag: str) -> bool:
        """Whether that was the end of the outermost list."""
        levels = self._markers if tag in ("li", "dt", "dd") else self._numbers
        levels.pop()
        return not self._numbers and not self._markers

    def take_marker(self) -> str:
        """What stands before the next line; blanks once the item has a line."""
        marker = self._markers[-1]
        self._markers[-1] = " " * len(marker)
        return marker

    def _next_marker(self) -> str:
        number = self._numbers[-1] if self._numbers else None
        if number is None:
            return "- "
        self._numbers[-1] = number + 1
        return f"{number}. "


def _before_superscript(node: LexborNode, pieces: list[str]) -> str:
    """`10<sup>5</sup>` is no 105, and the number of a note is no part of the word before it."""
    text = node.text().strip()
    if not text.lstrip("-\u2212").isdecimal():
        return ""
    if node.css_first("a") is not None:
        return " "
    before = next((piece for piece in reversed(pieces) if piece), "")
    return "^" if before[-1:].isdecimal() else ""


def _equation(node: LexborNode) -> str:
    """Of MathML. One that nests too deep is its bare text."""
    source = node.html or ""
    if source.count("<") > _LARGEST_EQUATION:
        return one_line(node.text())
    return math_ml(lxml.html.fragment_fromstring(source))
