"""What lies on a PDF page besides its own content: notes that are typed on it, fields of a form,
stamps, comments."""

import re
from collections.abc import Iterator

from msgspec import Struct
from pypdfium2 import raw

from rag_service.readers.layout.rulings import Box
from rag_service.readers.pdf.form import Form, wide_string
from rag_service.readers.pdf.placed_text import PlacedText

_MOST = 5_000
"""On a page."""
_UNSEEN = raw.FPDF_ANNOT_FLAG_HIDDEN | raw.FPDF_ANNOT_FLAG_NOVIEW
_COMMENTED = frozenset(
    [
        raw.FPDF_ANNOT_TEXT,
        raw.FPDF_ANNOT_LINE,
        raw.FPDF_ANNOT_SQUARE,
        raw.FPDF_ANNOT_CIRCLE,
        raw.FPDF_ANNOT_POLYGON,
        raw.FPDF_ANNOT_POLYLINE,
        raw.FPDF_ANNOT_HIGHLIGHT,
        raw.FPDF_ANNOT_UNDERLINE,
        raw.FPDF_ANNOT_SQUIGGLY,
        raw.FPDF_ANNOT_STRIKEOUT,
        raw.FPDF_ANNOT_STAMP,
        raw.FPDF_ANNOT_CARET,
        raw.FPDF_ANNOT_INK,
    ]
)
"""Their contents are shown to whoever points at them."""
_DRAWN = frozenset(
    [
        raw.FPDF_ANNOT_FREETEXT,
        raw.FPDF_ANNOT_LINE,
        raw.FPDF_ANNOT_POLYGON,
        raw.FPDF_ANNOT_POLYLINE,
        raw.FPDF_ANNOT_STAMP,
        raw.FPDF_ANNOT_WATERMARK,
        raw.FPDF_ANNOT_WIDGET,
        raw.FPDF_ANNOT_REDACT,
        raw.FPDF_ANNOT_UNKNOWN,
    ]
)
"""Their appearance may have text, such as "Approved", a caption, who signed."""
_RECORDINGS = frozenset(
    [
        raw.FPDF_ANNOT_SOUND,
        raw.FPDF_ANNOT_MOVIE,
        raw.FPDF_ANNOT_SCREEN,
        raw.FPDF_ANNOT_THREED,
        raw.FPDF_ANNOT_RICHMEDIA,
    ]
)
_FONT_SIZE = re.compile(r"([\d.]{1,8})\s+Tf\b")

Kind = tuple[str, str]
"""What is left out, as one and as many."""


class Annotations(Struct, frozen=True):
    """Of a page, in the order of the file."""

    texts: list[PlacedText]
    left_out: list[Kind]
    drawn: bool
    """Whether some have to be made part of the page, so that their text is read."""


NONE = Annotations([], [], False)


def read_annotations(page: object, form: Form) -> Annotations:
    """`page` is PDFium's own. Where some of its annotations are drawn, all others are taken off."""
    count = raw.FPDFPage_GetAnnotCount(page)
    if count <= 0:
        return NONE
    texts: list[PlacedText] = []
    left_out: list[Kind] = [("annotation", "annotations")] * max(0, count - _MOST)
    others = list(range(_MOST, count))
    form.enter(page)
    for number in range(min(count, _MOST)):
        annotation = raw.FPDFPage_GetAnnot(page, number)
        if not annotation:
            continue
        try:
            found = _Annotation(annotation, form)
            text = found.text()
            left_out += found.left_out(text)
            if text is not None and text.text and not found.is_unseen:
                texts.append(text)
            if text is not None or not found.is_drawn:
                others.append(number)
        finally:
            raw.FPDFPage_CloseAnnot(annotation)
    form.leave(page)
    drawn = len(others) < count
    if drawn:
        for number in sorted(others, reverse=True):
            raw.FPDFPage_RemoveAnnot(page, number)
    return Annotations(texts, left_out, drawn)


def draw_annotations(page: object) -> bool:
    """Makes those that are left part of the page, which has to be loaded anew then."""
    return bool(raw.FPDFPage_Flatten(page, raw.FLAT_NORMALDISPLAY) == raw.FLATTEN_SUCCESS)


class _Annotation:
    def __init__(self, annotation: object, form: Form) -> None:
        self._annotation = annotation
        self._kind = raw.FPDFAnnot_GetSubtype(annotation)
        self._field = form.field(annotation) if self._kind == raw.FPDF_ANNOT_WIDGET else None
        self.is_unseen = bool(raw.FPDFAnnot_GetFlags(annotation) & _UNSEEN)

    @property
    def is_drawn(self) -> bool:
        return self._kind in _DRAWN and not self.is_unseen

    def text(self) -> PlacedText | None:
        """None where it is not known but from what is drawn."""
        if self._field is not None:
            return PlacedText(
                text="" if self._field.is_secret else self._field.value,
                box=self._box(),
                size=self._field.size,
                label=self._field.name,
                is_box=self._field.is_box,
            )
        if self._kind == raw.FPDF_ANNOT_FREETEXT and (contents := self._string("Contents")):
            size = _FONT_SIZE.search(self._string("DA"))
            return PlacedText(
                text=contents,
                box=self._box(),
                size=float(size[1]) if size else 0,
                is_note=True,
            )
        return None

    def left_out(self, text: PlacedText | None) -> Iterator[Kind]:
        if self._field is not None and self._field.is_secret and self._field.value:
            yield "field with a password", "fields with passwords"
        elif self.is_unseen and text is not None and text.text and not text.is_box:
            yield "hidden annotation", "hidden annotations"
        elif self._kind in _COMMENTED and self._string("Contents"):
            yield "comment", "comments"
        elif self._kind == raw.FPDF_ANNOT_FILEATTACHMENT:
            yield "attached file", "attached files"
        elif self._kind in _RECORDINGS:
            yield "embedded recording", "embedded recordings"

    def _string(self, key: str) -> str:
        return wide_string(raw.FPDFAnnot_GetStringValue, self._annotation, key.encode()).strip()

    def _box(self) -> Box:
        rectangle = raw.FS_RECTF()
        raw.FPDFAnnot_GetRect(self._annotation, rectangle)
        left, right = sorted((rectangle.left, rectangle.right))
        bottom, top = sorted((rectangle.bottom, rectangle.top))
        return left, bottom, right, top
