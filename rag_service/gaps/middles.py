"""The means of clusters, as a matrix in which the nearest ones are found at once."""

import numpy as np

from rag_service.gaps.linkage import Floats
from rag_service.gaps.matrix import Matrix


class Middles:
    """By label: the mean of the cluster's rows, how many they are, and what codes they have.

    Codes are a number; 0 for none, or for several, goes with any.
    """

    def __init__(self, width: int) -> None:
        self._means = Matrix(width, np.float32)
        self._codes = Matrix(1, np.int64)
        self._numbers: dict[int, int] = {}
        self._labels: dict[int, int] = {}
        self._sizes: dict[int, int] = {}

    def add(self, label: int, row: Floats, codes: int) -> None:
        """One more row of a cluster, which may be its first."""
        if label not in self._numbers:
            self.set(label, row[None], codes)
            return
        number = self._numbers[label]
        self._sizes[label] += 1
        mean = self._means.rows[number]
        mean += (row - mean) / self._sizes[label]
        self._codes.rows[number] = self._codes.rows[number] or codes

    def set(self, label: int, rows: Floats, codes: int) -> None:
        """All rows of a cluster, at least one."""
        self.drop(label)
        number = self._means.add(rows.mean(axis=0))
        self._codes.add(np.array([codes]))
        self._numbers[label], self._labels[number] = number, label
        self._sizes[label] = len(rows)

    def drop(self, label: int) -> None:
        if label in self._numbers:
            number = self._numbers.pop(label)
            del self._labels[number], self._sizes[label]
            self._means.remove(number)
            self._codes.remove(number)

    def nearest(self, row: Floats, columns: int, codes: int, count: int) -> list[int]:
        """The labels of the best by the product of these first columns, where codes agree; in no
        order."""
        if not self._labels:
            return []
        likeness = self._means.rows[:, :columns] @ row[:columns]
        theirs = self._codes.rows[:, 0]
        if codes:
            likeness[(theirs > 0) & (theirs != codes)] = -np.inf
        likeness[self._means.free] = -np.inf
        count = min(count, len(self._labels))
        best = np.argpartition(-likeness, max(0, count - 1))[:count]
        best = best[np.isfinite(likeness[best])]
        return [self._labels[number] for number in best.tolist()]

    def means(self, labels: list[int]) -> Floats:
        found: Floats = self._means.rows[[self._numbers[label] for label in labels]]
        return found
