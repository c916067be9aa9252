"""Text that lies on a page in boxes, what is filled into a form above all -> lines of the page."""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from statistics import median

from msgspec import Struct
from msgspec.structs import replace

from rag_service.readers.layout import PageLine
from rag_service.readers.layout.rulings import Box, Grid
from rag_service.readers.outline import one_line

_USUAL_SIZE = 10.0
_PITCH = 1.2
"""In sizes of the text."""
_LABEL_REACH = 12
"""In sizes of the text: no further away is the label that stands beside a box."""
_BOX_REACH = 2.5
"""In heights of a box to tick: between its left edge and its words."""
_LEADER = re.compile(r"[_.\u2026\u00b7]{3,}\s*")
"""Drawn as text where something is to be filled in."""
_OPEN_LEADER = re.compile(r"\s*(?:_+|[.\u2026\u00b7]{3,})\Z")
_CLOSING = frozenset(",.;:!?)")
_LETTER_WIDTH = 0.55
"""In sizes of the text: about."""

Read = Callable[[Box], str]
"""The page's own text within a box."""


class PlacedText(Struct, frozen=True, kw_only=True):
    """Text in a box of the page."""

    text: str
    box: Box
    size: float = 0
    """0 is not known."""
    label: str = ""
    """What to call it where nothing on the page does."""
    is_box: bool = False
    """One to tick."""
    is_note: bool = False
    """It was typed onto the page, and may lie beside or over text that it is no part of."""

    @property
    def middle(self) -> tuple[float, float]:
        left, bottom, right, top = self.box
        return (left + right) / 2, (bottom + top) / 2


def fill_cells(
    grid: Grid, rows: Sequence[tuple[str, ...]], texts: Sequence[PlacedText], read: Read
) -> tuple[list[tuple[str, ...]], list[PlacedText]]:
    """The rows with the texts that lie in their cells; and the other texts."""
    left = list(texts)
    filled = []
    for boxes, row in zip(grid.rows(), rows, strict=True):
        cells = list(row)
        inside = [text for text in left if boxes[0][1] <= text.middle[1] < boxes[0][3]]
        for at, box in enumerate(boxes if inside else []):
            own = [text for text in inside if box[0] <= text.middle[0] < box[2]]
            if own:
                cells[at] = _filled(box, cells[at], own, read)
                gone = set(map(id, own))
                left = [text for text in left if id(text) not in gone]
        filled.append(tuple(cells))
    return filled, left


def with_texts(
    lines: Sequence[PageLine], texts: Sequence[PlacedText], read: Read
) -> list[PageLine]:
    """The lines, and each text where it is seen; a note that lies beside other text comes last."""
    if not texts:
        return list(lines)
    page = _Lines(lines)
    within: dict[int, list[PlacedText]] = {}
    added: list[PageLine] = []
    last: list[PlacedText] = []
    for text in texts:
        beside = page.beside(text)
        crossed = next((at for at in beside if _crosses(text, lines[at])), None)
        if text.is_note and not _is_filled_in(text, [lines[at] for at in beside]):
            last.append(text)
        elif crossed is not None and not text.is_note:
            within.setdefault(crossed, []).append(text)
        else:
            added += _own_lines(text, lines, beside, page)
    found = list(lines)
    for at, own in within.items():
        found[at] = _filled_line(lines[at], own, read)
    return below([*found, *added], [line for text in last for line in _plain(text, page.size)])


def below(lines: list[PageLine], others: Sequence[PageLine]) -> list[PageLine]:
    """The others after the lines, far enough below that they are no part of what is there."""
    if not others or not lines:
        return [*lines, *others]
    lowest = min(line.base for line in lines)
    highest = max(line.base for line in others)
    shift = lowest - highest - 5 * max(line.size for line in others)
    return [*lines, *(replace(line, base=line.base + shift) for line in others)]


def plain_lines(texts: Iterable[PlacedText]) -> list[PageLine]:
    """Lines of their own, with their labels: for a page without other text."""
    labelled = (
        replace(text, text=f"{text.label}: {text.text}" if text.label else text.text)
        for text in texts
    )
    return [line for text in labelled for line in _plain(text, text.size or _USUAL_SIZE)]


class _Lines:
    """Finds the lines at a height."""

    def __init__(self, lines: Sequence[PageLine]) -> None:
        self._lines = lines
        self._order = sorted(range(len(lines)), key=lambda at: lines[at].base)
        self._bases = [lines[at].base for at in self._order]
        self.size = median([line.size for line in lines]) if lines else 0.0

    def between(self, low: float, high: float) -> list[int]:
        return self._order[bisect_left(self._bases, low) : bisect_right(self._bases, high)]

    def beside(self, text: PlacedText) -> list[int]:
        """Those at the height of the text, the nearest first; of a tall one, of its first line."""
        left, bottom, right, top = text.box
        height = top - bottom
        if height > 2.5 * self.size and not text.is_note:
            bottom = top - 2 * self.size
        near = [
            at
            for at in self.between(bottom - 0.5 * self.size, top)
            if _overlap(self._lines[at], bottom, top)
            >= 0.5 * min(self._lines[at].size, max(height, 1))
        ]
        return sorted(near, key=lambda at: _distance(self._lines[at], left, right))


def _overlap(line: PageLine, bottom: float, top: float) -> float:
    return min(line.base + 0.75 * line.size, top) - max(line.base - 0.25 * line.size, bottom)


def _distance(line: PageLine, left: float, right: float) -> float:
    return max(line.left - right, left - line.right, 0.0)


def _crosses(text: PlacedText, line: PageLine) -> bool:
    return not line.is_ruled and any(_starts_in(text, *span) for span in _spans(line))


def _starts_in(text: PlacedText, left: float, right: float) -> bool:
    """A box to tick also just before the words that it belongs to."""
    reach = _BOX_REACH * (text.box[3] - text.box[1]) if text.is_box else 2
    return left - reach <= text.box[0] < right - 2


def _spans(line: PageLine) -> tuple[tuple[float, float], ...]:
    return line.spans or ((line.left, line.right),)


def _is_filled_in(text: PlacedText, beside: Sequence[PageLine]) -> bool:
    """Whether a note answers a label, or stands alone."""
    before = [line for line in beside if line.right <= text.box[0] + line.size]
    over = any(_crosses(text, line) and _LEADER.search(line.text) for line in beside)
    return not beside or over or (len(before) == len(beside) and before[0].text.endswith(":"))


def _filled(box: Box, text: str, own: Sequence[PlacedText], read: Read) -> str:
    """The text of a box, and each of the others where it begins; after it, where a letter of it
    would be lost or doubled."""
    left, lowest, right, top = box
    slices: list[str] = []
    found = ""
    rows = _rows(own)
    for at, row in enumerate(rows):
        after = rows[at + 1] if at + 1 < len(rows) else []
        bottom = _between(row, after) if after else lowest
        start, before = left, ""
        for one in sorted(row, key=lambda one: one.box[0]):
            if one.box[0] > start:
                slices.append(read((start, bottom, one.box[0], top)))
                found = _joined(found, _without_leader(slices[-1], before))
            found = _joined(found if one.is_box else _OPEN_LEADER.sub("", found), one.text)
            start, before = max(start, one.box[0]), "" if one.is_box else one.text
        slices.append(read((start, bottom, right, top)))
        found = _joined(found, _without_leader(slices[-1], before))
        top = bottom
    if _letters("".join(slices)) != _letters(text):
        found = " ".join((text, *(one.text for one in own)))
    return one_line(found)


def _between(row: Sequence[PlacedText], after: Sequence[PlacedText]) -> float:
    return (min(text.box[1] for text in row) + max(text.box[3] for text in after)) / 2


def _joined(before: str, after: str) -> str:
    return f"{before}{'' if after[:1] in _CLOSING else ' '}{after}" if before else after


def _letters(text: str) -> Counter[str]:
    return Counter(filter(str.isalnum, text))


def _rows(texts: Sequence[PlacedText]) -> list[list[PlacedText]]:
    rows: list[list[PlacedText]] = []
    for text in sorted(texts, key=lambda text: -text.middle[1]):
        if rows and text.middle[1] > min(above.box[1] for above in rows[-1]):
            rows[-1].append(text)
        else:
            rows.append([text])
    return rows


def _without_leader(text: str, before: str) -> str:
    """What was drawn to be written on is gone where something is."""
    leader = _LEADER.match(text) if before else None
    return text[leader.end() :] if leader else text


def _filled_line(line: PageLine, texts: Sequence[PlacedText], read: Read) -> PageLine:
    low, high = line.base - 0.25 * line.size, line.base + 0.75 * line.size
    cells = list(line.cells or (line.text,))
    for at, (left, right) in enumerate(_spans(line)):
        own = [text for text in texts if _starts_in(text, left, right)]
        if own:
            texts = [text for text in texts if not _starts_in(text, left, right)]
            cells[at] = _filled((left - 1, low, right + 1, high), cells[at], own, read)
    return replace(line, text=" ".join(cells), cells=tuple(cells) if line.cells else ())


def _own_lines(
    text: PlacedText, lines: Sequence[PageLine], beside: Sequence[int], page: _Lines
) -> list[PageLine]:
    """On the baseline of the line beside it; with its label where it has none on the page."""
    size = page.size or text.size or _USUAL_SIZE
    if not _is_labelled(text, lines, beside, page) and text.label and not text.is_note:
        text = replace(text, text=f"{text.label}: {text.text}")
    placed = _plain(text, size)
    if beside and placed:
        shift = lines[beside[0]].base - placed[0].base
        placed = [replace(line, base=line.base + shift) for line in placed]
    return placed


def _is_labelled(
    text: PlacedText, lines: Sequence[PageLine], beside: Sequence[int], page: _Lines
) -> bool:
    left, bottom, right, top = text.box
    reach = _LABEL_REACH * page.size
    for at in beside:
        line = lines[at]
        is_before = line.left < left and left - line.right < reach
        is_after = text.is_box and line.right > right and line.left - right < reach
        if is_before or is_after:
            return True
    close = [*page.between(top - page.size / 2, top + page.size)]
    close += page.between(bottom - 1.5 * page.size, bottom)
    return any(lines[at].left < right and left < lines[at].right for at in close)


def _plain(text: PlacedText, size: float) -> list[PageLine]:
    """A line for each line of the text, from the top of its box; one line in the middle of it."""
    left, bottom, right, top = text.box
    rows = [row for row in map(one_line, re.split(r"\r\n|[\r\n]", text.text)) if row]
    is_single = len(rows) == 1 and top - bottom < 2.5 * size
    base = (bottom + top) / 2 - 0.3 * size if is_single else top - size
    return [
        PageLine(
            text=row,
            left=left,
            right=max(left + 1, min(right, left + _LETTER_WIDTH * size * len(row))),
            base=base - _PITCH * size * number,
            size=size,
        )
        for number, row in enumerate(rows)
    ]
