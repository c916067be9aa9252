"""How alike two questions are. Pure.

A question becomes a row of numbers, and the likeness of two of them is one product of their rows.
So the mean likeness of two clusters is the product of their mean rows, whatever their size.

A row has four parts. The *meaning* is the vector of the model, seen from the middle of what this
bot is asked: there, questions about different things have a cosine of about 0 with any model, and
in any corpus of one subject. The *words* are the informative stems; rare ones weigh more. The
*marks* are names and numbers; two questions lose where both have some, and different ones. The
*crowd* is how near the nearest questions come: where many lie near each other, less of nearness is
one thing (as in CSLS, Conneau et al. 2018).
"""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from math import ceil, log, sqrt

import numpy as np
from numpy.typing import NDArray

from rag_service.documents import Vectors
from rag_service.gaps.marks import names_of, numbers_of
from rag_service.knowledge.finding.scale import Scale
from rag_service.texts.stems import informative, stems

Rows = NDArray[np.float32]
"""Shape (questions, width). The meaning has length 1."""

WORDS_SHARE = 0.2
"""What having all words in common adds to a cosine. What these shares bring is in
benchmarks/README.md."""
MARKS_SHARE = 0.6
"""What having different names takes off, and different numbers: a guess."""
NEIGHBOURS = 10
NEIGHBOUR_FROM = 0.3
"""A question's meaning is drawn towards those that are likest it, each by its likeness beyond
this: several wordings of one thing come together, and what lies between two things parts."""
CROWD = 30
CROWD_SHARE = 0.25
"""Of the mean likeness to the nearest ones, what is taken off, compared with other questions'."""
_WORDS, _MARKS = 128, 16
"""Columns. Words, names and numbers are put into them by their digests (feature hashing,
Weinberger et al. 2009)."""
_OWN_MIDDLE = 16
"""Questions. At this many different ones, the middle of the bot's questions and that of questions
about all kinds of things count half each."""
_SAME = 0.7
"""The cosine from which questions count as one for the middle."""
_SAMPLE = 2000
"""Questions that the middle is taken of."""


class Likeness:
    """As learnt from these questions, the same whatever their order."""

    def __init__(self, scale: Scale, vectors: Vectors, texts: Sequence[str]) -> None:
        self._middle = _middle(scale, vectors)
        self._found = Counter(stem for text in texts for stem in _stems(text))
        self._questions = len(texts)
        self.dimension = len(self._middle)
        self._words_from = self.dimension
        self._marks_from = self._words_from + _WORDS
        self._crowd_from = self._marks_from + 2 * _MARKS
        self.width = self._crowd_from + 2
        self.signs = np.ones(self.width, np.float32)
        self.signs[self._marks_from : self._crowd_from : _MARKS] = -1.0
        self.signs[self._crowd_from] = -1.0

    def rows(self, vectors: Vectors, texts: Sequence[str]) -> Rows:
        """Of questions by themselves."""
        rows = np.zeros((len(texts), self.width), np.float32)
        rows[:, : self.dimension] = self.meanings(vectors)
        for row, text in zip(rows, texts, strict=True):
            row[self._words_from : self._marks_from] = self._words(text)
            row[self._marks_from : self._crowd_from] = _marks(text)
        rows[:, self._crowd_from :] = _crowd(np.zeros(len(texts), np.float32))
        return rows

    def meanings(self, vectors: Vectors) -> Rows:
        """The first columns of their rows."""
        return _unit(vectors - self._middle)

    def mirrored(self, rows: Rows) -> Rows:
        """What a row is multiplied with for a likeness: `mirrored(some) @ others.T`."""
        mirrored: Rows = rows * self.signs
        return mirrored

    def drawn(self, rows: Rows, neighbours: Rows, likeness: Rows) -> Rows:
        """The rows, each meaning drawn towards those of its neighbours, shape (questions,
        neighbours, width), by the likeness to them, shape (questions, neighbours)."""
        weights = np.maximum(likeness - NEIGHBOUR_FROM, 0.0)
        drawn = rows.copy()
        meanings = neighbours[:, :, : self.dimension]
        drawn[:, : self.dimension] += np.einsum("qn,qnd->qd", weights, meanings)
        drawn[:, : self.dimension] = _unit(drawn[:, : self.dimension])
        return drawn

    def put_in_crowd(self, rows: Rows, crowding: Rows) -> None:
        """Note beside each row how much more crowded it is where it lies than elsewhere."""
        rows[:, self._crowd_from :] = _crowd(CROWD_SHARE * crowding)

    def _words(self, text: str) -> Rows:
        weights = {
            stem: log(1 + self._questions / max(1, self._found[stem])) for stem in _stems(text)
        }
        return _hashed(weights, _WORDS, sqrt(WORDS_SHARE))


def crowding(likeness: Rows) -> Rows:
    """Of the likeness to the nearest CROWD questions, or fewer where there are no more."""
    near: Rows = np.maximum(likeness, 0.0).sum(axis=1) / CROWD
    return near


def _middle(scale: Scale, vectors: Vectors) -> Rows:
    """Many ways to ask the same count as one: a bot that is asked one thing has no middle yet."""
    usual = scale.probes.mean(axis=0)
    sample = vectors[:: max(1, ceil(len(vectors) / _SAMPLE))]
    meanings = _unit(sample - usual)
    weights = 1 / np.maximum((meanings @ meanings.T >= _SAME).sum(axis=1), 1)
    total = weights @ sample + _OWN_MIDDLE * usual
    return np.asarray(total / (weights.sum() + _OWN_MIDDLE), np.float32)


def _stems(text: str) -> list[str]:
    """Each once, in an order that is always the same."""
    return sorted(set(informative(stems(text))))


def _marks(text: str) -> Rows:
    """Of numbers and of names: a column that tells that there are some, which is what different
    ones lose, and those that tell which."""
    row = np.zeros((2, _MARKS), np.float32)
    for part, words in zip(row, (numbers_of(text), names_of(text)), strict=True):
        if words:
            part[0] = sqrt(MARKS_SHARE)
            part[1:] = _hashed(dict.fromkeys(sorted(words), 1.0), _MARKS - 1, sqrt(MARKS_SHARE))
    return row.ravel()


def _hashed(weights: dict[str, float], columns: int, length: float) -> Rows:
    row = np.zeros(columns, np.float32)
    for word, weight in weights.items():
        place, sign = _place(word)
        row[place % columns] += sign * weight
    row *= length / max(float(np.linalg.norm(row)), 1e-9)
    return row


@lru_cache(1 << 16)
def _place(word: str) -> tuple[int, float]:
    digest = int.from_bytes(blake2b(word.encode(errors="replace"), digest_size=8).digest())
    return digest >> 1, 1.0 if digest & 1 else -1.0


def _crowd(extra: Rows) -> Rows:
    """Columns with signs - and +, whose product is minus the sum of the two numbers."""
    return np.stack([1 + extra, extra - 1], axis=1) / np.float32(sqrt(2))


def _unit(rows: Rows) -> Rows:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-9), np.float32)
