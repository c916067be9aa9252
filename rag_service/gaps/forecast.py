"""What a push or a removal would do to the gaps, before it is done."""

from collections import defaultdict
from collections.abc import Sequence

from msgspec import Struct

from rag_service.access.scope import Scope
from rag_service.conversations.signals import judgement_of
from rag_service.documents import Document
from rag_service.gaps.asking_again import bounds_of, touched
from rag_service.gaps.gap import Gap
from rag_service.gaps.states import Former, Standing, is_answered, next_state
from rag_service.gaps.store import GapStore, LedgerStore, Member, Moved, Query
from rag_service.ids import chunk_row
from rag_service.knowledge.base import KnowledgeBase
from rag_service.knowledge.finding.findings import Findings
from rag_service.knowledge.finding.foresight import Foreseen, vectors_of

_FOR_EVER = 2**62


class Forecast(Struct, frozen=True, kw_only=True):
    """Gaps that would close, and gaps that would open again."""

    closes: list[Gap]
    reopens: list[Gap]


class Forecaster:
    """Decides by the decision that answers, on passages that are not kept."""

    def __init__(
        self,
        ledger: LedgerStore,
        gaps: GapStore,
        knowledge: KnowledgeBase,
        *,
        weak_below: float | None,
    ) -> None:
        self._ledger = ledger
        self._gaps = gaps
        self._knowledge = knowledge
        self._weak_below = weak_below

    def push(self, scope: Scope, documents: Sequence[Document]) -> Forecast:
        """Of documents of one bot, as if they were pushed. Raises Unreadable."""
        coming = [one for document in documents for one in self._knowledge.coming(document)]
        going = frozenset(document.source_url for document in documents)
        return self._foresee(scope, documents[0].bot_id, Foreseen(coming=coming, going=going))

    def remove(self, scope: Scope, bot_id: str, source_urls: Sequence[str]) -> Forecast:
        return self._foresee(scope, bot_id, Foreseen(going=frozenset(source_urls)))

    def _foresee(self, scope: Scope, bot_id: str, change: Foreseen) -> Forecast:
        members = [one for one in self._ledger.members(bot_id) if one.gap is not None]
        if not members:
            return Forecast(closes=[], reopens=[])
        of_gap: dict[int, list[Member]] = defaultdict(list)
        for member in members:
            of_gap[member.gap or 0].append(member)
        answered = {member.signal: member.answered for member in members}
        found: dict[Query, Findings] = {}
        for member in self._again(scope, bot_id, members, change):
            if member.query not in found:
                found[member.query] = self._knowledge.search(
                    scope,
                    member.question,
                    bot_id,
                    k=1,
                    only=member.only,
                    vector=member.vector[None],
                    change=change,
                )
            answered[member.signal] = self._would_answer(member, found[member.query])
        changed = {"closed": list[int](), "reopened": list[int]()}
        for group in self._ledger.groups(bot_id):
            its = of_gap[group.gap]
            standing = Standing(
                unanswered=sum(not answered[one.signal] for one in its),
                lost=sum(one.answered and not answered[one.signal] for one in its),
            )
            _, what = next_state(group.state, standing)
            if what in changed and its:
                changed[what].append(group.gap)
        return Forecast(
            closes=self._gaps.of_rows(scope, changed["closed"]),
            reopens=self._gaps.of_rows(scope, changed["reopened"]),
        )

    def _again(
        self, scope: Scope, bot_id: str, members: list[Member], change: Foreseen
    ) -> list[Member]:
        some = self._knowledge.search(scope, members[0].question, bot_id, k=1)
        gone = {
            chunk_row(passage.chunk_id)
            for passages in self._knowledge.chunks_of(scope, bot_id, list(change.going)).values()
            for passage in passages
        }
        moved = Moved(
            until=_FOR_EVER,
            came=[],
            gone=gone,
            vectors=vectors_of(change.coming, members[0].vector.shape[0]),
            terms=None,
        )
        bounds = bounds_of(some.evidence.signs, some.calibration)
        return touched(members, moved, self._knowledge.scale(), bounds)

    def _would_answer(self, member: Member, found: Findings) -> bool:
        now = judgement_of(found)
        newest = member.newest_chunk
        chunk = None if now.chunk_id is None else chunk_row(now.chunk_id)
        return is_answered(
            member.kind,
            now,
            Former(
                answered=member.answered,
                confidence=member.now.confidence,
                is_replaced=found.coming is None,
            ),
            weak_below=self._weak_below,
            newest_then=newest,
            chunk=newest + 1 if found.coming else chunk,
        )
