"""The shapes of a slide in the order they are read, each with its role and its place."""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from rag_service.readers.opc import MC, A, OfficePackage, P, is_on, visible_branch
from rag_service.readers.reading_order import Box, in_reading_order

_GROUP = f"{P}grpSp"
_SHAPES = frozenset((f"{P}sp", f"{P}graphicFrame", f"{P}pic", f"{P}cxnSp", _GROUP))
TITLES = frozenset(("title", "ctrTitle"))
LISTS = frozenset(("body", "obj", ""))
_SAME = {"ctrTitle": "title", "subTitle": "body", "obj": "body", "": "body"}


class Shape(Struct, frozen=True):
    element: Any
    role: str | None
    """The type of its placeholder, empty for one without; None for what is no placeholder."""
    box: Box | None


class Layout:
    """Where placeholders stand that say so themselves neither on the slide nor on its layout."""

    def __init__(self, package: OfficePackage, slide: str) -> None:
        self._by_index: dict[tuple[str, str], Box] = {}
        self._by_role: dict[str, Box] = {}
        for layout in package.related(slide, "slideLayout"):
            self._read(package.xml(layout))
            for master in package.related(layout, "slideMaster"):
                self._read(package.xml(master))

    def box(self, role: str, index: str) -> Box | None:
        found = self._by_index.get((_SAME.get(role, role), index))
        return found or self._by_role.get(_SAME.get(role, role))

    def _read(self, root: Any) -> None:
        for shape in root.iter(f"{P}sp"):
            place, box = shape.find(f".//{P}ph"), _own_box(shape)
            if place is not None and box is not None:
                role = _SAME.get(place.get("type", ""), place.get("type", ""))
                self._by_index.setdefault((role, place.get("idx", "0")), box)
                self._by_role.setdefault(role, box)


def shapes_of(tree: Any, layout: Layout) -> list[Shape]:
    """Titles first, then the others by their place; a group's shapes stand together.

    Shapes that are switched off are among them: `is_hidden` tells.
    """
    found = [_shape(element, layout) for element in _elements(tree)]
    titles = [shape for shape in found if shape.role in TITLES]
    others = [shape for shape in found if shape.role not in TITLES]
    ordered = []
    for shape in titles + in_reading_order(others, lambda shape: shape.box):
        if shape.element.tag == _GROUP and not is_hidden(shape):
            ordered += shapes_of(shape.element, layout)
        else:
            ordered.append(shape)
    return ordered


def is_hidden(shape: Shape) -> bool:
    properties = shape.element.find(f"./*/{P}cNvPr")
    return properties is not None and is_on(properties, "hidden") and "hidden" in properties.attrib


def _elements(tree: Any) -> Iterator[Any]:
    for child in tree:
        if child.tag in _SHAPES:
            yield child
        elif child.tag == f"{MC}AlternateContent":
            branch = visible_branch(child)
            if branch is not None:
                yield from _elements(branch)


def _shape(element: Any, layout: Layout) -> Shape:
    place = element.find(f"./*/{P}nvPr/{P}ph")
    role = place.get("type", "") if place is not None else None
    box = _own_box(element)
    if box is None and place is not None:
        box = layout.box(role or "", place.get("idx", "0"))
    return Shape(element, role, box)


def _own_box(element: Any) -> Box | None:
    for path in (f"{P}spPr/{A}xfrm", f"{P}grpSpPr/{A}xfrm", f"{P}xfrm"):
        frame = element.find(path)
        if frame is not None:
            return _box(frame.find(f"{A}off"), frame.find(f"{A}ext"))
    return None


def _box(offset: Any, extent: Any) -> Box | None:
    if offset is None or extent is None:
        return None
    try:
        x, y = float(offset.get("x", "")), float(offset.get("y", ""))
        return Box(x, y, float(extent.get("cx", "")), float(extent.get("cy", "")))
    except ValueError:
        return None
