"""Markdown -> readable plain text: CommonMark with tables, without its markup."""

import re
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

from rag_service.documents import ParsedDocument
from rag_service.readers.html import write_html
from rag_service.readers.outline import Outline, one_line
from rag_service.readers.tags import KNOWN_TAGS
from rag_service.readers.text import clean, read_text

FRONT_MATTER = re.compile(
    r"\A---[ \t]*\n(?=\s*(?:#[^\n]*\n\s*)*[\w.-]+[ \t]*:)(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.S
)

DEEPEST_NESTING = 100
"""Lists and quotes nested deeper are read as text: markdown-it would drop what is in them."""

LONGEST_INLINE = 20_000
"""Characters. A longer paragraph, cell or heading keeps its markup: nobody wrote it by hand."""

_TITLE = re.compile(r"^title[ \t]*:[ \t]*(\S.*)$", re.M | re.I)
_INLINE_MARKUP = re.compile(r"[\\`*_\[<&!~]|  \n")
_TAG = re.compile(r"</?([a-zA-Z][a-zA-Z0-9-]*)")

_parser = MarkdownIt("commonmark", {"html": True, "maxNesting": DEEPEST_NESTING}).enable(
    ["table", "strikethrough"]
)


def read_markdown(content: str) -> ParsedDocument:
    """The title is that of the front matter, or else the first level-1 heading."""
    title, body = _without_front_matter(clean(content))
    env: dict[str, object] = {}
    tokens: list[Token] = []
    _parser.block.parse(body, _parser, env, tokens)
    if any(token.level >= DEEPEST_NESTING - 1 for token in tokens):
        return read_text(content)
    outline = Outline()
    _Writer(outline, env).write(tokens)
    return outline.parsed(title or outline.top_heading)


def _without_front_matter(content: str) -> tuple[str, str]:
    matter = FRONT_MATTER.match(content)
    if matter is None:
        return "", content
    title = _TITLE.search(matter[1])
    return one_line(title[1]).strip("\"'") if title else "", content[matter.end() :]


class _Writer:
    """Walks the flat list of markdown-it's block tokens, and puts their text into an outline."""

    def __init__(self, outline: Outline, env: dict[str, object]) -> None:
        self._outline = outline
        self._env = env
        self._markers: list[str] = []
        """Of the list items we are in, outermost first; blanks once an item has its first line."""
        self._heading = 0
        self._cells: list[str] | None = None

    def write(self, tokens: list[Token]) -> None:
        for token in tokens:
            match token.type:
                case "inline":
                    self._inline(token)
                case "fence" | "code_block":
                    self._put("code", token.content)
                case "html_block":
                    self._html(token.content)
                case "heading_open" if token.level == 0:
                    self._heading = int(token.tag[1:])
                case "heading_close":
                    self._heading = 0
                case _:
                    self._container(token)

    def _container(self, token: Token) -> None:
        match token.type:
            case "list_item_open":
                self._markers.append(f"{token.info}. " if token.info else "- ")
            case "list_item_close":
                self._markers.pop()
            case "bullet_list_close" | "ordered_list_close" if not self._markers:
                self._outline.close()
            case "tr_open":
                self._cells = []
            case "tr_close":
                self._outline.row(self._cells or [])
                self._cells = None
            case "table_close":
                self._outline.close()

    def _inline(self, token: Token) -> None:
        text = self._plain(token.content)
        if self._cells is not None:
            self._cells.append(one_line(text))
        elif self._heading:
            self._outline.heading(self._heading, text)
        else:
            self._put("paragraph", text)

    def _put(self, kind: Literal["paragraph", "code"], text: str) -> None:
        if not self._markers:
            self._outline.add(kind, text)
        elif not text.isspace():
            self._outline.item(len(self._markers), self._markers[-1], text)
            self._markers[-1] = " " * len(self._markers[-1])

    def _html(self, content: str) -> None:
        tag = _TAG.match(content.lstrip())
        if tag and tag[1].lower() not in KNOWN_TAGS:
            self._put("paragraph", self._plain(content))
        else:
            write_html(content, self._outline)

    def _plain(self, content: str) -> str:
        if len(content) > LONGEST_INLINE or content.count("[") > content.count("]") + 10:
            return content
        if _INLINE_MARKUP.search(content) is None:
            return " ".join(line.strip() for line in content.split("\n"))
        return _plain_text(_parser.inline.parse(content, _parser, self._env, []))


def _plain_text(tokens: list[Token]) -> str:
    parts: list[str] = []
    for token in tokens:
        match token.type:
            case "softbreak":
                parts.append(" ")
            case "hardbreak":
                parts.append("\n")
            case "image":
                parts.append(_plain_text(token.children or []))
            case "html_inline":
                parts.append(_without_tag(token.content))
            case _:
                parts.append(token.content)
    return "".join(parts)


def _without_tag(source: str) -> str:
    """Tags go, but not what only looks like one: `Vec<T>`."""
    tag = _TAG.match(source)
    if tag is None:
        return ""
    name = tag[1].lower()
    if name == "br":
        return "\n"
    return "" if name in KNOWN_TAGS else source
