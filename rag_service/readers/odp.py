"""OpenDocument presentations -> their slides, each a page under its title, with speaker notes."""

import io
import re
from collections.abc import Iterator
from typing import Any

from rag_service.documents import ParsedDocument
from rag_service.readers.odf_package import DRAW, OFFICE, PRESENTATION, SVG, OdfPackage
from rag_service.readers.odf_styles import OdfStyles
from rag_service.readers.odf_text import OdfText
from rag_service.readers.outline import Outline
from rag_service.readers.packages import read_office_file
from rag_service.readers.reading_order import Box, in_reading_order

_LENGTH = re.compile(r"(-?\d+(?:\.\d+)?)(cm|mm|in|pt|pc|px)")
_UNITS = {"cm": 28.35, "mm": 2.835, "in": 72.0, "pt": 1.0, "pc": 12.0, "px": 0.75}
"""In points."""
_COUNTERS = frozenset(("page-number", "date-time", "page"))
_EDGES = frozenset(("header", "footer"))
_CLASS = f"{PRESENTATION}class"
_DECLARED = tuple(f"{PRESENTATION}{name}-decl" for name in sorted(_EDGES))


def read_odp(data: bytes) -> ParsedDocument:
    """The title is that of the file, or of its first slide. Hidden slides are left out.

    Raises Unreadable.
    """
    return read_office_file(data, _read)


def _read(file: io.BytesIO) -> ParsedDocument:
    package = OdfPackage(file)
    outline = Outline()
    content = package.xml("content.xml")
    styles = OdfStyles(package.xml("styles.xml"), content)
    text = OdfText(package, styles, outline)
    for edge in dict.fromkeys(edge.text or "" for edge in content.iter(*_DECLARED)):
        outline.add("paragraph", edge)
    for number, page in enumerate(
        content.iterfind(f"{OFFICE}body/{OFFICE}presentation/{DRAW}page"), 1
    ):
        text.where = f"slide {number}"
        outline.page = number
        if styles.is_hidden_page(page.get(f"{DRAW}style-name")):
            outline.leave_out("hidden slide", "hidden slides", where=text.where)
        else:
            outline.end_section(1)
            _read_page(page, text, outline)
    return outline.parsed(package.title or outline.top_heading)


def _read_page(page: Any, text: OdfText, outline: Outline) -> None:
    titled = False
    for shape in _ordered(page):
        if shape.get(_CLASS) == "title" and not titled:
            title = text.text_of(shape)
            titled = bool(title)
            outline.heading(1, title)
        elif shape.get(_CLASS) not in _COUNTERS:
            text.write_frame(shape)
    for notes in page.iterchildren(f"{PRESENTATION}notes"):
        for frame in notes.iterchildren(f"{DRAW}frame"):
            if frame.get(_CLASS) == "notes" and not _is_prompt(frame):
                text.write_frame(frame)
    outline.close()


def _ordered(parent: Any) -> Iterator[Any]:
    """Titles first, then the others by their place; the shapes of a group stand together."""
    shapes = [
        shape
        for shape in parent
        if shape.tag.startswith(DRAW) and not _is_prompt(shape)
    ]  # fmt: skip
    titles = [shape for shape in shapes if shape.get(_CLASS) == "title"]
    others = [shape for shape in shapes if shape.get(_CLASS) != "title"]
    for shape in titles + in_reading_order(others, _box):
        if shape.tag == f"{DRAW}g":
            yield from _ordered(shape)
        else:
            yield shape


def _is_prompt(shape: Any) -> bool:
    """A placeholder that nobody has filled shows what one should enter."""
    return bool(shape.get(f"{PRESENTATION}placeholder") == "true")


def _box(shape: Any) -> Box | None:
    """Of a group, around all that is in it."""
    if shape.tag == f"{DRAW}g":
        inside = [box for child in shape if (box := _box(child)) is not None]
        if not inside:
            return None
        left, top = min(box.left for box in inside), min(box.top for box in inside)
        right = max(box.left + box.width for box in inside)
        bottom = max(box.top + box.height for box in inside)
        return Box(left, top, right - left, bottom - top)
    x, y, width, height = (_points(shape.get(SVG + name)) for name in ("x", "y", "width", "height"))
    return Box(x, y, width or 0.0, height or 0.0) if x is not None and y is not None else None


def _points(length: str | None) -> float | None:
    found = _LENGTH.fullmatch(length or "")
    return float(found[1]) * _UNITS[found[2]] if found else None
