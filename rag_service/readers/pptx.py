"""PowerPoint presentations -> their slides, each a page under its title, with speaker notes."""

import io
from typing import Any

from msgspec import Struct

from rag_service.documents import ParsedDocument
from rag_service.readers.drawing_text import paragraph_text, text_in
from rag_service.readers.graphics import write_graphic
from rag_service.readers.numerals import in_format
from rag_service.readers.opc import A, OfficePackage, P, R
from rag_service.readers.outline import Outline, one_line
from rag_service.readers.packages import read_office_file
from rag_service.readers.slide_shapes import LISTS, TITLES, Layout, Shape, is_hidden, shapes_of

_COUNTERS = frozenset(("sldNum", "dt"))
_FOOTERS = frozenset(("ftr", "hdr"))
_FORMATS = {
    "alphaLc": "lowerLetter",
    "alphaUc": "upperLetter",
    "romanLc": "lowerRoman",
    "romanUc": "upperRoman",
    "circleNum": "decimalEnclosedCircle",
    "ea1Chs": "chineseCounting",
    "ea1Jpn": "chineseCounting",
}
_ENDINGS = {"ParenBoth": "({})", "ParenR": "{})", "Period": "{}.", "Minus": "- {} -"}
_LONGEST_REPEATED = 500
"""A longer cell is put down once, or a merge would multiply it."""


def read_pptx(data: bytes) -> ParsedDocument:
    """The title is that of the file, or of its first slide. Hidden slides are left out.

    A merged cell is in each of its rows and columns. Raises Unreadable.
    """
    return read_office_file(data, _read)


def _read(file: io.BytesIO) -> ParsedDocument:
    package = OfficePackage(file)
    reader = _Reader(package, Outline())
    for number, entry in enumerate(package.xml(package.main).iter(f"{P}sldId"), 1):
        slide = package.target(package.main, entry.get(f"{R}id"))
        if slide is not None:
            reader.read(slide, number)
    return reader.parsed()


class _Reader:
    def __init__(self, package: OfficePackage, outline: Outline) -> None:
        self._package = package
        self._outline = outline
        self._footers: set[str] = set()
        self._where = ""

    def read(self, slide: str, number: int) -> None:
        """`number` counts all slides from 1, hidden ones too."""
        root = self._package.xml(slide)
        self._where = f"slide {number}"
        if root.get("show") in ("0", "false"):
            self._outline.leave_out("hidden slide", "hidden slides", where=self._where)
            return
        self._outline.page = number
        layout = Layout(self._package, slide)
        titled = False
        shows = False
        self._outline.end_section(1)
        for tree in root.iterfind(f"{P}cSld/{P}spTree"):
            for shape in shapes_of(tree, layout):
                shows = shows or shape.element.tag == f"{P}pic"
                if is_hidden(shape):
                    self._outline.leave_out("hidden shape", "hidden shapes", where=self._where)
                elif shape.role in TITLES and not titled:
                    title = text_in(shape.element)
                    titled = bool(title)
                    self._outline.heading(1, title)
                else:
                    self._write(shape, slide)
        self._tell(slide, root, shows)
        self._notes(slide)
        self._outline.close()

    def parsed(self) -> ParsedDocument:
        return self._outline.parsed(self._package.title or self._outline.top_heading)

    def _write(self, shape: Shape, slide: str) -> None:
        if shape.role in _COUNTERS:
            return
        if shape.role in _FOOTERS:
            text = text_in(shape.element)
            if text not in self._footers:
                self._footers.add(text)
                self._outline.add("paragraph", text)
            return
        for table in shape.element.iter(f"{A}tbl"):
            self._outline.table(_rows(table), heads=1)
        for frame in shape.element.iterchildren(f"{P}txBody"):
            self._write_frame(frame, shape.role in LISTS)
        if shape.element.tag == f"{P}graphicFrame":
            write_graphic(self._package, slide, shape.element, self._outline, self._where)
        self._outline.close()

    def _write_frame(self, frame: Any, is_list: bool) -> None:
        paragraphs = list(frame.iterchildren(f"{A}p"))
        texts = [paragraph_text(paragraph).strip() for paragraph in paragraphs]
        is_list = is_list and sum(map(bool, texts)) > 1
        numbers: dict[int, _Number] = {}
        for paragraph, text in zip(paragraphs, texts, strict=True):
            if not text:
                continue
            properties = paragraph.find(f"{A}pPr")
            level = _level(properties)
            marker = _marker(properties, level, numbers)
            if marker or level or is_list:
                self._outline.item(level + 1, "- " if marker is None else marker, text)
            else:
                self._outline.add("paragraph", text)

    def _tell(self, slide: str, root: Any, shows_pictures: bool) -> None:
        if shows_pictures and next(root.iter(f"{A}t"), None) is None:
            self._outline.leave_out(
                "slide with pictures and no text", "slides with pictures and no text",
                where=self._where,
            )  # fmt: skip
        comments = sum(
            sum(1 for node in self._package.xml(part).iter() if _is_comment(node))
            for part in self._package.related(slide, "comments")
        )
        if comments:
            self._outline.leave_out("comment", "comments", count=comments, where=self._where)

    def _notes(self, slide: str) -> None:
        for notes in self._package.related(slide, "notesSlide"):
            for shape in self._package.xml(notes).iter(f"{P}sp"):
                place = shape.find(f".//{P}ph")
                if place is not None and place.get("type") == "body":
                    self._outline.add("paragraph", text_in(shape))


class _Number(Struct):
    format: str
    count: int


def _is_comment(node: Any) -> bool:
    return str(node.tag).endswith("}cm")


def _level(properties: Any) -> int:
    text = properties.get("lvl", "0") if properties is not None else "0"
    return int(text) if len(text) == 1 and text.isascii() and text.isdigit() else 0


def _marker(properties: Any, level: int, numbers: dict[int, _Number]) -> str | None:
    """Its number or its bullet, with a blank behind it; empty when it shows none.

    None when the paragraph does not say. Numbers go on until another paragraph of their level.
    """
    for deeper in [other for other in numbers if other > level]:
        del numbers[deeper]
    automatic = properties.find(f"{A}buAutoNum") if properties is not None else None
    if automatic is None:
        numbers.pop(level, None)
        if properties is None:
            return None
        if properties.find(f"{A}buNone") is not None:
            return ""
        return "- " if properties.find(f"{A}buChar") is not None else None
    format = automatic.get("type", "arabicPeriod")
    start = automatic.get("startAt", "1")
    number = numbers.get(level)
    if number is None or number.format != format:
        first = int(start) if start.isascii() and start.isdigit() and len(start) < 6 else 1
        number = numbers[level] = _Number(format, first - 1)
    number.count += 1
    return f"{_shown(number)} "


def _shown(number: _Number) -> str:
    name = next((name for name in _FORMATS if number.format.startswith(name)), "arabic")
    counted = in_format(number.count, _FORMATS.get(name, "decimal"))
    for ending, pattern in _ENDINGS.items():
        if number.format.endswith(ending):
            return pattern.format(counted)
    return counted


def _rows(table: Any) -> list[list[str]]:
    """A cell that spans its whole row stands there once."""
    rows: list[list[str]] = []
    for row in table.iterchildren(f"{A}tr"):
        cells = list(row.iterchildren(f"{A}tc"))
        texts: list[str] = []
        for column, cell in enumerate(cells):
            text = one_line(text_in(cell))
            above = rows[-1][column] if rows and column < len(rows[-1]) else ""
            if cell.get("hMerge") in ("1", "true"):
                whole = cells[0].get("gridSpan") == str(len(cells))
                text = "" if whole or not texts else _repeated(texts[-1])
            elif cell.get("vMerge") in ("1", "true"):
                text = _repeated(above)
            texts.append(text)
        rows.append(texts)
    return rows


def _repeated(text: str) -> str:
    return text if len(text) <= _LONGEST_REPEATED else ""
