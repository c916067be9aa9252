"""Paragraph styles of a Word document, each with what it takes over from those it is based on."""

from typing import Any

from msgspec import Struct

from rag_service.readers.opc import W, is_on

LEVELS = 9
"""Of headings and of lists."""
VAL = f"{W}val"


class Style(Struct, frozen=True, kw_only=True):
    name: str = ""
    """In lower case, and in English for the styles that Word brings along."""
    level: int = 0
    """Of headings, from 1; 0 is text."""
    number_id: str = ""
    list_level: int | None = None
    ids: tuple[str, ...] = ()
    """Its own id, and those of the styles it is based on."""
    is_hidden: bool = False


class Styles:
    def __init__(self, root: Any) -> None:
        """`root` is `w:styles`, or None in a document that has none."""
        styles = root.iterchildren(f"{W}style") if root is not None else ()
        self._elements = {style.get(f"{W}styleId"): style for style in styles}
        self._default = next(
            (id for id, style in self._elements.items() if _is_default(style)), None
        )
        self._known: dict[str | None, Style] = {}

    def of(self, paragraph: Any) -> Style:
        return self.named(value(paragraph, f"{W}pPr/{W}pStyle") or self._default)

    def named(self, style_id: str | None) -> Style:
        if style_id not in self._known:
            self._known[style_id] = self._read(style_id)
        return self._known[style_id]

    def _read(self, style_id: str | None) -> Style:
        name, level, number_id, list_level = "", 0, "", None
        ids: list[str] = []
        is_hidden: bool | None = None
        while style_id is not None and style_id in self._elements and style_id not in ids:
            ids.append(style_id)
            style = self._elements[style_id]
            own = value(style, f"{W}name").lower()
            name = name or own
            if not level and own.startswith("heading ") and own[8:].isdecimal():
                level = min(int(own[8:]), LEVELS)
            level = level or outline_level(style)
            number_id = number_id or value(style, f"{W}pPr/{W}numPr/{W}numId")
            if list_level is None:
                list_level = level_of(value(style, f"{W}pPr/{W}numPr/{W}ilvl"))
            vanish = style.find(f"{W}rPr/{W}vanish")
            if is_hidden is None and vanish is not None:
                is_hidden = is_on(vanish, VAL)
            style_id = value(style, f"{W}basedOn") or None
        return Style(
            name=name,
            level=level,
            number_id=number_id,
            list_level=list_level,
            ids=tuple(ids),
            is_hidden=bool(is_hidden),
        )


def outline_level(element: Any) -> int:
    """That a paragraph or a style has of its own, from 1; 0 is text."""
    level = level_of(value(element, f"{W}pPr/{W}outlineLvl"))
    return level + 1 if level is not None else 0


def value(element: Any, path: str) -> str:
    found = element.find(path)
    return str(found.get(VAL) or "") if found is not None else ""


def level_of(text: str) -> int | None:
    return int(text) if len(text) == 1 and "0" <= text < str(LEVELS) else None


def _is_default(style: Any) -> bool:
    return style.get(f"{W}type") == "paragraph" and style.get(f"{W}default") in ("1", "true")
