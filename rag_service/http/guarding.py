"""Who calls, before any handler runs: the token, its scope, its rate."""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from rag_service.access.caller import Caller, Permission, RateClass
from rag_service.access.scope import Scope
from rag_service.assembly import Service
from rag_service.errors import BadToken, Forbidden, NoTokens, Unsupported
from rag_service.http.threads import Threads
from rag_service.http.tolerance import with_slashes


def need(permission: Permission | None, rate: RateClass = "data") -> Guard:
    """A guard that lets in who holds `permission` and has not used up `rate`.

    None is any token but the key of a widget, which is public.

    A change of a token holds at once. Whoever tries wrong ones is stopped after some a minute;
    who has a right one at the same address is not.
    """

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        service: Service = connection.app.state.service
        with_slashes(connection.scope)
        _check_coding(connection.headers.get("content-encoding", ""))
        given = connection.headers.get("authorization")
        caller = await _identify(given, service, connection.app.state.threads)
        if caller is None:
            if given:
                client = connection.client
                service.attempts.failed(client.host if client else "")
            raise BadToken("Invalid bearer token.")
        state = connection.scope["state"]
        state["allowance"] = service.limiter.take(caller, rate)
        if permission is not None:
            caller.need(permission)
        elif caller.permissions == ["widget"]:
            raise Forbidden("The key of a widget opens its own routes alone.")
        state["caller"] = caller

    return guard


async def _identify(given: str | None, service: Service, threads: Threads) -> Caller | None:
    """None for a wrong token. Tokens are read again, off the event loop, when rows have changed."""
    if not service.access.is_current():
        await threads.read(service.access.refresh)
    try:
        return service.access.identify(given)
    except BadToken:
        return None


def still_holds(
    request: Request[Any, Any, Any], service: Service, threads: Threads, permission: Permission
) -> Callable[[], Awaitable[bool]]:
    """Whether the token of a request that goes on for long would still let it in."""
    given, former = request.headers.get("authorization"), caller_of(request)

    async def holds() -> bool:
        try:
            caller = await _identify(given, service, threads)
        except NoTokens:
            return False
        return caller is not None and caller.scope == former.scope and caller.has(permission)

    return holds


def _check_coding(coding: str) -> None:
    """Those that are understood are taken away before."""
    if coding.strip().lower() not in ("", "identity"):
        raise Unsupported(f"The Content-Encoding {coding!r} is not understood: use gzip or none.")


def of_no_bot(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A guard, after `need`, of contacts: who is bound to a bot hears so before all else."""
    caller: Caller = connection.scope["state"]["caller"]
    caller.scope.need_all("contacts")


def caller_of(request: Request[Any, Any, Any]) -> Caller:
    """Whoever a guard let in."""
    caller: Caller = request.scope["state"]["caller"]
    return caller


def scope_of(request: Request[Any, Any, Any]) -> Scope:
    """What whoever a guard let in may see and change."""
    return caller_of(request).scope
