"""What a search would see if some documents were there, and others were not. Pure.

The passages to come are candidates beside those of the store. Their BM25 is reckoned with the
weights that the query's terms have now, and with the length of a typical passage; all else is what
it will be. A view of 50 candidates that loses some to a removal is not filled up again.
"""

from collections.abc import Sequence
from typing import Self

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from rag_service.documents import Chunk, Document, Passage, Vectors
from rag_service.knowledge.store import Candidate, Evidence, Scores

K1, B = 1.2, 0.75
"""Of BM25, as the keyword view has them."""
TYPICAL_TERMS = 80
"""Of a passage. A guess: with it a passage of 40 has 1.3 times the BM25 of one of 80."""


class Coming(Struct, frozen=True, kw_only=True):
    """A passage that is not there yet, and the vectors of its sentences."""

    candidate: Candidate
    sentences: Vectors

    @classmethod
    def of(cls, document: Document, chunk: Chunk, vector: Vectors, sentences: Vectors) -> Self:
        passage = Passage(
            chunk_id="",
            document_id="",
            source_url=document.source_url,
            title=chunk.title,
            heading=chunk.heading,
            page=chunk.page,
            text=chunk.text,
            ordinal=chunk.ordinal,
        )
        return cls(candidate=Candidate(passage=passage, vector=vector), sentences=sentences)


class Foreseen(Struct, frozen=True, kw_only=True):
    """What is to come, and the URLs of the documents that go or are replaced."""

    coming: list[Coming] = []
    going: frozenset[str] = frozenset()


def foreseen(evidence: Evidence, change: Foreseen) -> Evidence:
    """The evidence as it will be. Passages to come have rows below zero."""
    rows = {-1 - place: coming for place, coming in enumerate(change.coming)}
    there = evidence.read(list(evidence.scores))
    gone = {
        chunk for chunk, candidate in there.items() if candidate.passage.source_url in change.going
    }
    scores = {chunk: of for chunk, of in evidence.scores.items() if chunk not in gone}
    absent = evidence.absent
    for row, coming in rows.items():
        terms = evidence.cut(coming.candidate.passage.embedded_text)
        cosine = float(evidence.vector[0] @ coming.candidate.vector)
        scores[row] = Scores(cosine, _bm25(terms, evidence))
        absent -= set(terms)

    def read(chunks: Sequence[int]) -> dict[int, Candidate]:
        known = evidence.read([chunk for chunk in chunks if chunk >= 0])
        return {chunk: rows[chunk].candidate if chunk < 0 else known[chunk] for chunk in chunks}

    def sentences(chunks: Sequence[int]) -> dict[int, Vectors]:
        found = evidence.sentences([chunk for chunk in chunks if chunk >= 0])
        return {**found, **{chunk: rows[chunk].sentences for chunk in chunks if chunk < 0}}

    return replace(
        evidence,
        scores=scores,
        absent=absent,
        chunks=max(0, evidence.chunks + len(rows) - len(gone)),
        read=read,
        sentences=sentences,
    )


def _bm25(terms: Sequence[str], evidence: Evidence) -> float:
    length = 1 - B + B * len(terms) / TYPICAL_TERMS
    total = 0.0
    for term, weight in evidence.idf.items():
        count = terms.count(term)
        total += weight * count * (K1 + 1) / (count + K1 * length) if count else 0.0
    return total


def vectors_of(coming: Sequence[Coming], dimension: int) -> Vectors:
    """Of passages and sentences; shape (any, dimension)."""
    found = [one.candidate.vector[None] for one in coming] + [one.sentences for one in coming]
    return np.concatenate(found) if found else np.zeros((0, dimension), np.float32)
