"""Styles of an OpenDocument file: what is hidden, and the numbers of lists and headings."""

import re
from typing import Any

from rag_service.readers.numerals import in_format
from rag_service.readers.odf_package import DRAW, LO, PRESENTATION, STYLE, TEXT

BULLET = "- "
_FORMATS = {"a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}
_PLACE = re.compile("%([0-9]+)%")
_DEEPEST = 10


class OdfStyles:
    """Of the parts given; a later part's styles stand before those of an earlier one."""

    def __init__(self, *roots: Any) -> None:
        self._styles: dict[tuple[str, str], Any] = {}
        self._lists: dict[str, dict[int, Any]] = {}
        self.outline: dict[int, Any] = {}
        """The numbering of headings, by their level from 1."""
        for root in roots:
            if root is None:
                continue
            for style in root.iter(f"{STYLE}style"):
                key = (style.get(f"{STYLE}family", ""), style.get(f"{STYLE}name", ""))
                self._styles[key] = style
            for style in root.iter(f"{TEXT}list-style"):
                self._lists[style.get(f"{STYLE}name", "")] = _levels(style)
            for style in root.iter(f"{TEXT}outline-style"):
                self.outline = _levels(style)

    def list_levels(self, name: str | None) -> dict[int, Any]:
        return self._lists.get(name or "", {})

    def list_of_paragraph(self, name: str | None) -> str | None:
        """The list style that a paragraph style brings along."""
        for style in self._chain("paragraph", name):
            if f"{STYLE}list-style-name" in style.attrib:
                return str(style.get(f"{STYLE}list-style-name"))
        return None

    def is_title(self, name: str | None) -> bool:
        return any(
            style.get(f"{STYLE}name") == "Title" for style in self._chain("paragraph", name)
        ) or name == "Title"  # fmt: skip

    def is_hidden(self, family: str, name: str | None) -> bool:
        """Text that is not displayed."""
        for style in self._chain(family, name):
            properties = style.find(f"{STYLE}text-properties")
            if properties is not None and f"{TEXT}display" in properties.attrib:
                return bool(properties.get(f"{TEXT}display") == "none")
        return False

    def is_hidden_page(self, name: str | None) -> bool:
        style = self._styles.get(("drawing-page", name or ""))
        properties = style.find(f"{STYLE}drawing-page-properties") if style is not None else None
        return (
            properties is not None and properties.get(f"{PRESENTATION}visibility") == "hidden"
        )  # fmt: skip

    def _chain(self, family: str, name: str | None) -> list[Any]:
        chain: list[Any] = []
        while (
            len(chain) < _DEEPEST and (style := self._styles.get((family, name or ""))) is not None
        ):
            chain.append(style)
            name = style.get(f"{STYLE}parent-style-name")
        return chain


class Counter:
    """Counts the items of one list, or the headings of a document."""

    def __init__(self, levels: dict[int, Any]) -> None:
        self.levels = levels
        self._counts: dict[int, int] = {}

    def next(self, level: int, start: int | None = None) -> str:
        """The marker of the next item on this level, from 1, with the blank behind it."""
        look = self.levels.get(level)
        if look is None or look.tag in (f"{TEXT}list-level-style-bullet", _IMAGE):
            return BULLET
        if start is None:
            start = self._counts[level] + 1 if level in self._counts else self._start(level)
        self._counts[level] = start
        for deeper in [other for other in self._counts if other > level]:
            del self._counts[deeper]
        shown = self._shown(look, level)
        return f"{shown.rstrip()} " if shown.strip() else ""

    def restart(self, level: int) -> None:
        for deeper in [other for other in self._counts if other >= level]:
            del self._counts[deeper]

    def _start(self, level: int) -> int:
        look = self.levels.get(level)
        text = look.get(f"{TEXT}start-value", "1") if look is not None else "1"
        return whole(text, 1)

    def _shown(self, look: Any, level: int) -> str:
        if (pattern := look.get(f"{LO}num-list-format")) is not None:
            return _PLACE.sub(lambda place: self._number(int(place[1]), look), pattern)
        if not look.get(f"{STYLE}num-format"):
            return str(look.get(f"{STYLE}num-prefix", "") + look.get(f"{STYLE}num-suffix", ""))
        first = level - whole(look.get(f"{TEXT}display-levels", "1"), 1) + 1
        numbers = [self._number(other, look) for other in range(max(first, 1), level + 1)]
        number = ".".join(number for number in numbers if number)
        prefix, suffix = look.get(f"{STYLE}num-prefix", ""), look.get(f"{STYLE}num-suffix", "")
        return f"{prefix}{number}{suffix}"

    def _number(self, level: int, asking: Any) -> str:
        look = self.levels.get(level, asking)
        format = look.get(f"{STYLE}num-format", "")
        if not format:
            return ""
        count = self._counts.get(level, self._start(level))
        return in_format(count, _FORMATS.get(format, "decimal"))


_IMAGE = f"{TEXT}list-level-style-image"


def whole(text: str | None, default: int) -> int:
    text = text or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else default


def _levels(style: Any) -> dict[int, Any]:
    return {whole(level.get(f"{TEXT}level"), 0): level for level in style}


def style_name(element: Any) -> str | None:
    for namespace in (TEXT, DRAW, PRESENTATION):
        if f"{namespace}style-name" in element.attrib:
            return str(element.get(f"{namespace}style-name"))
    return None
