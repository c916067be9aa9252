"""Server-sent events: frames, and a stream that ends when its reader leaves."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any

import msgspec
from anyio import CancelScope
from litestar import Response
from litestar.response import Stream

HEARTBEAT_S = 15.0
"""A comment is sent after as long a silence, so that no proxy takes the connection for dead."""
_AHEAD = 16


def frame(event: str, data: Any, id_: str | None = None) -> bytes:
    first = f"id: {id_}\n" if id_ else ""
    return f"{first}event: {event}\ndata: {msgspec.json.encode(data).decode()}\n\n".encode()


def event_stream(frames: AsyncGenerator[bytes, None]) -> Response[Any]:
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return Stream(_kept_alive(frames), media_type="text/event-stream", headers=headers)


async def _kept_alive(frames: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """A task of its own reads `frames`; it is cancelled, and waited for, when nobody reads on."""
    ready: asyncio.Queue[bytes | None] = asyncio.Queue(_AHEAD)

    async def read() -> None:
        try:
            async with aclosing(frames):
                async for one in frames:
                    await ready.put(one)
        finally:
            with suppress(asyncio.QueueFull):
                ready.put_nowait(None)

    reading = asyncio.create_task(read())
    try:
        while not (reading.done() and ready.empty()):
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    one = await ready.get()
            except TimeoutError:
                yield b": heartbeat\n\n"
                continue
            if one is None:
                return
            yield one
    finally:
        reading.cancel()
        with CancelScope(shield=True):
            await asyncio.gather(reading, return_exceptions=True)
