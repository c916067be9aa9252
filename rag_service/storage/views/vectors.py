"""Dense search: a FAISS index for what is sealed on disk, a flat one for what came since.

A sealed index is exact while it is small. Above EXACT_UP_TO, four-bit codes of all vectors are
scanned for candidates (product quantisation with fast scan: Andre et al. 2017, in FAISS), which are
then scored with the vectors themselves. No list is skipped, so questions that lie far from every
passage are answered as well as others; an inverted file of the same speed finds nine tenths of
their neighbours. How many candidates it takes is measured while the index is built.

Many threads may search, but not while one adds or removes (FAISS wiki, "Threads and
asynchronous calls").
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
from rag_service.storage.views.selection import Ids, Rows, Selection

logging.getLogger("faiss").setLevel(logging.ERROR)  # says AVX512 is missing, and dispatches to it

_faiss: Any = import_module("faiss")  # its stubs lack most of what the wheel has
_faiss.omp_set_num_threads(1)  # threads of its own cost a small search more than they bring

EXACT_UP_TO = 20_000
"""Chunks; a flat scan of as many vectors of 384 numbers takes about 2 ms on one core."""
RECALL = 0.995
"""Of the exact best ten, what the candidates must contain on the test queries."""
SCORED_ALONE = 1000
"""Chunks of a selection that are scored one by one; of more, candidates are asked for until there
are enough of the selection among them."""
_TEST_QUERIES = 256
_TRAIN_ON = 10_000
_AT_ONCE = 8192

Found = list[tuple[int, float]]


class Recall(Struct, frozen=True, kw_only=True):
    """How a sealed index was measured. `candidates` is 0 for an exact one, whose recall is 1."""

    candidates: int
    at_10: float


class SealedVectors:
    """A read-only folder of vectors, ids and codes; any number of threads may search it."""

    def __init__(self, folder: Path, recall: Recall) -> None:
        self._ids: Ids = np.load(folder / "ids.npy")
        self._vectors = np.load(folder / "vectors.npy", mmap_mode="r")
        self._candidates = recall.candidates
        if self._candidates:
            self._index = _faiss.read_index(str(folder / "codes.faiss"))
        else:
            self._index = _faiss.IndexFlatIP(self._vectors.shape[1])
            self._index.add(np.ascontiguousarray(self._vectors, np.float32))

    @property
    def ids(self) -> Ids:
        """Every chunk in the index, in ascending order."""
        return self._ids

    def best(self, vector: Vectors, limit: int, only: Selection | None, gone: Ids) -> Found:
        """The best `limit` chunks by cosine; of `only` where given, never of `gone`, which is in
        ascending order."""
        of_selection = None if only is None else only.rows(self._ids)
        if of_selection is not None and len(of_selection.numbers) <= SCORED_ALONE:
            rows = self._left(of_selection.numbers, gone)
        else:
            rows = self._nearest(vector, limit, of_selection, gone)
        scores = self._score(vector, rows)
        best = np.argsort(-scores, kind="stable")[:limit]
        return list(zip(self._ids[rows[best]].tolist(), scores[best].tolist(), strict=True))

    def _nearest(self, vector: Vectors, limit: int, only: Rows | None, gone: Ids) -> Ids:
        """Rows among which are the best `limit`."""
        size = len(self._ids)
        wanted = max(self._candidates, 4 * limit) if self._candidates else limit
        left = (size if only is None else len(only.numbers)) - len(gone)
        ask = int(wanted * 1.2 * size / max(1, left))
        while size:
            _, found = self._index.search(vector, min(ask, size))
            rows = np.asarray(found[0][found[0] >= 0], np.int64)
            if only is not None:
                rows = rows[only.are_in[rows]]
            rows = self._left(rows, gone)
            if len(rows) >= wanted or ask >= size:
                return rows
            ask *= 4
        return self._ids

    def _left(self, rows: Ids, gone: Ids) -> Ids:
        return rows[~np.isin(self._ids[rows], gone)] if len(gone) else rows

    def _score(self, vector: Vectors, rows: Ids) -> NDArray[np.float32]:
        scores = [
            np.asarray(self._vectors[rows[i : i + _AT_ONCE]], np.float32) @ vector[0]
            for i in range(0, len(rows), _AT_ONCE)
        ]
        return np.concatenate(scores) if scores else np.zeros(0, np.float32)


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

    def best(self, vector: Vectors, limit: int, only: Selection | None) -> Found:
        selector = None
        if only is not None:
            ids = _faiss.vector_to_array(self._index.id_map)
            selector = _faiss.IDSelectorBatch(ids[only.has(ids)])
        params = _faiss.SearchParameters(sel=selector)
        return _found(*self._index.search(vector, limit, params=params))


class Batch(Struct, frozen=True):
    ids: Ids
    vectors: Vectors


def seal_vectors(folder: Path, dimension: int, chunks: int, read: "Reader") -> Recall:
    """Write every vector that `read` gives into a new folder, which is whole when this returns."""
    folder.mkdir()
    approximate = chunks > EXACT_UP_TO and dimension % 2 == 0
    codes = _Codes(dimension, read) if approximate else None
    ids = [np.zeros(0, np.int64)]
    with (folder / "vectors.npy").open("wb") as file:  # a mapped one kills us on a full disk
        header = {"descr": "<f2", "fortran_order": False, "shape": (chunks, dimension)}
        np.lib.format.write_array_header_1_0(file, header)
        for batch in read.everything(_AT_ONCE):
            file.write(batch.vectors.astype("<f2").tobytes())
            ids.append(batch.ids)
            if codes is not None:
                codes.add(batch.vectors)
    np.save(folder / "ids.npy", np.concatenate(ids))
    return codes.write(folder) if codes is not None else Recall(candidates=0, at_10=1.0)


class _Codes:
    """An index of codes in the making, and what it takes to measure it."""

    def __init__(self, dimension: int, read: "Reader") -> None:
        self._index = _codes(dimension, read)
        self._queries = _test_queries(read.sample(2 * _TEST_QUERIES))
        self._exact = _Exact(self._queries, 10)

    def add(self, vectors: Vectors) -> None:
        rows = np.arange(self._index.ntotal, self._index.ntotal + len(vectors))
        self._index.add(vectors)
        self._exact.see(rows, vectors)

    def write(self, folder: Path) -> Recall:
        _faiss.write_index(self._index, str(folder / "codes.faiss"))
        return _measure(self._index, self._queries, self._exact.rows)


def _codes(dimension: int, read: "Reader") -> Any:
    """Four bits for every two numbers."""
    index = _faiss.IndexPQFastScan(dimension, dimension // 2, 4, _faiss.METRIC_INNER_PRODUCT)
    index.train(read.sample(_TRAIN_ON))
    return index


class Reader:
    """Gives the vectors of one bot at one moment, as often as asked."""

    def sample(self, count: int) -> Vectors:
        raise NotImplementedError

    def everything(self, at_once: int) -> Iterator[Batch]:
        raise NotImplementedError


def _test_queries(vectors: Vectors) -> Vectors:
    """Between two chunks and as far off again, as a question lies off the passages."""
    half = len(vectors) // 2
    between = vectors[:half] + vectors[half : 2 * half]
    noise = np.random.default_rng(0).standard_normal(between.shape).astype(np.float32)
    noise *= np.linalg.norm(between, axis=1, keepdims=True)
    between += noise / np.linalg.norm(noise, axis=1, keepdims=True)
    return np.asarray(between / np.linalg.norm(between, axis=1, keepdims=True), np.float32)


class _Exact:
    """The true best `k` rows of each query, kept while batches go by."""

    def __init__(self, queries: Vectors, k: int) -> None:
        self._queries = queries
        self._k = k
        self._scores = np.full((len(queries), k), -2.0, np.float32)
        self.rows: Ids = np.full((len(queries), k), -1, np.int64)

    def see(self, rows: Ids, vectors: Vectors) -> None:
        scores = np.concatenate([self._scores, self._queries @ vectors.T], axis=1)
        seen = np.broadcast_to(rows, (len(scores), len(rows)))
        both = np.concatenate([self.rows, seen], axis=1)
        best = np.argpartition(-scores, self._k, axis=1)[:, : self._k]
        self._scores = np.take_along_axis(scores, best, axis=1)
        self.rows = np.take_along_axis(both, best, axis=1)


def _measure(index: Any, queries: Vectors, exact: Ids) -> Recall:
    """The fewest candidates, in doublings, that reach RECALL."""
    candidates = 200
    while True:
        _, rows = index.search(queries, min(candidates, index.ntotal))
        hits = sum(len(np.intersect1d(a, b)) for a, b in zip(rows, exact, strict=True))
        recall = hits / exact.size
        if recall >= RECALL or candidates >= index.ntotal:
            return Recall(candidates=candidates, at_10=round(recall, 4))
        candidates *= 2


def _found(scores: NDArray[np.float32], ids: Ids) -> Found:
    return [(int(i), float(s)) for i, s in zip(ids[0], scores[0], strict=True) if i != -1]


def stack(ids: Iterable[int], blobs: Iterable[bytes], dimension: int) -> Batch:
    """Rows as SQLite gives them -> one batch."""
    vectors = np.frombuffer(b"".join(blobs), np.dtype("<f2")).reshape(-1, dimension)
    return Batch(np.fromiter(ids, np.int64), np.ascontiguousarray(vectors, np.float32))
