"""Lines as they stand on pages -> a document of headings, paragraphs, lists and tables."""

from collections.abc import Sequence

from msgspec.structs import replace

from rag_service.documents import ParsedDocument
from rag_service.readers.layout.hyphens import Words
from rag_service.readers.layout.page_blocks import PageBlocks
from rag_service.readers.layout.page_line import PageLine
from rag_service.readers.layout.reading_order import in_order
from rag_service.readers.layout.running_heads import without_running_heads
from rag_service.readers.layout.style import LARGER, LONGEST_HEADING, Style
from rag_service.readers.layout.table_heads import with_heads
from rag_service.readers.outline import Outline, one_line


def read_pages(
    pages: Sequence[Sequence[PageLine]], title: str, outline: Outline | None = None
) -> ParsedDocument:
    """Pages count from 1. Without a title, that of a cover page or the first main heading.

    An outline that is given tells what the reader has left out; it holds no text yet.
    """
    outline = outline or Outline()
    kept = without_running_heads([in_order(lines) for lines in pages], outline)
    kept = list(with_heads(kept))
    style = Style(kept)
    words = Words(kept)
    cover = _cover(kept, style)
    for number, lines in enumerate(kept, 1):
        outline.page = number
        if cover and number == 1:
            outline.add("paragraph", "\n".join(line.text for line in lines))
        else:
            PageBlocks(lines, style, words, outline).read()
    parsed = outline.parsed(title or cover)
    return parsed if parsed.title else replace(parsed, title=_first_heading(parsed))


def _cover(pages: list[list[PageLine]], style: Style) -> str:
    """The title that stands alone on the first page."""
    if len(pages) < 2 or not pages[0] or len(pages[0]) > 6:
        return ""
    if all(line.size > style.body * LARGER for line in pages[0]):
        return one_line(" ".join(line.text for line in pages[0]))[:LONGEST_HEADING]
    return ""


def _first_heading(parsed: ParsedDocument) -> str:
    """That of the document where it begins with one, or else its first main one."""
    headings = [block.headings for block in parsed.blocks if block.kind == "heading"]
    if parsed.blocks and parsed.blocks[0].kind == "heading":
        return headings[0][-1]
    return next((path[0] for path in headings if len(path) == 1), "")
