"""A passage in spans of about a sentence: as finely as it is compared with a question. Pure."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

Span = tuple[int, int]
"""Characters [start, end) of a text."""


class NearSpan(NamedTuple):
    """Characters [start, end) of a passage's text, and how near to a question they come."""

    start: int
    end: int
    nearness: float
    """0 for chance, 1 for what answers typically have."""


SHORTEST = 40
"""Characters. A shorter sentence or line says too little by itself and goes with the next one."""
MOST = 12
"""Spans of one text; where there would be more, the shortest neighbours go together."""

TEXTS_READ = 1024
"""The texts whose spans are remembered: questions meet the same passages."""

_END = re.compile(
    r"(?<=[.!?\u2026])[\"'\u201d\u2019)\]]*\s+|\n+|(?<=[\u3002\uff01\uff1f\u0964\u06d4\u061f])\s*"
)


@lru_cache(TEXTS_READ)
def spans(text: str) -> tuple[Span, ...]:
    """In order and without overlap; every character that is not white space is in one of them.

    The same text always gives the same spans.
    """
    found: list[Span] = []
    for start, end in _pieces(text):
        if found and found[-1][1] - found[-1][0] < SHORTEST:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    if len(found) > 1 and found[-1][1] - found[-1][0] < SHORTEST:
        _join(found, len(found) - 2)
    while len(found) > MOST:
        _join(found, min(range(len(found) - 1), key=lambda at: found[at + 1][1] - found[at][0]))
    return tuple(found)


def _pieces(text: str) -> Iterator[Span]:
    start = 0
    for match in _END.finditer(text):
        if match.end() > start and text[start : match.end()].strip():
            yield start, match.end()
            start = match.end()
    if text[start:].strip():
        yield start, len(text)


def _join(found: list[Span], at: int) -> None:
    found[at : at + 2] = [(found[at][0], found[at + 1][1])]
