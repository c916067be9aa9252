"""The chunks of a bot that one search may find, where a filter says which."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]


class Rows(NamedTuple):
    """Those chunks among the rows of a sealed part."""

    ids: Ids
    """Of the sealed part, whole."""
    are_in: NDArray[np.bool_]
    """By row."""
    numbers: Ids
    """The rows that are in, ascending."""


class Selection:
    """`chunks` are in ascending order. It may hold chunks that are gone: views know which those
    are."""

    def __init__(self, chunks: Ids) -> None:
        self.chunks = chunks
        self._rows: Rows | None = None

    def has(self, chunks: Ids) -> NDArray[np.bool_]:
        """Of each of these chunks, in any order."""
        if not len(self.chunks):
            return np.zeros(len(chunks), np.bool_)
        places = np.minimum(np.searchsorted(self.chunks, chunks), len(self.chunks) - 1)
        return np.asarray(self.chunks[places] == chunks, np.bool_)

    def rows(self, ids: Ids) -> Rows:
        """Kept for the sealed part that was asked for last."""
        rows = self._rows
        if rows is None or rows.ids is not ids:
            are_in = np.isin(ids, self.chunks)
            rows = self._rows = Rows(ids, are_in, np.flatnonzero(are_in))
        return rows
