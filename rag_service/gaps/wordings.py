"""The different texts of a bot's questions, each with its vector and its row for comparing."""

import re
from collections.abc import Iterable, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from rag_service.gaps.likeness import CROWD, NEIGHBOURS, Likeness, Rows, crowding
from rag_service.gaps.linkage import Points, nearest_rows
from rag_service.gaps.marks import codes_of
from rag_service.gaps.matrix import Matrix
from rag_service.knowledge.finding.scale import Scale
from rag_service.texts.scripts import fold

_BLOCK = 256
"""Wordings that are compared with their neighbours at once."""
_LAST_MARKS = re.compile(r"[\s?!.\u2026\u3002\uff01\uff1f\u061f]+$")


class Question(Struct, frozen=True, kw_only=True):
    """`text` is what was searched, `vector` what the embedder gives for it as a query; shape
    (dimension,)."""

    id: int
    text: str
    vector: NDArray[np.float32]


class Wording(Struct, kw_only=True, eq=False):
    """A text, the questions that were put in it, and the number of its rows."""

    text: str
    key: str
    """The same for texts that differ in case, spaces and last punctuation marks alone."""
    row: int
    codes: int
    """The same for texts with the same codes; 0 where there are none."""
    label: int
    questions: list[int]


class Wordings:
    """Memory: two bytes for each number of a vector, twice, and while all are drawn, four more."""

    def __init__(self, scale: Scale) -> None:
        self.likeness = Likeness(scale, scale.probes[:0], [])
        self._scale = scale
        self._vectors = Matrix(self.likeness.dimension, np.float16)
        self._rows = Matrix(self.likeness.width, np.float16)
        self._of_key: dict[str, list[Wording]] = {}
        self._codes = {"": 0}
        self._count = 0
        self._usual: float | None = None
        """How crowded it is around a question, where that was measured."""

    def __len__(self) -> int:
        return self._count

    def like(self, text: str) -> list[Wording]:
        """Those that differ from this text in case, spaces and last punctuation marks at most."""
        return self._of_key.get(_key(text), [])

    def all(self) -> list[Wording]:
        """In an order that depends on the texts alone."""
        return sorted(
            (wording for same in self._of_key.values() for wording in same),
            key=lambda wording: (wording.text, wording.label),
        )

    def codes_of(self, text: str) -> int:
        return self._codes.setdefault(codes_of(text), len(self._codes))

    def write(self, question: Question, row: Rows, label: int) -> Wording:
        """A new one, without questions."""
        wording = Wording(
            text=spaced(question.text),
            key=_key(question.text),
            row=self._vectors.add(question.vector),
            codes=self.codes_of(question.text),
            label=label,
            questions=[],
        )
        self._rows.add(row)  # under the same number
        self._of_key.setdefault(wording.key, []).append(wording)
        self._count += 1
        return wording

    def drop(self, wording: Wording) -> None:
        self._vectors.remove(wording.row)
        self._rows.remove(wording.row)
        same = self._of_key[wording.key]
        same.remove(wording)
        self._count -= 1
        if not same:
            del self._of_key[wording.key]

    def rows(self, wordings: Sequence[Wording]) -> Rows:
        """As they are compared: drawn towards their neighbours."""
        found: Rows = self._rows.rows[_numbers(wordings)].astype(np.float32)
        return found

    def alone(self, question: Question) -> Rows:
        """The row of a question by itself."""
        return np.asarray(self.likeness.rows(question.vector[None], [spaced(question.text)])[0])

    def among(self, row: Rows, others: Sequence[Wording]) -> Rows:
        """The row of a question, drawn towards the likest of these."""
        if not others:
            return row
        fresh = self.rows(others)
        fresh[:, : self.likeness.dimension] = self.likeness.meanings(self._vectors_of(others))
        self.likeness.put_in_crowd(fresh, np.zeros(len(others), np.float32))
        likeness = fresh @ self.likeness.mirrored(row)
        best = np.argsort(-likeness, kind="stable")[:CROWD]
        near = best[:NEIGHBOURS]
        drawn = self.likeness.drawn(row[None], fresh[near][None], likeness[near][None])
        if self._usual is not None:
            self.likeness.put_in_crowd(drawn, crowding(likeness[best][None]) - self._usual)
        return np.asarray(drawn[0])

    def learn(self) -> None:
        """What is common in the questions, and what is rare, from all that are there by now."""
        wordings = self.all()
        texts = [wording.text for wording in wordings]
        self.likeness = Likeness(self._scale, self._vectors_of(wordings), texts)

    def draw_within(self, clusters: Iterable[Sequence[Wording]]) -> None:
        """Draw each towards the likest of its own cluster: quick, and near to `draw_all`."""
        self._usual = None
        for wordings in clusters:
            for start in range(0, len(wordings), _BLOCK):
                self._draw(wordings[start : start + _BLOCK])

    def draw_all(self) -> None:
        """Draw each towards the likest of all. Time grows with the square of them."""
        wordings = self.all()
        found = self._draw(wordings)
        self._usual = usual = float(found.mean()) if wordings else 0.0
        for start in range(0, len(wordings), _BLOCK):
            here = slice(start, start + _BLOCK)
            numbers = _numbers(wordings[here])
            rows = self._rows.rows[numbers]
            self.likeness.put_in_crowd(rows, found[here] - usual)
            self._rows.rows[numbers] = rows

    def _draw(self, wordings: Sequence[Wording]) -> Rows:
        """How crowded it is around each."""
        found = np.zeros(len(wordings), np.float32)
        if not wordings:
            return found
        fresh = np.concatenate(
            [
                self._fresh(wordings[start : start + _BLOCK])
                for start in range(0, len(wordings), _BLOCK)
            ]
        )
        points = Points(
            means=fresh,
            signs=self.likeness.signs,
            sizes=np.ones(len(wordings), np.float32),
            codes=np.array([one.codes for one in wordings], np.int64),
        )
        numbers = np.array(_numbers(wordings))
        for rows, near, likeness in nearest_rows(points, CROWD, _BLOCK):
            found[rows] = crowding(likeness)
            self._rows.rows[numbers[rows]] = self.likeness.drawn(
                fresh[rows],
                fresh[near[:, :NEIGHBOURS]],
                likeness[:, :NEIGHBOURS],
            )
        return found

    def _fresh(self, wordings: Sequence[Wording]) -> Rows:
        """As the questions are by themselves."""
        return self.likeness.rows(self._vectors_of(wordings), [one.text for one in wordings])

    def _vectors_of(self, wordings: Sequence[Wording]) -> Rows:
        found: Rows = self._vectors.rows[_numbers(wordings)].astype(np.float32)
        return found


def spaced(text: str) -> str:
    return " ".join(text.split())


def _key(text: str) -> str:
    """Of signs alone, the signs."""
    folded = spaced(fold(text).casefold())
    return _LAST_MARKS.sub("", folded) or folded


def _numbers(wordings: Sequence[Wording]) -> list[int]:
    return [wording.row for wording in wordings]
