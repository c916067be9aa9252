"""Word documents -> headings, paragraphs, lists, tables and notes. Comments are left out."""

import io
from collections.abc import Iterator
from typing import Any

import docx
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml.ns import qn
from lxml import etree

from rag_service.documents import ParsedDocument
from rag_service.readers.outline import Outline, one_line
from rag_service.readers.packages import read_package

_P, _TBL, _TR, _TC, _SDT = qn("w:p"), qn("w:tbl"), qn("w:tr"), qn("w:tc"), qn("w:sdt")
_T, _TAB, _BR, _CR, _HYPHEN = qn("w:t"), qn("w:tab"), qn("w:br"), qn("w:cr"), qn("w:noBreakHyphen")
_BOX = qn("w:txbxContent")
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_GONE = frozenset((qn("w:del"), qn("w:moveFrom"), _FALLBACK, qn("w:pPr"), qn("w:rPr")))
_VAL = qn("w:val")
_LEVELS = 9


def read_docx(data: bytes) -> ParsedDocument:
    """The title is the paragraph of that style, that of the file, or the first main heading.

    A cell merged over several rows is in each of them. Raises Unreadable.
    """
    return read_package(data, _read)


def _read(file: io.BytesIO) -> ParsedDocument:
    document = docx.Document(file)
    outline = Outline()
    reader = _Reader(document, outline)
    reader.read(document.element.body)
    for relation in (RELATIONSHIP_TYPE.FOOTNOTES, RELATIONSHIP_TYPE.ENDNOTES):
        for note in _notes(document.part, relation):
            outline.add("paragraph", "\n".join(_text(p) for p in note.iter(_P)))
    title = reader.title or one_line(document.core_properties.title or "")
    return outline.parsed(title or outline.top_heading)


def _notes(part: Any, relation: str) -> Iterator[Any]:
    for related in part.rels.values():
        if related.reltype == relation and not related.is_external:
            parser = etree.XMLParser(resolve_entities=False, no_network=True)
            for note in etree.fromstring(related.target_part.blob, parser):
                if note.get(qn("w:type")) is None:  # others are lines that part notes from text
                    yield note


class _Reader:
    def __init__(self, document: Any, outline: Outline) -> None:
        self.title = ""
        self._outline = outline
        self._styles = _Styles(document)
        self._numbers = _Numbering(document)

    def read(self, parent: Any) -> None:
        """Blocks in order, through content controls and insertions."""
        for child in parent:
            if child.tag == _P:
                self._paragraph(child)
            elif child.tag == _TBL:
                self._table(child)
            elif child.tag == _SDT:
                if child.find(f".//{qn('w:docPartGallery')}[@{_VAL}='Table of Contents']") is None:
                    for content in child.iterchildren(qn("w:sdtContent")):
                        self.read(content)
            elif child.tag in (qn("w:ins"), qn("w:customXml"), qn("w:smartTag"), qn("w:moveTo")):
                self.read(child)

    def _paragraph(self, paragraph: Any) -> None:
        text = _text(paragraph)
        style = self._styles.of(paragraph)
        if text.strip() and not style.name.startswith("toc "):
            self._write(paragraph, style, text)
        for box in paragraph.iter(_BOX):
            if not any(above.tag == _FALLBACK for above in box.iterancestors()):
                self.read(box)

    def _write(self, paragraph: Any, style: "_Style", text: str) -> None:
        level = _outline_level(paragraph) or style.level
        marker = self._numbers.marker(paragraph, style)
        if level:
            self._outline.heading(level, text)
        elif style.name == "title" and not self.title:
            self.title = one_line(text)
            self._outline.add("paragraph", text)
        elif marker:
            self._outline.item(marker[0], marker[1], text.strip())
        else:
            self._outline.add("paragraph", text)

    def _table(self, table: Any) -> None:
        """A table of a single cell is a frame around what is in it."""
        rows = list(_direct(table, _TR))
        if len(rows) == 1 and len(cells := list(_direct(rows[0], _TC))) == 1:
            self.read(cells[0])
            return
        self._outline.close()
        above: dict[int, str] = {}
        for row in rows:
            column = _before(row)
            texts = [""] * column
            for cell in _direct(row, _TC):
                merge = cell.find(f"{qn('w:tcPr')}/{qn('w:vMerge')}")
                goes_on = merge is not None and merge.get(_VAL) in (None, "continue")
                text = above.get(column, "") if goes_on else _cell_text(cell)
                above[column] = text
                texts.append(text)
                column += _span(cell)
            self._outline.row(texts)
        self._outline.close()


def _direct(parent: Any, tag: str) -> Iterator[Any]:
    """Children, also of content controls between."""
    for child in parent:
        if child.tag == tag:
            yield child
        elif child.tag in (_SDT, qn("w:sdtContent"), qn("w:ins"), qn("w:customXml")):
            yield from _direct(child, tag)


def _before(row: Any) -> int:
    """Columns that the row leaves out at its beginning."""
    return _columns(row.find(f"{qn('w:trPr')}/{qn('w:gridBefore')}"), 0)


def _span(cell: Any) -> int:
    return _columns(cell.find(f"{qn('w:tcPr')}/{qn('w:gridSpan')}"), 1)


def _columns(element: Any, default: int) -> int:
    value = element.get(_VAL, "") if element is not None else ""
    return min(int(value), 1000) if value.isascii() and value.isdigit() else default


def _cell_text(cell: Any) -> str:
    return one_line(" ".join(_text(p) for p in cell.iter(_P)))


def _text(paragraph: Any) -> str:
    """As it reads with all changes accepted; without what is in boxes."""
    parts: list[str] = []
    todo = [iter(paragraph)]
    while todo:
        node = next(todo[-1], None)
        if node is None:
            todo.pop()
        elif node.tag == _T:
            parts.append(node.text or "")
        elif node.tag == _TAB:
            parts.append("\t")
        elif node.tag in (_BR, _CR):
            parts.append("\n")
        elif node.tag == _HYPHEN:
            parts.append("-")
        elif node.tag not in _GONE and node.tag != _BOX:
            todo.append(iter(node))
    return "".join(parts)


def _outline_level(paragraph: Any) -> int:
    found = paragraph.find(f"{qn('w:pPr')}/{qn('w:outlineLvl')}")
    return _level(found)


def _level(element: Any) -> int:
    """From 1; 0 is text."""
    value = element.get(_VAL, "") if element is not None else ""
    return int(value) + 1 if value.isdigit() and int(value) < _LEVELS else 0


class _Style:
    def __init__(self, name: str, level: int, numbering: Any) -> None:
        self.name = name
        self.level = level
        self.numbering = numbering
        """Its `w:numPr`, if it makes lists."""


class _Styles:
    """Styles by their id, each with what it takes over from those it is based on."""

    def __init__(self, document: Any) -> None:
        self._elements = {
            style.get(qn("w:styleId")): style
            for style in document.styles.element.iterchildren(qn("w:style"))
        }
        self._known: dict[str | None, _Style] = {}

    def of(self, paragraph: Any) -> _Style:
        found = paragraph.find(f"{qn('w:pPr')}/{qn('w:pStyle')}")
        style_id = found.get(_VAL) if found is not None else None
        if style_id not in self._known:
            self._known[style_id] = self._read(style_id)
        return self._known[style_id]

    def _read(self, style_id: str | None) -> _Style:
        name, level, numbering = "", 0, None
        seen = set()
        while style_id in self._elements and style_id not in seen:
            seen.add(style_id)
            style = self._elements[style_id]
            own = _value(style, "w:name").lower()
            name = name or own
            if not level and own.startswith("heading ") and own[8:].isdigit():
                level = min(int(own[8:]), _LEVELS)
            level = level or _level(style.find(f"{qn('w:pPr')}/{qn('w:outlineLvl')}"))
            if numbering is None:
                numbering = style.find(f"{qn('w:pPr')}/{qn('w:numPr')}")
            style_id = _value(style, "w:basedOn") or None
        return _Style(name, level, numbering)


def _value(element: Any, name: str) -> str:
    found = element.find(qn(name))
    return (found.get(_VAL) or "") if found is not None else ""


class _Numbering:
    """Which list an item belongs to, and its number."""

    def __init__(self, document: Any) -> None:
        self._counts: dict[tuple[str, int], int] = {}
        self._formats: dict[str, dict[int, str]] = {}
        try:
            root = document.part.numbering_part.element
        except (KeyError, NotImplementedError):
            return
        abstract = {
            found.get(qn("w:abstractNumId")): {
                int(level.get(qn("w:ilvl"), "0")): _value(level, "w:numFmt")
                for level in found.iterchildren(qn("w:lvl"))
            }
            for found in root.iterchildren(qn("w:abstractNum"))
        }
        for number in root.iterchildren(qn("w:num")):
            formats = abstract.get(_value(number, "w:abstractNumId"), {})
            self._formats[number.get(qn("w:numId"), "")] = formats

    def marker(self, paragraph: Any, style: _Style) -> tuple[int, str] | None:
        """How deep the item is, and what stands before it; None for what is no item."""
        own = paragraph.find(f"{qn('w:pPr')}/{qn('w:numPr')}")
        chosen = own if own is not None else style.numbering
        if chosen is None:
            return (1, "- ") if style.name.startswith("list bullet") else None
        number = _value(chosen, "w:numId")
        if not number and style.numbering is not None:
            number = _value(style.numbering, "w:numId")
        if number == "0":
            return None
        value = _value(chosen, "w:ilvl")
        level = min(int(value), _LEVELS) if value.isdigit() else 0
        format = self._formats.get(number, {}).get(level, "bullet")
        if format in ("bullet", "none", ""):
            return level + 1, "- "
        self._counts[number, level] = self._counts.get((number, level), 0) + 1
        for deeper in range(level + 1, _LEVELS + 1):
            self._counts.pop((number, deeper), None)
        return level + 1, f"{self._counts[number, level]}. "
