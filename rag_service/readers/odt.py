"""OpenDocument texts -> headings, paragraphs, lists and tables, with the numbers that they show.

Headers and footers come first, once each; notes come below what they belong to.
"""

import io
from typing import Any

from rag_service.documents import ParsedDocument
from rag_service.readers.odf_package import OFFICE, STYLE, TEXT, OdfPackage
from rag_service.readers.odf_styles import OdfStyles
from rag_service.readers.odf_text import OdfText
from rag_service.readers.outline import Outline
from rag_service.readers.packages import read_office_file

_EDGES = tuple(
    STYLE + name for name in ("header", "header-first", "footer", "footer-first")
)  # fmt: skip
_MOST_PAGE_WORDS = 4
"""Such as "Page 3 of 9"."""


def read_odt(data: bytes) -> ParsedDocument:
    """The title is the paragraph of that style, that of the file, or the first main heading.

    A merged cell is in each of its rows and columns. Raises Unreadable.
    """
    return read_office_file(data, _read)


def _read(file: io.BytesIO) -> ParsedDocument:
    package = OdfPackage(file)
    outline = Outline()
    content, styles = package.xml("content.xml"), package.xml("styles.xml")
    text = OdfText(package, OdfStyles(styles, content), outline)
    if styles is not None:
        for edge in dict.fromkeys(_edge(edge, text, outline) for edge in styles.iter(*_EDGES)):
            outline.add("paragraph", edge)
    for body in content.iterfind(f"{OFFICE}body/{OFFICE}text"):
        text.read(body)
    return outline.parsed(text.title or package.title or outline.top_heading)


def _edge(element: Any, text: OdfText, outline: Outline) -> str:
    """A header or a footer; empty, and told, when it only counts the pages."""
    shown = text.text_of(element)
    numbers = list(element.iter(f"{TEXT}page-number", f"{TEXT}page-count"))
    if numbers and len(shown.split()) <= _MOST_PAGE_WORDS:
        outline.leave_out(
            "line that counts the pages", "lines that count the pages", where="page edges"
        )
        return ""
    return shown
