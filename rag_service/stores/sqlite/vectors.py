"""Dense search: a FAISS index for what is sealed on disk, a flat one for what came since.

A sealed index is exact while it is small. Above APPROXIMATE_ABOVE it is an inverted file over
half-precision vectors whose recall against the exact answer is measured when it is built.
Facts (FAISS wiki, "Faiss on threads"): many threads may search, but not while one adds or removes.
"""

import logging
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from rag_service.documents import Vectors

logging.getLogger("faiss").setLevel(logging.ERROR)  # says AVX512 is missing, and dispatches to it

_faiss: Any = import_module("faiss")  # its stubs lack most of what the wheel has

APPROXIMATE_ABOVE = 20_000
"""Chunks; a flat scan of as many vectors of 384 numbers takes about 2 ms on one core."""
RECALL = 0.995
"""Of the exact best ten, what the approximate index must find on its test queries."""
_TEST_QUERIES = 256
_ADD_AT_ONCE = 8192

Ids = NDArray[np.int64]
Found = list[tuple[int, float]]


class Recall(Struct, frozen=True, kw_only=True):
    """How a sealed index was measured. `probes` is 0 for an exact one, whose recall is 1."""

    probes: int
    at_10: float


class SealedVectors:
    """A read-only FAISS index; any number of threads may search it."""

    def __init__(self, path: Path, recall: Recall) -> None:
        self._index = _faiss.read_index(str(path))
        self._probes = recall.probes

    @property
    def chunks(self) -> int:
        return int(self._index.ntotal)

    def best(self, vector: Vectors, limit: int, only: Ids | None, gone: set[int]) -> Found:
        """The best `limit` chunks by cosine; of `only` where given, never of `gone`."""
        selector = None
        if only is not None:
            selector = _faiss.IDSelectorBatch(only)
        elif gone:
            removed = _faiss.IDSelectorBatch(np.fromiter(gone, np.int64, len(gone)))
            selector = _faiss.IDSelectorNot(removed)
        if self._probes:
            params = _faiss.SearchParametersIVF(sel=selector, nprobe=self._probes)
        else:
            params = _faiss.SearchParameters(sel=selector)
        return _found(*self._index.search(vector, limit, params=params))

    def ids(self) -> Ids:
        """Every chunk in the index, in ascending order."""
        if not self._probes:
            return np.sort(_faiss.vector_to_array(self._index.id_map))
        lists = self._index.invlists
        parts = [
            _faiss.rev_swig_ptr(lists.get_ids(i), lists.list_size(i)).copy()
            for i in range(self._index.nlist)
            if lists.list_size(i)
        ]
        return np.sort(np.concatenate(parts)) if parts else np.zeros(0, np.int64)


class TailVectors:
    """A flat index in memory. Not thread-safe: its owner holds a lock."""

    def __init__(self, dimension: int) -> None:
        self._index = _faiss.IndexIDMap2(_faiss.IndexFlatIP(dimension))

    @property
    def chunks(self) -> int:
        return int(self._index.ntotal)

    def add(self, ids: Ids, vectors: Vectors) -> None:
        self._index.add_with_ids(vectors, ids)

    def remove(self, ids: Ids) -> None:
        self._index.remove_ids(ids)

    def best(self, vector: Vectors, limit: int, only: Ids | None) -> Found:
        selector = None if only is None else _faiss.IDSelectorBatch(only)
        params = _faiss.SearchParameters(sel=selector)
        return _found(*self._index.search(vector, limit, params=params))


class Batch(Struct, frozen=True):
    ids: Ids
    vectors: Vectors


def seal_vectors(path: Path, dimension: int, chunks: int, read: "Reader") -> Recall:
    """Write an index of every vector that `read` gives; the file is whole when this returns."""
    if chunks <= APPROXIMATE_ABOVE:
        index = _faiss.IndexIDMap2(_faiss.IndexFlatIP(dimension))
        for batch in read.everything(_ADD_AT_ONCE):
            index.add_with_ids(batch.vectors, batch.ids)
        recall = Recall(probes=0, at_10=1.0)
    else:
        index, recall = _inverted_file(dimension, chunks, read)
    _faiss.write_index(index, str(path))
    return recall


class Reader:
    """Gives the vectors of one bot at one moment, as often as asked."""

    def sample(self, count: int) -> Vectors:
        raise NotImplementedError

    def everything(self, at_once: int) -> Iterator[Batch]:
        raise NotImplementedError


def _inverted_file(dimension: int, chunks: int, read: Reader) -> tuple[Any, Recall]:
    """About 4 sqrt(n) lists of at least 39 chunks, as the FAISS wiki's "Guidelines to choose an
    index" and its k-means have it.
    """
    lists = min(int(4 * chunks**0.5), chunks // 39)
    index = _faiss.IndexIVFScalarQuantizer(
        _faiss.IndexFlatIP(dimension),
        dimension,
        lists,
        _faiss.ScalarQuantizer.QT_fp16,
        _faiss.METRIC_INNER_PRODUCT,
        False,  # by_residual: the stored codes are the vectors themselves
    )
    index.own_invlists = True
    index.cp.niter = 8
    index.cp.spherical = True
    index.train(read.sample(min(chunks, 40 * lists)))
    queries = _test_queries(read.sample(2 * _TEST_QUERIES))
    exact = _Exact(queries, 10)
    for batch in read.everything(_ADD_AT_ONCE):
        index.add_with_ids(batch.vectors, batch.ids)
        exact.see(batch)
    return index, _probe(index, queries, exact.ids, lists)


def _test_queries(vectors: Vectors) -> Vectors:
    """Half-way between two chunks, as a question lies further from its passage than another one."""
    half = len(vectors) // 2
    between = vectors[:half] + vectors[half : 2 * half]
    return np.asarray(between / np.linalg.norm(between, axis=1, keepdims=True), np.float32)


class _Exact:
    """The true best `k` chunks of each query, kept while batches go by."""

    def __init__(self, queries: Vectors, k: int) -> None:
        self._queries = queries
        self._k = k
        self._scores = np.full((len(queries), k), -2.0, np.float32)
        self.ids: Ids = np.full((len(queries), k), -1, np.int64)

    def see(self, batch: Batch) -> None:
        scores = np.concatenate([self._scores, self._queries @ batch.vectors.T], axis=1)
        ids = np.concatenate(
            [self.ids, np.broadcast_to(batch.ids, (len(scores), len(batch.ids)))], axis=1
        )
        best = np.argpartition(-scores, self._k, axis=1)[:, : self._k]
        self._scores = np.take_along_axis(scores, best, axis=1)
        self.ids = np.take_along_axis(ids, best, axis=1)


def _probe(index: Any, queries: Vectors, exact: Ids, lists: int) -> Recall:
    """The fewest lists to look into that reach RECALL."""
    probes = 8
    while True:
        params = _faiss.SearchParametersIVF(nprobe=min(probes, lists))
        _, ids = index.search(queries, exact.shape[1], params=params)
        hits = sum(len(np.intersect1d(a, b)) for a, b in zip(ids, exact, strict=True))
        recall = hits / exact.size
        if recall >= RECALL or probes >= lists:
            return Recall(probes=min(probes, lists), at_10=round(recall, 4))
        probes = int(probes * 1.3) + 1


def _found(scores: NDArray[np.float32], ids: Ids) -> Found:
    return [(int(i), float(s)) for i, s in zip(ids[0], scores[0], strict=True) if i != -1]


def stack(ids: Iterable[int], blobs: Iterable[bytes], dimension: int) -> Batch:
    """Rows as SQLite gives them -> one batch."""
    vectors = np.frombuffer(b"".join(blobs), np.dtype("<f2")).reshape(-1, dimension)
    return Batch(np.fromiter(ids, np.int64), np.ascontiguousarray(vectors, np.float32))
