"""The candidates of a query -> the order to show them in. Pure.

The cosine, on the scale of the reference model, and BM25 are added as they are: BM25 is large only
where a query has informative words, so each half counts by what it knows about this query. The best
are then read, and what their text shows counts as well: how much of the query it covers, and how
near to each other its words stand.
A fused score orders the passages of one query and means nothing beyond it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
from msgspec import Struct

from rag_service.documents import Passage, Vectors
from rag_service.knowledge.finding.codes import Code
from rag_service.knowledge.finding.scale import Scale
from rag_service.knowledge.store import Candidate, Evidence, Mode

BM25_SHARE = 0.02
"""What one point of BM25 adds to a cosine."""
COVERAGE_SHARE = 0.1
PROXIMITY_SHARE = 0.3
CODES_SHARE = 0.3
"""What covering all of the query, by weight of its informative terms, adds, having all of them
next to each other, and having all of its codes; the last one is a guess. What each step brings is
in benchmarks/README.md."""

FEEDBACK_FROM = 3
FEEDBACK_SHARE = 0.3
"""The query's vector is moved towards the best passages by this: relevance feedback (Rocchio 1971)
without anybody's judgement."""

OF_DOCUMENT = (1.0, 0.04, 0.03)
"""What the best passages of a document count for it. Where documents have many passages the next
two bring 0.004 to 0.012 nDCG; of single paragraphs they cost 0.002."""

READ = 40
"""How many of the best are read closely."""
NEAR = 8
"""Terms. Farther apart, two words of a passage have nothing to do with each other."""
INFORMATIVE = 0.35
"""Of the weight of the query's most informative term: what has less, in whatever language, is
there for grammar."""


class Reading(Struct, frozen=True, kw_only=True):
    """What a passage's text shows, each in [0, 1]."""

    coverage: float
    proximity: float
    codes: float = 0.0


def rank(
    evidence: Evidence,
    scale: Scale,
    mode: Mode,
    k: int,
    *,
    by_document: bool = False,
    codes: Sequence[Code] = (),
) -> list[tuple[int, float]]:
    """The best `k` chunks, or the best chunk of each of the best `k` documents, whose next best
    chunks count a little as well. `codes` are those of the query.

    Best first, each with a score in [0, 1].
    """
    first = {
        chunk: _KEYS[mode](scale.comparable(scores.dense), scores.keyword)
        for chunk, scores in evidence.scores.items()
        if mode != "keyword" or scores.keyword > 0
    }
    order = sorted(first, key=lambda chunk: (-first[chunk], chunk))
    if mode == "hybrid" and order:
        close = evidence.read(order[: max(READ, k)])
        first |= _reconsidered(evidence, scale, close, read(evidence, close, codes))
        order.sort(key=lambda chunk: (-first[chunk], chunk))
    if by_document:
        first = _of_documents(evidence, order, first)
        order = sorted(first, key=lambda chunk: (-first[chunk], chunk))
    return [(chunk, _squash(first[chunk])) for chunk in order[:k]]


def read(
    evidence: Evidence, close: Mapping[int, Candidate], codes: Sequence[Code] = ()
) -> dict[int, Reading]:
    """What the texts of these candidates show about the query."""
    query = _Query(evidence)
    return {
        chunk: Reading(
            coverage=query.share(terms := evidence.cut(candidate.passage.embedded_text)),
            proximity=query.proximity(terms),
            codes=_share(codes, candidate.passage),
        )
        for chunk, candidate in close.items()
    }


def _share(codes: Sequence[Code], passage: Passage) -> float:
    return sum(code.stands_in(passage) for code in codes) / len(codes) if codes else 0.0


def weights_of(evidence: Evidence) -> dict[str, float]:
    """The informative terms of the query, with what each tells."""
    least = INFORMATIVE * max(evidence.idf.values(), default=0.0)
    return {term: weight for term, weight in evidence.idf.items() if weight >= least}


class _Query:
    """The informative terms of a query, and how much each of them tells."""

    def __init__(self, evidence: Evidence) -> None:
        self._weights = weights_of(evidence)
        terms = [term for term in evidence.terms if term in self._weights]
        self._pairs = {(a, b) for a, b in pairwise(terms) if a != b}
        self._all = sum(self._weights.values())

    def share(self, terms: Sequence[str]) -> float:
        found = self._weights.keys() & set(terms)
        return sum(self._weights[term] for term in found) / self._all if found else 0.0

    def proximity(self, terms: Sequence[str]) -> float:
        """Pairs that follow each other in the query, by how near they stand (Tao and Zhai 2007)."""
        if not self._pairs:
            return 0.0
        places: dict[str, list[int]] = {}
        for place, term in enumerate(terms):
            if term in self._weights:
                places.setdefault(term, []).append(place)
        near = sum(
            min(self._weights[a], self._weights[b]) / distance
            for a, b in self._pairs
            if a in places
            and b in places
            and (distance := min(_distances(places[a], places[b]))) <= NEAR
        )
        return min(1.0, near / self._all)


def _distances(some: Sequence[int], others: Sequence[int]) -> Iterator[int]:
    return (abs(a - b) for a in some for b in others)


def _reconsidered(
    evidence: Evidence,
    scale: Scale,
    close: Mapping[int, Candidate],
    readings: Mapping[int, Reading],
) -> dict[int, float]:
    """The scores of those that were read."""
    chunks = list(close)
    vectors = np.stack([close[chunk].vector for chunk in chunks])
    words = np.array(
        [
            BM25_SHARE * evidence.scores[chunk].keyword
            + COVERAGE_SHARE * readings[chunk].coverage
            + PROXIMITY_SHARE * readings[chunk].proximity
            + CODES_SHARE * readings[chunk].codes
            for chunk in chunks
        ]
    )
    query = evidence.vector[0]
    cosines = scale.comparable(vectors @ query)
    best = np.argsort(-(cosines + words), kind="stable")[:FEEDBACK_FROM]
    moved: Vectors = query + FEEDBACK_SHARE * vectors[best].mean(axis=0)
    moved /= np.linalg.norm(moved)
    return dict(zip(chunks, (scale.comparable(vectors @ moved) + words).tolist(), strict=True))


def _of_documents(
    evidence: Evidence, order: Sequence[int], scores: Mapping[int, float]
) -> dict[int, float]:
    """The best chunk of each document, with the score of the document."""
    best: dict[str, int] = {}
    found: dict[int, list[float]] = {}
    for chunk, candidate in evidence.read(order).items():
        document = candidate.passage.document_id
        found.setdefault(best.setdefault(document, chunk), []).append(scores[chunk])
    return {
        chunk: sum(share * max(score, 0.0) for share, score in zip(OF_DOCUMENT, of, strict=False))
        for chunk, of in found.items()
    }


_KEYS: dict[Mode, Callable[[float, float], float]] = {
    "hybrid": lambda dense, keyword: dense + BM25_SHARE * keyword,
    "dense": lambda dense, keyword: dense,
    "keyword": lambda dense, keyword: BM25_SHARE * keyword,
}


def _squash(value: float) -> float:
    """[0, inf) -> [0, 1), keeping the order."""
    return round(max(value, 0.0) / (1 + max(value, 0.0)), 6)
