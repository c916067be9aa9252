"""What is a word, in scripts with and without spaces. Pure.

Chinese, Japanese, Thai, Lao, Khmer and Burmese are written without spaces, so what is looked up is
every piece of so many characters, each with the next ones. A character is one with its marks:
vowels and tones are never torn from their letter.
"""

import re
import unicodedata
from collections.abc import Iterator

_TWO = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
"""Kana, Chinese characters and Hangul: most words have two."""
_THREE = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\ua9e0-\ua9ff\uaa60-\uaa7f"
"""Thai, Lao, Burmese and Khmer: letters, most words have three or more. Of the weight of a Thai
question its page had 0.46 with pieces of three, and the best page for a question about something
else 0.05; with pieces of two it is 0.53 and 0.13 (eight pages, fourteen questions of our own)."""
_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a"
    "\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0711\u0730-\u074a"
    "\u07a6-\u07b0\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963\u0981-\u0983\u09bc\u09be-\u09d7"
    "\u0a01-\u0a03\u0a3c-\u0a51\u0a70\u0a71\u0a75\u0a81-\u0a83\u0abc\u0abe-\u0acd\u0b01-\u0b03\u0b3c"
    "\u0b3e-\u0b57\u0b82\u0bbe-\u0bcd\u0bd7\u0c00-\u0c04\u0c3c\u0c3e-\u0c56\u0c81-\u0c83\u0cbc"
    "\u0cbe-\u0cd6\u0d00-\u0d03\u0d3b\u0d3c\u0d3e-\u0d4d\u0d57\u0d81-\u0d83\u0dca-\u0df3\u0f18\u0f19"
    "\u0f35\u0f37\u0f39\u0f3e\u0f3f\u0f71-\u0f84\u0f86-\u0fbc\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"
    "\u3099\u309a\ufe20-\ufe2f"
)
_THREE_MARKS = (
    "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u102b-\u103e\u1056-\u1059"
    "\u105e-\u1060\u1062-\u1064\u1067-\u106d\u1071-\u1074\u1082-\u108d\u109a-\u109d\u17b4-\u17d3\u17dd"
)
_STACKED = "[\u1039\u17d2].|"
"""A consonant below another: its sign and itself."""

WORD = re.compile(f"[^\\W_]+(?:[{_MARKS}]+[^\\W_]*)*")
"""Letters, digits and their marks, in scripts with spaces."""
_RUN = re.compile(f"[{_TWO}]+|[{_THREE}]+")
_OF_THREE = re.compile(f"[{_THREE}]")
_CHARACTER = re.compile(f".(?:{_STACKED}[{_THREE_MARKS}\u3099\u309a])*", re.DOTALL)
_INVISIBLE = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")


def _may_be_left_out(char: str) -> bool:
    """Accents above and below letters; points of Hebrew and Arabic. In the scripts of India and of
    South-East Asia a mark is a vowel or a tone, and stays."""
    place = unicodedata.combining(char)
    return place >= 200 or 10 <= place <= 36


_MARKED = map(chr, [*range(0x300, 0x3100), *range(0xFE20, 0xFE30)])
_LEFT_OUT = re.compile(f"[{''.join(filter(_may_be_left_out, _MARKED))}]")


def fold(text: str) -> str:
    """One spelling of what looks alike: full and half width, letters and accents in one or two
    characters, without accents, points and vowel signs that may be left out."""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))
    return unicodedata.normalize("NFC", _LEFT_OUT.sub("", unicodedata.normalize("NFD", text)))


def split_scripts(text: str) -> tuple[str, list[str]]:
    """The folded text without its runs of scripts that have no spaces, and these runs."""
    runs = _RUN.findall(text)
    return (_RUN.sub(" ", text), runs) if runs else (text, [])


def pieces(run: str) -> list[str]:
    """Those by which a run is looked up; it has them at any place of a longer run."""
    characters, length = _characters(run)
    return list(_overlapping(characters, length)) or [run]


def all_pieces(run: str) -> list[str]:
    """Those by which a run is found: by any that is looked up, a single character too."""
    characters, length = _characters(run)
    return [piece for size in range(length, 0, -1) for piece in _overlapping(characters, size)]


def _characters(run: str) -> tuple[list[str], int]:
    """And how many make a piece."""
    return _CHARACTER.findall(run), 3 if _OF_THREE.match(run) else 2


def _overlapping(characters: list[str], length: int) -> Iterator[str]:
    for at in range(len(characters) - length + 1):
        yield "".join(characters[at : at + length])
