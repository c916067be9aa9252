"""The nouns of the knowledge base, in the order they flow.

`Document` (as pushed) -> `ParsedDocument` (plain text in blocks) -> `Chunk` (fits the embedder's
window) -> `Passage` (a chunk that answers a query, with what is needed to cite it).
"""

from typing import Any, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

DEFAULT_BOT = "default"

Vectors = NDArray[np.float32]
"""Shape (texts, dimension), C-contiguous, every row of length 1. Row i belongs to text i."""

Format = Literal[
    "auto",
    "text",
    "markdown",
    "html",
    "pdf",
    "docx",
    "pptx",
    "xlsx",
    "ods",
    "odt",
    "odp",
    "csv",
    "json",
    "eml",
    "rtf",
    "picture",
    "epub",
]


class LeftOut(Struct, frozen=True, kw_only=True):
    """What a reader did not take of a file: `count` of a kind, which `one` and `many` name."""

    one: str
    """Such as "chart"."""
    many: str
    """Such as "charts"."""
    count: int = 1
    where: tuple[str, ...] = ()
    """Such as "page 3", in the order of the file; each place once."""
    is_loss: bool = True
    """Not where it is what pages have around what they say, such as menus."""

    @property
    def sentence(self) -> str:
        """Such as "3 charts (page 1, page 4)"."""
        places = ", ".join(self.where[:_PLACES_TOLD])
        if len(self.where) > _PLACES_TOLD:
            places += f" and {len(self.where) - _PLACES_TOLD:,} more"
        what = f"{self.count:,} {self.one if self.count == 1 else self.many}"
        return f"{what} ({places})" if places else what


_PLACES_TOLD = 5


class Document(Struct, frozen=True, kw_only=True):
    """One page as its owner pushed it; (`bot_id`, `source_url`) is its key and survives edits.

    `content` is text, or a file's bytes.
    """

    source_url: str
    content: str | bytes
    bot_id: str = DEFAULT_BOT
    content_type: str = "manual"
    title: str = ""
    metadata: dict[str, Any] = {}
    format: Format = "auto"
    left_out: list[LeftOut] = []
    """Of the file that it was taken from, such as other entries of an export."""

    @property
    def data(self) -> bytes:
        """The content as bytes; text in UTF-8."""
        content = self.content
        return content if isinstance(content, bytes) else content.encode(errors="replace")


class Block(Struct, frozen=True, kw_only=True):
    """A span `text[start:end]` of a ParsedDocument that reads as one piece."""

    kind: Literal["paragraph", "heading", "list", "table", "code"]
    start: int
    end: int
    headings: tuple[str, ...] = ()
    """The headings above this block, outermost first; a heading block contains itself last."""
    page: int | None = None
    """Counts from 1, where the document has pages or slides."""
    lead: int = 0
    """How many characters it begins with that say what the rest is about: a table's header row, a
    question. They are repeated where the block has to be cut."""


class ParsedDocument(Struct, frozen=True, kw_only=True):
    """Plain text without NUL or other unprintable control characters, and its blocks.

    Blocks come in order, do not overlap, and every character outside them is white space.
    """

    title: str
    text: str
    blocks: list[Block]
    left_out: list[LeftOut] = []
    """One of each kind. What a person would see in the file is in the text, or told here."""


class Chunk(Struct, frozen=True, kw_only=True):
    """A span of a ParsedDocument, not blank: `text` is `parsed.text[start:end]`, below the lead of
    its block where the span begins after it."""

    ordinal: int
    start: int
    end: int
    title: str
    heading: str
    """The heading path, outermost first, joined by ` > `."""
    text: str
    page: int | None = None

    @property
    def embedded_text(self) -> str:
        """What the embedder and the keyword index read: the text below its title and headings."""
        return _below_headings(self.title, self.heading, self.text)


class Passage(Struct, frozen=True, kw_only=True):
    """A stored chunk with what is needed to cite it."""

    chunk_id: str
    document_id: str
    source_url: str
    title: str
    heading: str
    page: int | None
    text: str
    ordinal: int

    @property
    def embedded_text(self) -> str:
        return _below_headings(self.title, self.heading, self.text)


def _below_headings(title: str, heading: str, text: str) -> str:
    return "\n".join(part for part in (title, heading, text) if part)
