"""Headings in the size and weight of the text: lines that stand apart and read like a title."""

import re

from rag_service.readers.layout.markers import list_marker
from rag_service.readers.layout.page_line import PageLine

_LONGEST = 80
_FEWEST_LETTERS = 4
_OPEN_END = re.compile(r"[\w)\]\"'\u201d\u2019]\Z")
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
_SMALL_WORD = 4
"""Titles write words of so many letters in lower case: "of", "and", "with"."""


def is_plain_heading(
    before: PageLine | None, line: PageLine, after: PageLine | None, pitch: float
) -> bool:
    """`pitch` is the widest gap between lines of one paragraph, in sizes of the text.

    In capitals it stands apart from what is above it; with capital initials alone, from what is
    below it as well. What follows is longer, or a list: a row of short lines is no heading.
    """
    if after is None or line.cells or after.cells or len(line.text) > _LONGEST:
        return False
    if not _is_apart(before, line, pitch) or not _OPEN_END.search(line.text):
        return False
    if len(after.text) <= len(line.text) and list_marker(after.text) is None:
        return False
    if not _reads_like_a_title(line.text):
        return False
    if line.text.isupper():
        return not after.text.isupper()
    return _is_apart(line, after, pitch)


def _reads_like_a_title(text: str) -> bool:
    label, colon, _ = text.partition(":")
    if list_marker(text) or (colon and not label.isupper()):
        return False
    words = _WORD.findall(text)
    if sum(map(len, words)) < max(_FEWEST_LETTERS, len(text) / 2):
        return False
    return words[0][0].isupper() and all(
        word[0].isupper() or len(word) <= _SMALL_WORD for word in words
    )


def _is_apart(above: PageLine | None, below: PageLine, pitch: float) -> bool:
    """Also where another column or the page begins."""
    if above is None:
        return True
    gap = above.base - below.base
    return gap < 0 or gap > pitch * max(above.size, below.size)
