"""What was meant where somebody mistyped: the nearest word that chunks have. Pure.

An error is a letter too many, too few, wrong, or changed with the next one (optimal string
alignment). Terms have lost their endings, where errors are made as well: so the terms that are near
are looked for first, and then the words they stand for are compared.
"""

from collections.abc import Iterable

from rapidfuzz import process
from rapidfuzz.distance import OSA

SHORTEST = 5
"""Letters. Shorter words have too many neighbours."""
LONG = 8
"""Letters of a word that may have two errors in it; a shorter one may have one."""
_NEAREST = 6
_ENDING = 4
"""Letters that a term may have lost."""


def near_terms(word: str, term: str, vocabulary: Iterable[tuple[str, int]]) -> list[str]:
    """Terms that the word may have been meant for, nearest first; `term` is what it is cut to.

    `vocabulary` has terms with the same first letter, and how many chunks have them.
    """
    if not len(word) >= SHORTEST or not word.isalpha():
        return []
    counts = dict(vocabulary)
    found = _within(_most(word), term, list(counts))
    for length in range(max(SHORTEST, len(word) - _ENDING - 1), len(word)):
        found = _within(1, word[:length], [t for t in counts if len(t) == length]) | found
    return sorted(found, key=lambda near: (found[near], -counts[near], near))[:_NEAREST]


def meant(word: str, others: Iterable[str]) -> str | None:
    """The one of the words with the fewest errors between, if they are few enough."""
    errors = {other: OSA.distance(word.lower(), other.lower()) for other in others}
    few = [other for other, count in errors.items() if count <= _most(word)]
    return min(few, key=lambda other: errors[other], default=None)


def _within(most: int, text: str, terms: list[str]) -> dict[str, int]:
    """The errors between the text and each term that has so few."""
    found = process.extract(text, terms, scorer=OSA.distance, score_cutoff=most, limit=None)
    return {term: int(errors) for term, errors, _ in found}


def _most(word: str) -> int:
    return 1 if len(word) < LONG else 2
