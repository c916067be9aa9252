"""The order of the candidates of one query, and whether they answer it."""

from msgspec import Struct
from msgspec.structs import replace

from rag_service.documents import Passage
from rag_service.knowledge.finding.codes import codes_in
from rag_service.knowledge.finding.confidence import (
    READ,
    Signs,
    Weighed,
    as_read,
    probability,
    signs,
    weigh,
)
from rag_service.knowledge.finding.foresight import Foreseen, foreseen
from rag_service.knowledge.finding.nearness import near_spans, sentence_cosines
from rag_service.knowledge.finding.ranking import rank
from rag_service.knowledge.finding.scale import Scale
from rag_service.knowledge.store import Calibration, Evidence, Mode
from rag_service.texts.sentences import NearSpan


class Seen(Struct, frozen=True, kw_only=True):
    """What the evidence showed; nothing, where there are no candidates."""

    weighed: Weighed = weigh(Signs())
    calibration: Calibration = Calibration()
    near: dict[str, list[NearSpan]] = {}
    """By chunk id, the sentences of the passages that were read."""
    absent: frozenset[str] = frozenset()
    """Terms of the query that no chunk has."""
    chunks: int = 0
    """The bot's, whatever a filter leaves of them."""
    until: int = 0
    """The newest change of chunks that is in it."""
    coming: Passage | None = None
    """The best passage, where that is one of a change that was foreseen."""


class Decision:
    """`choose` is what a store ranks with; `seen` is what it was shown the last time."""

    def __init__(
        self,
        query: str,
        scale: Scale,
        readable: float,
        *,
        mode: Mode,
        wanted: int,
        by_document: bool,
        change: Foreseen | None,
    ) -> None:
        self.seen = Seen()
        self._query = query
        self._codes = codes_in(query)
        self._scale = scale
        self._readable = readable
        self._mode = mode
        self._wanted = wanted
        self._by_document = by_document
        self._change = change

    def choose(self, evidence: Evidence) -> list[tuple[int, float]]:
        """Best first. Passages that are foreseen are not among them."""
        if self._change is not None:
            evidence = foreseen(evidence, self._change)
        if not evidence.scores:
            self.seen = Seen(absent=evidence.absent, chunks=evidence.chunks, until=evidence.seen)
            return []
        evidence = as_read(evidence, self._scale, self._readable)
        best = self._rank(evidence, "hybrid", max(self._wanted, READ))
        self.seen = self._read(evidence, [chunk for chunk, _ in best[:READ]])
        if self._change is not None:
            return [(chunk, score) for chunk, score in best[: self._wanted] if chunk >= 0]
        if self._mode == "hybrid" and not self._by_document:
            return best[: self._wanted]
        return self._rank(evidence, self._mode, self._wanted, by_document=self._by_document)

    def rerank(self, best: float) -> None:
        """A cross-encoder gives this to the passage that it puts first."""
        signs_seen = replace(self.seen.weighed.signs, reranked=best)
        self.seen = replace(self.seen, weighed=weigh(signs_seen))

    def probability(self, calibration: Calibration) -> float:
        """That the passages answer the query."""
        weighed = self.seen.weighed
        return probability(weighed.log_odds, calibration) if weighed.signs.chunks else 0.0

    def _rank(
        self, evidence: Evidence, mode: Mode, k: int, *, by_document: bool = False
    ) -> list[tuple[int, float]]:
        return rank(evidence, self._scale, mode, k, by_document=by_document, codes=self._codes)

    def _read(self, evidence: Evidence, best: list[int]) -> Seen:
        cosines = sentence_cosines(evidence, best)
        read = evidence.read(best)
        return Seen(
            weighed=weigh(signs(self._query, evidence, cosines, self._scale, self._readable)),
            calibration=evidence.calibration,
            near={
                read[chunk].passage.chunk_id: near_spans(
                    read[chunk].passage, cosines[chunk], self._scale
                )
                for chunk in best
            },
            absent=evidence.absent,
            chunks=evidence.chunks,
            until=evidence.seen,
            coming=read[best[0]].passage if best[0] < 0 else None,
        )
