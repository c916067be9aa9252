"""What lies on an Excel sheet besides its cells: notes, text boxes, charts and pictures."""

import re
from typing import Any

from rag_service.readers.cells import string_text
from rag_service.readers.grids import Grid, place_of
from rag_service.readers.opc import OfficePackage
from rag_service.readers.outline import Outline, one_line


def write_notes(
    package: OfficePackage, sheet: str, grid: Grid, where: str, outline: Outline
) -> None:
    """Each as `B2: what it says`; those of cells that nobody sees are left out, and told."""
    talks = [
        (comment.get("ref", ""), comment.findtext("{*}text") or "")
        for part in package.related(sheet, "threadedComment")
        for comment in package.xml(part).iterfind("{*}threadedComment")
    ]
    talked_of = {place for place, _ in talks}  # Excel keeps a note with a copy of each
    notes = [
        (comment.get("ref", ""), string_text(text))
        for part in package.related(sheet, "comments")
        for comment in package.xml(part).iterfind("{*}commentList/{*}comment")
        for text in comment.iterfind("{*}text")
        if comment.get("ref") not in talked_of
    ]
    seen = [(place, text) for place, text in notes + talks if _is_seen(place, grid)]
    outline.add("paragraph", "\n".join(f"{place}: {one_line(text)}" for place, text in seen))
    if hidden := len(notes) + len(talks) - len(seen):
        outline.leave_out(
            "note of a hidden cell", "notes of hidden cells", count=hidden, where=where
        )


def write_drawings(
    package: OfficePackage, sheet: str, hidden: list[str], where: str, outline: Outline
) -> None:
    """Text boxes, diagrams and what charts are called.

    The numbers of a chart are those of its cells: where they are on a `hidden` sheet, the chart is
    left out and told, as pictures are.
    """
    if objects := [*package.related(sheet, "oleObject"), *package.related(sheet, "package")]:
        outline.leave_out("embedded file", "embedded files", count=len(objects), where=where)
    for drawing in package.related(sheet, "drawing"):
        tree = package.xml(drawing)
        for fallback in list(tree.iter("{*}Fallback")):  # for programs that know less
            fallback.getparent().remove(fallback)
        for box in tree.iter("{*}txBody"):
            outline.add("paragraph", _paragraphs(box))
        if pictures := sum(1 for _ in tree.iter("{*}pic")):
            outline.leave_out("picture", "pictures", count=pictures, where=where)
        for diagram in package.related(drawing, "diagramData"):
            outline.add("paragraph", _paragraphs(package.xml(diagram)))
        for chart in [*package.related(drawing, "chart"), *package.related(drawing, "chartEx")]:
            _write_chart(package.xml(chart), hidden, where, outline)


def _write_chart(chart: Any, hidden: list[str], where: str, outline: Outline) -> None:
    """Its titles and those of its axes, written out or as they were last read from a cell."""
    written = [_paragraphs(rich) for rich in chart.iter("{*}rich")]
    read = [value.text or "" for title in chart.iter("{*}title") for value in title.iter("{*}v")]
    outline.add("paragraph", "\n".join(filter(None, written + read)))
    if any(_sheet_of(element.text or "") in hidden for element in chart.iter("{*}f")):
        outline.leave_out("chart", "charts", where=where)


def _is_seen(reference: str, grid: Grid) -> bool:
    place = place_of(reference)
    return place is None or grid.is_seen(*place)


def _paragraphs(body: Any) -> str:
    lines = ("".join(text.text or "" for text in line.iter("{*}t")) for line in body.iter("{*}p"))
    return "\n".join(line for line in lines if line.strip())


def _sheet_of(formula: str) -> str:
    """The sheet that such as `'My data'!$A$1:$A$9` is about."""
    name = formula.rpartition("!")[0]
    return re.sub("''", "'", name[1:-1]) if name.startswith("'") else name
