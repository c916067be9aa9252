"""What a question leaves that the knowledge did not answer: the raw material of gaps.

A signal is written in the transaction of its transcript row and never changed afterwards.
"""

from typing import Literal, get_args

from msgspec import Struct

from rag_service.documents import Vectors
from rag_service.knowledge.filters import Filter
from rag_service.knowledge.finding.confidence import READABLE
from rag_service.knowledge.finding.findings import Findings

SignalKind = Literal["none", "rejected", "weak"]
"""Nothing was found; its answer was rated down; what was found answers it hardly, or not to the
mind of the model that read it."""
SIGNAL_KINDS: tuple[SignalKind, ...] = get_args(SignalKind)


class Signal(Struct, frozen=True, kw_only=True):
    """A question as it was searched, and what the search saw at that moment."""

    kind: SignalKind
    question: str
    vector: Vectors
    """As the embedding model reads the question; shape (dimension,), of length 1."""
    judgement: "Judgement"
    only: Filter | None = None
    """The documents that were to answer it."""


class Judgement(Struct, frozen=True, kw_only=True):
    """What the knowledge says to a question at one moment."""

    has_rag_context: bool
    confidence: float
    chunk_id: str | None
    """The best passage, whether it is an answer or not."""
    score: float | None
    nearest: float
    """The nearness of the best sentence, on the scale of the model."""
    readable: bool
    """Whether the model knows enough of the question; otherwise its words alone decide."""
    absent: list[str]
    """Terms of the question that no chunk has."""
    seen: int
    """The newest change of the bot's chunks that the search saw."""


def judgement_of(found: Findings) -> Judgement:
    best = found.hits[0] if found.hits else None
    return Judgement(
        has_rag_context=found.has_rag_context,
        confidence=found.confidence,
        chunk_id=best.passage.chunk_id if best else None,
        score=best.score if best else None,
        nearest=found.evidence.signs.nearest,
        readable=found.evidence.signs.readable >= READABLE,
        absent=sorted(found.absent),
        seen=found.seen,
    )


def signal_of(found: Findings, weak_below: float | None) -> Signal | None:
    """None where there is no gap to see: the question is answered, is small talk, or was asked
    while there was no knowledge at all.

    An answer of less confidence than `weak_below` is a weak one.
    """
    if found.small_talk is not None or found.chunks == 0:
        return None
    if not found.has_rag_context:
        return make_signal(found, "none")
    if weak_below is not None and found.confidence < weak_below:
        return make_signal(found, "weak")
    return None


def make_signal(found: Findings, kind: SignalKind) -> Signal:
    return Signal(
        kind=kind,
        question=found.query,
        vector=found.vector[0],
        judgement=judgement_of(found),
        only=found.only,
    )
