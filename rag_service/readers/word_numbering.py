"""The numbers of headings and list items as Word shows them: `2.1`, `(a)`, `Art. IV`.

A `w:num` is a list, a `w:abstractNum` its look; lists of one look count on together unless a list
says where it starts (ECMA-376, part 1, 17.9).
"""

import re
from typing import Any

from msgspec import Struct

from rag_service.readers.numerals import in_format
from rag_service.readers.opc import W, is_on
from rag_service.readers.word_styles import VAL, Style, Styles, level_of, value

_PLACE = re.compile("%([1-9])")
_LARGEST = 10**9
BULLET = "- "


class Marker(Struct, frozen=True):
    depth: int
    """From 1, the outermost."""
    text: str
    """With the blank behind it. `BULLET` for a bullet; empty where Word shows nothing."""


class _Level(Struct, frozen=True, kw_only=True):
    start: int
    format: str
    text: str
    is_decimal: bool
    """Numbers of the levels above are decimal as well, whatever their own format."""
    restarts_after: int | None
    """The levels up to this one, from 1, make it start again; None for all above it."""
    suffix: str
    style_id: str


class _List(Struct, frozen=True, kw_only=True):
    look: str
    levels: dict[int, _Level]
    starts: dict[int, int]
    """The levels that start anew with this list."""


class Numbering:
    """Counts as the paragraphs come: `marker` is asked for each of them once, in order."""

    def __init__(self, root: Any, styles: Styles) -> None:
        """`root` is `w:numbering`, or None in a document that has none."""
        numbers = root.iterchildren(f"{W}num") if root is not None else ()
        looks = root.iterchildren(f"{W}abstractNum") if root is not None else ()
        self._numbers = {number.get(f"{W}numId", ""): number for number in numbers}
        self._looks = {look.get(f"{W}abstractNumId"): look for look in looks}
        self._styles = styles
        self._lists: dict[str, _List | None] = {}
        self._counts: dict[str, dict[int, int]] = {}
        self._started: set[tuple[str, int]] = set()

    def marker(self, paragraph: Any, style: Style) -> Marker | None:
        """What stands before the paragraph; None when it is in no list."""
        own = f"{W}pPr/{W}numPr"
        number_id = value(paragraph, f"{own}/{W}numId") or style.number_id
        found = self._list(number_id)
        depth = level_of(value(paragraph, f"{own}/{W}ilvl"))
        if depth is None:
            depth = _level_of_style(found, style)
        if number_id == "0":
            return None
        if found is None:
            is_item = bool(number_id) or style.name.startswith("list bullet")
            return Marker(depth + 1, BULLET) if is_item else None
        return self._next(number_id, found, depth)

    def _list(self, number_id: str) -> _List | None:
        """Read when its first item comes: templates bring along many lists that nobody uses."""
        if number_id not in self._lists:
            number, look = self._number_and_look(number_id)
            if linked := value(look, f"{W}numStyleLink") if look is not None else "":
                other = self._number_and_look(self._styles.named(linked).number_id)[1]
                look = other if other is not None else look
            self._lists[number_id] = _read_list(number, look) if look is not None else None
        return self._lists[number_id]

    def _number_and_look(self, number_id: str) -> tuple[Any, Any]:
        number = self._numbers.get(number_id)
        if number is None:
            return None, None
        return number, self._looks.get(value(number, f"{W}abstractNumId"))

    def _next(self, number_id: str, found: _List, depth: int) -> Marker:
        level = found.levels.get(depth)
        if level is None:
            return Marker(depth + 1, BULLET)
        counts = self._counts.setdefault(found.look, {})
        if depth in found.starts and (number_id, depth) not in self._started:
            self._started.add((number_id, depth))
            counts[depth] = found.starts[depth]
        elif depth in counts:
            counts[depth] += 1
        else:
            counts[depth] = found.starts.get(depth, level.start)
        for deeper, other in found.levels.items():
            if deeper > depth and (other.restarts_after is None or depth < other.restarts_after):
                counts.pop(deeper, None)
        return Marker(depth + 1, _shown(found, level, counts))


def _level_of_style(found: _List | None, style: Style) -> int:
    """The list says which level a style has; the style's own word counts where it does not."""
    for depth, level in found.levels.items() if found is not None else ():
        if level.style_id and level.style_id in style.ids:
            return depth
    return style.list_level or 0


def _shown(found: _List, level: _Level, counts: dict[int, int]) -> str:
    if level.format == "bullet":
        return BULLET

    def number(match: re.Match[str]) -> str:
        depth = int(match[1]) - 1
        other = found.levels.get(depth)
        if other is None or other.format in ("none", "bullet"):
            return ""
        count = counts.get(depth, found.starts.get(depth, other.start))
        return in_format(count, "decimal") if level.is_decimal else _counted(count, other.format)

    text = _PLACE.sub(number, level.text)
    return text if not text or level.suffix == "nothing" else f"{text.rstrip()} "


def _counted(count: int, format: str) -> str:
    """A format such as `001, 002, ...` gives the number of digits."""
    if format[:1] == "0":
        return f"{count:0{min(len(format.partition(',')[0]), 9)}}"
    return in_format(count, format)


def _read_list(number: Any, look: Any) -> _List:
    levels = _read_levels(look)
    starts = {}
    for override in number.iterchildren(f"{W}lvlOverride"):
        depth = level_of(override.get(f"{W}ilvl", ""))
        if depth is None:
            continue
        own = _read_levels(override)
        levels |= own
        start = _whole(value(override, f"{W}startOverride"), -1)
        if start < 0 and own:
            start = own[min(own)].start
        if start >= 0:
            starts[depth] = start
    return _List(look=look.get(f"{W}abstractNumId", ""), levels=levels, starts=starts)


def _read_levels(parent: Any) -> dict[int, _Level]:
    levels = {}
    for level in parent.iterchildren(f"{W}lvl"):
        depth = level_of(level.get(f"{W}ilvl", ""))
        if depth is None:
            continue
        format = level.find(f".//{W}numFmt")
        shown = format.get(VAL, "decimal") if format is not None else "decimal"
        if shown == "custom":
            shown = format.get(f"{W}format", "decimal")
        restart = value(level, f"{W}lvlRestart")
        levels[depth] = _Level(
            start=_whole(value(level, f"{W}start"), 0),
            format=shown,
            text=value(level, f"{W}lvlText"),
            is_decimal=is_on(level.find(f"{W}isLgl"), VAL),
            restarts_after=_whole(restart, 0) if restart else None,
            suffix=value(level, f"{W}suff"),
            style_id=value(level, f"{W}pStyle"),
        )
    return levels


def _whole(text: str, default: int) -> int:
    return (
        min(int(text), _LARGEST)
        if text.isascii() and text.isdigit() and len(text) < 12
        else default
    )
