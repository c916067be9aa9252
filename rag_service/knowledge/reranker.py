"""The contract of a second look at the best passages."""

from collections.abc import Sequence
from typing import Protocol

from msgspec.structs import replace

from rag_service.knowledge.store import Hit

RERANKED = 20
"""How many of the best are read again, if not more are asked for."""


class Reranker(Protocol):
    """Reads question and passage together. Blocking and thread-safe; raises ModelUnavailable."""

    @property
    def name(self) -> str: ...

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """How well each text answers the question, in [0, 1]."""
        ...


def reranked(reranker: Reranker, query: str, hits: Sequence[Hit]) -> list[Hit]:
    """Best first, by what the model says of each."""
    read = [f"{hit.passage.title}\n{hit.passage.heading}\n{hit.passage.text}" for hit in hits]
    scores = reranker.score(query, [text.strip() for text in read])
    again = [replace(hit, score=round(score, 6)) for hit, score in zip(hits, scores, strict=True)]
    return sorted(again, key=lambda hit: -hit.score)
