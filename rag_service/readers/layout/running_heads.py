"""Running heads and page numbers: what stands at the edge of most pages, apart, word for word.

Digits are content. They may differ from page to page only where they count the pages.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from rag_service.readers.layout.page_line import PageLine
from rag_service.readers.outline import Outline, one_line

_EDGE_LINES = 3
"""So many lines at the top of each page, and at its bottom, may be running heads."""
_APART = 1.4
"""Times the usual space between lines: between a running head and the rest of its page."""
_FEWEST_REPEATS = 3
_MOST_PAGES = 0.6
"""Of all pages, or of the odd or the even ones."""
_FORM_SHARE = 0.4
"""Pages that have so many lines in common, but for their digits, are of one form: each is a
document of its own, such as an invoice, and its head is its own."""

_DIGITS = re.compile(r"\d+")
_A_PAGE = r"page|seite|pagina|página|strana|strona|sida|side|sivu|стр|страница|pages|seiten|pg|p|s"
_OF = r"of|von|sur|de|di|av|z|ze|van|iz|из"
_PAGE_WORDS = re.compile(rf"(?:\b(?:{_A_PAGE}|{_OF}|no|nr)\b|[第页頁ページ共]|[\W_])+", re.I)
_PAGE_NUMBER = re.compile(
    rf"(?:.*?(?:\b(?:{_A_PAGE})\b\.?|[|·•第])|\W*)\s*#(?:\s*(?:{_OF}|/)\s*#)?[\W页頁ペジー]*"
    r"|\W*#\s*[|·•].*",
    re.I | re.S,
)
"""What a page number may look like: alone, after a word for it, or parted from words beside it."""


def without_running_heads(
    pages: Sequence[Sequence[PageLine]], outline: Outline
) -> list[list[PageLine]]:
    """The lines in their order, without those that are running heads; they are told."""
    if len(pages) < _FEWEST_REPEATS:
        return [list(lines) for lines in pages]
    places: dict[tuple[str, bool], list[tuple[int, PageLine]]] = {}
    for number, lines in enumerate(pages):
        for line, is_top in _edges(lines):
            places.setdefault((_masked(line), is_top), []).append((number, line))
    is_form = _is_form(pages)
    dropped = {
        id(line)
        for (text, _), found in places.items()
        if not (is_form and _has_words(text))
        for line in _running(text, found, len(pages))
    }
    kept = [[line for line in lines if id(line) not in dropped] for lines in pages]
    for number, (before, after) in enumerate(zip(pages, kept, strict=True), 1):
        if len(before) > len(after):
            outline.leave_out(
                "line at a page edge taken for a running head",
                "lines at page edges taken for running heads",
                count=len(before) - len(after),
                where=f"page {number}",
            )
    return kept


def _has_words(text: str) -> bool:
    """Besides those that stand beside page numbers."""
    return bool(_PAGE_WORDS.sub("", text.replace("#", "")))


def _masked(line: PageLine) -> str:
    return _DIGITS.sub("#", one_line(line.text))


def _edges(lines: Sequence[PageLine]) -> list[tuple[PageLine, bool]]:
    """The lines above the first wide space of the page, and those below the last."""
    bases = sorted({line.base for line in lines}, reverse=True)
    spaces = [above - below for above, below in pairwise(bases)]
    if not spaces:
        return [(line, True) for line in lines]
    wide = _APART * max(median(spaces), min(line.size for line in lines))
    top = next((n for n, space in enumerate(spaces[:_EDGE_LINES]) if space > wide), -1)
    low = next((n for n, space in enumerate(spaces[::-1][:_EDGE_LINES]) if space > wide), -1)
    upper = bases[top] if top >= 0 else float("inf")
    lower = bases[-1 - low] if low >= 0 else float("-inf")
    return [(line, line.base >= upper) for line in lines if not lower < line.base < upper]


def _is_form(pages: Sequence[Sequence[PageLine]]) -> bool:
    """Whether the pages have much in common besides what stands at most pages of any book."""
    found: Counter[str] = Counter()
    for lines in pages:
        # rows of a table look alike, too, but on the same page already
        texts = Counter(map(_masked, lines))
        found.update(text for text, count in texts.items() if count <= 2 and len(text) > 1)
    common = {text for text, count in found.items() if count >= _MOST_PAGES * len(pages)}
    shares = [
        sum(_masked(line) in common for line in lines) / len(lines) for lines in pages if lines
    ]
    return bool(shares) and median(shares) >= _FORM_SHARE


def _running(text: str, found: list[tuple[int, PageLine]], pages: int) -> Iterator[PageLine]:
    """Those that say the same on most pages, or on most of the odd or the even ones."""
    groups: dict[object, list[tuple[int, PageLine]]] = {}
    is_number = _PAGE_NUMBER.fullmatch(text) is not None
    for number, line in found:
        key = _without_page(line, number) if is_number else one_line(line.text)
        groups.setdefault(key, []).append((number, line))
    for group in groups.values():
        numbers = {number for number, _ in group}
        if len(numbers) >= _FEWEST_REPEATS and (
            (is_number and not _has_words(text)) or _are_most(numbers, pages)
        ):
            yield from (line for _, line in group)


def _without_page(line: PageLine, number: int) -> object:
    """What the line says besides the page's number: how far its first number is from that; what
    else there is, such as the count of pages, is the same on all."""
    first, *others = _DIGITS.findall(line.text)
    return _DIGITS.sub("#", one_line(line.text)), int(first[:9]) - number, tuple(others)


def _are_most(numbers: set[int], pages: int) -> bool:
    odd = sum(number % 2 for number in numbers)
    return (
        len(numbers) >= _MOST_PAGES * pages
        or odd >= max(_FEWEST_REPEATS, _MOST_PAGES * (pages // 2))
        or len(numbers) - odd >= max(_FEWEST_REPEATS, _MOST_PAGES * ((pages + 1) // 2))
    )
