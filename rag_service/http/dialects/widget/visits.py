"""From which page a call comes, and from which visitor; and what browsers want to be told of it."""

from typing import Any
from urllib.parse import urlsplit

from litestar import Request, Response, route
from litestar.connection import ASGIConnection
from litestar.datastructures import MutableScopeHeaders
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.types import Message, Scope

from rag_service.access.caller import Caller
from rag_service.assembly import Service
from rag_service.errors import Forbidden
from rag_service.http.documenting import RATE_HEADERS
from rag_service.http.guarding import caller_of
from rag_service.http.threads import Threads

AnyRequest = Request[Any, Any, Any]
SESSION = "x-widget-session"
OF_VISITORS = {"X-Widget-Session": "The session of the visitor."}
ROUTES = ["/widget/session", "/widget/stream", "/widget/conversation", "/widget/feedback"]
_ORIGIN = "x-page-origin"
_REMEMBERED_S = 600


def apart(scope: Any) -> Any:
    """A scope whose Origin these routes answer themselves, and no setting for the whole API."""
    if scope["path"] not in ROUTES:
        return scope
    moved = {b"origin": _ORIGIN.encode(), _ORIGIN.encode(): b"x-ignored"}
    headers = [(moved.get(name, name), value) for name, value in scope["headers"]]
    return scope | {"headers": headers}


def from_its_pages(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A guard, after `need`: a page of another origin is Forbidden, and so is what is no page."""
    caller: Caller = connection.scope["state"]["caller"]
    origin = connection.headers.get(_ORIGIN)
    if origin is None and connection.headers.get("sec-fetch-site") == "same-origin":
        host = connection.headers.get("host", "")  # browsers send no Origin with such a GET
        allowed = any(urlsplit(one).netloc == host for one in caller.origins)
    else:
        allowed = origin in caller.origins
    if not allowed:
        raise Forbidden(
            f"Pages of {origin!r} may not use this key." if origin else "This key is for web pages."
        )


def visitor_of(request: AnyRequest, service: Service) -> str:
    """Whose session came with the request. Raises BadSession."""
    return service.visitors.identify(caller_of(request), request.headers.get(SESSION))


def address_of(request: AnyRequest) -> str:
    return request.client.host if request.client else ""


def take(request: AnyRequest, service: Service, visitor: str) -> None:
    """Count what a visitor asks. Raises RateLimited."""
    allowance = service.visitor_limiter.take(visitor, address_of(request))
    if allowance is not None:
        request.scope["state"]["allowance"] = allowance


@route(ROUTES, http_method="OPTIONS", status_code=204, include_in_schema=False)
async def preflight(
    request: AnyRequest, service: NamedDependency[Service], threads: NamedDependency[Threads]
) -> Response[None]:
    """Comes without the key: any origin that some key names may go on."""
    if not service.access.is_current():
        await threads.read(service.access.refresh)
    origin = request.headers.get(_ORIGIN, "")
    if origin not in _origins(service):
        raise Forbidden(f"No key of a widget is for pages of {origin!r}.")
    return Response(
        None,
        status_code=204,
        headers={
            "Access-Control-Allow-Methods": "GET, POST, DELETE",
            "Access-Control-Allow-Headers": f"authorization, content-type, {SESSION}",
            "Access-Control-Max-Age": str(_REMEMBERED_S),
        },
    )


async def answer_its_origin(message: Message, scope: Scope) -> None:
    """A page may read what is answered, errors too, where its origin is one of the key's."""
    if message["type"] != "http.response.start" or scope["path"] not in ROUTES:
        return
    origin = dict(scope["headers"]).get(_ORIGIN.encode(), b"").decode("latin-1")
    caller: Caller | None = scope.get("state", {}).get("caller")
    allowed = _origins(scope["app"].state.service) if caller is None else set(caller.origins)
    headers = MutableScopeHeaders.from_message(message)
    headers.extend_header_value("Vary", "Origin")
    if origin in allowed:
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Expose-Headers"] = ", ".join(["retry-after", *RATE_HEADERS])


def _origins(service: Service) -> set[str]:
    """Of all keys, as they were read last."""
    return {origin for token in service.access.refresh() for origin in token.origins}
