"""Whether a hyphen at the end of a line belongs to the word: the rest of the document tells."""

import re

from rag_service.readers.layout.page_line import PageLine

_WORDS = re.compile(r"\w+(?:-\w+)*")
_LAST_WORD = re.compile(r"\w+(?:-\w+)*\Z")
_COMPOUNDING = frozenset(
    [
        "all",
        "cross",
        "full",
        "half",
        "high",
        "long",
        "low",
        "mid",
        "multi",
        "non",
        "one",
        "self",
        "well",
    ]
)


class Words:
    """The words of the document, to tell whether a hyphen at a line's end belongs to the word."""

    def __init__(self, pages: list[list[PageLine]]) -> None:
        self._known: set[str] | None = None
        self._pages = pages

    def join(self, before: str, after: str) -> str:
        """`before` has lost its hyphen."""
        left, right = _LAST_WORD.search(before), _WORDS.match(after)
        if left is None or right is None:
            return f"{before}-{after}"
        return f"{before}{'-' if self._keeps(left[0], right[0]) else ''}{after}"

    def _keeps(self, left: str, right: str) -> bool:
        known = self._all()
        first, last = left.lower(), right.lower()
        if f"{first}-{last}" in known or not last[0].isalpha() or right[0].isupper():
            return True
        if first + last in known:
            return False
        halves = first in known and last in known and len(first) > 2
        return "-" in first or first in _COMPOUNDING or halves

    def _all(self) -> set[str]:
        if self._known is None:
            self._known = set()
            for lines in self._pages:
                broken = False
                for line in lines:
                    words = _WORDS.findall(line.text.lower())
                    # a half of a broken word is none
                    self._known.update(words[broken : len(words) - line.hyphen])
                    broken = line.hyphen
        return self._known
