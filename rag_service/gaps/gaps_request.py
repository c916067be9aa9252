"""Which gaps are asked for, over HTTP and on the command line alike."""

from typing import Annotated, Literal

from msgspec import Struct

from rag_service.conversations.signals import SIGNAL_KINDS, SignalKind
from rag_service.conversations.transcripts import ORDERS, Order
from rag_service.fields import Field, integer, one_of, read_bot_id, read_moment, text
from rag_service.gaps.gap import GAP_SORTS, GAP_STATES, GapFilter, GapSort, GapState

_States = Literal[GapState, "all"]
_STATES: tuple[_States, ...] = (*GAP_STATES, "all")


class OfBot(Struct, frozen=True, kw_only=True):
    bot_id: Annotated[
        str | None, Field("Only this bot; otherwise all that the token may see.", read_bot_id)
    ] = None


class GapsRequest(OfBot, frozen=True, kw_only=True):
    """Which gaps, and in what order."""

    state: Annotated[_States, Field("Which gaps.", one_of(_STATES))] = "open"
    kind: Annotated[SignalKind | None, Field("Why they are gaps.", one_of(SIGNAL_KINDS))] = None
    since: Annotated[
        str | None,
        Field("Asked from then on: ISO 8601, or what strtotime takes, as `-1 week`.", read_moment),
    ] = None
    until: Annotated[str | None, Field("Asked up to then.", read_moment)] = None
    q: Annotated[
        str | None, Field("Only with this text in a question or the title.", text(1000))
    ] = None
    min_questions: Annotated[int, Field("Only with so many questions or more.", integer(1))] = 1
    sort: Annotated[GapSort, Field("By what.", one_of(GAP_SORTS))] = GAP_SORTS[0]
    order: Annotated[Order, Field("Which first.", one_of(ORDERS))] = "desc"
    limit: Annotated[int, Field("Gaps at most.", integer(1, 1000))] = 100
    offset: Annotated[int, Field("Gaps to skip.", integer(0))] = 0

    def filter(self) -> GapFilter:
        """Without `bot_id`, which narrows the scope."""
        return GapFilter(
            state=None if self.state == "all" else self.state,
            kind=self.kind,
            since=self.since,
            until=self.until,
            q=self.q,
            min_questions=self.min_questions,
        )
