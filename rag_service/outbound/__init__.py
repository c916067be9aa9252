"""A request to somebody else's server. The contract, and the place that makes one."""

from rag_service.clock import Clock
from rag_service.events.poster import Poster
from rag_service.settings import Settings


def open_poster(settings: Settings, clock: Clock | None = None) -> Poster:
    """Reaches the public internet, or anything (RAG_WEBHOOK_ALLOW_PRIVATE)."""
    from rag_service.outbound.guarded import GuardedPoster, anywhere  # noqa: PLC0415

    if settings.webhook_allow_private:
        return GuardedPoster(refuse=anywhere, clock=clock)
    return GuardedPoster(clock=clock)
