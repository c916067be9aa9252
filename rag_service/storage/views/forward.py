"""The terms of each sealed chunk, so that a few chunks can be scored without the others.

An inverted index gives its best chunks quickly, but not those of a hundredth of all chunks: it
would have to give nearly everything. These scores are the ones that it would give (BM25 as tantivy
has it, with the lengths that it rounds).
"""

from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from rag_service.storage.views.selection import Ids

K1, B = 1.2, 0.75  # the constants that tantivy (and Lucene) fix for BM25


class ForwardWriter:
    """Takes chunk after chunk, in the order of their rows."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / "terms.bin").open("wb")
        self._lengths_path = folder / "lengths.npy"
        self._lengths = array("I")

    def add(self, terms: Sequence[str]) -> None:
        self._lengths.append(len(terms))
        self._file.write(np.array([_number(term) for term in terms], "<u4").tobytes())

    def close(self) -> None:
        self._file.close()
        np.save(self._lengths_path, np.array(self._lengths, "<u4"))


class Forward:
    """A read-only folder; any number of threads may use it."""

    def __init__(self, folder: Path) -> None:
        path = folder / "terms.bin"
        empty = not path.stat().st_size
        self._terms = np.zeros(0, "<u4") if empty else np.memmap(path, "<u4", "r")
        lengths = np.load(folder / "lengths.npy")
        self._ends = np.cumsum(lengths, dtype=np.int64)
        self._lengths = lengths.astype(np.int64)
        if len(self._terms) != self._lengths.sum():
            raise ValueError("the terms are not those of the chunks")

    def scores(self, rows: Ids, idf: Mapping[str, float]) -> NDArray[np.float32]:
        """BM25 of each row, 0 where it has none of the terms."""
        scores = np.zeros(len(rows), np.float32)
        lengths = self._lengths[rows]
        if not lengths.sum():
            return scores
        starts = self._ends[rows] - lengths
        of = np.repeat(np.arange(len(rows)), lengths)
        places = np.arange(len(of)) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
        terms = self._terms[places]
        mean = len(self._terms) / len(self._lengths)
        norm = K1 * (1 - B + B * _rounded(lengths) / mean)
        for term, weight in idf.items():
            counts = np.bincount(of[terms == _number(term)], minlength=len(rows))
            scores += weight * counts * (K1 + 1) / (counts + norm)
        return scores


def _number(term: str) -> int:
    """Two terms of half a million share one in ten thousand times."""
    return crc32(term.encode())


def _lengths_kept() -> Ids:
    """All lengths that one byte can tell: exact up to 40, then with four bits of precision, as
    Lucene's SmallFloat has them."""
    small = 24
    codes = np.arange(256 - small)
    above = np.where(codes < 8, codes, (codes & 7 | 8) << np.maximum((codes >> 3) - 1, 0))
    return np.concatenate([np.arange(small), small + above])


_LENGTHS = _lengths_kept()


def _rounded(lengths: Ids) -> Ids:
    return np.asarray(_LENGTHS[np.searchsorted(_LENGTHS, lengths, side="right") - 1], np.int64)
