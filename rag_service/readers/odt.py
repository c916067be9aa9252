"""OpenDocument texts -> headings, paragraphs, lists and tables, with the numbers that they show.

Headers and footers come first, once each; notes come below what they belong to.
"""

import io

from rag_service.documents import ParsedDocument
from rag_service.readers.odf_package import OFFICE, STYLE, OdfPackage
from rag_service.readers.odf_styles import OdfStyles
from rag_service.readers.odf_text import OdfText
from rag_service.readers.outline import Outline
from rag_service.readers.packages import read_package

_EDGES = tuple(
    STYLE + name for name in ("header", "header-first", "footer", "footer-first")
)  # fmt: skip


def read_odt(data: bytes) -> ParsedDocument:
    """The title is the paragraph of that style, that of the file, or the first main heading.

    A merged cell is in each of its rows and columns. Raises Unreadable.
    """
    return read_package(data, _read)


def _read(file: io.BytesIO) -> ParsedDocument:
    package = OdfPackage(file)
    outline = Outline()
    content, styles = package.xml("content.xml"), package.xml("styles.xml")
    text = OdfText(package, OdfStyles(styles, content), outline)
    if styles is not None:
        for edge in dict.fromkeys(text.text_of(edge) for edge in styles.iter(*_EDGES)):
            if any(character.isalpha() for character in edge):
                outline.add("paragraph", edge)
    for body in content.iterfind(f"{OFFICE}body/{OFFICE}text"):
        text.read(body)
    return outline.parsed(text.title or package.title or outline.top_heading)
