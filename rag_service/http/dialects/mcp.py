"""/mcp: the Model Context Protocol, whose bodies are the SDK's."""

from typing import Any

from litestar import asgi
from litestar.datastructures import Headers
from litestar.exceptions import MethodNotAllowedException

from rag_service.errors import Forbidden
from rag_service.http.guarding import need
from rag_service.mcp.endpoint import Endpoint, is_allowed


@asgi("/mcp", guards=[need(None)], is_mount=False, copy_scope=True)
async def mcp(scope: Any, receive: Any, send: Any) -> None:
    """With a bearer token, whose scopes tell which tools there are. Nothing is kept between
    requests, so there is no stream to GET and no session to DELETE."""
    if scope["method"] != "POST":
        raise MethodNotAllowedException(headers={"Allow": "POST"})
    state = scope["litestar_app"].state
    origin = Headers.from_scope(scope).get("origin", "")
    if not is_allowed(origin, state.service.settings.origins):
        raise Forbidden(f"Pages of {origin[:200]} may not ask: name it in RAG_CORS_ORIGINS.")
    endpoint: Endpoint = state.mcp
    await endpoint(scope, receive, send)


handlers = [mcp]
