"""The fonts of an RTF file: in which code page the bytes of each are."""

import codecs

from msgspec import Struct

from rag_service.readers.symbols import in_unicode, is_symbol_font

_CODECS = {
    0: "cp1252", 77: "mac_roman", 78: "shift_jis", 79: "euc_kr", 80: "gb2312", 81: "big5",
    85: "mac_greek", 86: "mac_turkish", 88: "mac_latin2", 89: "mac_cyrillic", 128: "cp932",
    129: "cp949", 130: "johab", 134: "gb18030", 136: "cp950", 161: "cp1253", 162: "cp1254",
    163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874",
    238: "cp1250", 254: "cp437", 255: "cp850",
}  # fmt: skip
"""By `\\fcharset` (Rich Text Format 1.9.1, font table); 1 is that of the document."""
_WESTERN, _DEFAULT, _SYMBOLS = 0, 1, 2
_NAMED = {"ansi": "cp1252", "mac": "mac_roman", "pc": "cp437", "pca": "cp850"}
_UTF_8 = 65001


class _Font(Struct):
    name: str = ""
    charset: int = _DEFAULT
    codec: str = ""
    """By a code page of its own."""


class Fonts:
    """Grows while the head of the file is read."""

    def __init__(self) -> None:
        self.default = 0
        self._fonts: dict[int, _Font] = {}
        self._codec = "cp1252"

    def declare(self, word: str, number: int | None) -> None:
        """The code page of the document: `\\ansi`, `\\ansicpg1251`."""
        self._codec = _NAMED.get(word) or _codec(number) or self._codec

    def add(self, font: int, *, charset: int | None = None, page: int = 0, name: str = "") -> None:
        entry = self._fonts.setdefault(font, _Font())
        entry.charset = entry.charset if charset is None else charset
        entry.codec = _codec(page) or entry.codec
        entry.name = entry.name or name

    def decode(self, data: bytes, font: int) -> str:
        """A byte that has no meaning is one replacement character, and one of a symbol font whose
        meaning is not known a character between U+F000 and U+F0FF."""
        entry = self._fonts.get(font)
        if entry is not None and self._is_symbols(entry):
            return "".join(_drawn(0xF000 + byte, entry.name) for byte in data)
        return data.decode(self._codec_of(entry), errors="replace")

    def character(self, code: int, font: int) -> str:
        """Of `\\u`, which symbol fonts have in the private area."""
        entry = self._fonts.get(font)
        is_symbol = 0xF000 <= code <= 0xF0FF and entry is not None
        return _drawn(code, entry.name) if entry is not None and is_symbol else chr(code)

    def _is_symbols(self, entry: _Font) -> bool:
        """Not while its name is read."""
        return bool(entry.name) and (entry.charset == _SYMBOLS or is_symbol_font(entry.name))

    def _codec_of(self, entry: _Font | None) -> str:
        """Programs that know of no charsets write 0 for each font, whatever the text is in."""
        if entry is None or (entry.charset == _WESTERN and not self._has_charsets()):
            return (entry.codec if entry else "") or self._codec
        return entry.codec or _CODECS.get(entry.charset, self._codec)

    def _has_charsets(self) -> bool:
        plain = (_WESTERN, _DEFAULT, _SYMBOLS)
        return any(font.charset not in plain for font in self._fonts.values())


def _drawn(code: int, name: str) -> str:
    return in_unicode(chr(code), name) or chr(code)


def _codec(page: int | None) -> str:
    name = "utf-8" if page == _UTF_8 else f"cp{page}"
    if page == 10000:
        name = "mac_roman"
    elif page == 10007:
        name = "mac_cyrillic"
    try:
        return codecs.lookup(name).name if page else ""
    except LookupError:
        return ""
