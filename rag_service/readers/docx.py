"""Word documents -> headings, paragraphs, lists and tables, with the numbers that Word shows.

Headers and footers come first, once each; notes come below what they belong to.

More than 300 lines: one walk over one tree, whose cases share its state.
"""

import io
import re
from collections.abc import Iterator
from typing import Any

from rag_service.documents import ParsedDocument
from rag_service.readers.embedded import write_embedded
from rag_service.readers.equations import office_equation
from rag_service.readers.graphics import write_graphic
from rag_service.readers.opc import MC, M, OfficePackage, R, W, is_on, visible_branch
from rag_service.readers.outline import Outline, one_line
from rag_service.readers.packages import read_office_file
from rag_service.readers.word_numbering import BULLET, Numbering
from rag_service.readers.word_styles import VAL, Style, Styles, outline_level
from rag_service.readers.word_tables import Cell, grid
from rag_service.readers.word_text import BOX, ParagraphText, is_empty_control

_P, _TBL, _SDT = f"{W}p", f"{W}tbl", f"{W}sdt"
_WRAPPERS = frozenset((f"{W}ins", f"{W}customXml", f"{W}smartTag", f"{W}moveTo", f"{W}sdtContent"))
_NOTES = {f"{W}footnoteReference": "footnotes", f"{W}endnoteReference": "endnotes"}
_GALLERY = f".//{W}docPartGallery[@{VAL}='Table of Contents']"
_PAGE_WORDS = re.compile(r"\W*(?:\w+\W*){0,2}")
_DEEPEST_EMBEDDING = 3


def read_docx(data: bytes) -> ParsedDocument:
    """The title is the paragraph of that style, that of the file, or the first main heading.

    A merged cell is in each of its rows and columns. Raises Unreadable.
    """
    return read_office_file(data, _read)


def _read(file: io.BytesIO) -> ParsedDocument:
    package = OfficePackage(file)
    outline = Outline()
    title = _write(package, outline, 0)
    return outline.parsed(title or package.title or outline.top_heading)


def _write(package: OfficePackage, outline: Outline, depth: int) -> str:
    """Adds the document; gives its title, if a paragraph has that style."""
    reader = _Reader(package, outline, depth)
    root = package.xml(package.main)
    reader.read_headers(root)
    for body in root.iterchildren(f"{W}body"):
        reader.read(body)
    reader.end()
    return reader.title


class _Reader:
    def __init__(self, package: OfficePackage, outline: Outline, depth: int) -> None:
        self.title = ""
        self._package = package
        self._part = package.main
        self._outline = outline
        self._depth = depth
        self._styles = Styles(self._related("styles"))
        self._numbers = Numbering(self._related("numbering"), self._styles)
        self._text = ParagraphText(self._styles, outline.leave_out)
        self._notes = {tag: self._read_notes(kind) for tag, kind in _NOTES.items()}
        self._due: list[Any] = []
        """Notes and drawings that belong below the block that is being written."""
        self._readers = {
            f"{W}p": self._paragraph,
            f"{W}tbl": self._table,
            f"{W}sdt": self._control,
            f"{W}altChunk": self._embedded,
            f"{M}oMathPara": self._equation,
            f"{MC}AlternateContent": self._alternate,
        }

    def read_headers(self, root: Any) -> None:
        """Those of all sections, before the text; lines that only count pages are told."""
        texts: dict[str, None] = {}
        for section in root.iter(f"{W}sectPr"):
            has_first = is_on(section.find(f"{W}titlePg"), VAL)
            for reference in section.iterchildren(f"{W}headerReference", f"{W}footerReference"):
                if reference.get(f"{W}type") == "first" and not has_first:
                    continue
                target = self._package.target(self._part, reference.get(f"{R}id"))
                if target is not None:
                    texts[self._header(target)] = None
        for text in texts:
            self._outline.add("paragraph", text)

    def read(self, parent: Any) -> None:
        """Blocks in order, through content controls and insertions."""
        for child in parent:
            if (read := self._readers.get(child.tag)) is not None:
                read(child)
            elif child.tag in _WRAPPERS:
                self.read(child)

    def end(self) -> None:
        self._write_due()
        for part in self._package.related(self._part, "comments"):
            if count := len(self._package.xml(part).findall(f"{W}comment")):
                self._outline.leave_out("comment", "comments", count=count)

    def _related(self, kind: str) -> Any:
        parts = self._package.related(self._part, kind)
        return self._package.xml(parts[0]) if parts else None

    def _read_notes(self, kind: str) -> dict[str, Any]:
        root = self._related(kind)
        return {note.get(f"{W}id"): note for note in root} if root is not None else {}

    def _header(self, part: str) -> str:
        body, self._part = self._part, part
        counted = self._text.page_numbers
        text = self._lines(self._package.xml(part), pages=False)
        self._write_due()
        self._part = body
        if self._text.page_numbers > counted and _PAGE_WORDS.fullmatch(text):
            self._outline.leave_out(
                "line that counts the pages", "lines that count the pages", where="page edges"
            )
            return ""
        return text

    def _paragraph(self, paragraph: Any) -> None:
        style = self._styles.of(paragraph)
        text = self._text.read(paragraph)
        boxes = self._text.boxes
        marker = None if _is_gone(paragraph) and not text.strip() else self._numbers.marker(
            paragraph, style
        )  # fmt: skip
        if style.name.startswith("toc "):
            if text.strip():
                self._outline.leave_out("line of the table of contents", "lines of the table of "
                                        "contents")  # fmt: skip
        elif text.strip():
            level = outline_level(paragraph) or style.level
            if level or marker is None:
                self._write_due()
            self._write(text, style, level, marker)
        self._due.extend(boxes)
        if marker is None:
            self._write_due()

    def _write(self, text: str, style: Style, level: int, marker: Any) -> None:
        if level:
            number = marker.text if marker is not None and marker.text != BULLET else ""
            self._outline.heading(level, number + text)
        elif style.name == "title" and not self.title:
            self.title = one_line(text)
            self._outline.add("paragraph", text)
        elif marker is not None:
            self._outline.item(marker.depth, marker.text, text.strip())
        else:
            self._outline.add("paragraph", text)

    def _write_due(self) -> None:
        """Notes, text boxes, charts and the like below the block that they belong to."""
        due, self._due = self._due, []
        for node in due:
            if node.tag in _NOTES:
                note = self._notes[node.tag].get(node.get(f"{W}id"))
                if note is not None:
                    self._outline.add("paragraph", self._lines(note))
            elif node.tag == f"{W}altChunk":
                self._embedded(node)
            else:
                for box in _outermost(node, BOX):
                    self.read(box)
                write_graphic(self._package, self._part, node, self._outline, "")
        if self._due:
            self._write_due()

    def _equation(self, equation: Any) -> None:
        self._write_due()
        self._outline.add("paragraph", office_equation(equation))

    def _alternate(self, alternate: Any) -> None:
        branch = visible_branch(alternate)
        if branch is not None:
            self.read(branch)

    def _control(self, control: Any) -> None:
        if control.find(_GALLERY) is not None:
            lines = sum(1 for _ in control.iter(_P))
            self._outline.leave_out(
                "line of the table of contents", "lines of the table of contents", count=lines
            )
        elif is_empty_control(control.find(f"{W}sdtPr")):
            self._outline.leave_out("empty field of a form", "empty fields of a form")
        else:
            for content in control.iterchildren(f"{W}sdtContent"):
                self.read(content)

    def _table(self, table: Any) -> None:
        """A table of a single row or column that holds blocks arranges them: it is read through."""
        self._write_due()
        cells, heads = grid(table)
        if max(map(len, cells), default=0) == 1 == len(cells) or _is_layout(cells):
            for row in cells:
                for cell in row:
                    if not cell.goes_on and cell.element is not None:
                        self.read(cell.element)
            return
        above: dict[int, str] = {}
        self._outline.table([self._row(row, above) for row in cells], heads=heads)
        self._write_due()

    def _row(self, row: list[Cell], above: dict[int, str]) -> list[str]:
        """`above` has for each column what a cell that goes on there says, and is changed."""
        texts: list[str] = []
        for cell in row:
            column = len(texts)
            if cell.element is None:
                text = ""
            elif cell.goes_on:
                text = above.get(column, "")
            else:
                text = one_line(self._lines(cell.element))
            repeated = text if len(text) <= _LONGEST_REPEATED else ""
            texts += [text, *[repeated if len(row) > 1 else ""] * (cell.columns - 1)]
            for at in range(column, len(texts)):
                above[at] = repeated
        return texts

    def _lines(self, parent: Any, *, pages: bool = True) -> str:
        """The paragraphs of a cell, a note or a header, with what is in tables and boxes there."""
        return "\n".join(line for line in self._flat(parent, pages) if line.strip())

    def _flat(self, parent: Any, pages: bool) -> Iterator[str]:
        for child in parent:
            if child.tag == _P:
                yield from self._flat_paragraph(child, pages)
            elif child.tag == _TBL:
                yield self._flat_table(child, pages)
            elif child.tag == f"{W}altChunk":
                self._due.append(child)
            elif child.tag == f"{M}oMathPara":
                yield office_equation(child)
            elif child.tag == _SDT and is_empty_control(child.find(f"{W}sdtPr")):
                self._outline.leave_out("empty field of a form", "empty fields of a form")
            elif child.tag in _WRAPPERS or child.tag == _SDT:
                yield from self._flat(child, pages)

    def _flat_paragraph(self, paragraph: Any, pages: bool) -> Iterator[str]:
        text = self._text.read(paragraph, pages=pages)
        boxes = self._text.boxes
        marker = self._numbers.marker(paragraph, self._styles.of(paragraph))
        yield f"{marker.text if marker and marker.text != BULLET else ''}{text}"
        for node in boxes:
            for box in _outermost(node, BOX):
                yield from self._flat(box, pages)
        self._due.extend(node for node in boxes if next(node.iter(BOX), None) is None)

    def _flat_table(self, table: Any, pages: bool) -> str:
        rows, _ = grid(table)
        return "; ".join(
            ", ".join(
                one_line(self._lines(cell.element, pages=pages))
                for cell in row
                if cell.element is not None and not cell.goes_on
            )
            for row in rows
        )

    def _embedded(self, chunk: Any) -> None:
        """A document of another format that Word shows as part of this one."""
        self._write_due()
        target = self._package.target(self._part, chunk.get(f"{R}id"))
        if target is None:
            self._outline.leave_out("embedded document", "embedded documents")
        elif not (data := self._package.data(target)).startswith(b"PK"):
            write_embedded(data, self._package.content_type(target), target, self._outline)
        elif self._depth < _DEEPEST_EMBEDDING:
            read_office_file(data, self._embedded_docx)
        else:
            self._outline.leave_out("embedded document", "embedded documents")

    def _embedded_docx(self, file: io.BytesIO) -> None:
        _write(OfficePackage(file), self._outline, self._depth + 1)


_LONGEST_REPEATED = 500
"""A longer cell is put down once, or a merge would multiply it."""


def _is_layout(rows: list[list[Cell]]) -> bool:
    if len(rows) > 1 and max(map(len, rows)) > 1:
        return False
    cells = [cell.element for row in rows for cell in row if cell.element is not None]
    return any(next(cell.iter(_TBL), None) is not None for cell in cells)


def _is_gone(paragraph: Any) -> bool:
    """Whether the end of the paragraph is deleted or hidden: it shows no number then."""
    mark = paragraph.find(f"{W}pPr/{W}rPr")
    return mark is not None and (
        mark.find(f"{W}del") is not None or is_on(mark.find(f"{W}vanish"), VAL)
    )


def _outermost(node: Any, tag: str) -> Iterator[Any]:
    """Elements of this name that are shown, without those inside them."""
    for child in node:
        if child.tag == tag:
            yield child
        elif child.tag == f"{MC}AlternateContent":
            branch = visible_branch(child)
            if branch is not None:
                yield from _outermost(branch, tag)
        else:
            yield from _outermost(child, tag)
