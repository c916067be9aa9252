"""Charts -> a caption and a table: a row for each category, a column for each series.

The values are those the chart keeps of its workbook; a chart that keeps none is read from the
workbook that is embedded with it.
"""

import datetime
import re
from typing import Any

from rag_service.errors import Unreadable
from rag_service.readers.drawing_text import text_in
from rag_service.readers.opc import CX, C, OfficePackage
from rag_service.readers.outline import Outline, one_line
from rag_service.readers.xlsx import read_xlsx

_EPOCH = datetime.datetime(1899, 12, 30)  # noqa: DTZ001 - a chart's dates have no zone
_DATE = re.compile(r"[yd]", re.I)
_LITERAL = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
_MOST_POINTS = 100_000


def write_chart(package: OfficePackage, part: str, outline: Outline, where: str) -> None:
    """Adds the chart to the outline; `where` is told with a chart that cannot be read."""
    root = package.xml(part)
    caption = _caption(root)
    if caption:
        outline.add("paragraph", caption)
    rows = _modern_rows(root) if root.tag == f"{CX}chartSpace" else _rows(root)
    if not rows:
        rows = _rows_of_workbook(package, part)
    if rows:
        outline.table(rows, heads=int(not rows[0][0] and any(rows[0])))
    else:
        outline.leave_out("chart without values", "charts without values", where=where)
    for label in root.iter(f"{C}dLbl"):
        outline.add("paragraph", text_in(label))
    for drawing in package.related(part, "chartUserShapes"):
        outline.add("paragraph", text_in(package.xml(drawing)))


def _caption(root: Any) -> str:
    """The title, with what the axis of values counts."""
    title = root.find(f"{C}chart/{C}title")
    if title is None:
        title = root.find(f"{CX}chart/{CX}title")
    text = one_line(_title(title))
    axes = [
        one_line(_title(axis.find(f"{C}title")))
        for axis in root.iter(f"{C}valAx", f"{C}catAx", f"{C}dateAx", f"{C}serAx")
    ]
    axes = [axis for axis in axes if axis]
    return f"{text} ({', '.join(axes)})" if text and axes else text or ", ".join(axes)


def _title(title: Any) -> str:
    """As it was typed, or as the chart keeps it of a cell."""
    if title is None:
        return ""
    typed = text_in(title)
    return typed or " ".join(value.text or "" for value in title.iter(f"{C}v", f"{CX}v"))


def _rows(root: Any) -> list[list[str]]:
    """Series with the same categories share a table; else each has rows of its own."""
    series = [_series(element) for element in root.iter(f"{C}ser")]
    series = [one for one in series if one[2]]
    if not series:
        return []
    labels = series[0][1]
    if all(categories == labels or not categories for _, categories, _ in series):
        indexes = sorted({index for _, _, values in series for index in values} | set(labels))
        head = ["", *(name for name, _, _ in series)]
        return [
            head,
            *(
                [labels.get(index, ""), *(values.get(index, "") for _, _, values in series)]
                for index in indexes
            ),
        ]
    return [
        [name, categories.get(index, ""), values.get(index, "")]
        for name, categories, values in series
        for index in sorted(values)
    ]


def _series(element: Any) -> tuple[str, dict[int, str], dict[int, str]]:
    """Its name, its categories and its values by their index."""
    name = element.find(f"{C}tx")
    categories: dict[int, str] = {}
    values: dict[int, str] = {}
    for tag in ("cat", "xVal"):
        categories = categories or _points(element.find(C + tag))
    for tag in ("val", "yVal"):
        values = values or _points(element.find(C + tag))
    for index, size in _points(element.find(f"{C}bubbleSize")).items():
        values[index] = f"{values.get(index, '')} ({size})".strip()
    return one_line(_title(name)), categories, values


def _points(data: Any) -> dict[int, str]:
    """Of categories on several levels, the outer one stands before the inner one."""
    if data is None:
        return {}
    levels = list(data.iter(f"{C}lvl"))
    if levels:
        return _joined([_level_points(level) for level in levels])
    for cache in data.iter(f"{C}strCache", f"{C}numCache", f"{C}strLit", f"{C}numLit"):
        return _level_points(cache)
    return {}


def _level_points(level: Any) -> dict[int, str]:
    format = level.findtext(f"{C}formatCode") or ""
    points: dict[int, str] = {}
    for point in level.iterchildren(f"{C}pt"):
        index = point.get("idx", "")
        if index.isascii() and index.isdigit() and len(points) < _MOST_POINTS:
            own = point.get("formatCode") or format
            points[int(index)] = _shown(one_line(point.findtext(f"{C}v") or ""), own)
    return points


def _joined(levels: list[dict[int, str]]) -> dict[int, str]:
    """The first level is the innermost; a label of an outer one holds until the next."""
    joined = dict(levels[0])
    for outer in levels[1:]:
        label = ""
        for index in sorted(joined):
            label = outer.get(index, label)
            joined[index] = f"{label} {joined[index]}".strip()
    return joined


def _shown(value: str, format: str) -> str:
    """A number as it is, save that percentages and dates are written as such."""
    format = _LITERAL.sub("", format)
    if not format or format == "General":
        return value
    try:
        number = float(value)
        if format.endswith("%"):
            digits = len(format.partition(".")[2].rstrip("%"))
            return f"{number * 100:.{min(digits, 9)}f}%"
        if _DATE.search(format):
            moment = _EPOCH + datetime.timedelta(days=number)
            return moment.isoformat(" ") if number % 1 else moment.date().isoformat()
    except (ValueError, OverflowError):
        pass
    return value


def _modern_rows(root: Any) -> list[list[str]]:
    """Of waterfalls, funnels, tree maps and what else came with Office 2016."""
    names = [one_line(_title(series.find(f"{CX}tx"))) for series in root.iter(f"{CX}series")]
    rows: list[list[str]] = []
    for number, data in enumerate(root.iter(f"{CX}data")):
        columns = [
            {int(point.get("idx", "0")): one_line(point.text or "") for point in level}
            for dimension in data
            for level in reversed(dimension.findall(f"{CX}lvl"))
        ]
        if columns:
            name = names[number] if number < len(names) else ""
            rows.append([*[""] * (len(columns) - 1), name])
            for index in sorted(set().union(*columns)):
                rows.append([column.get(index, "") for column in columns])
    return rows


def _rows_of_workbook(package: OfficePackage, part: str) -> list[list[str]]:
    for workbook in package.related(part, "package"):
        try:
            parsed = read_xlsx(package.data(workbook))
        except Unreadable:
            continue
        return [
            line.split(" | ")
            for block in parsed.blocks
            if block.kind == "table"
            for line in parsed.text[block.start : block.end].split("\n")
        ]
    return []
