"""What clients and proxies write differently is made one before the application sees it.

A HEAD is answered as its GET, without the body; a compressed body is unpacked as it is read; an
encoded slash belongs to the name that it stands in; the prefix of a proxy is taken away.
"""

import zlib
from collections.abc import AsyncIterator
from urllib.parse import unquote

from litestar.types import HTTPReceiveMessage, HTTPScope, Message, Receive, Scope, Send

from rag_service.errors import Invalid

COMPRESSED = ("gzip", "x-gzip", "deflate")
"""The codings of a body that are understood."""
_SLASH = "\ue02f"
"""Stands for an encoded slash until the path is taken apart. It is of no script."""
_AT_ONCE = 1 << 18
"""Bytes that are unpacked before they are handed on, so that a bomb meets the limit of bodies."""
_ANY_FORM = zlib.MAX_WBITS | 32
"""gzip and zlib are told apart by their first bytes."""


def tolerant(
    scope: HTTPScope, receive: Receive, send: Send, prefix: str
) -> tuple[HTTPScope, Receive, Send]:
    """`prefix` is the path below which a proxy serves us, such as /rag, or empty."""
    scope = scope.copy()
    scope["path"] = _path(scope, prefix)
    coding = _header(scope, b"content-encoding").decode("latin-1").strip().lower()
    if coding in COMPRESSED:
        unwanted = (b"content-encoding", b"content-length")
        scope["headers"] = [pair for pair in scope["headers"] if pair[0].lower() not in unwanted]
        receive = _Unpacked(receive).receive
    if scope["method"] == "HEAD":
        scope["method"] = "GET"
        head = _HeadOnly(receive, send)
        receive, send = head.receive, head.send
    return scope, receive, send


def with_slashes(scope: Scope) -> None:
    """Gives the names in the path their slashes back."""
    for name, value in scope["path_params"].items():
        if isinstance(value, str) and _SLASH in value:
            scope["path_params"][name] = value.replace(_SLASH, "/")


def _path(scope: HTTPScope, prefix: str) -> str:
    path = scope["path"]
    raw = scope.get("raw_path") or b""
    if b"%2f" in raw.lower():
        parts = raw.partition(b"?")[0].decode("latin-1").split("/")
        path = "/".join(unquote(part).replace("/", _SLASH) for part in parts)
    if prefix and (path == prefix or path.startswith(f"{prefix}/")):
        path = path.removeprefix(prefix) or "/"
    return path


def _header(scope: HTTPScope, name: bytes) -> bytes:
    return next((value for key, value in scope["headers"] if key.lower() == name), b"")


class _Unpacked:
    """Raises Invalid where the body is not what its coding says."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._parts = self._unpack()

    async def receive(self) -> HTTPReceiveMessage:
        return await anext(self._parts)

    async def _unpack(self) -> AsyncIterator[HTTPReceiveMessage]:
        unpacker = zlib.decompressobj(_ANY_FORM)
        more = True
        while more:
            message = await self._receive()
            if message["type"] != "http.request":
                yield message  # type: ignore[misc]  # a disconnect
                return
            more = message["more_body"]
            data = message["body"]
            while data:
                try:
                    part = unpacker.decompress(data, _AT_ONCE)
                except zlib.error as error:
                    raise Invalid("the body is not in its Content-Encoding") from error
                data = unpacker.unconsumed_tail
                if unpacker.eof and unpacker.unused_data:  # a gzip file may have several members
                    data, unpacker = unpacker.unused_data, zlib.decompressobj(_ANY_FORM)
                yield {"type": "http.request", "body": part, "more_body": True}
        if not unpacker.eof:
            raise Invalid("the body ends before its Content-Encoding does")
        yield {"type": "http.request", "body": b"", "more_body": False}
        while True:
            yield await self._receive()  # type: ignore[misc]  # a disconnect


class _HeadOnly:
    """The answer ends with its headers, and a stream is told that its reader has left."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._is_over = False

    async def receive(self) -> HTTPReceiveMessage:
        if self._is_over:
            return {"type": "http.disconnect"}
        return await self._receive()  # type: ignore[return-value]  # of an HTTP request

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._send(message)
            self._is_over = True
        elif message["type"] == "http.response.body" and not message.get("more_body"):
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
