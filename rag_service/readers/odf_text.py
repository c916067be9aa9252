"""Blocks of OpenDocument text -> an outline. Documents, boxes on slides and notes share them.

More than 300 lines: one walk over one tree, whose cases share its state.
"""

from collections.abc import Iterator
from typing import Any

from rag_service.readers.equations import math_ml
from rag_service.readers.odf_package import (
    CHART,
    DRAW,
    OFFICE,
    TABLE,
    TEXT,
    XLINK,
    OdfPackage,
)
from rag_service.readers.odf_styles import BULLET, Counter, OdfStyles, style_name, whole
from rag_service.readers.outline import Outline, one_line

_PARAGRAPHS = frozenset((f"{TEXT}p", f"{TEXT}h"))
_SILENT = frozenset((f"{TEXT}tracked-changes", f"{TEXT}note-citation", f"{DRAW}glue-point"))
_FRAMES = frozenset(
    DRAW + name
    for name in ("frame", "custom-shape", "rect", "ellipse", "line", "connector", "g", "polygon",
                 "path", "circle", "caption", "polyline", "regular-polygon", "measure", "a")
)  # fmt: skip
_CHARACTERS = {f"{TEXT}s": " ", f"{TEXT}tab": "\t", f"{TEXT}line-break": "\n"}
_MATH = "{http://www.w3.org/1998/Math/MathML}math"
_MOST_BLANKS = 1_000
_MOST_REPEATED = 1_000
_WIDEST = 1_024
_LONGEST_REPEATED = 500
"""A longer cell is put down once, or a merge would multiply it."""


class OdfText:
    def __init__(self, package: OdfPackage, styles: OdfStyles, outline: Outline) -> None:
        self.title = ""
        self.where = ""
        """Told with what is left out."""
        self._package = package
        self._styles = styles
        self._outline = outline
        self._headings = Counter(styles.outline)
        self._lists: dict[str, Counter] = {}
        self._due: list[Any] = []
        """Notes and frames that belong below the block that is being written."""
        self._readers = {
            f"{TEXT}h": self._heading,
            f"{TEXT}p": self._paragraph,
            f"{TEXT}list": self._outer_list,
            f"{TABLE}table": self.write_table,
            f"{TEXT}table-of-content": self._contents,
        }

    def read(self, parent: Any) -> None:
        """Blocks in order. Deleted text is no longer among them."""
        for child in parent:
            if _is_hidden(child):
                self._leave_out("hidden section", "hidden sections")
            elif (read := self._readers.get(child.tag)) is not None:
                read(child)
            elif child.tag in _FRAMES:
                self.write_frame(child)
            elif child.tag not in _SILENT:
                self.read(child)

    def write_frame(self, frame: Any) -> None:
        """What a frame shows: its first form that can be read."""
        for child in frame:
            if child.tag == f"{DRAW}object":
                self._object(child)
                return
            if child.tag == f"{TABLE}table":
                self.write_table(child)
                return
            if child.tag == f"{DRAW}object-ole":
                self._leave_out("embedded object", "embedded objects")
                return
        self.read([child for child in frame if child.tag != f"{DRAW}image"])
        self._outline.close()

    def write_table(self, table: Any) -> None:
        rows: list[list[str]] = []
        heads = 0
        above: dict[int, tuple[int, str]] = {}
        for row, is_head in _rows(table, False):
            repeated = min(whole(row.get(f"{TABLE}number-rows-repeated"), 1), _MOST_REPEATED)
            texts = self._cells(row, above)
            heads += is_head and heads == len(rows)
            rows.extend([texts] * (repeated if any(texts) else 1))
        width = max((len(row) for row in rows), default=0)
        if len(rows) == 1 == width:
            self._outline.add("paragraph", rows[0][0])
        else:
            self._outline.table(rows, heads=max(heads, 1))
        self._write_due()

    def text_of(self, parent: Any) -> str:
        """All paragraphs in it, each on a line."""
        return "\n".join(line for line in self._lines(parent) if line.strip())

    def _leave_out(self, one: str, many: str, count: int = 1) -> None:
        self._outline.leave_out(one, many, count=count, where=self.where)

    def _heading(self, heading: Any) -> None:
        level = max(whole(heading.get(f"{TEXT}outline-level"), 1), 1)
        text = self._inline(heading)
        self._write_due()
        if not text.strip():
            return
        number = BULLET
        if heading.get(f"{TEXT}is-list-header") != "true":
            number = self._headings.next(level, _start(heading))
        self._outline.heading(level, text if number == BULLET else number + text)
        self._write_due()

    def _paragraph(self, paragraph: Any) -> None:
        text = self._inline(paragraph)
        if not self.title and self._styles.is_title(paragraph.get(f"{TEXT}style-name")):
            self.title = one_line(text)
        self._outline.add("paragraph", text)
        self._write_due()

    def _contents(self, contents: Any) -> None:
        lines = sum(1 for _ in contents.iter(f"{TEXT}p"))
        self._leave_out("line of the table of contents", "lines of the table of contents", lines)

    def _outer_list(self, element: Any) -> None:
        self._write_due()
        self._list(element, 1, None)
        self._write_due()

    def _list(self, element: Any, depth: int, counter: Counter | None) -> None:
        counter = self._counter(element, depth, counter)
        for item in element:
            first = True
            for child in item:
                if child.tag in _PARAGRAPHS:
                    marker = counter.next(depth, _start(item)) if (
                        first and item.tag == f"{TEXT}list-item"
                    ) else "  "  # fmt: skip
                    self._item(child, depth, marker)
                    first = False
                elif child.tag == f"{TEXT}list":
                    self._list(child, depth + 1, counter)
                else:
                    self.read([child])

    def _item(self, paragraph: Any, depth: int, marker: str) -> None:
        """A heading may stand in a list that gives it its number."""
        text = self._inline(paragraph)
        if paragraph.tag == f"{TEXT}h" and text.strip():
            level = max(whole(paragraph.get(f"{TEXT}outline-level"), depth), 1)
            own = marker if marker.strip() and marker != BULLET else ""
            self._outline.heading(level, (own or self._outline_number(level)) + text)
        else:
            self._outline.item(depth, marker, text)

    def _outline_number(self, level: int) -> str:
        number = self._headings.next(level)
        return "" if number == BULLET else number

    def _counter(self, element: Any, depth: int, outer: Counter | None) -> Counter:
        """A list counts for itself unless it says that it goes on."""
        name = element.get(f"{TEXT}style-name")
        if depth > 1 and outer is not None:
            if name and (levels := self._styles.list_levels(name)):
                outer.levels = {**outer.levels, depth: levels.get(depth)} if depth in levels else (
                    outer.levels
                )  # fmt: skip
            if element.get(f"{TEXT}continue-numbering") != "true":
                outer.restart(depth)
            return outer
        name = name or self._style_of_items(element) or ""
        before = self._lists.get(element.get(f"{TEXT}continue-list", ""))
        if before is None and element.get(f"{TEXT}continue-numbering") == "true":
            before = self._lists.get(name)
        counter = before or Counter(dict(self._styles.list_levels(name)))
        for key in (name, element.get("{http://www.w3.org/XML/1998/namespace}id")):
            if key:
                self._lists[key] = counter
        return counter

    def _style_of_items(self, element: Any) -> str | None:
        for paragraph in element.iter(f"{TEXT}p"):
            return self._styles.list_of_paragraph(paragraph.get(f"{TEXT}style-name"))
        return None

    def _cells(self, row: Any, above: dict[int, tuple[int, str]]) -> list[str]:
        """`above` has for each column how many rows its cell goes on, and its text."""
        texts: list[str] = []
        for cell in row:
            if cell.tag not in (f"{TABLE}table-cell", f"{TABLE}covered-table-cell"):
                continue
            columns = min(whole(cell.get(f"{TABLE}number-columns-repeated"), 1), _WIDEST)
            if cell.tag == f"{TABLE}covered-table-cell":
                for _ in range(columns):
                    left, text = above.get(len(texts), (0, ""))
                    above[len(texts)] = (left - 1, text)
                    texts.append(text if left > 0 else "")
                continue
            text = one_line(self.text_of(cell))
            short = text if len(text) <= _LONGEST_REPEATED else ""
            wide = min(whole(cell.get(f"{TABLE}number-columns-spanned"), 1), _WIDEST)
            high = whole(cell.get(f"{TABLE}number-rows-spanned"), 1)
            fills = wide >= _width(row)
            for column in range(len(texts), len(texts) + wide):
                here = "" if fills and column > len(texts) else short
                above[column] = (high - 1 + (column > len(texts)), here)
            texts += [text] + [short] * (columns - 1 if text else 0)
            texts += [""] * (columns - 1 if not text else 0)
        while texts and not texts[-1]:
            texts.pop()
        return texts

    def _lines(self, parent: Any) -> Iterator[str]:
        for child in parent:
            if child.tag in _PARAGRAPHS:
                yield self._inline(child)
            elif child.tag == f"{TEXT}list":
                yield from self._list_lines(child, 1, None)
            elif child.tag == f"{TABLE}table":
                yield "; ".join(
                    ", ".join(one_line(self.text_of(cell)) for cell in row if len(cell))
                    for row, _ in _rows(child, False)
                )
            elif child.tag in _FRAMES:
                self._due.append(child)
            elif child.tag not in _SILENT:
                yield from self._lines(child)

    def _list_lines(self, element: Any, depth: int, counter: Counter | None) -> Iterator[str]:
        counter = self._counter(element, depth, counter)
        for item in element:
            marker = counter.next(depth, _start(item)) if item.tag == f"{TEXT}list-item" else ""
            for child in item:
                if child.tag == f"{TEXT}list":
                    yield from self._list_lines(child, depth + 1, counter)
                else:
                    for line in self._lines([child]):
                        yield ("" if marker == BULLET else marker) + line
                        marker = ""

    def _write_due(self) -> None:
        due, self._due = self._due, []
        for node in due:
            if node.tag in _FRAMES:
                self.write_frame(node)
            else:
                self._outline.add("paragraph", self.text_of(node))
        if self._due:
            self._write_due()

    def _inline(self, element: Any) -> str:
        parts: list[str] = []
        hidden = self._collect(element, parts)
        if hidden:
            self._leave_out("piece of hidden text", "pieces of hidden text", hidden)
        return "".join(parts)

    def _collect(self, element: Any, parts: list[str]) -> int:
        """Adds the text in it to the parts; gives how many pieces were hidden."""
        family = "paragraph" if element.tag in _PARAGRAPHS else "text"
        if self._styles.is_hidden(family, style_name(element)) or _is_hidden(element):
            return int(any(text.strip() for text in element.itertext()))
        hidden = 0
        parts.append(_collapsed(element.text))
        for child in element:
            hidden += self._in_line(child, parts)
            parts.append(_collapsed(child.tail))
        return hidden

    def _in_line(self, node: Any, parts: list[str]) -> int:
        if node.tag in _CHARACTERS:
            count = min(whole(node.get(f"{TEXT}c"), 1), _MOST_BLANKS)
            parts.append(_CHARACTERS[node.tag] * count)
        elif node.tag == f"{TEXT}note":
            self._due.extend(node.iterchildren(f"{TEXT}note-body"))
        elif node.tag == f"{OFFICE}annotation":
            self._leave_out("comment", "comments")
        elif node.tag in _FRAMES and node.tag != f"{DRAW}a":
            self._framed(node, parts)
        elif node.tag == f"{TEXT}ruby-text":
            parts.append("(")
            self._collect(node, parts)
            parts.append(")")
        elif node.tag not in _SILENT:
            return self._collect(node, parts)
        return 0

    def _framed(self, frame: Any, parts: list[str]) -> None:
        """An equation stands in its line; what else is framed, below the block."""
        for link in frame.iterchildren(f"{DRAW}object"):
            content = self._content(link)
            if content is not None and content.tag == _MATH:
                parts.append(math_ml(content))
                return
        self._due.append(frame)

    def _content(self, link: Any) -> Any:
        inside = link.find(_MATH)
        return inside if inside is not None else self._package.content_of(
            link.get(f"{XLINK}href", "")
        )  # fmt: skip

    def _object(self, link: Any) -> None:
        content = self._content(link)
        if content is None:
            self._leave_out("embedded object", "embedded objects")
        elif content.tag == _MATH:
            self._outline.add("paragraph", math_ml(content))
        elif (chart := content.find(f".//{CHART}chart")) is not None:
            for title in chart.iter(f"{CHART}title", f"{CHART}subtitle"):
                self._outline.add("paragraph", self.text_of(title))
            for table in chart.iterchildren(f"{TABLE}table"):
                self.write_table(table)
        else:
            for body in content.iterchildren(f"{OFFICE}body"):
                self.read(body)


def _rows(table: Any, in_head: bool) -> Iterator[tuple[Any, bool]]:
    for child in table:
        if child.tag == f"{TABLE}table-row":
            yield child, in_head
        elif child.tag == f"{TABLE}table-header-rows":
            yield from _rows(child, True)
        elif child.tag in (f"{TABLE}table-rows", f"{TABLE}table-row-group"):
            yield from _rows(child, in_head)


def _width(row: Any) -> int:
    """Columns of the row, at least two: a cell alone does not fill it."""
    columns = (whole(cell.get(f"{TABLE}number-columns-repeated"), 1) for cell in row)
    return max(sum(columns), 2)


def _start(element: Any) -> int | None:
    restarts = element.get(f"{TEXT}restart-numbering") == "true"
    start = element.get(f"{TEXT}start-value")
    return whole(start, 1) if start or restarts else None


def _is_hidden(element: Any) -> bool:
    is_switched_off = element.get(f"{TEXT}is-hidden") == "true"
    return is_switched_off or bool(element.get(f"{TEXT}display") == "none")


def _collapsed(text: str | None) -> str:
    """White space as OpenDocument reads it: a run of it is one blank."""
    if not text:
        return ""
    words = " ".join(text.split(None)) if text.strip(" \t\r\n") else ""
    first = " " if text[0] in " \t\r\n" else ""
    last = " " if words and text[-1] in " \t\r\n" else ""
    return f"{first}{words}{last}"
