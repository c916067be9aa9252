"""A page of a PDF: its lines, whether somebody has to recognise them, and its picture."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from statistics import median

import numpy as np
import pypdfium2
from msgspec import Struct
from msgspec.structs import replace

from rag_service.errors import Unreadable
from rag_service.readers.layout import PageLine
from rag_service.readers.layout.level_rulings import level_grids
from rag_service.readers.layout.rulings import Box, Grid, find_grids
from rag_service.readers.page_pictures import PagePicture
from rag_service.readers.pdf.annotations import Kind, draw_annotations, read_annotations
from rag_service.readers.pdf.form import Form
from rag_service.readers.pdf.frame import Frame
from rag_service.readers.pdf.page_objects import PageObjects, page_objects
from rag_service.readers.pdf.placed_text import (
    PlacedText,
    fill_cells,
    plain_lines,
    with_texts,
)
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
    placed: list[PageLine] = []
    """Of a page whose text is unread: what is filled in or typed onto it."""
    left_out: list[Kind] = []


def read_page(document: pypdfium2.PdfDocument, number: int, form: Form) -> Page:
    """`number` counts from 1. Raises Unreadable where PDFium cannot open the page."""
    try:
        page = document[number - 1]
        found = read_annotations(page.raw, form)
        if found.drawn and draw_annotations(page.raw):
            page.close()
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
        if not lines:
            frame = Frame(page.get_rotation() // 90)
        unread = _why_unread(lines, text, objects)
        texts = [replace(one, box=frame.turn(one.box)) for one in found.texts]
        return Page(
            number=number,
            lines=_read(lines, text, frame, objects, texts),
            unread=unread,
            pictures=len(objects.pictures),
            placed=plain_lines(texts) if unread else [],
            left_out=found.left_out,
        )
    finally:
        text_page.close()
        page.close()


def picture_of(document: pypdfium2.PdfDocument, number: int) -> PagePicture:
    """The page as it is shown, at 200 pixels an inch, at most 4,000 pixels on each side."""
    page = document[number - 1]
    try:
        dots = min(_PIXELS_PER_INCH / 72, _MOST_PIXELS / max(*page.get_size(), 1))
        bitmap = page.render(scale=dots, rev_byteorder=True, draw_annots=False)
        try:
            pixels = np.array(bitmap.to_numpy()[:, :, :3], dtype=np.uint8)
        finally:
            bitmap.close()
        return PagePicture(pixels=pixels, scale=1 / dots)
    finally:
        page.close()


def _read(
    lines: list[PageLine],
    text: TextPage,
    frame: Frame,
    objects: PageObjects,
    texts: list[PlacedText],
) -> list[PageLine]:
    """The lines, ruled tables as rows, and the texts where they are seen."""

    def read(box: Box) -> str:
        return text.within(box, frame)

    if not lines:
        return plain_lines(texts)
    rulings = [frame.turn(box) for box in objects.rulings]
    for grid in [*find_grids(rulings), *level_grids(rulings, lines)]:
        rows = list(text.rows(grid, frame))
        filled, others = fill_cells(grid, rows, texts, read)
        with_table = _with_table(lines, rows, filled, grid)
        if with_table is not lines:
            lines, texts = with_table, others
    return with_texts(lines, texts, read)


def _why_unread(
    lines: list[PageLine], text: TextPage, objects: PageObjects
) -> tuple[str, str] | None:
    if not text.has_character_map():
        return _WITHOUT_MAP
    if not lines and objects.may_show_text:
        return _WITHOUT_TEXT
    return None


def _with_table(
    lines: list[PageLine],
    rows: list[tuple[str, ...]],
    filled: list[tuple[str, ...]],
    grid: Grid,
) -> list[PageLine]:
    """Rows in place of the lines within the grid, if it is one, and not a frame around some text.

    `filled` are the rows with what a form adds. Nothing is lost and nothing is there twice: where
    lines and rows differ, the lines stay.
    """
    inside = [line for line in lines if grid.covers(line.left + line.size / 4, line.base)]
    full = [row for row in filled if sum(map(bool, row)) > 1]
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
        for row, (top, bottom) in zip(filled, pairwise(grid.ys), strict=True)
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
