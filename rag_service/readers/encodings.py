"""Bytes of text in any encoding -> str."""

import codecs
import re
from contextlib import suppress

import webencodings
from chardetng_py.detector import EncodingDetector

from rag_service.errors import Unreadable
from rag_service.readers.latin_encodings import LATIN, latin_encoding

_SAMPLE = 262_144
_HEAD = 4096
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1a\x1b"))
_HIGH = re.compile(rb"[\x80-\xff]")
_CODECS = {
    "big5": "big5hkscs",
    "euc-kr": "cp949",
    "gbk": "gb18030",
    "iso-8859-8-i": "iso8859-8",
    "macintosh": "mac_roman",
    "shift_jis": "cp932",
    "windows-874": "cp874",
    "x-mac-cyrillic": "mac_cyrillic",
}
"""Python's codecs for encodings of the web, where those of their names mean less or are none."""
_SINGLE_BYTE = frozenset(("windows-1252", "windows-1254", "cp874"))
"""They have a character for nearly every byte, so that what is left is no sign of another one."""
_NO_TEXTS = frozenset(
    (
        "idna",
        "punycode",
        "unicode-escape",
        "raw-unicode-escape",
        "utf-7",
        "undefined",
        "mbcs",
        "oem",
    )
)
"""Codecs of Python's that no text is in: some take the square of its length, or run escapes."""
_NO_TEXT = "is neither text nor of a kind that can be read"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_JAPANESE_MAIL = re.compile(rb"\x1b\$(?:[@AB]|\([CD])")
"""How a text in ISO-2022-JP, whose bytes are all ASCII, goes over to Japanese."""
_BLANKS = 25
"""At most so many characters for a blank or a line end."""
_SCRIPTS = 6
"""High bytes of a text: of its script, of Latin, of punctuation."""
_DECLARED = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?\s*([\w-]{2,40})""", re.I)
_PROLOG = re.compile(rb"""\A\s*<\?xml[^>]{0,200}encoding\s*=\s*["']([\w-]{2,40})["']""", re.I)


def decode(data: bytes, label: str | None = None) -> str:
    """By its byte order mark, as UTF-8 where it is that, as its label or its markup declares, or as
    it most likely is.

    A byte that has no meaning is one replacement character. Raises Unreadable for what is no text.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, errors="replace")
    if wide := _wide(data):
        return data.decode(wide, errors="replace")
    if _JAPANESE_MAIL.search(data):
        with suppress(UnicodeDecodeError):
            return data.decode("iso2022_jp_2")
    if len(data[:_SAMPLE].translate(None, _CONTROLS)) < 0.98 * len(data[:_SAMPLE]):
        raise Unreadable(_NO_TEXT)
    return _utf8(data) or _declared(data, label) or _guess(data)


def _utf8(data: bytes) -> str | None:
    """None where it is not UTF-8. Whole characters beyond ASCII are hardly there by chance, so that
    as many bad bytes do not make it another encoding."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        text = data.decode(errors="replace")
    bad = text.count("\ufffd")
    good = len(text) - len(text.encode("ascii", "ignore")) - bad
    return text if good >= bad else None


def _declared(data: bytes, label: str | None) -> str | None:
    """As the label says, or else the markup, as browsers read such labels."""
    labels = [label or ""]
    for pattern in (_PROLOG, _DECLARED):
        # markup that is found among bytes is in no encoding of wider characters
        if (match := pattern.search(data[:_HEAD])) and not match[1].lower().startswith(b"utf-16"):
            labels.append(match[1].decode("ascii"))
    for name in filter(None, labels):
        codec = _codec(name)
        if codec in _SINGLE_BYTE:
            return data.decode(codec, errors="replace")
        try:
            if codecs.lookup(codec).name.replace("_", "-") in _NO_TEXTS:
                continue
            return data.decode(codec)
        except (LookupError, UnicodeError, ValueError):
            continue  # it is not what it says
    return None


def _codec(label: str) -> str:
    """As the web's table (the Encoding Standard) reads it, or else Python."""
    label = label.strip().strip("\"'")
    encoding = webencodings.lookup(label) or webencodings.lookup(re.sub(r"[\s_]+", "-", label))
    return _CODECS.get(encoding.name, encoding.name) if encoding else label


def _wide(data: bytes) -> str | None:
    """UTF-16 without a mark: the high bytes of its characters, all even or all odd ones, are few,
    and zero for blanks and line ends at least."""
    sample = data[: _HEAD - _HEAD % 2]
    sample = sample[: len(sample) - len(sample) % 2]
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        high = sample[first::2]
        if high.count(0) < len(high) / _BLANKS or len(set(high)) > _SCRIPTS:
            continue
        text = sample.decode(encoding, errors="replace")
        seen = sum(char.isprintable() or char in "\t\r\n" for char in text)
        if seen == len(text) and sum(map(str.isalnum, text)) > len(text) / 2:
            return encoding
    return None


def _guess(data: bytes) -> str:
    """By what stands around the first characters that are not ASCII."""
    first = _HIGH.search(data)
    start = max(first.start() - _HEAD, 0) if first else 0
    sample = data[start : start + _SAMPLE]
    detector = EncodingDetector()
    detector.feed(sample, last=start + _SAMPLE >= len(data))
    codec = _codec(detector.guess(tld=None, allow_utf8=False))
    if codec in LATIN:
        codec = latin_encoding(sample, codec)
    return data.decode(codec, errors="replace")
