"""The fields of an RTF file: what each shows, links and forms among them."""

import re
from collections.abc import Callable

from rag_service.readers.rtf_groups import NOTHING, Destination, Look
from rag_service.readers.symbols import in_unicode

_PAGES = frozenset(("PAGE", "NUMPAGES", "SECTIONPAGES"))
_SYMBOL = re.compile(r"\s*SYMBOL\s+(0x[0-9a-f]{1,6}|\d{1,6})\b(?:.*\\f\s+\"?([\w ]+))?", re.I)
_UNDECIDED = 25
"""A form's field that nobody has filled in; it is as it was at first."""
_LONGEST = 2_000
"""Characters of an instruction."""
_TICKED, _NOT_TICKED = "\u2612", "\u2610"


class Captured(Destination):
    """Collects the text of a group, and gives it away at its end."""

    def __init__(self, done: Callable[[str], None]) -> None:
        self._done = done
        self._parts: list[str] = []

    def enter(self, word: str, is_optional: bool) -> Destination | None:
        return NOTHING if is_optional else None

    def text(self, text: str, look: Look) -> None:
        self._parts.append(text)

    def close(self) -> None:
        self._done("".join(self._parts))


class Inside(Destination):
    """A group whose text belongs to what is around it."""

    def __init__(self, around: Destination) -> None:
        self._around = around

    def enter(self, word: str, is_optional: bool) -> Destination | None:
        return self._around.enter(word, is_optional)

    def text(self, text: str, look: Look) -> None:
        self._around.text(text, look)

    def word(self, word: str, number: int | None, look: Look) -> None:
        self._around.word(word, number, look)


class Field(Destination):
    """`{\\field {\\*\\fldinst ...} {\\fldrslt ...}}` within a text; shows its result there."""

    def __init__(self, around: Destination, contents: Callable[[], Destination]) -> None:
        """`contents` gives who takes the lines of a table of contents."""
        self._around = around
        self._contents = contents
        self._instruction = ""
        self._form: _Form | None = None
        self._look = Look()
        self._has_result = False

    @property
    def counts_pages(self) -> bool:
        return self._instruction.upper().split()[:1] in ([name] for name in _PAGES)

    def enter(self, word: str, is_optional: bool) -> Destination | None:
        if word == "fldinst":
            return _Instruction(self)
        if word == "fldrslt":
            is_contents = self._instruction.upper().split()[:1] == ["TOC"]
            return self._contents() if is_contents else _Result(self)
        return NOTHING if is_optional else None

    def word(self, word: str, number: int | None, look: Look) -> None:
        self._look = look

    def close(self) -> None:
        """A result that the file does not hold, of fields that always show something."""
        shown = self._form.shown if self._form is not None else ""
        if found := _SYMBOL.match(self._instruction):
            code = int(found[1], 0)
            shown = in_unicode(chr(code % 0x10000), (found[2] or "").strip()) or "\ufffd"
        if shown and not self._has_result:
            self._around.text(shown, self._look)

    def instruct(self, text: str) -> None:
        if len(self._instruction) < _LONGEST:
            self._instruction += text

    def fill_in(self) -> "_Form":
        self._form = _Form()
        return self._form

    def show(self, text: str, look: Look) -> None:
        self._has_result = self._has_result or bool(text.strip())
        self._around.text(text, look)

    @property
    def around(self) -> Destination:
        return self._around


class _Instruction(Destination):
    def __init__(self, field: Field) -> None:
        self._field = field

    def enter(self, word: str, is_optional: bool) -> Destination | None:
        if word == "formfield":
            return self._field.fill_in()
        return NOTHING if is_optional else None

    def text(self, text: str, look: Look) -> None:
        self._field.instruct(text)


class _Result(Inside):
    def __init__(self, field: Field) -> None:
        super().__init__(field.around)
        self._field = field

    def text(self, text: str, look: Look) -> None:
        if self._field.counts_pages:
            self._around.word("chpgn", None, look)
        else:
            self._field.show(text, look)


class _Form(Destination):
    """`{\\*\\formfield ...}`: a box to tick, or a choice; a text stands in the field's result."""

    _TEXT, _BOX, _CHOICE = range(3)

    def __init__(self) -> None:
        self._type = self._TEXT
        self._result = self._default = _UNDECIDED
        self._choices: list[str] = []

    @property
    def shown(self) -> str:
        chosen = self._default if self._result == _UNDECIDED else self._result
        if self._type == self._BOX:
            return _TICKED if chosen == 1 else _NOT_TICKED
        if self._type == self._CHOICE and self._choices:
            return self._choices[chosen if chosen < len(self._choices) else 0]
        return ""

    def enter(self, word: str, is_optional: bool) -> Destination | None:
        if word == "ffl":
            return Captured(self._choices.append)
        return NOTHING if is_optional else None

    def word(self, word: str, number: int | None, look: Look) -> None:
        match word:
            case "fftype":
                self._type = number or 0
            case "ffres":
                self._result = max(number or 0, 0)
            case "ffdefres":
                self._default = max(number or 0, 0)
