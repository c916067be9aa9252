"""GET /health: whether the service is there and ready, open to everybody."""

from typing import Literal

from litestar import get
from litestar.di import NamedDependency
from msgspec import Struct

from rag_service import __version__
from rag_service.assembly import Service
from rag_service.errors import StorageFailed


class Health(Struct, frozen=True, kw_only=True):
    """`utils_loaded` turns true when the embedder and the views are ready to serve; `failing`
    names the background loops that fail again and again, and are tried further."""

    ok: bool
    plugin_version: str
    token_set: bool
    embedding_model: str
    utils_loaded: bool
    failing: list[str]
    namespace: Literal["mxchat/v1"] = "mxchat/v1"


@get(
    "/health",
    sync_to_thread=False,
    security=[{}],
    tags=["health"],
    summary="Is it there, and is it ready?",
)
def health(service: NamedDependency[Service]) -> Health:
    """Answers at once, whatever else goes on; needs no token."""
    try:
        token_set = bool(service.access.refresh())
    except StorageFailed:
        return _health(service, ok=False, token_set=False)
    return _health(service, ok=True, token_set=token_set)


def _health(service: Service, *, ok: bool, token_set: bool) -> Health:
    return Health(
        ok=ok,
        plugin_version=__version__,
        token_set=token_set,
        embedding_model=service.embedding_model(),
        utils_loaded=service.ready(),
        failing=sorted(service.supervisor.failing()),
    )
