"""The contract of where the ledger is kept."""

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol, runtime_checkable

from msgspec import Struct

from rag_service.access.scope import Scope
from rag_service.conversations.messages import Rating
from rag_service.conversations.signals import Judgement, Signal, SignalKind
from rag_service.documents import Vectors
from rag_service.gaps.gap import (
    Cause,
    Gap,
    GapEntry,
    GapFilter,
    GapQuestion,
    GapSort,
    GapState,
)
from rag_service.knowledge.filters import Filter

Query = tuple[str, Filter | None]
"""A question, and the documents that may answer it."""


class Member(Struct, kw_only=True):
    """A signal as the ledger works with it. `gap` and `chunk` are rows."""

    signal: int
    kind: SignalKind
    question: str
    vector: Vectors
    newest_chunk: int
    """Of the bot's, when it was asked."""
    now: Judgement
    only: Filter | None = None
    """The documents that were to answer it."""
    gap: int | None = None
    """None until it is sorted into one."""
    answered: bool = False

    @property
    def query(self) -> Query:
        """The same of those that one search judges."""
        return self.question, self.only


Place = tuple[int, bool, int, float]
"""Of a signal: its gap, and of its last judgement whether that was an answer, what it had seen, and
the confidence. Where nobody touched it, it is the same."""


class LedgerState(Struct, frozen=True, kw_only=True):
    """How far the ledger of a bot is."""

    sorted: int
    seq: int
    newest: int
    """The newest change of the bot's chunks."""
    sweep: int | None
    made_with: str
    revision: int


class Moved(Struct, frozen=True, kw_only=True):
    """Chunks that came and went, up to the change `until`. None of both: all may have changed."""

    until: int
    came: list[int]
    gone: set[int]
    vectors: Vectors
    """Of passages and sentences of the chunks that came; shape (any, dimension)."""
    terms: set[str] | None
    """Of their texts; None where they may have any."""
    everything: bool = False


class Judged(Struct, frozen=True, kw_only=True):
    """What the knowledge says now to the question of a signal."""

    signal: int
    answered: bool
    now: Judgement


class LedgerChange(Struct, kw_only=True):
    """What a step of the ledger does, in one transaction. Gaps that are to be made have numbers
    below zero, the others are rows."""

    bot_id: str
    cause: Cause
    placed: dict[int, int] = {}
    """The gap of each signal that is placed, by its row, or moved."""
    judged: list[Judged] = []
    middles: dict[int, int] = {}
    """By gap, the signal nearest to its middle."""
    forwarded: dict[int, int] = {}
    """Gaps that go on as another one."""
    sorted: int | None = None
    seq: int | None = None
    sweep: int | None = None
    is_swept: bool = False
    made_with: str | None = None
    revision: int | None = None
    """What it rests on: nothing is written where the members have been changed since."""


class GapGroup(Struct, frozen=True, kw_only=True):
    """Of a gap, what sorting new questions into it needs."""

    gap: int
    state: GapState
    is_pinned: bool


class Week(Struct, frozen=True, kw_only=True):
    """Questions of a week that were looked up. `begins` is its Monday, in UTC."""

    begins: str
    questions: int
    answered: int


@runtime_checkable
class LedgerStore(Protocol):
    """What the ledger works with: the signals of each bot, and the gaps they are sorted into."""

    def waiting(self) -> list[str]:
        """Bots with signals that no gap has, or with gaps and changes that were not considered."""
        ...

    def bots(self) -> list[str]:
        """Those with a ledger."""
        ...

    def state(self, bot_id: str) -> LedgerState: ...

    def places(self, bot_id: str) -> dict[int, Place]:
        """By signal; all that are of a gap."""
        ...

    def members(self, bot_id: str, signals: Collection[int] | None = None) -> list[Member]:
        """All signals that are of a gap, or those of these that are. Equal vectors are one object,
        and equal judgements."""
        ...

    def members_of(self, gap_id: str) -> list[Member]:
        """Those of one gap. Raises NotFound."""
        ...

    def groups(self, bot_id: str) -> list[GapGroup]: ...

    def unsorted(self, bot_id: str, limit: int) -> list[Member]:
        """Signals that no gap has, the oldest first."""
        ...

    def moved(self, bot_id: str, after: int, limit: int) -> Moved:
        """The first of the chunks that came or went after this change."""
        ...

    def record(self, change: LedgerChange) -> dict[int, int] | None:
        """Write it, with what follows of it: closings, history, events.

        The rows of the gaps that it makes, by their numbers. None, and nothing is written, where
        `revision` is not that of the members any more.
        """
        ...


@runtime_checkable
class GapStore(Protocol):
    """Gaps as people see them, and what people said of them. One outside the scope is not found."""

    def page(
        self,
        scope: Scope,
        where: GapFilter,
        *,
        sort: GapSort,
        descending: bool,
        limit: int,
        offset: int,
    ) -> tuple[int, list[Gap]]: ...

    def pending(self, scope: Scope) -> int:
        """Signals and changes of chunks that the ledger has not considered yet."""
        ...

    def of_rows(self, scope: Scope, rows: Sequence[int]) -> list[Gap]:
        """In that order."""
        ...

    def get(self, scope: Scope, gap_id: str) -> Gap:
        """Of one that was merged, the gap it went into. Raises NotFound."""
        ...

    def questions(
        self, scope: Scope, gap_id: str, *, limit: int, offset: int
    ) -> tuple[int, list[GapQuestion]]:
        """The newest first. Raises NotFound."""
        ...

    def history(self, scope: Scope, gap_id: str) -> list[GapEntry]:
        """The oldest first. Raises NotFound."""
        ...

    def activity(self, scope: Scope, gap_ids: Sequence[str], weeks: int) -> dict[str, list[int]]:
        """How many questions of each gap were asked in each of the last so many weeks, the oldest
        first; the last one ends now. A gap that is not found is left out."""
        ...

    def change(
        self,
        scope: Scope,
        gap_id: str,
        *,
        state: GapState | None,
        title: str | None,
        note: str | None,
    ) -> Gap:
        """What is None stays; a title of "" is the questions' own again. Raises NotFound."""
        ...

    def merge(self, scope: Scope, gap_id: str, gap_ids: Sequence[str]) -> Gap:
        """Raises NotFound, or Conflict where they are of several bots or one is the gap itself."""
        ...

    def note_answer(self, scope: Scope, gap_id: str, source_url: str) -> None:
        """The page that a person wrote for it. Raises NotFound."""
        ...

    def golden(self, scope: Scope) -> Iterator[tuple[str, list[str]]]:
        """Questions with the URLs that answer them: those of closed gaps, and those rated up."""
        ...

    def weeks(self, scope: Scope, since: str | None) -> list[Week]:
        """How many questions were asked and answered in each week, the oldest first."""
        ...


@runtime_checkable
class FeedbackStore(Protocol):
    def rate(
        self,
        scope: Scope,
        message_id: str,
        rating: Rating | None,
        comment: str,
        signal: Signal | None,
    ) -> None:
        """Keep what somebody thinks of an answer, in place of a former rating; None takes it back.

        `signal` is what a rejected answer leaves of its question, if that has none yet. One that
        a former rating left goes. Raises NotFound, or Conflict where it answers no question.
        """
        ...
