"""Keyword search: tantivy for what is sealed on disk, postings in memory for what came since.

Both read the same terms. The tail's scores use the term weights of both parts together,
so a passage scores alike wherever it lies.
"""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice
from math import log
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tantivy
from numpy.typing import NDArray

from rag_service.storage.views.forward import K1, B, Forward, ForwardWriter
from rag_service.storage.views.selection import Ids, Selection
from rag_service.storage.views.terms import terms_asked, terms_of

SCORED_ALONE = 10_000
"""Chunks of a selection that are scored one by one; of more, the index gives its best until there
are enough of the selection among them."""
_SPARE_SLOTS = 1000


class Entry(NamedTuple):
    """One chunk as the keyword view takes it."""

    chunk: int
    text: str


class Weights(NamedTuple):
    """BM25 weights of a query's terms over the sealed part and the tail together."""

    idf: dict[str, float]
    mean_length: float
    absent: frozenset[str] = frozenset()
    """Terms that no chunk has."""


class SealedWords:
    """A read-only tantivy folder."""

    def __init__(self, folder: Path) -> None:
        self._index = tantivy.Index.open(str(folder))
        # otherwise it reads what takes the folder's place, and writes a lock into it
        self._index.config_reader(reload_policy="Manual")
        self._schema = self._index.schema
        self._searcher = self._index.searcher()
        self._forward = Forward(folder)

    @property
    def chunks(self) -> int:
        return self._searcher.num_docs

    def frequency(self, term: str) -> int:
        return self._searcher.doc_freq("terms", term)

    def beginning(self, letter: str) -> list[tuple[str, int]]:
        """The terms that begin so, and how many chunks have them."""
        return self._searcher.terms_with_prefix("terms", letter)

    def having(self, term: str, limit: int) -> list[int]:
        """Some chunks with this term."""
        query = tantivy.Query.term_query(self._schema, "terms", term, "basic")
        hits = self._searcher.search(query, limit, count=False).hits
        chunks = self._searcher.fast_field_values("chunk", [address for _, address in hits])
        return [int(chunk) for chunk in chunks if chunk is not None]

    def best(
        self, weights: Weights, limit: int, only: Selection | None, ids: Ids, gone: set[int]
    ) -> list[tuple[int, float]]:
        """The best `limit` chunks with their BM25, of `only` where given, that are not in `gone`.

        `ids` are all chunks, by row.
        """
        query = self._query(weights)
        if query is None:
            return []
        rows = None if only is None else only.rows(ids).numbers
        share = 1.0 if rows is None else len(rows) / max(1, len(ids))
        ask = int(limit / max(share, _LEAST_SHARE)) + min(len(gone), limit)
        while rows is None or ask < len(rows) > SCORED_ALONE:
            hits = self._searcher.search(query, ask, count=False).hits
            chunks = self._searcher.fast_field_values("chunk", [address for _, address in hits])
            found = [
                (int(chunk), float(score))
                for (score, _), chunk in zip(hits, chunks, strict=True)
                if chunk is not None and chunk not in gone
            ]
            if only is not None:
                are_in = only.has(np.array([chunk for chunk, _ in found], np.int64))
                found = [pair for pair, is_in in zip(found, are_in, strict=True) if is_in]
            if len(found) >= limit or len(hits) < ask:
                return found[:limit]
            ask *= 4
        return self._score(weights, limit, rows, ids, gone)

    def _score(
        self, weights: Weights, limit: int, rows: Ids, ids: Ids, gone: set[int]
    ) -> list[tuple[int, float]]:
        scores = self._forward.scores(rows, weights.idf)
        found = np.flatnonzero(scores)
        best = found[np.argsort(-scores[found], kind="stable")]
        pairs = zip(ids[rows[best]].tolist(), scores[best].tolist(), strict=True)
        return list(islice((pair for pair in pairs if pair[0] not in gone), limit))

    def _query(self, weights: Weights) -> tantivy.Query | None:
        words = []
        for term, idf in weights.idf.items():
            frequency = self.frequency(term)
            if frequency:
                one = tantivy.Query.term_query(self._schema, "terms", term, "freq")
                ratio = idf / bm25_idf(self.chunks, frequency)
                words.append((tantivy.Occur.Should, tantivy.Query.boost_query(one, ratio)))
        return tantivy.Query.boolean_query(words) if words else None


_LEAST_SHARE = 1e-6


def seal_words(folder: Path, entries: Iterable[Entry]) -> int:
    """Write a tantivy index of these chunks into a new folder; returns how many terms they have."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("terms", tokenizer_name="whitespace", index_option="freq")
    builder.add_integer_field("chunk", fast=True)
    folder.mkdir()
    index = tantivy.Index(builder.build(), path=str(folder))
    writer = index.writer(heap_size=64_000_000, num_threads=1)
    forward = ForwardWriter(folder)
    count = 0
    for entry in entries:
        terms = terms_of(entry.text)
        count += len(terms)
        writer.add_document(tantivy.Document(terms=" ".join(terms), chunk=entry.chunk))
        forward.add(terms)
    forward.close()
    writer.commit()
    writer.wait_merging_threads()
    return count


class TailWords:
    """Postings in memory. Not thread-safe: its owner holds a lock."""

    def __init__(self) -> None:
        self._slots: dict[int, int] = {}
        self._chunks = array("q")
        self._lengths = array("I")
        self._postings: dict[str, tuple[array[int], array[int]]] = defaultdict(
            lambda: (array("I"), array("I"))
        )
        self._alive = bytearray()
        self.terms = 0

    @property
    def chunks(self) -> int:
        return len(self._slots)

    def frequency(self, term: str) -> int:
        return len(self._found(term)[0])

    def add(self, entry: Entry) -> None:
        if entry.chunk in self._slots:
            return
        slot = len(self._chunks)
        terms = terms_of(entry.text)
        self._slots[entry.chunk] = slot
        self._chunks.append(entry.chunk)
        self._lengths.append(len(terms))
        self._alive.append(1)
        self.terms += len(terms)
        for term, count in Counter(terms).items():
            slots, counts = self._postings[term]
            slots.append(slot)
            counts.append(count)

    def remove(self, chunk: int) -> None:
        slot = self._slots.pop(chunk, None)
        if slot is not None:
            self._alive[slot] = 0
            self.terms -= self._lengths[slot]
            if len(self._chunks) > 2 * len(self._slots) + _SPARE_SLOTS:
                self._compact()

    def beginning(self, letter: str) -> list[tuple[str, int]]:
        """The terms that begin so, and how many chunks have them."""
        found = ((term, self.frequency(term)) for term in self._postings if term[0] == letter)
        return [(term, count) for term, count in found if count]

    def having(self, term: str, limit: int) -> list[int]:
        """Some chunks with this term."""
        return [self._chunks[slot] for slot in self._found(term)[0][:limit]]

    def best(self, weights: Weights, limit: int, only: Selection | None) -> list[tuple[int, float]]:
        """The best `limit` chunks with their BM25, of `only` where given."""
        scores = np.zeros(len(self._chunks), np.float32)
        lengths = np.array(self._lengths, np.float32)
        norm = K1 * (1 - B + B * lengths / max(weights.mean_length, 1.0))
        for term, idf in weights.idf.items():
            slots, counts = self._found(term)
            scores[slots] += idf * counts * (K1 + 1) / (counts + norm[slots])
        if only is not None:
            scores[~only.has(np.array(self._chunks, np.int64))] = 0
        found = np.flatnonzero(scores)
        best = found[np.argsort(-scores[found], kind="stable")[:limit]]
        return [(self._chunks[slot], float(scores[slot])) for slot in best]

    def _found(self, term: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The slots of the chunks that have it, and how often."""
        if term not in self._postings:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        slots, counts = (np.array(part, np.int64) for part in self._postings[term])
        if len(self._slots) < len(self._chunks):
            alive = np.frombuffer(self._alive, np.bool_)[slots]
            slots, counts = slots[alive], counts[alive]
        return slots, counts

    def _compact(self) -> None:
        """Free the slots of what was removed: a document may be edited without end."""
        kept = np.flatnonzero(np.frombuffer(self._alive, np.bool_))
        moved = np.cumsum(np.frombuffer(self._alive, np.bool_)) - 1
        postings = {term: self._found(term) for term in self._postings}
        self._postings.clear()
        for term, (slots, counts) in postings.items():
            if len(slots):
                self._postings[term] = (
                    array("I", moved[slots].tolist()),
                    array("I", counts.tolist()),
                )
        self._chunks = array("q", [self._chunks[slot] for slot in kept])
        self._lengths = array("I", [self._lengths[slot] for slot in kept])
        self._alive = bytearray(b"\1" * len(kept))
        self._slots = {chunk: slot for slot, chunk in enumerate(self._chunks)}


def weigh(query: str, sealed: SealedWords | None, tail: TailWords, mean_length: float) -> Weights:
    """BM25's inverse document frequencies over both parts, for each distinct term of the query."""
    parts: Sequence[SealedWords | TailWords] = [part for part in (sealed, tail) if part is not None]
    chunks = sum(part.chunks for part in parts)
    counts = {
        term: sum(part.frequency(term) for part in parts)
        for term in dict.fromkeys(terms_asked(query))
    }
    return Weights(
        {term: bm25_idf(chunks, count) for term, count in counts.items()},
        mean_length,
        frozenset(term for term, count in counts.items() if not count),
    )


def bm25_idf(chunks: int, frequency: int) -> float:
    """Robertson and Zaragoza 2009, with the 1 + that keeps it positive, as Lucene has it."""
    frequency = min(frequency, chunks)  # removed chunks still count in a sealed part
    return log(1 + (chunks - frequency + 0.5) / (frequency + 0.5))
