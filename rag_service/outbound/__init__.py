"""A request to somebody else's server. The contract, and the place that makes one."""

from rag_service.events.poster import Poster
from rag_service.settings import Settings


def open_poster(settings: Settings) -> Poster:
    """Reaches the public internet, or anything (RAG_WEBHOOK_ALLOW_PRIVATE)."""
    from rag_service.outbound.guarded import GuardedPoster, anywhere  # noqa: PLC0415

    return GuardedPoster(refuse=anywhere) if settings.webhook_allow_private else GuardedPoster()
