"""The text of a Word paragraph as printed: changes accepted, fields with their results."""

from collections.abc import Callable
from typing import Any

from rag_service.readers.equations import office_equation
from rag_service.readers.opc import MC, W14, M, W, is_on, visible_branch
from rag_service.readers.symbols import in_unicode, is_symbol_font
from rag_service.readers.word_styles import VAL, Styles, value

BOX = f"{W}txbxContent"
_TICKED, _NOT_TICKED = "☒", "☐"
_CHARACTERS = {
    f"{W}tab": "\t",
    f"{W}ptab": "\t",
    f"{W}br": "\n",
    f"{W}cr": "\n",
    f"{W}noBreakHyphen": "-",
}
_GONE = frozenset(
    W + name for name in ("del", "moveFrom", "delText", "delInstrText", "pPr", "rPr", "sdtPr")
)
_BOXES = tuple(
    W + name for name in ("drawing", "pict", "object", "footnoteReference", "endnoteReference")
)
_PAGE_FIELDS = frozenset(("PAGE", "NUMPAGES", "SECTIONPAGES"))
_VML_PATH = "{urn:schemas-microsoft-com:vml}textpath"

LeaveOut = Callable[[str, str], None]
"""Takes one and many of what was not taken."""


class _Field:
    """One that has begun; what stands before its separator is an instruction."""

    def __init__(self) -> None:
        self.form: Any = None
        self.instruction = ""
        self.in_result = False
        self.start = 0
        """How many pieces of text stood before it."""


class ParagraphText:
    """Reads paragraphs in the order of the document: a field may end in another paragraph."""

    def __init__(self, styles: Styles, leave_out: LeaveOut) -> None:
        self._styles = styles
        self._leave_out = leave_out
        self._fields: list[_Field] = []
        self._parts: list[str] = []
        self._hides = False
        self._hidden = 0
        self._pages = True
        self.page_numbers = 0
        """How many were not taken so far."""
        self.boxes: list[Any] = []
        """The drawings and the references to notes of the paragraph that was read last."""
        self._font = ""
        self._readers: dict[str, Callable[[Any], None]] = {
            f"{W}r": self._run,
            f"{W}t": self._typed,
            f"{W}sym": self._symbol,
            f"{W}fldChar": self._field_mark,
            f"{W}fldSimple": self._simple_field,
            f"{W}instrText": self._instruction,
            f"{W}sdt": self._control,
            f"{W}ruby": self._ruby,
            f"{M}oMath": self._equation,
            f"{M}oMathPara": self._equation,
            f"{MC}AlternateContent": self._alternate,
            **dict.fromkeys(_CHARACTERS, self._character),
            **dict.fromkeys(_BOXES, self._box),
        }

    def read(self, paragraph: Any, *, pages: bool = True) -> str:
        """Without what is in its boxes. `pages`: with the numbers of pages."""
        self._parts, self.boxes = [], []
        self._pages = pages
        # an instruction that no separator ends is not the rest of the document
        self._fields = [field for field in self._fields if field.in_result]
        for field in self._fields:
            field.start = 0
        self._hides = self._styles.of(paragraph).is_hidden
        self._hidden = 0
        self._children(paragraph)
        if self._hidden:
            self._leave_out("paragraph with hidden text", "paragraphs with hidden text")
        return "".join(self._parts)

    def _children(self, parent: Any) -> None:
        for child in parent:
            self._node(child)

    def _node(self, node: Any) -> None:
        read = self._readers.get(node.tag)
        if read is not None:
            read(node)
        elif node.tag not in _GONE:
            self._children(node)

    def _alternate(self, alternate: Any) -> None:
        branch = visible_branch(alternate)
        if branch is not None:
            self._children(branch)

    def _equation(self, equation: Any) -> None:
        self._add(office_equation(equation))

    def _simple_field(self, field: Any) -> None:
        if self._is_page(field.get(f"{W}instr", "")):
            self.page_numbers += 1
        else:
            self._children(field)

    def _run(self, run: Any) -> None:
        hides = self._hides
        properties = run.find(f"{W}rPr")
        font = ""
        if properties is not None:
            self._hides = self._is_hidden(properties)
            fonts = properties.find(f"{W}rFonts")
            font = (fonts.get(f"{W}ascii") or "") if fonts is not None else ""
        font, self._font = self._font, font
        self._children(run)
        self._hides, self._font = hides, font

    def _is_hidden(self, properties: Any) -> bool:
        vanish = properties.find(f"{W}vanish")
        if vanish is not None:
            return is_on(vanish, VAL)
        style = value(properties, f"{W}rStyle")
        return self._hides or bool(style and self._styles.named(style).is_hidden)

    def _typed(self, node: Any) -> None:
        text = node.text or ""
        self._add(self._drawn(text, self._font) if is_symbol_font(self._font) else text)

    def _instruction(self, node: Any) -> None:
        if self._fields and not self._fields[-1].in_result:
            self._fields[-1].instruction += node.text or ""

    def _box(self, node: Any) -> None:
        self.boxes.append(node)
        for path in node.iter(_VML_PATH):
            self._add(f" {path.get('string', '')} ")

    def _character(self, node: Any) -> None:
        self._add(_CHARACTERS[node.tag])

    def _add(self, text: str) -> None:
        if self._hides:
            self._hidden += bool(text.strip())
        elif all(field.in_result for field in self._fields):
            self._parts.append(text)

    def _symbol(self, node: Any) -> None:
        code = node.get(f"{W}char", "")
        try:
            character = chr(int(code, 16))
        except (ValueError, OverflowError):
            return
        self._add(self._drawn(character, node.get(f"{W}font", "")))

    def _drawn(self, text: str, font: str) -> str:
        shown = in_unicode(text, font)
        if shown is None:
            self._leave_out("character of a symbol font", "characters of a symbol font")
            return "\ufffd"
        return shown

    def _ruby(self, node: Any) -> None:
        """The reading stands in brackets behind what it is the reading of."""
        for part, around in (("rubyBase", ("", "")), ("rt", ("(", ")"))):
            for child in node.iterchildren(W + part):
                self._add(around[0])
                self._children(child)
                self._add(around[1])

    def _control(self, control: Any) -> None:
        """A content control. A box for a tick shows its state even where it shows nothing."""
        properties = control.find(f"{W}sdtPr")
        content = control.find(f"{W}sdtContent")
        box = properties.find(f"{W14}checkbox") if properties is not None else None
        if is_empty_control(properties):
            self._leave_out("empty field of a form", "empty fields of a form")
        elif box is not None and not (content is not None and _holds_character(content)):
            ticked = box.find(f"{W14}checked")
            self._add(_TICKED if is_on(ticked, f"{W14}val") else _NOT_TICKED)
        elif content is not None:
            self._children(content)

    def _field_mark(self, mark: Any) -> None:
        match mark.get(f"{W}fldCharType"):
            case "begin":
                field = _Field()
                field.form = mark.find(f"{W}ffData")
                self._fields.append(field)
            case "separate" if self._fields:
                self._fields[-1].in_result = True
                self._fields[-1].start = len(self._parts)
            case "end" if self._fields:
                self._end_field(self._fields.pop())

    def _end_field(self, field: _Field) -> None:
        if self._is_page(field.instruction) and field.in_result:
            del self._parts[field.start :]
            self.page_numbers += 1
        if field.form is None:
            return
        box, choice = field.form.find(f"{W}checkBox"), field.form.find(f"{W}ddList")
        if box is not None:
            self._add(_TICKED if _is_ticked(box) else _NOT_TICKED)
        elif choice is not None and not "".join(self._parts[field.start :] * field.in_result):
            self._add(_chosen(choice))

    def _is_page(self, instruction: str) -> bool:
        return not self._pages and instruction.split()[:1] in ([name] for name in _PAGE_FIELDS)


def is_empty_control(properties: Any) -> bool:
    """Whether a content control shows only what one should enter there."""
    return properties is not None and is_on(properties.find(f"{W}showingPlcHdr"), VAL)


def _holds_character(content: Any) -> bool:
    return any(node.tag == f"{W}sym" or (node.text or "").strip() for node in content.iter(
        f"{W}t", f"{W}sym"
    ))  # fmt: skip


def _is_ticked(box: Any) -> bool:
    checked = box.find(f"{W}checked")
    return is_on(checked if checked is not None else box.find(f"{W}default"), VAL)


def _chosen(choice: Any) -> str:
    """The entry that is chosen, or the one that stands there at first."""
    entries = [entry.get(VAL, "") for entry in choice.iterchildren(f"{W}listEntry")]
    number = value(choice, f"{W}result") or value(choice, f"{W}default") or "0"
    index = int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 0
    return entries[index] if index < len(entries) else ""
