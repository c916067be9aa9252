"""Words by their beginnings: no language is needed to tell that two texts speak of the same."""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

_STOPWORDS = """a an the of to and or in on at for from by with as is are was were be been being am
do does did has have had can could may might will would shall should must i you he she it we they
me my your his her its our their them this that these those there here what which who whom whose
when where why how if than then so any some about into over please tell give find name much
many type kind s t"""


_WORDS = re.compile(r"[^\W_]+")
_RUNS = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\U00020000-\U0003ffff]+")
_STEM = 5
"""Letters that make a word: as good as an English stemmer here, and good for other languages."""


def stems(text: str) -> list[str]:
    """Beginnings of words without case and accents; overlapping pairs of characters in CJK."""
    text, found = text.casefold(), []
    if not text.isascii():
        for run in _RUNS.findall(text):
            found += [run[at : at + 2] for at in range(len(run) - 1)] or [run]
        text = unicodedata.normalize("NFKD", _RUNS.sub(" ", text))
        text = "".join(letter for letter in text if not unicodedata.combining(letter))
    return [word[:_STEM] for word in _WORDS.findall(text)] + found


def informative(terms: Iterable[str]) -> list[str]:
    """Those that mean something by themselves; the others are known in English only."""
    return [term for term in terms if term not in _stopwords()]


@cache
def _stopwords() -> frozenset[str]:
    return frozenset(stems(_STOPWORDS))
