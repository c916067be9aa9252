"""Running text of an RTF file: paragraphs, with what belongs to them and what is not shown."""

import re
from collections.abc import Callable

from rag_service.readers.outline import Outline, one_line
from rag_service.readers.rtf_fields import Captured, Field, Inside
from rag_service.readers.rtf_groups import NOTHING, Destination, Look
from rag_service.readers.rtf_heads import Heads
from rag_service.readers.rtf_lists import BULLET

_PARAGRAPH_ENDS = frozenset(("par", "sect", "page", "column"))
_NOT_SHOWN = frozenset(
    """colortbl filetbl nonshppict shprslt xe tc tcn rxe bkmkstart bkmkend ftnsep ftnsepc ftncn
    aftnsep aftnsepc aftncn nonesttables atnid atnauthor atnref atrfstart atrfend objdata objclass
    objname template comment mmathPict private1 rsidtbl themedata listpicture""".split()  # noqa: SIM905
)
_THROUGH = frozenset(
    "shppict shpinst shpgrp shp do dptxbx moMath moMathPara mmath".split()  # noqa: SIM905
)
_MATH = {
    "mnum": ("", "/"), "msup": ("^", ""), "msub": ("_", ""), "mrad": ("\u221a(", ")"),
    "md": ("(", ")"),
}  # fmt: skip
_MATH_PROPERTIES = re.compile(r"m\w+Pr")
_SYMBOL = re.compile("[\uf000-\uf0ff]")
_BULLET_LETTER = "o"
"""Word's bullet of the second level, in Courier."""


class Flow(Destination):
    """Running text in paragraphs. What belongs below a paragraph waits for its end."""

    def __init__(self, heads: Heads, outline: Outline) -> None:
        self._heads = heads
        self._outline = outline
        self._parts: list[str] = []
        self._marker = ""
        self._hides = False
        self._row: list[str] = []
        self._rows: list[str] = []
        """Of tables that stand within a cell, or in running text of a line or two."""
        self.page_numbers = 0

    def enter(self, word: str, is_optional: bool) -> Destination | None:
        if word in _THROUGH:
            return Inside(self)
        if word in _NOT_SHOWN:
            return NOTHING
        if word in _MATH or _MATH_PROPERTIES.fullmatch(word):
            return _Math(self, word)
        return self._shown(word) or self._heads.table(word)

    def _shown(self, word: str) -> Destination | None:
        match word:
            case "field":
                return Field(self, lambda: _Contents(self._outline))
            case "footnote" | "shptxt" | "dptxbxtext":
                return Lines(self._heads, self._outline, self.below)
            case "listtext" | "pntext":
                return Captured(self._mark)
            case "upr":
                return _Either(self)
            case "sp":
                return _Property(self)
            case "nesttableprops":
                return _NestedRow(self)
            case "pict" | "object" | "annotation":
                return self._told(word)
        return None

    def _told(self, word: str) -> Destination | None:
        if word == "object":
            self._outline.leave_out("embedded object", "embedded objects")
            return None
        name = "picture" if word == "pict" else "comment"
        self._outline.leave_out(name, f"{name}s")
        return NOTHING

    def text(self, text: str, look: Look) -> None:
        if look.is_deleted:
            return
        if look.is_hidden:
            self._hides = self._hides or bool(text.strip())
        else:
            self._parts.append(text)

    def word(self, word: str, number: int | None, look: Look) -> None:
        if word in _PARAGRAPH_ENDS:
            self.end_paragraph(look)
        elif word == "nestcell":
            self._row.append(one_line("".join(self._parts)))
            self._parts = []
        elif word == "nestrow":
            self.end_nested_row()
        elif word == "chpgn":
            self.page_numbers += 1

    def end_paragraph(self, look: Look) -> None:
        raise NotImplementedError

    def end_nested_row(self) -> None:
        self._rows.append(", ".join(self._row))
        self._row = []

    def below(self, flow: "Lines") -> None:
        """Lines to stand below the paragraph, or at the place where they are."""
        self._parts.append("".join(f"\n{line}" for line in flow.lines))

    def put(self, text: str) -> None:
        self._parts.append(text)

    def _mark(self, text: str) -> None:
        self._marker = text.strip() or self._marker
        is_bullet = self._marker == _BULLET_LETTER or not any(map(str.isalnum, self._marker))
        if self._marker and is_bullet:
            self._marker = BULLET.strip()

    def taken(self) -> str:
        """The text of a paragraph that ends, below what tables within it say."""
        if self._hides:
            self._hides = False
            self._outline.leave_out("paragraph with hidden text", "paragraphs with hidden text")
        nested, self._rows = "; ".join(self._rows), []
        text, symbols = _SYMBOL.subn("\ufffd", "".join(self._parts))
        self._parts = []
        if symbols:
            self._outline.leave_out(
                "character of a symbol font", "characters of a symbol font", count=symbols
            )
        return f"{nested}\n{text}" if nested else text

    def item_marker(self, look: Look) -> str:
        """As the file has it, or else as the list counts; blank for what is no item."""
        marker, self._marker = self._marker, ""
        if marker:
            return f"{marker} "
        return self._heads.lists.marker(look) if look.list else ""


class Lines(Flow):
    """The lines of a note, a text box or a header; a row of a table is one."""

    def __init__(
        self, heads: Heads, outline: Outline, done: Callable[["Lines"], None] = lambda lines: None
    ) -> None:
        super().__init__(heads, outline)
        self._done = done
        self._cells: list[str] = []
        self.lines: list[str] = []

    def word(self, word: str, number: int | None, look: Look) -> None:
        if word == "cell":
            self._cells.append(one_line(self.taken()))
        elif word == "row":
            self._end_row()
        else:
            super().word(word, number, look)

    def end_paragraph(self, look: Look) -> None:
        marker = self.item_marker(look)
        text = self.taken().strip()
        if text:
            self.lines.append(f"{'' if marker == BULLET else marker}{text}")

    def close(self) -> None:
        self._end_row()
        self.end_paragraph(Look())
        self._done(self)

    def _end_row(self) -> None:
        cells, self._cells = self._cells, []
        if any(cells):
            self.lines.append(", ".join(cells))


class _Contents(Destination):
    """A table of contents, whose lines are told: they are the headings once more."""

    def __init__(self, outline: Outline) -> None:
        self._outline = outline
        self._lines = 0
        self._has_text = False

    def enter(self, word: str, is_optional: bool) -> Destination | None:
        return NOTHING if is_optional or word in _NOT_SHOWN else None

    def text(self, text: str, look: Look) -> None:
        self._has_text = self._has_text or bool(text.strip())

    def word(self, word: str, number: int | None, look: Look) -> None:
        if word in _PARAGRAPH_ENDS:
            self._lines += self._has_text
            self._has_text = False

    def close(self) -> None:
        if lines := self._lines + self._has_text:
            leave_out_contents(self._outline, lines)


def leave_out_contents(outline: Outline, lines: int = 1) -> None:
    outline.leave_out(
        "line of the table of contents", "lines of the table of contents", count=lines
    )


class _Math(Inside):
    """A part of an equation, on a line; of its properties only the operator is shown."""

    def __init__(self, flow: Flow, word: str) -> None:
        super().__init__(flow)
        self._flow = flow
        self._is_properties = word not in _MATH
        before, self._after = _MATH.get(word, ("", ""))
        flow.put(before)

    def enter(self, word: str, is_optional: bool) -> Destination | None:
        if self._is_properties:
            return Inside(self._flow) if word == "mchr" else NOTHING
        return super().enter(word, is_optional)

    def close(self) -> None:
        self._flow.put(self._after)


class _Either(Destination):
    """`{\\upr {ANSI} {\\*\\ud {Unicode}}}`: the same twice."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow

    def enter(self, word: str, is_optional: bool) -> Destination | None:
        return Inside(self._flow) if word == "ud" else NOTHING


class _Property(Destination):
    """`{\\sp {\\sn NAME} {\\sv VALUE}}` of a drawing, which may be a text in large letters."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._values: list[str] = []

    def enter(self, word: str, is_optional: bool) -> Destination | None:
        return Captured(self._values.append) if word in ("sn", "sv") else NOTHING

    def close(self) -> None:
        if self._values[:1] == ["gtextUNICODE"]:
            self._flow.put(f" {' '.join(self._values[1:])} ")


class _NestedRow(Destination):
    """The definition of a row of a table within a cell, which also ends it."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow

    def enter(self, word: str, is_optional: bool) -> Destination | None:
        return NOTHING

    def word(self, word: str, number: int | None, look: Look) -> None:
        if word == "nestrow":
            self._flow.end_nested_row()
