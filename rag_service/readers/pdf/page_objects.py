"""What is drawn on a PDF page besides its text: rulings, and pictures."""

import ctypes
from collections.abc import Sequence

from msgspec import Struct
from pypdfium2 import raw

from rag_service.readers.layout.rulings import Box

_MOST_OBJECTS = 20_000
"""A page with more is a drawing or a map: nobody looks for tables there."""
_THIN = 3.0
_FEWEST_STROKES = 20
"""So many drawings without any text may be letters; a rule or a frame has fewer."""


class PageObjects(Struct, frozen=True, kw_only=True):
    rulings: Sequence[Box]
    """Lines and edges that are drawn; boxes around a table count as their four sides."""
    pictures: Sequence[Box]
    drawings: int
    """How many paths, shadings and forms."""

    @property
    def may_show_text(self) -> bool:
        """Whether a page on which PDFium finds no text is more than empty."""
        return bool(self.pictures) or self.drawings >= _FEWEST_STROKES


def page_objects(page: object) -> PageObjects:
    """`page` is PDFium's own."""
    rulings: list[Box] = []
    pictures: list[Box] = []
    drawings = 0
    count = raw.FPDFPage_CountObjects(page)
    values = [ctypes.c_float() for _ in range(4)]
    mode, stroke = ctypes.c_int(), ctypes.c_int()
    for number in range(min(count, _MOST_OBJECTS)):
        item = raw.FPDFPage_GetObject(page, number)
        kind = raw.FPDFPageObj_GetType(item)
        if kind == raw.FPDF_PAGEOBJ_TEXT or not raw.FPDFPageObj_GetBounds(item, *values):
            continue
        left, bottom, right, top = (value.value for value in values)
        if kind == raw.FPDF_PAGEOBJ_IMAGE:
            pictures.append((left, bottom, right, top))
            continue
        drawings += 1
        if kind != raw.FPDF_PAGEOBJ_PATH:
            continue
        if min(right - left, top - bottom) <= _THIN:
            rulings.append((left, bottom, right, top))
        elif raw.FPDFPath_GetDrawMode(item, mode, stroke) and stroke.value:
            rulings += [(left, bottom, left, top), (right, bottom, right, top)]
            rulings += [(left, bottom, right, bottom), (left, top, right, top)]
    if count > _MOST_OBJECTS:
        rulings.clear()
    return PageObjects(rulings=rulings, pictures=pictures, drawings=drawings)
