"""A request over HTTP to an address that was checked, bounded in size and time."""

import asyncio
import re
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Future
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpcore2
import httpx2
from msgspec.structs import replace

from rag_service.clock import Clock, SystemClock
from rag_service.errors import Invalid, Refused
from rag_service.events.poster import Answer
from rag_service.outbound import addresses

TIMEOUT_S = 15.0
"""For a whole request; the least that the Standard Webhooks specification recommends."""
CONNECT_S = 5.0
"""For each address of a name."""
_READ = 64 * 1024
_KEPT = 1000
_LONGEST_RETRY_AFTER_S = 86_400.0
_RESOLVERS = 64
_HOST = re.compile(r"[A-Za-z0-9_.:-]+")
_IDLE_S = 30.0

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""A host's numeric addresses; raises OSError."""
Refuse = Callable[[str], str | None]
"""Why a numeric address is not to be reached; None when it may."""


class GuardedPoster:
    """Follows no redirect, asks no proxy, keeps no cookie. For use within one event loop.

    The addresses of a name are found once for each connection, all of them are checked, and the
    connection is made to one of those: no other answer of the name's server can come in between.
    """

    def __init__(
        self,
        *,
        refuse: Refuse = addresses.refusal,
        resolve: Resolve | None = None,
        timeout_s: float = TIMEOUT_S,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._network = _Guarded(refuse, resolve or _Resolver())
        self._timeout_s = timeout_s
        self._pool: httpcore2.AsyncConnectionPool | None = None

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> Answer:
        start = time.monotonic()
        answer = Answer()
        try:
            async with asyncio.timeout(self._timeout_s):
                parsed = _parsed(url)
                request = self._opened().stream(
                    "POST", _target(parsed), headers=_headers(parsed, headers), content=body
                )
                async with request as response:
                    answer = _begun(response, self._clock.now())
                    answer = replace(answer, text=await _beginning(response))
        except TimeoutError:
            answer = _without_status(answer, f"no answer within {self._timeout_s:g} s")
        except httpcore2.TimeoutException:
            answer = _without_status(answer, f"no connection within {CONNECT_S:g} s")
        except (
            Invalid,
            Refused,
            OSError,
            httpcore2.NetworkError,
            httpcore2.ProtocolError,
        ) as error:
            answer = _without_status(answer, _reason(error))
        return replace(answer, duration_ms=round((time.monotonic() - start) * 1000))

    async def check(self, url: str, *, within_s: float) -> str:
        parsed = _parsed(url)
        try:
            async with asyncio.timeout(within_s):
                await self._network.addresses(parsed.raw_host.decode(), parsed.port or 0)
        except OSError:  # a TimeoutError too
            pass
        return str(parsed)

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.aclose()

    def _opened(self) -> httpcore2.AsyncConnectionPool:
        if self._pool is None:
            self._pool = httpcore2.AsyncConnectionPool(
                ssl_context=httpx2.create_ssl_context(),
                max_connections=None,  # a slow receiver holds only its own
                keepalive_expiry=_IDLE_S,
                network_backend=self._network,
            )
        return self._pool


def anywhere(_: str) -> None:
    """No address is refused."""


class _Resolver:
    """The system's own, in threads that delay nothing: not each other, not the end of a process."""

    def __init__(self) -> None:
        self._free = threading.Semaphore(_RESOLVERS)

    async def __call__(self, host: str, port: int) -> list[str]:
        if not self._free.acquire(blocking=False):
            raise OSError("too many names are being looked up: the name server is slow")
        found: Future[list[str]] = Future()

        def ask() -> None:
            try:
                infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                found.set_result(list(dict.fromkeys(str(info[4][0]) for info in infos)))
            except (OSError, UnicodeError) as error:
                found.set_exception(error)
            finally:
                self._free.release()

        found.set_running_or_notify_cancel()  # who leaves does not take the result away
        threading.Thread(target=ask, name="resolve", daemon=True).start()
        return await asyncio.wrap_future(found)


class _Guarded(httpcore2.AsyncNetworkBackend):
    def __init__(self, refuse: Refuse, resolve: Resolve) -> None:
        self._inner = httpcore2.AnyIOBackend()
        self._refuse = refuse
        self._resolve = resolve

    async def addresses(self, host: str, port: int) -> list[str]:
        """All of them, checked. Raises Refused and OSError."""
        try:
            found = await self._resolve(host, port)
        except UnicodeError as error:
            raise OSError(f"{host!r} is no host name") from error
        for address in found:
            if why := self._refuse(address):
                raise Refused(f"{host} must not be reached: {why}; see RAG_WEBHOOK_ALLOW_PRIVATE")
        return found

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        failure: Exception = OSError(f"{host} has no address")
        for address in await self.addresses(host, port):
            try:
                return await self._inner.connect_tcp(
                    address, port, CONNECT_S, local_address, socket_options
                )
            except (httpcore2.NetworkError, httpcore2.TimeoutException) as error:
                failure = error
        raise failure

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore2.AsyncNetworkStream:
        raise Refused("a webhook reaches no socket of this machine")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


def _parsed(url: str) -> httpx2.URL:
    """Raises Invalid."""
    try:
        parsed = httpx2.URL(url.strip())
    except (httpx2.InvalidURL, UnicodeError) as error:
        raise Invalid("must be an http or https URL") from error
    host = parsed.raw_host.decode()
    if parsed.scheme not in ("http", "https") or not _HOST.fullmatch(host):
        raise Invalid("must be an http or https URL")
    if parsed.port is not None and not 0 < parsed.port < 65536:
        raise Invalid("must have a port from 1 to 65535")
    if parsed.userinfo:
        raise Invalid("must not hold a user name or password")
    return parsed


def _target(url: httpx2.URL) -> httpcore2.URL:
    return httpcore2.URL(
        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
    )


def _headers(url: httpx2.URL, headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    host = ("Host", url.netloc.decode("ascii"))
    return [(name.encode("ascii"), value.encode()) for name, value in (host, *headers.items())]


def _begun(response: httpcore2.Response, now: datetime) -> Answer:
    later = _retry_after(dict(response.headers), now)
    return Answer(status=response.status, retry_after_s=later)


async def _beginning(response: httpcore2.Response) -> str:
    """A body that goes on after so much is left alone, and its connection closed."""
    read = b""
    async for part in response.aiter_stream():
        read += part
        if len(read) > _READ:
            break
    text = read[: 4 * _KEPT].decode(errors="replace")[:_KEPT]
    return "".join(char if char.isprintable() or char in "\n\t" else " " for char in text)


def _retry_after(headers: dict[bytes, bytes], now: datetime) -> float | None:
    given = {name.lower(): value for name, value in headers.items()}.get(b"retry-after", b"")
    text = given.decode("latin-1").strip()
    if text.isascii() and text.isdecimal() and len(text) < 12:
        seconds = float(text)
    else:
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = (moment - now).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER_S)


def _without_status(answer: Answer, error: str) -> Answer:
    """What fails after the status has come does not undo it."""
    return answer if answer.status is not None else Answer(error=error)


def _reason(error: Exception) -> str:
    """In a line, without our insides."""
    if isinstance(error, socket.gaierror):
        return f"the host cannot be found: {error.strerror}"
    text = str(error).strip() or type(error).__name__
    return " ".join(text.split())[:_KEPT]
