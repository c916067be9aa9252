"""The gaps of one bot in memory, as sorting works with them."""

from collections.abc import Iterable, Sequence

from rag_service.gaps.clustering import Clustering
from rag_service.gaps.matching import Regrouped
from rag_service.gaps.store import GapGroup, LedgerChange, Member
from rag_service.gaps.wordings import Question
from rag_service.knowledge.finding.scale import Scale


class Book:
    """What a bot's ledger knew at `revision`. A gap is a cluster, labelled by its row; one that is
    not written yet has a label below zero."""

    def __init__(self, revision: int, members: Sequence[Member], scale: Scale) -> None:
        self.revision = revision
        self._members = {member.signal: member for member in members}
        self._clusters = Clustering(scale)
        self._clusters.restore(
            (_question(member), member.gap) for member in members if member.gap is not None
        )

    @property
    def members(self) -> list[Member]:
        return list(self._members.values())

    @property
    def is_due(self) -> bool:
        """Whether `regroup` may find better gaps."""
        return self._clusters.is_due

    def place(self, member: Member) -> int:
        """The gap that a new question is of."""
        self._members[member.signal] = member
        member.gap = self._clusters.add(_question(member))
        return member.gap

    def middles(self, gaps: Iterable[int]) -> dict[int, int]:
        """Of each gap, the signal nearest to its middle."""
        return {gap: self._clusters.title_of(gap) for gap in set(gaps)}

    def regroup(self, groups: Sequence[GapGroup]) -> Regrouped:
        """Only open gaps are grouped anew, and those that a person made stay together."""
        return self._clusters.recluster(
            settled={group.gap for group in groups if group.state != "open"},
            whole={group.gap for group in groups if group.is_pinned},
        )

    def take(self, change: LedgerChange, made: dict[int, int]) -> None:
        """What was written, with the rows of the gaps that it made."""
        self._clusters.rename(made)
        for signal, gap in change.placed.items():
            if signal in self._members:
                self._members[signal].gap = made.get(gap, gap)
        for judged in change.judged:
            if judged.signal in self._members:
                member = self._members[judged.signal]
                member.answered, member.now = judged.answered, judged.now


def _question(member: Member) -> Question:
    return Question(id=member.signal, text=member.question, vector=member.vector)
