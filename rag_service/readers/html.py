"""HTML -> the plain text that a reader of the page would read, without navigation and scripts."""

import re
from collections.abc import Mapping

from selectolax.lexbor import LexborHTMLParser, LexborNode

from rag_service.documents import ParsedDocument
from rag_service.readers.outline import Outline, one_line
from rag_service.readers.tags import BLOCK_TAGS, SILENT_TAGS, flat_text, is_hostile
from rag_service.readers.text import clean, read_text

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LIST_TAGS = frozenset(("ul", "ol", "menu", "dir", "dl", "li", "dt", "dd"))
_TABLE_TAGS = frozenset(("table", "tr", "td", "th"))
_BOXES = frozenset(("div", "section", "ul", "ol", "header", "p"))
_FURNITURE = re.compile(
    r"(?<![a-z])(?:breadcrumbs?|cookie-?(?:banner|bar|consent|notice|popup)s?|cookieconsent"
    r"|(?:share|sharing|social)-?(?:bar|box|buttons?|icons?|links?)|sharedaddy|skip-?(?:links?|to"
    r"-?content)|pagination|table-?of-?contents|toc|catlinks|interlanguage)(?![a-z])"
)
_LONGEST_FURNITURE = 2_000
_FEWEST_PLACES = 3
_MOST_PLACES = 500
_MOST_LOOKS = 200
"""Each takes the time that what is in the element takes: time has to stay linear."""
_PERMALINK = re.compile(r"\s*¶\Z| #\Z")


def read_html(content: str) -> ParsedDocument:
    """The title is that of the page, or else its first level-1 heading.

    A source nested so deep that nobody can have written it loses its structure, but not its text.
    """
    content = clean(content)
    if is_hostile(content):
        return read_text(flat_text(content))
    root = LexborHTMLParser(content).root
    if root is None:
        return read_text("")
    has_main = root.css_first("main, article") is not None
    parsed = _Reader(Outline(), _Boilerplate(has_main)).read_page(root)
    # all of it looked like navigation: rather too much than nothing
    return parsed if parsed.blocks else _Reader(Outline(), None).read_page(root)


def write_html(source: str, outline: Outline) -> None:
    """Add a piece of HTML, as found within Markdown, to what has been read so far."""
    if is_hostile(source):
        outline.add("paragraph", flat_text(source))
    elif (root := LexborHTMLParser(source).root) is not None:
        _Reader(outline, None).read(root)


class _Boilerplate:
    """Which elements are there to get around on the site. Conservative: in doubt they are read."""

    def __init__(self, has_main: bool) -> None:
        self._has_main = has_main
        self._inside_main = 0
        self._looks = _MOST_LOOKS

    def covers(self, tag: str, node: LexborNode) -> bool:
        attributes = node.attributes if tag in _BOXES else {}
        role = attributes.get("role")
        if tag == "nav" or role in ("navigation", "search"):
            return True
        if self._is_furniture(tag, node, attributes):
            return True
        if not self._has_main or self._inside_main:
            return False
        if tag == "form":  # some sites wrap the whole page in one
            return node.css_first("main, article") is None
        return tag in ("footer", "aside") or role in ("contentinfo", "banner", "complementary")

    def _is_furniture(
        self, tag: str, node: LexborNode, attributes: Mapping[str, str | None]
    ) -> bool:
        """A short box that is named after what it is for, or a list of places on this page."""
        named = f"{attributes.get('class') or ''} {attributes.get('id') or ''}".lower()
        is_named = _FURNITURE.search(named) is not None
        if not (is_named or tag in ("ul", "ol")) or self._looks <= 0:
            return False
        self._looks -= 1
        if is_named:
            return len(node.text()) <= _LONGEST_FURNITURE and node.css_first("h1, pre") is None
        links = node.css("a")
        if len(links) < _FEWEST_PLACES or len(links) > _MOST_PLACES:
            return False
        if not all(map(_leads_nowhere_else, links)):
            return False
        linked = sum(len("".join(link.text().split())) for link in links)
        return linked >= 0.9 * len("".join(node.text().split()))

    def enter(self, tag: str) -> None:
        self._inside_main += tag in ("main", "article")

    def leave(self, tag: str) -> None:
        self._inside_main -= tag in ("main", "article")


def _leads_nowhere_else(link: LexborNode) -> bool:
    """To a place on this page, or to the page in another language."""
    attributes = link.attributes
    return "hreflang" in attributes or (attributes.get("href") or "").startswith("#")


class _Reader:
    """Walks the tree without recursion, and puts its text into an outline."""

    def __init__(self, outline: Outline, boilerplate: _Boilerplate | None) -> None:
        self._outline = outline
        self._boilerplate = boilerplate
        self._title = ""
        self._pieces: list[str] = []
        """The text since the last block began or ended."""
        self._pre = 0
        self._heading = 0
        self._lists = _Lists()
        self._tables = _Tables()

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
                self._leave(node.tag or "-")
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
        if tag[0] == "-" or tag in SILENT_TAGS:
            if tag == "title" and not self._title:
                self._title = one_line(node.text())
            return None
        if self._boilerplate is not None:
            if self._boilerplate.covers(tag, node):
                return None
            self._boilerplate.enter(tag)
        self._open(tag, node)
        child = node.first_child
        if child is None:
            self._leave(tag)
        return child

    def _open(self, tag: str, node: LexborNode) -> None:
        if tag == "br":
            self._pieces.append("\n")
        elif tag == "img":
            self._pieces.append(f" {node.attributes.get('alt') or ''} ")
        elif tag not in BLOCK_TAGS:
            return
        elif self._pre:
            self._pieces.append("\n")
            self._pre += tag == "pre"
        else:
            self._open_block(tag, node)

    def _open_block(self, tag: str, node: LexborNode) -> None:
        if tag in _HEADINGS or tag in ("table", "pre"):
            self._arrange()
        self._flush()
        if tag in _HEADINGS:
            self._heading = _HEADINGS[tag]
        elif tag == "pre":
            self._pre = 1
        elif tag in _TABLE_TAGS:
            self._tables.open(tag)
        elif tag in _LIST_TAGS:
            self._lists.open(tag, node)

    def _leave(self, tag: str) -> None:
        if self._boilerplate is not None:
            self._boilerplate.leave(tag)
        if tag not in BLOCK_TAGS:
            return
        if self._pre > 1 or (self._pre and tag != "pre"):
            self._pre -= tag == "pre"
            self._pieces.append("\n")
        elif tag in _HEADINGS and self._heading:
            self._end_heading()
        elif tag in _TABLE_TAGS:
            self._leave_table(tag)
        else:
            self._flush()
            self._pre = 0
            if tag in _LIST_TAGS and self._lists.close(tag):
                self._outline.close()

    def _end_heading(self) -> None:
        text = _PERMALINK.sub("", one_line("".join(self._pieces)))
        self._pieces.clear()
        self._outline.heading(self._heading, text)
        self._heading = 0

    def _leave_table(self, tag: str) -> None:
        if tag in ("td", "th") and self._tables.in_row:
            self._tables.add_cell(one_line("".join(self._pieces)))
            self._pieces.clear()
            return
        self._flush()
        if tag == "tr":
            self._outline.row(self._tables.end_row())
        elif tag == "table":
            self._tables.close()
            self._outline.close()

    def _arrange(self) -> None:
        """A table that has blocks in its cells only arranges them: read on as if it were none."""
        if self._tables.in_row:
            for cell in self._tables.make_layout():
                self._outline.add("paragraph", cell)

    def _flush(self) -> None:
        if self._heading or self._tables.in_row:
            self._pieces.append(" ")
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


class _Tables:
    """The tables that we are in, and the row that is being read, if the innermost holds data."""

    def __init__(self) -> None:
        self._is_layout: list[bool] = []
        self._row: list[str] | None = None

    @property
    def in_row(self) -> bool:
        return self._row is not None

    def open(self, tag: str) -> None:
        if tag == "table":
            self._is_layout.append(False)
        elif tag == "tr" and self._is_layout and not self._is_layout[-1]:
            self._row = []

    def add_cell(self, text: str) -> None:
        if self._row is not None:
            self._row.append(text)

    def end_row(self) -> list[str]:
        row, self._row = self._row or [], None
        return row

    def make_layout(self) -> list[str]:
        """The cells of the row so far; from now on the table is not one of data."""
        self._is_layout[-1] = True
        row, self._row = self._row or [], None
        return row

    def close(self) -> None:
        self._is_layout.pop()
