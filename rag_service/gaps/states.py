"""When a gap opens, closes and opens again. Pure."""

from math import log

from msgspec import Struct

from rag_service.conversations.signals import Judgement, SignalKind
from rag_service.gaps.gap import GapState, What
from rag_service.knowledge.finding.confidence import CONTEXT_ABOVE

HYSTERESIS = 0.05
"""A question that was answered stays so down to this much below the threshold, so that a gap does
not open and close with every page that moves its confidence a little. A guess."""


AS_SURE = 0.05
"""Log-odds that the confidence of another passage may have less. With it 0.89 of the questions of
squad2-dev are open again when their page goes while its siblings stay; with 0.3 it is 0.84, and by
the decision alone 0.22."""


class Standing(Struct, frozen=True, kw_only=True):
    """How the questions of a gap stand after a change."""

    unanswered: int
    lost: int
    """Unanswered since it."""
    is_changed: bool = True
    """Questions were judged, came or went. Without that, what somebody opened stays open."""


def next_state(state: GapState, standing: Standing) -> tuple[GapState, What | None]:
    """The state that follows, and what that is called where it is another one.

    What somebody dismissed stays so. What somebody closed opens when a question is not answered.
    """
    if state == "open" and standing.unanswered == 0 and standing.is_changed:
        return "closed", "closed"
    if state == "closed" and standing.lost > 0:
        return "open", "reopened"
    return state, None


class Former(Struct, frozen=True, kw_only=True):
    """How a question stood before."""

    answered: bool
    confidence: float
    is_replaced: bool
    """Its passage went, and the best one now is not one that has come for it."""


def is_answered(
    kind: SignalKind,
    now: Judgement,
    former: Former,
    *,
    weak_below: float | None,
    newest_then: int,
    chunk: int | None,
) -> bool:
    """Whether what the knowledge says now answers the question of a signal.

    What found nothing is answered by what `has_rag_context`, as whoever asks now hears. Where the
    passage that answered it went, another one that was there already takes its place only if it is
    about as sure: it was the second best, and pages of one subject are near each other. An answer
    that was weak has to be sure, or else to rest on a passage that came since, as that of a
    rejected one has to: on `chunk`, with an id above `newest_then`.
    """
    if former.answered and former.is_replaced:
        return log_odds(now.confidence) >= log_odds(former.confidence) - AS_SURE
    if not now.has_rag_context:
        is_near = now.confidence >= CONTEXT_ABOVE - HYSTERESIS
        return former.answered and kind == "none" and is_near
    if kind == "none":
        return True
    if kind == "weak" and weak_below is not None and now.confidence >= weak_below:
        return True
    return chunk is not None and chunk > newest_then


def log_odds(confidence: float) -> float:
    bounded = min(max(confidence, 1e-4), 1 - 1e-4)
    return log(bounded / (1 - bounded))
