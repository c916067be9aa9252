"""Words by their beginnings: no language is needed to tell that two texts speak of the same."""

from collections.abc import Iterable
from functools import cache

from rag_service.texts.scripts import WORD, fold, pieces, split_scripts

FUNCTION_WORDS = """
a an the of to and or in on at for from by with as is are was were be been being am
do does did has have had can could may might will would shall should must i you he she it we they
me my your his her its our their them this that these those there here what which who whom whose
when where why how if than then so any some about into over please tell give find name much
many type kind s t"""


_STEM = 5
"""Letters that make a word: as good as an English stemmer here, and good for other languages."""


def stems(text: str) -> list[str]:
    """Beginnings of words without case and accents; overlapping pieces in scripts without
    spaces."""
    spaced, runs = split_scripts(fold(text).casefold())
    words = [word[:_STEM] for word in WORD.findall(spaced)]
    return words + [piece for run in runs for piece in pieces(run)]


def informative(terms: Iterable[str]) -> list[str]:
    """Those that mean something by themselves; the others are known in English only."""
    return [term for term in terms if term not in _stopwords()]


@cache
def _stopwords() -> frozenset[str]:
    return frozenset(stems(FUNCTION_WORDS))
