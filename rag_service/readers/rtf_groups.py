"""The groups of an RTF file and the text in them, given to whatever each group is about.

A file is groups in braces. What a group says of fonts, paragraphs and the like ends with it; its
first control word may name a destination, such as a footnote, that takes what is in it.
"""

import re
from copy import copy

from msgspec import Struct

from rag_service.readers.rtf_fonts import Fonts

_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?[0-9]{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z'])"
    rb"|([{}])|([^\\{}\r\n]+)|[\r\n\\]",
    re.S,
)
_CHARACTERS = {
    "tab": "\t", "line": "\n", "lbr": "\n", "softline": "\n", "emdash": "\u2014",
    "endash": "\u2013", "bullet": "\u2022", "lquote": "\u2018", "rquote": "\u2019",
    "ldblquote": "\u201c", "rdblquote": "\u201d", "emspace": " ", "enspace": " ", "qmspace": " ",
    "zwj": "\u200d", "zwnj": "\u200c", "ltrmark": "\u200e", "rtlmark": "\u200f",
}  # fmt: skip
_SYMBOLS = {b"~": "\u00a0", b"_": "-"}
_LITERAL = (b"\\", b"{", b"}")
_CODE_PAGES = frozenset(("ansi", "mac", "pc", "pca", "ansicpg"))
_NUMBERS = {
    "f": "font", "uc": "skips", "s": "style", "outlinelevel": "outline", "ls": "list",
    "ilvl": "list_level",
}  # fmt: skip
_SWITCHES = {
    "v": "is_hidden", "deleted": "is_deleted", "mvf": "is_deleted", "intbl": "in_table"
}  # fmt: skip
_SURROGATE = re.compile("[\ud800-\udfff]")
_LARGEST = 10**9


class Look(Struct):
    """What holds where a text stands; a group has its own."""

    font: int = 0
    is_hidden: bool = False
    is_deleted: bool = False
    skips: int = 1
    """How many characters stand in for one that `\\u` names."""
    style: int = 0
    outline: int | None = None
    """The level of a heading from 0."""
    in_table: bool = False
    table_depth: int = 1
    list: int = 0
    list_level: int = 0

    def begin_paragraphs(self) -> None:
        self.style, self.outline, self.in_table, self.table_depth = 0, None, False, 1
        self.list = self.list_level = 0


class Destination:
    """Takes what a group holds. This one takes nothing."""

    def enter(self, word: str, is_optional: bool) -> "Destination | None":
        """Who takes a group that begins with this word; None where the word names none."""
        return self

    def child(self) -> "Destination":
        """Who takes a group within this one, before its first word is known."""
        return self

    def text(self, text: str, look: Look) -> None:
        pass

    def word(self, word: str, number: int | None, look: Look) -> None:
        pass

    def close(self) -> None:
        """The group that it was opened for has ended."""


NOTHING = Destination()


class Groups:
    """Reads a file once, from its beginning to its end."""

    def __init__(self, fonts: Fonts, root: Destination) -> None:
        self._fonts = fonts
        self._look = Look()
        self._destination = root
        self._above: list[tuple[Look, Destination]] = []
        self._bytes = bytearray()
        self._pending: list[str] = []
        """Decoded; the halves of a character may come apart."""
        self._begins = False
        """No word of the group has come yet."""
        self._is_optional = False
        self._skip = 0

    def read(self, data: bytes) -> bool:
        """Whether the file is whole: what was opened was closed."""
        at = 0
        while found := _TOKEN.match(data, at):
            at = found.end()
            at += self._take(found)
            if not self._above:
                break
        is_whole = not self._above
        while self._above:
            self._end()
        return is_whole

    def _take(self, token: re.Match[bytes]) -> int:
        """How many bytes stand behind it that are no RTF."""
        match token.lastindex:
            case 1 | 2:
                return self._control(token)
            case 3:
                self._add(bytes.fromhex(token[3].decode()), 1)
            case 4:
                self._symbol(token[4])
            case 5:
                self._brace(token[5])
            case 6:
                text = token[6].replace(b"\0", b"")
                self._add(text, len(text))
        return 0

    def _brace(self, brace: bytes) -> None:
        self._flush()
        self._skip = 0
        if brace == b"}":
            self._end()
            return
        self._above.append((self._look, self._destination))
        self._look = copy(self._look)
        self._destination = self._destination.child()
        self._begins, self._is_optional = True, False

    def _end(self) -> None:
        self._flush()
        self._begins = False
        if not self._above:
            return
        destination = self._destination
        self._look, self._destination = self._above.pop()
        if destination is not self._destination:
            destination.close()

    def _add(self, data: bytes, characters: int) -> None:
        self._begins = False
        if skipped := min(self._skip, characters):
            self._skip -= skipped
            data = data[skipped:]
        self._bytes += data

    def _symbol(self, symbol: bytes) -> None:
        if symbol == b"*":
            self._is_optional = True
        elif symbol in _LITERAL:
            self._add(symbol, 1)
        elif symbol in b"\r\n":
            self._word("par", None)
        elif symbol in _SYMBOLS:
            self._put(_SYMBOLS[symbol])

    def _control(self, found: re.Match[bytes]) -> int:
        word = found[1].decode()
        number = min(int(found[2]), _LARGEST) if found[2] else None
        if word == "bin":
            return max(number or 0, 0)
        if word == "u":
            self._begins = False
            self._unicode(number or 0)
        elif self._skip:
            self._skip -= 1
        elif word in _CHARACTERS:
            self._put(_CHARACTERS[word])
        else:
            self._word(word, number)
        return 0

    def _unicode(self, number: int) -> None:
        self._decode()
        self._pending.append(self._fonts.character(number % 0x10000, self._look.font))
        self._skip = self._look.skips

    def _put(self, text: str) -> None:
        self._begins = False
        self._decode()
        self._pending.append(text)

    def _decode(self) -> None:
        if self._bytes:
            self._pending.append(self._fonts.decode(bytes(self._bytes), self._look.font))
            self._bytes.clear()

    def _flush(self) -> None:
        self._decode()
        text = "".join(self._pending)
        self._pending.clear()
        if _SURROGATE.search(text):  # the halves of a character that takes two
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if text:
            self._destination.text(text, self._look)

    def _word(self, word: str, number: int | None) -> None:
        self._flush()
        if self._begins:
            self._begins = False
            destination = self._destination.enter(word, self._is_optional)
            if destination is None and self._is_optional:
                destination = NOTHING
            if destination is not None and destination is not self._destination:
                self._destination = destination
                self._look.begin_paragraphs()
                return
        self._format(word, number)
        self._destination.word(word, number, self._look)

    def _format(self, word: str, number: int | None) -> None:
        look = self._look
        if name := _NUMBERS.get(word):
            setattr(look, name, max(number or 0, 0))
        elif name := _SWITCHES.get(word):
            setattr(look, name, number != 0)
        elif word == "pard":
            look.begin_paragraphs()
        elif word == "plain":
            look.font = self._fonts.default
            look.is_hidden = look.is_deleted = False
        elif word == "itap":
            look.table_depth = number or 0
            look.in_table = look.table_depth > 0
        elif word == "deff":
            self._fonts.default = look.font = number or 0
        elif word in _CODE_PAGES:
            self._fonts.declare(word, number)
