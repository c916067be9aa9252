"""Bytes of text in any encoding -> str."""

import codecs
import re

from charset_normalizer import from_bytes

from rag_service.errors import Unreadable

_SAMPLE = 262_144
_HEAD = 4096
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1a\x1b"))
_GOOD_FOR_EACH_BAD = 4
"""So many characters beyond ASCII for each bad byte make a text UTF-8. In another encoding nearly
all such bytes are bad ones. A guess."""
_AS_BROWSERS_DO = {
    **dict.fromkeys(
        ("iso-8859-1", "iso8859-1", "latin1", "latin-1", "l1", "ascii", "us-ascii"),
        "cp1252",
    ),
    **dict.fromkeys(("iso-8859-9", "iso8859-9", "latin5", "l5"), "cp1254"),
    **dict.fromkeys(("iso-8859-11", "iso8859-11", "tis-620"), "cp874"),
    **dict.fromkeys(("gb2312", "gb-2312", "gbk", "gb-2312-80", "x-gbk"), "gb18030"),
    **dict.fromkeys(("shift-jis", "shiftjis", "sjis", "x-sjis", "ms-kanji"), "cp932"),
    **dict.fromkeys(("euc-kr", "ks-c-5601-1987", "ks-c-5601-1989", "ksc5601", "korean"), "cp949"),
    **dict.fromkeys(("big5", "big5-hkscs", "cn-big5", "x-x-big5"), "big5hkscs"),
    **dict.fromkeys(("x-mac-cyrillic", "x-mac-ukrainian"), "mac_cyrillic"),
    **dict.fromkeys(("macintosh", "x-mac-roman", "mac"), "mac_roman"),
    **dict.fromkeys(("windows-1252", "x-cp1252"), "cp1252"),
    "x-cp1250": "cp1250",
    "x-cp1251": "cp1251",
    "iso-8859-8-i": "iso8859-8",
    "unicode": "utf-16-le",
}
"""What labels mean on the web (the Encoding Standard), where Python's codecs mean less."""
_SINGLE_BYTE = frozenset(("cp1252", "cp1254", "cp874"))
"""They have a character for nearly every byte, so that what is left is no sign of another one."""
_ALIKE = frozenset(("cp1252", "cp1250", "cp1254", "cp1257", "latin_1", "iso8859_2", "iso8859_9"))
_LETTERS = {
    "cp1252": "äöüßÄÖÜéèêëàâçîïôûùœæÉÈÊÀÂÇÔñÑáíóúÁÍÓÚåøÅØÆãõÃÕìòªº",
    "cp1254": "çğıİöşüÇĞÖŞÜâîûÂÎ",
}
_NO_TEXT = "is neither text nor of a kind that can be read"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
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
    if len(data[:_SAMPLE].translate(None, _CONTROLS)) < 0.98 * len(data[:_SAMPLE]):
        raise Unreadable(_NO_TEXT)
    return _utf8(data) or _declared(data, label) or _guess(data)


def _utf8(data: bytes) -> str | None:
    """None where it is not UTF-8; a few stray bytes among many characters do not change that."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        text = data.decode(errors="replace")
    bad = text.count("\ufffd")
    good = len(text) - len(text.encode("ascii", "ignore")) - bad
    return text if good > _GOOD_FOR_EACH_BAD * bad else None


def _declared(data: bytes, label: str | None) -> str | None:
    """As the label says, or else the markup, as browsers read such labels."""
    found = [label or ""]
    for pattern in (_PROLOG, _DECLARED):
        if match := pattern.search(data[:_HEAD]):
            found.append(match[1].decode("ascii"))
    for name in filter(None, found):
        codec = _codec(name)
        if codec in _SINGLE_BYTE:
            return data.decode(codec, errors="replace")
        try:
            return data.decode(codec)
        except (LookupError, UnicodeError, ValueError):
            continue  # it is not what it says
    return None


def _codec(label: str) -> str:
    label = label.strip().strip("\"'").lower()
    return _AS_BROWSERS_DO.get(re.sub(r"[\s_]+", "-", label), label)


def _wide(data: bytes) -> str | None:
    """UTF-16 without a mark: half of its bytes, all even or all odd ones, are zeros mostly."""
    sample = data[:_HEAD]
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros, others = sample[first::2].count(0), sample[1 - first :: 2]
        is_text = len(others.translate(None, _CONTROLS)) == len(others)
        if zeros and is_text and 2 * zeros > len(others):
            return encoding
    return None


def _guess(data: bytes) -> str:
    best = from_bytes(data[:_SAMPLE]).best()
    if best is None:
        raise Unreadable(_NO_TEXT)
    encoding = best.encoding
    if encoding in _ALIKE:
        encoding = _likest(data[:_SAMPLE], encoding)
    return data.decode(encoding, errors="replace").removeprefix("\ufeff")


def _likest(data: bytes, guess: str) -> str:
    """Of the encodings of Latin letters that could be meant, one in which all letters are those of
    western Europe, or of Turkish: they differ in a few, and `guess` may as well be another."""
    for name, letters in _LETTERS.items():
        found = {letter for letter in data.decode(name, "replace") if letter > "\x7f"}
        if all(letter in letters for letter in found if letter.isalpha()):
            return name
    return guess
