"""uvicorn, set up: the application until it is interrupted."""

import logging
import sys
from collections.abc import Callable
from socket import socket

import uvicorn

from rag_service.assembly import assemble
from rag_service.errors import InvalidSettings, StorageFailed
from rag_service.http.app import create_app
from rag_service.settings import Settings

_KEEP_ALIVE_S = 75
"""Longer than clients and proxies keep idle connections, so that they close first, not we."""
_LAST_S = 2
"""For requests at work, once it is told to stop. With the background process's it stays below 5."""
_SWITCH_S = 0.0005
"""How soon a thread that computes in Python lets a waiting request in (5 ms by default)."""

log = logging.getLogger(__name__)


def serve(settings: Settings, started: Callable[[str], None] = lambda url: None) -> None:
    """Blocks until SIGINT or SIGTERM. `started` is told the URL once it listens.

    Raises StorageFailed or InvalidSettings when it cannot start.
    """
    logging.basicConfig(level=settings.log_level.upper(), stream=sys.stderr)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    # says what is wrong with a folder in a line, not in a traceback
    with assemble(settings, upgrade=log.warning):
        pass
    sys.setswitchinterval(_SWITCH_S)
    config = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=_LAST_S,
        timeout_keep_alive=_KEEP_ALIVE_S,
        server_header=False,
        http="h11",  # httptools answers HTTP/1.0 in chunks, which that does not know
    )
    _Server(config, started).run()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, started: Callable[[str], None]) -> None:
        super().__init__(config)
        self._tell = started

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        self.config.app.state.fan_out.close()  # type: ignore[union-attr]
        await super().shutdown(sockets)

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        try:
            await super().startup()
        except SystemExit:  # how uvicorn says that it cannot start
            if self.lifespan.should_exit:
                raise StorageFailed("the service could not start: its log tells why") from None
            where = f"{self.config.host}:{self.config.port}"
            raise InvalidSettings(f"cannot listen on {where}: set RAG_PORT or --port") from None
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            self._tell(f"http://{f'[{host}]' if ':' in host else host}:{port}")
