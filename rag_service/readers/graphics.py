"""What an Office file shows in a frame: charts, SmartArt and objects of other programs."""

from typing import Any

from rag_service.readers.charts import write_chart
from rag_service.readers.drawing_text import text_in
from rag_service.readers.opc import CX, DGM, C, OfficePackage, R
from rag_service.readers.outline import Outline

_OFFICE_OBJECT = "{urn:schemas-microsoft-com:office:office}OLEObject"
_NO_CONTENT = frozenset(("pres",))
_DEEPEST = 50


def write_graphic(
    package: OfficePackage, part: str, graphic: Any, outline: Outline, where: str
) -> None:
    """Adds what `graphic`, an element of `part`, shows; tells `where` it cannot be read."""
    for chart in graphic.iter(f"{C}chart", f"{CX}chart"):
        target = package.target(part, chart.get(f"{R}id"))
        if target is None:
            outline.leave_out("chart", "charts", where=where)
        else:
            write_chart(package, target, outline, where)
    for diagram in graphic.iter(f"{DGM}relIds"):
        target = package.target(part, diagram.get(f"{R}dm"))
        if target is None:
            outline.leave_out("diagram", "diagrams", where=where)
        else:
            _write_diagram(package.xml(target), outline)
    objects = sum(1 for node in graphic.iter() if _is_object(node))
    if objects:
        outline.leave_out("embedded object", "embedded objects", count=objects, where=where)


def _is_object(node: Any) -> bool:
    return node.tag == _OFFICE_OBJECT or str(node.tag).endswith("}oleObj")


def _write_diagram(root: Any, outline: Outline) -> None:
    """The nodes of SmartArt as a list, those that belong to another one below it."""
    points = {point.get("modelId"): point for point in root.iter(f"{DGM}pt")}
    children: dict[str | None, list[tuple[int, str]]] = {}
    for link in root.iter(f"{DGM}cxn"):
        if link.get("type", "parOf") == "parOf":
            order = link.get("srcOrd", "0")
            number = int(order) if order.isascii() and order.isdigit() else 0
            children.setdefault(link.get("srcId"), []).append((number, link.get("destId", "")))
    below = {child for links in children.values() for _, child in links}
    todo = [(1, id) for id in reversed([id for id in points if id not in below])]
    written: set[str] = set()
    outline.close()
    while todo:
        depth, id = todo.pop()
        if id in written or id not in points:
            continue
        written.add(id)
        point = points[id]
        text = text_in(point) if point.get("type", "node") not in _NO_CONTENT else ""
        if text:
            outline.item(depth, "- ", text)
        deeper = min(depth + bool(text), _DEEPEST)
        todo.extend((deeper, child) for _, child in sorted(children.get(id, ()), reverse=True))
    outline.close()
