"""Who calls, before any handler runs: the token, its scope, its rate."""

from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from rag_service.access.caller import Caller, RateClass, Scope
from rag_service.assembly import Service
from rag_service.errors import Forbidden, Unsupported
from rag_service.http.tolerance import with_slashes


def need(scope: Scope | None, rate: RateClass = "data") -> Guard:
    """A guard that lets in who holds `scope` (None: any token) and has not used up `rate`.

    The token is read from the rows each time, so that a change of it holds at once.
    """

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        service: Service = connection.app.state.service
        with_slashes(connection.scope)
        _check_coding(connection.headers.get("content-encoding", ""))
        caller = service.access.identify(connection.headers.get("authorization"))
        state = connection.scope["state"]
        state["allowance"] = service.limiter.take(caller, rate)
        if scope is not None:
            caller.need(scope)
        state["caller"] = caller

    return guard


def _check_coding(coding: str) -> None:
    """Those that are understood are taken away before."""
    if coding.strip().lower() not in ("", "identity"):
        raise Unsupported(f"The Content-Encoding {coding!r} is not understood: use gzip or none.")


def of_no_bot(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A guard, after `need`, of what belongs to no bot: keeps out who is bound to one."""
    caller: Caller = connection.scope["state"]["caller"]
    if caller.bot_id is not None:
        raise Forbidden(
            f"This token is bound to the bot {caller.bot_id!r}, and contacts belong to no bot."
        )


def caller_of(request: Request[Any, Any, Any]) -> Caller:
    """Whoever a guard let in."""
    caller: Caller = request.scope["state"]["caller"]
    return caller
