"""PowerPoint presentations -> their slides, each a page under its title, with speaker notes."""

import io
from collections.abc import Iterator
from typing import Any

from pptx import Presentation
from pptx.enum.shapes import MSO_SHAPE_TYPE, PP_PLACEHOLDER

from rag_service.documents import ParsedDocument
from rag_service.readers.outline import Outline, one_line
from rag_service.readers.packages import read_package

_TITLES = (PP_PLACEHOLDER.TITLE, PP_PLACEHOLDER.CENTER_TITLE, PP_PLACEHOLDER.VERTICAL_TITLE)
_FURNITURE = (PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER)
_LISTS = (PP_PLACEHOLDER.BODY, PP_PLACEHOLDER.OBJECT, PP_PLACEHOLDER.VERTICAL_BODY)


def read_pptx(data: bytes) -> ParsedDocument:
    """The title is that of the file, or of its first slide. Raises Unreadable."""
    return read_package(data, _read)


def _read(file: io.BytesIO) -> ParsedDocument:
    presentation = Presentation(file)
    outline = Outline()
    for number, slide in enumerate(presentation.slides, 1):
        outline.page = number
        title = slide.shapes.title
        if title is not None and title.has_text_frame:
            outline.heading(1, title.text_frame.text)
        for shape in _shapes(slide.shapes):
            _write(shape, outline)
        if slide.has_notes_slide and (notes := slide.notes_slide.notes_text_frame):
            outline.add("paragraph", notes.text)
        outline.close()
    return outline.parsed(one_line(presentation.core_properties.title) or outline.top_heading)


def _shapes(shapes: Any) -> Iterator[Any]:
    """From top to bottom as a slide is read, with what is in groups; placeholders come first."""
    for shape in shapes:
        if shape.shape_type == MSO_SHAPE_TYPE.GROUP:
            yield from _shapes(shape.shapes)
        else:
            yield shape


def _write(shape: Any, outline: Outline) -> None:
    role = shape.placeholder_format.type if shape.is_placeholder else None
    if role in _TITLES or role in _FURNITURE:
        return
    if shape.has_table:
        for row in shape.table.rows:
            cells = [cell for cell in row.cells if not cell.is_spanned]
            outline.row([one_line(cell.text) for cell in cells])
        outline.close()
    elif shape.has_text_frame:
        _write_frame(shape.text_frame, role in _LISTS, outline)
    outline.close()


def _write_frame(frame: Any, is_list: bool, outline: Outline) -> None:
    paragraphs = [paragraph for paragraph in frame.paragraphs if paragraph.text.strip()]
    for paragraph in paragraphs:
        text = paragraph.text.replace("\v", "\n").strip()
        if paragraph.level or (is_list and len(paragraphs) > 1):
            outline.item(paragraph.level + 1, "- ", text)
        else:
            outline.add("paragraph", text)
