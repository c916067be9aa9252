"""What a gap is, as it is read."""

from typing import Any, Literal, get_args

from msgspec import Struct

from rag_service.conversations.signals import SignalKind

GapState = Literal["open", "closed", "dismissed"]
GAP_STATES: tuple[GapState, ...] = get_args(GapState)
CloseReason = Literal["knowledge", "answer", "manual"]
What = Literal["opened", "closed", "reopened", "dismissed", "merged", "moved"]
"""What can happen to a gap."""
Cause = Literal["asked", "changed", "removed", "rated", "person", "decision", "erased"]
"""A question came; pages came or changed; a passage went; an answer was rated; somebody said so;
the model or the decision is another one; questions were erased."""
GapSort = Literal["people", "questions", "last_asked", "first_asked", "confidence"]
GAP_SORTS: tuple[GapSort, ...] = get_args(GapSort)


class BestMatch(Struct, frozen=True, kw_only=True):
    """The passage that comes nearest to the question in a gap's middle."""

    source_url: str
    title: str
    text: str
    score: float


class ClosedBy(Struct, frozen=True, kw_only=True):
    """Why a gap is closed. Without a passage where somebody closed it by hand."""

    reason: CloseReason
    source_url: str | None = None
    document_id: str | None = None
    chunk_id: str | None = None
    confidence_before: float | None = None
    confidence_after: float | None = None


class Gap(Struct, frozen=True, kw_only=True):
    """A cluster of questions that the knowledge does not answer, or did not.

    `people` counts distinct senders, and sessions where the sender is not known. `confidence` is
    that of its title now. Times are ISO 8601 in UTC.
    """

    gap_id: str
    bot_id: str
    state: GapState
    kind: SignalKind
    title: str
    questions: int
    people: int
    first_asked: str
    last_asked: str
    confidence: float
    best_match: BestMatch | None
    opened_at: str
    closed_at: str | None
    reopened: int
    closed_by: ClosedBy | None
    note: str
    merged_into: str | None = None
    """Where the gap that was asked for is part of another by now: that one's id."""


class GapQuestion(Struct, frozen=True, kw_only=True):
    message_id: str
    session_id: str
    text: str
    asked_at: str
    confidence_then: float
    confidence_now: float
    answered: bool


class GapEntry(Struct, frozen=True, kw_only=True):
    """What happened to a gap, and the evidence of that."""

    at: str
    what: What
    evidence: dict[str, Any]


class GapFilter(Struct, frozen=True, kw_only=True):
    """Every field that is not None narrows. Times bound the last question; both inclusive."""

    state: GapState | None = None
    kind: SignalKind | None = None
    since: str | None = None
    until: str | None = None
    q: str | None = None
    """A substring of a question or of the title, whatever its case."""
    min_questions: int = 1
