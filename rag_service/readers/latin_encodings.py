"""Which encoding a text of Western letters is in, told by the letters that it then has.

Old computers gave them other bytes: an "ö" of DOS is a quotation mark of Windows. A text is in the
first encoding in which no sign stands within a word and all its letters are those of one language.
"""

import re

_LANGUAGES = (
    "äöüßéèêàçñøåæëïõšž",  # German and its neighbours, Nordic, Estonian
    "éèêëàâçîïôöûùüœæÿ",  # French
    "áéíóúñüçàèòï\u00aa\u00ba",  # Spanish, Catalan
    "ãõáéíóúâêôàçü\u00aa\u00ba",  # Portuguese
    "àèéìíîòóùú",  # Italian
    "áéíóöőúüű",  # Hungarian, which Windows-1252 all but reads
    "áðéíóúýþæöü",  # Icelandic
)
_ENCODINGS = ("cp1252", "cp1250", "iso8859-15", "mac_roman", "cp850")
_LETTER = r"[^\W\d_]"
_NO_SIGN = "\0-\x7f\u00ad\u00b7\u2013\u2014\u2019\u2026"
_WITHIN = re.compile(rf"{_LETTER}(?:[^\w{_NO_SIGN}]|[\u00b2\u00b3\u00b9\u00bc-\u00be]){_LETTER}")
"""An apostrophe, a dash and the dots of Catalan stand between letters."""
_SAMPLE = 65_536


_PRICE = re.compile(rb"[\xa3\xa5](?=[ \xa0]?\d)")
"""Pound and yen have the bytes of two Polish letters."""

LATIN = frozenset(("windows-1250", "windows-1252", "windows-1254", "windows-1257", "iso-8859-2"))


def latin_encoding(data: bytes, guess: str) -> str:
    """Better than a `guess` among LATIN: Windows-1252 where nothing speaks for another one."""
    sample = data[:_SAMPLE]
    if guess != "windows-1252" and _has_letters(_PRICE.sub(b"", sample), guess):
        return guess
    texts = ((encoding, sample.decode(encoding, errors="replace")) for encoding in _ENCODINGS)
    return next((encoding for encoding, text in texts if _is_plausible(text)), "cp1252")


def _has_letters(data: bytes, encoding: str) -> bool:
    text = data.decode(encoding, errors="replace")
    return any(char > "\x7f" and char.isalpha() for char in text)


def _is_plausible(text: str) -> bool:
    letters = {char.lower() for char in text if char > "\x7f" and char.isalpha()}
    is_one_language = any(letters <= set(language) for language in _LANGUAGES)
    return is_one_language and not _WITHIN.search(text)
