"""The styles and lists of an RTF file: which paragraphs are headings, how items are numbered."""

import re
from collections import defaultdict

from msgspec import Struct

from rag_service.readers.numerals import in_format
from rag_service.readers.rtf_groups import NOTHING, Destination, Look

BULLET = "- "

_HEADING = re.compile(r"heading (\d)", re.I)
_FORMATS = {
    1: "upperRoman", 2: "lowerRoman", 3: "upperLetter", 4: "lowerLetter", 5: "ordinal",
    22: "decimalZero", 58: "russianLower", 59: "russianUpper",
}  # fmt: skip
"""By `\\levelnfc`; others count decimal."""
_BULLET, _NO_NUMBER = 23, 255
_DEEPEST = 9
_LONGEST_NAME = 500


class Style(Struct):
    name: str = ""
    level: int = 0
    """Of headings, from 1."""


class Styles(Destination):
    """`{\\stylesheet ...}`."""

    def __init__(self) -> None:
        self._styles: dict[int, Style] = {}

    def get(self, number: int) -> Style:
        return self._styles.get(number, Style())

    def enter(self, word: str, is_optional: bool) -> Destination | None:
        return NOTHING if is_optional else None

    def child(self) -> Destination:
        return _OneStyle(self._styles)


class _OneStyle(Destination):
    def __init__(self, styles: dict[int, Style]) -> None:
        self._styles = styles
        self._number = 0
        self._style = Style()

    def enter(self, word: str, is_optional: bool) -> Destination | None:
        return NOTHING if is_optional else None

    def child(self) -> Destination:
        return NOTHING

    def word(self, word: str, number: int | None, look: Look) -> None:
        if word == "s":
            self._number = number or 0
        elif word == "outlinelevel" and (number or 0) < _DEEPEST:
            self._style.level = (number or 0) + 1

    def text(self, text: str, look: Look) -> None:
        if len(self._style.name) < _LONGEST_NAME:
            self._style.name += text

    def close(self) -> None:
        self._style.name = self._style.name.partition(";")[0].strip().lower()
        if found := _HEADING.match(self._style.name):
            self._style.level = self._style.level or int(found[1])
        self._styles[self._number] = self._style


class _Level(Struct):
    format: int = 0
    start: int = 1
    text: str = "\x02\x00."
    """Its length, then the levels that it shows as characters below 9."""


class Lists(Destination):
    """`{\\*\\listtable ...}` and `{\\*\\listoverridetable ...}`; counts as the items come."""

    def __init__(self) -> None:
        self._levels: list[_Level] = []
        """Of the list that is being read."""
        self._lists: dict[int, list[_Level]] = {}
        self._overrides: dict[int, int] = {}
        self._list_id = 0
        self._counts: defaultdict[int, dict[int, int]] = defaultdict(dict)

    def enter(self, word: str, is_optional: bool) -> Destination | None:
        if word == "list":
            self._levels = []
        elif word == "listlevel":
            level = _Level()
            self._levels.append(level)
            return _ListLevel(level)
        elif word not in ("listoverride", "lfolevel"):
            return NOTHING
        return None

    def word(self, word: str, number: int | None, look: Look) -> None:
        if word == "listid":
            self._list_id = number or 0
            self._lists.setdefault(self._list_id, self._levels)
        elif word == "ls":
            self._overrides[number or 0] = self._list_id

    def marker(self, look: Look) -> str:
        """What stands before the next item; to be asked once for each, in order."""
        id = self._overrides.get(look.list, look.list)
        levels = self._lists.get(id, [])
        depth = look.list_level
        if depth >= len(levels) or levels[depth].format in (_BULLET, _NO_NUMBER):
            return BULLET
        counts = self._counts[id]
        counts[depth] = counts.get(depth, levels[depth].start - 1) + 1
        for deeper in [level for level in counts if level > depth]:
            del counts[deeper]
        shown = [
            self._number(levels, counts, ord(character)) if ord(character) < _DEEPEST else character
            for character in levels[depth].text[1:]
        ]
        return f"{''.join(shown).strip()} "

    @staticmethod
    def _number(levels: list[_Level], counts: dict[int, int], depth: int) -> str:
        if depth >= len(levels):
            return ""
        level = levels[depth]
        return in_format(counts.get(depth, level.start), _FORMATS.get(level.format, "decimal"))


class _ListLevel(Destination):
    def __init__(self, level: _Level) -> None:
        self._level = level

    def enter(self, word: str, is_optional: bool) -> Destination | None:
        return _LevelText(self._level) if word == "leveltext" else NOTHING

    def word(self, word: str, number: int | None, look: Look) -> None:
        if word in ("levelnfc", "levelnfcn"):
            self._level.format = number or 0
        elif word == "levelstartat":
            self._level.start = number or 0


class _LevelText(Destination):
    def __init__(self, level: _Level) -> None:
        self._level = level
        level.text = ""

    def enter(self, word: str, is_optional: bool) -> Destination | None:
        return NOTHING if is_optional else None

    def text(self, text: str, look: Look) -> None:
        if len(self._level.text) < _LONGEST_NAME:
            self._level.text += text

    def close(self) -> None:
        self._level.text = self._level.text.removesuffix(";")
