"""The numbers in square brackets by which an answer names its passages. Pure."""

import re
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_CITED = re.compile(r"\[\s?(\d{1,3}(?:\s?[,;]\s?\d{1,3})*)\s?\]")
_BEGUN = re.compile(r"\[[\d,;\s]{0,40}\Z")
_BETWEEN = re.compile(r"\s?[,;]\s?")


class Citations:
    """Numbers the passages anew as an answer comes: what is cited first is [1]."""

    def __init__(self, passages: int) -> None:
        """`passages` is how many the model was given; a number beyond them cites none."""
        self._passages = passages
        self._held = ""
        self._cited: list[int] = []

    def read(self, piece: str) -> str:
        """The text so far that was not returned before, but for a citation that is not over."""
        text = self._held + piece
        begun = _BEGUN.search(text)
        end = begun.start() if begun else len(text)
        self._held = text[end:]
        return _CITED.sub(self._numbered, text[:end])

    def end(self) -> str:
        """What was held back, when nothing follows."""
        held, self._held = self._held, ""
        return held

    def part(self, passages: Sequence[T]) -> tuple[list[T], list[T]]:
        """Those that were cited, in the order of their numbers, and the others. All count as cited
        where no number tells which of them the answer was made of."""
        if not self._cited:
            return list(passages), []
        rest = [one for at, one in enumerate(passages) if at not in self._cited]
        return [passages[at] for at in self._cited], rest

    def _numbered(self, citation: re.Match[str]) -> str:
        numbers = [int(number) for number in _BETWEEN.split(citation[1])]
        if not all(0 < number <= self._passages for number in numbers):
            return citation[0]
        return "".join(f"[{self._number(number - 1)}]" for number in dict.fromkeys(numbers))

    def _number(self, passage: int) -> int:
        if passage not in self._cited:
            self._cited.append(passage)
        return self._cited.index(passage) + 1
