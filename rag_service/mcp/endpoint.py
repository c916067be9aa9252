"""MCP over streamable HTTP: every request by itself, so any process may answer it.

The SDK is imported by the first request, since it takes a second and most servers never need it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from rag_service.access.caller import Caller
from rag_service.assembly import Service
from rag_service.errors import NotInstalled
from rag_service.mcp import NEEDS_EXTRA, is_installed

LOCAL = ("http://127.0.0.1", "http://localhost", "http://[::1]")


class Endpoint:
    """An ASGI application below a route that has let the caller in: `scope["state"]["caller"]`."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._starting: asyncio.Future[dict[bool, Any]] | None = None
        self._serving: asyncio.Task[None] | None = None
        self._over = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        try:
            yield
        finally:
            self._over.set()
            if self._serving is not None:
                await asyncio.gather(self._serving, return_exceptions=True)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answers as JSON where no stream is accepted. Raises NotInstalled."""
        if not is_installed():
            raise NotInstalled(NEEDS_EXTRA)
        accept = b",".join(value for name, value in scope["headers"] if name == b"accept")
        as_json = b"text/event-stream" not in accept
        managers = await self._started()
        await managers[as_json].handle_request(scope, receive, send)

    async def _started(self) -> dict[bool, Any]:
        if self._starting is None:
            self._starting = asyncio.get_running_loop().create_future()
            self._serving = asyncio.create_task(self._serve(self._starting))
        return await asyncio.shield(self._starting)

    async def _serve(self, started: "asyncio.Future[dict[bool, Any]]") -> None:
        """In a task of its own: the SDK's tasks outlive the request that was first."""
        try:
            managers = await asyncio.to_thread(_managers, self._service)
            async with managers[False].run(), managers[True].run():
                started.set_result(managers)
                await self._over.wait()
        except Exception as error:
            self._starting = None
            if started.done():
                raise
            started.set_exception(error)


def _managers(service: Service) -> dict[bool, Any]:
    """By whether they answer as JSON alone."""
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager  # noqa: PLC0415
    from mcp.server.transport_security import TransportSecuritySettings  # noqa: PLC0415

    from rag_service.mcp.server import make_server  # noqa: PLC0415

    settings = service.settings
    security = TransportSecuritySettings(
        enable_dns_rebinding_protection=bool(settings.hosts),
        allowed_hosts=settings.hosts,
        allowed_origins=allowed_origins(settings.origins),
    )
    return {
        as_json: StreamableHTTPSessionManager(
            make_server(service, _caller_of),
            json_response=as_json,
            stateless=True,
            security_settings=security,
            max_request_body_size=settings.max_body_bytes,
        )
        for as_json in (False, True)
    }


def _caller_of(context: Any) -> Caller:
    caller: Caller = context.request.scope["state"]["caller"]
    return caller


def allowed_origins(of_settings: list[str]) -> list[str]:
    """Those of RAG_CORS_ORIGINS, and pages of this machine on any port."""
    return [*of_settings, *LOCAL, *(f"{origin}:*" for origin in LOCAL)]


def is_allowed(origin: str, of_settings: list[str]) -> bool:
    """A client that is no page sends no Origin."""
    if not origin or "*" in of_settings or origin in of_settings:
        return True
    return any(origin == local or origin.startswith(f"{local}:") for local in LOCAL)
