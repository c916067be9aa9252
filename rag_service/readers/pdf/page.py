"""A page of a PDF: its lines, whether somebody has to recognise them, and its picture."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from statistics import median

import numpy as np
import pypdfium2
from msgspec import Struct

from rag_service.errors import Unreadable
from rag_service.readers.layout import PageLine
from rag_service.readers.layout.rulings import Grid, find_grids
from rag_service.readers.page_pictures import PagePicture
from rag_service.readers.pdf.page_objects import PageObjects, page_objects
from rag_service.readers.pdf.text_page import TextPage

_WITHOUT_TEXT = ("page without text", "pages without text")
_WITHOUT_MAP = (
    "page whose font has no character map",
    "pages whose fonts have no character map",
)
_PIXELS_PER_INCH = 200
"""What text recognisers are trained for, about 30 pixels a line of body text."""
_MOST_PIXELS = 4_000
"""On either side of a picture: a poster is rendered smaller."""


class Page(Struct, frozen=True, kw_only=True):
    number: int
    """Counts from 1."""
    lines: list[PageLine]
    unread: tuple[str, str] | None = None
    """What keeps its text from being read, as one and as many; a recogniser may help."""
    pictures: int = 0


def read_page(document: pypdfium2.PdfDocument, number: int) -> Page:
    """`number` counts from 1. Raises Unreadable where PDFium cannot open the page."""
    try:
        page = document[number - 1]
        try:
            text_page = page.get_textpage()
        except pypdfium2.PdfiumError:
            page.close()
            raise
    except pypdfium2.PdfiumError as error:
        raise Unreadable(
            f"is a damaged PDF (page {number}): open it in a viewer and save it again"
        ) from error
    try:
        text = TextPage(text_page)
        objects = page_objects(page.raw)
        lines, frame = text.lines()
        rulings = [frame.turn(box) for box in objects.rulings] if lines else []
        for grid in find_grids(rulings):
            lines = _with_table(lines, list(text.rows(grid, frame)), grid)
        return Page(
            number=number,
            lines=lines,
            unread=_why_unread(lines, text, objects),
            pictures=len(objects.pictures),
        )
    finally:
        text_page.close()
        page.close()


def picture_of(document: pypdfium2.PdfDocument, number: int) -> PagePicture:
    """The page as it is shown, at 200 pixels an inch, at most 4,000 pixels on each side."""
    page = document[number - 1]
    try:
        dots = min(_PIXELS_PER_INCH / 72, _MOST_PIXELS / max(*page.get_size(), 1))
        bitmap = page.render(scale=dots, rev_byteorder=True)
        try:
            pixels = np.array(bitmap.to_numpy()[:, :, :3], dtype=np.uint8)
        finally:
            bitmap.close()
        return PagePicture(pixels=pixels, scale=1 / dots)
    finally:
        page.close()


def _why_unread(
    lines: list[PageLine], text: TextPage, objects: PageObjects
) -> tuple[str, str] | None:
    if not text.has_character_map():
        return _WITHOUT_MAP
    if not lines and objects.may_show_text:
        return _WITHOUT_TEXT
    return None


def _with_table(lines: list[PageLine], rows: list[tuple[str, ...]], grid: Grid) -> list[PageLine]:
    """Rows in place of the lines within the grid, if it is one, and not a frame around some text.

    Nothing is lost and nothing is there twice: where the two differ, the lines stay.
    """
    inside = [line for line in lines if grid.covers(line.left + line.size / 4, line.base)]
    full = [row for row in rows if sum(map(bool, row)) > 1]
    if not inside or len(full) < 2 or 2 * len(full) < len(rows):
        return lines
    if _ink(line.text for line in inside) != _ink(cell for row in rows for cell in row):
        return lines
    size = median(line.size for line in inside)
    table = [
        PageLine(
            text=" ".join(row),
            left=grid.xs[0],
            right=grid.xs[-1],
            base=(top + bottom) / 2,
            size=size,
            cells=row,
        )
        for row, (top, bottom) in zip(rows, pairwise(grid.ys), strict=True)
        if any(row)
    ]
    at = lines.index(inside[0])
    gone = set(map(id, inside))
    before = [line for line in lines[:at] if id(line) not in gone]
    return [*before, *table, *(line for line in lines[at:] if id(line) not in gone)]


def _ink(texts: Iterable[str]) -> Counter[str]:
    """Their characters; blanks and hyphens depend on where lines end."""
    found = Counter(char for text in texts for char in text)
    del found[" "], found["-"]
    return found
