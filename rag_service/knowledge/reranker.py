"""The contract of a second look at the best passages."""

from collections.abc import Sequence
from typing import Protocol

RERANKED = 20
"""How many of the best are read again, if not more are asked for."""


class Reranker(Protocol):
    """Reads question and passage together. Blocking and thread-safe; raises ModelUnavailable."""

    @property
    def name(self) -> str: ...

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """How well each text answers the question, in [0, 1]."""
        ...
