"""The use case of the background: sort what was not answered into gaps, and ask it again.

A step takes a portion: some signals, some changes of the knowledge, or some questions of a sweep.
Each portion is one transaction, and what it rests on is compared there: a step that was overtaken
by an erasure, or by somebody who merged gaps, writes nothing and is done again.
"""

import logging
from collections.abc import Collection, Sequence

from msgspec import Struct

from rag_service.access.scope import ALL_BOTS
from rag_service.conversations.signals import Judgement, judgement_of
from rag_service.errors import RagError
from rag_service.gaps.asking_again import Bounds, bounds_of, rests_on, touched
from rag_service.gaps.book import Book
from rag_service.gaps.gap import Cause
from rag_service.gaps.states import Former, is_answered
from rag_service.gaps.store import (
    Judged,
    LedgerChange,
    LedgerState,
    LedgerStore,
    Member,
    Moved,
    Query,
)
from rag_service.ids import chunk_row
from rag_service.knowledge.base import KnowledgeBase
from rag_service.knowledge.finding.findings import Findings
from rag_service.supervisor import is_passing

log = logging.getLogger(__name__)

SIGNALS = 1000
"""That a step sorts at most."""
CHANGES = 2000
"""Of chunks, that a step looks at."""
SEARCHES = 100
"""Questions that a step asks again at most, which takes about half a second; all who asked one in
the same words are judged with it."""


class Rest(Struct, frozen=True, kw_only=True):
    """What a step did not come to: questions that the changes up to `until` can answer."""

    revision: int
    until: int
    members: list[Member]


class Ledger:
    """Blocking. One thread of one process at a time takes its steps.

    `weak_below` is the confidence from which an answer counts as one, or None.
    """

    def __init__(
        self, store: LedgerStore, knowledge: KnowledgeBase, *, weak_below: float | None
    ) -> None:
        self._store = store
        self._knowledge = knowledge
        self._weak_below = weak_below
        self._books: dict[str, Book] = {}
        self._bounds: dict[str, Bounds] = {}
        self._rests: dict[str, Rest] = {}

    def waiting(self) -> list[str]:
        """The bots for which there is something to consider."""
        return self._store.waiting()

    def follow(self) -> None:
        """Consider all that waits."""
        self.check_decisions()
        while bots := self.waiting():
            for bot_id in bots:
                self.consider(bot_id)

    def forget(self) -> None:
        """What is kept in memory: it is read again when it is wanted."""
        self._books.clear()
        self._rests.clear()

    def check_decisions(self) -> None:
        """Have all questions asked again that an earlier decision, model or calibration judged."""
        for bot_id in self._store.bots():
            state = self._store.state(bot_id)
            made_with = self._made_with(bot_id)
            if state.made_with not in ("", made_with):
                self._store.record(
                    LedgerChange(bot_id=bot_id, cause="decision", sweep=0, made_with=made_with)
                )

    def ask_gap_again(self, gap_id: str, bot_id: str) -> None:
        """Judge all questions of one gap now, as they stand."""
        members = self._store.members_of(gap_id)
        judged = self._judged(bot_id, members)
        self._store.record(LedgerChange(bot_id=bot_id, cause="changed", judged=judged))

    def consider(self, bot_id: str) -> None:
        """A portion of what waits for a bot."""
        try:
            self._consider(bot_id)
        except BaseException:
            self._books.pop(bot_id, None)  # it may have what was not written
            self._rests.pop(bot_id, None)
            raise

    # -- how -----------------------------------------------------------------------------------

    def _consider(self, bot_id: str) -> None:
        state = self._store.state(bot_id)
        book = self._book(bot_id, state)
        if waiting := self._store.unsorted(bot_id, SIGNALS):
            self._sort(bot_id, state, book, waiting)
        elif state.sweep is not None:
            self._sweep(bot_id, state, book, state.sweep)
        elif state.seq < state.newest:
            self._follow(bot_id, state, book)

    def _book(self, bot_id: str, state: LedgerState) -> Book:
        book = self._books.get(bot_id)
        if book is None:
            members = self._store.members(bot_id)
            book = self._books[bot_id] = Book(members, self._knowledge.scale())
        elif book.revision != state.revision:  # somebody merged, erased or judged
            others = book.others(self._store.places(bot_id))
            book.amend(others, self._store.members(bot_id, others))
        book.revision = state.revision
        return book

    def _sort(self, bot_id: str, state: LedgerState, book: Book, waiting: list[Member]) -> None:
        is_all = len(waiting) < SIGNALS
        late = [member for member in waiting if member.now.seen < state.newest]
        if left := late[len(_portion(late)) :]:
            waiting, is_all = [one for one in waiting if one.signal < left[0].signal], False
            late = [one for one in late if one.signal < left[0].signal]
        placed = {member.signal: book.place(member) for member in waiting}
        judged = {one.signal: one for one in self._judged(bot_id, late)}
        for member in waiting:
            if member.signal not in judged:
                judged[member.signal] = Judged(signal=member.signal, answered=False, now=member.now)
        change = LedgerChange(
            bot_id=bot_id,
            cause="asked",
            placed=placed,
            judged=list(judged.values()),
            sorted=waiting[-1].signal,
            made_with=self._made_with(bot_id),
        )
        change.middles = book.middles(change.placed.values())
        if self._record(change, state, book) and book.is_due and is_all:
            self._regroup(bot_id, state, book)

    def _regroup(self, bot_id: str, state: LedgerState, book: Book) -> None:
        regrouped = book.regroup(self._store.groups(bot_id))
        if not regrouped.moved:
            return
        change = LedgerChange(
            bot_id=bot_id,
            cause="asked",
            placed={signal: gap for signal, (_, gap) in regrouped.moved.items()},
            forwarded=regrouped.merged,
        )
        left = {gap for gap, _ in regrouped.moved.values()} - regrouped.merged.keys()
        change.middles = book.middles({*change.placed.values(), *left})
        self._record(change, state, book)

    def _follow(self, bot_id: str, state: LedgerState, book: Book) -> None:
        moved = self._store.moved(bot_id, state.seq, CHANGES)
        if moved.everything:  # the changes are gone: nobody knows what they were
            self._record(
                LedgerChange(bot_id=bot_id, cause="changed", sweep=0, seq=moved.until), state, book
            )
            return
        again = self._touched(bot_id, state, book, moved)
        cause: Cause = "changed" if moved.came else "removed"
        asked = {member.query for member in _portion(again)}
        now = [member for member in again if member.query in asked]
        change = LedgerChange(
            bot_id=bot_id,
            cause=cause,
            judged=self._judged(bot_id, now, gone=moved.gone, came=moved.came),
        )
        if len(now) == len(again):
            change.seq = moved.until
        if self._record(change, state, book) and change.seq is None:
            rest = [member for member in again if member.query not in asked]
            self._rests[bot_id] = Rest(revision=state.revision, until=moved.until, members=rest)

    def _touched(
        self, bot_id: str, state: LedgerState, book: Book, moved: Moved
    ) -> Sequence[Member]:
        """What an earlier step has left of the same changes, where there is such a one."""
        rest = self._rests.pop(bot_id, None)
        if rest is not None and (rest.revision, rest.until) == (state.revision, moved.until):
            return rest.members
        return touched(book.members, moved, self._knowledge.scale(), self._bounds_of(bot_id, book))

    def _sweep(self, bot_id: str, state: LedgerState, book: Book, done: int) -> None:
        rest = [member for member in book.members if member.signal > done]
        left = list(_portion(sorted(rest, key=lambda member: member.signal)))
        change = LedgerChange(bot_id=bot_id, cause="decision", judged=self._judged(bot_id, left))
        if left:
            change.sweep = left[-1].signal
        else:
            change.is_swept = True
        self._record(change, state, book)

    def _record(self, change: LedgerChange, state: LedgerState, book: Book) -> bool:
        """False where somebody was faster: the book is read again at the next step."""
        change.revision = state.revision
        made = self._store.record(change)
        if made is None:
            self._books.pop(change.bot_id, None)
            return False
        book.take(change, made)
        return True

    def _judged(
        self,
        bot_id: str,
        members: list[Member],
        *,
        gone: Collection[int] = (),
        came: Collection[int] = (),
    ) -> list[Judged]:
        found: dict[Query, tuple[Findings, Judgement] | None] = {}
        judged = []
        for member in members:
            if member.query not in found:
                found[member.query] = self._search(bot_id, member)
            if (answer := found[member.query]) is not None:
                findings, now = answer
                former = Former(
                    answered=member.answered,
                    confidence=member.now.confidence,
                    is_replaced=rests_on(member, gone) and _chunk_of(now) not in came,
                )
                judged.append(self._judge(member, now, former))
                if (signs := findings.evidence.signs).chunks:  # its filter left something
                    self._bounds[bot_id] = bounds_of(signs, findings.calibration)
        return judged

    def _search(self, bot_id: str, member: Member) -> tuple[Findings, Judgement] | None:
        """None where it fails unforeseen: one question does not hold up all others, and stays as it
        was judged."""
        try:
            found = self._knowledge.search(
                ALL_BOTS,
                member.question,
                bot_id,
                k=1,
                only=member.only,
                vector=member.vector[None],
            )
            return found, judgement_of(found)
        except Exception as error:
            if isinstance(error, RagError) or is_passing(error):
                raise
            log.exception("the question of signal %d could not be asked again", member.signal)
            return None

    def _judge(self, member: Member, now: Judgement, former: Former) -> Judged:
        answered = is_answered(
            member.kind,
            now,
            former,
            weak_below=self._weak_below,
            newest_then=member.newest_chunk,
            chunk=_chunk_of(now),
        )
        return Judged(signal=member.signal, answered=answered, now=now)

    def _bounds_of(self, bot_id: str, book: Book) -> Bounds:
        if bot_id not in self._bounds and book.members:
            self._judged(bot_id, book.members[:1])
        return self._bounds.get(bot_id, Bounds(near=0.0, with_code=0.0))

    def _made_with(self, bot_id: str) -> str:
        """What decides: all questions are judged anew when it changes."""
        calibration = self._knowledge.calibration(bot_id)
        numbers = (calibration.scale, calibration.shift, self._weak_below)
        return f"{self._knowledge.made_with} {numbers}"


def _portion(members: Sequence[Member]) -> Sequence[Member]:
    """The first of them, with as many different questions as a step asks."""
    queries: set[Query] = set()
    for place, member in enumerate(members):
        queries.add(member.query)
        if len(queries) > SEARCHES:
            return members[:place]
    return members


def _chunk_of(now: Judgement) -> int | None:
    return None if now.chunk_id is None else chunk_row(now.chunk_id)
