"""What a search found, and the decision whether it is an answer."""

from msgspec import Struct

from rag_service.documents import Passage, Vectors
from rag_service.knowledge.filters import Filter
from rag_service.knowledge.finding.confidence import Weighed
from rag_service.knowledge.store import Calibration, Hit


class Findings(Struct, frozen=True, kw_only=True):
    """Best first. `has_rag_context` is the decision taken on `confidence`."""

    query: str
    searched_as: str | None
    """Where words of the query were respelled."""
    bot_id: str
    only: Filter | None
    """The documents that were to answer."""
    has_rag_context: bool
    confidence: float
    evidence: Weighed
    calibration: Calibration
    vector: Vectors
    """The query's, as it was searched; shape (1, dimension)."""
    absent: frozenset[str]
    """Terms of the query that no chunk has."""
    chunks: int
    """The bot's, whatever `only` leaves of them."""
    seen: int
    """The newest change of the bot's chunks that the search knew of."""
    coming: Passage | None = None
    """The best passage, where that is one of a change that was foreseen."""
    small_talk: str | None = None
    """The kind of small talk that the query is. It is answered by pages only where it asks, and
    where they are sure to."""
    hits: list[Hit]
