"""The background process of a server: a child at low priority that is given orders.

Neither the interpreter nor the priority of the requests is shared with it. It sees the server's
rows as any process does. It is started by its first order.
"""

import asyncio
import logging
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Literal

import msgspec
from msgspec import Struct

from rag_service.settings import Settings

_STOP_S = 5.0

log = logging.getLogger(__name__)


class Order(Struct, frozen=True):
    """Run a job, seal a bot's views, deliver what webhooks are owed, or look after the rows."""

    do: Literal["job", "seal", "deliver", "upkeep"]
    what: str = ""


class Report(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A job has moved or ended, or a bot was sealed."""

    job: str | None = None
    size: int = 0
    """Bytes of the results whose progress is kept: they will not be done again."""
    ended: bool = False
    error: str | None = None
    sealed: str | None = None


class Background:
    """`take` is told each report, and `died` that the process has ended by itself."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._worker: Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self.take: Callable[[Report], None] = lambda report: None
        self.died: Callable[[], Awaitable[None]] = _nothing

    async def order(self, order: Order) -> None:
        worker = await self._running()
        assert worker.stdin is not None
        with suppress(ConnectionError):  # a worker that has died is noticed where it is read
            worker.stdin.write(msgspec.json.encode(order) + b"\n")
            await worker.stdin.drain()

    async def stop(self) -> None:
        """What it has told is on disk; the next server goes on from there."""
        if self._listening is not None:
            self._listening.cancel()
        if self._worker is not None and self._worker.stdin is not None:
            self._worker.stdin.close()
            with suppress(ProcessLookupError):
                try:
                    async with asyncio.timeout(_STOP_S):
                        await self._worker.wait()
                except TimeoutError:
                    self._worker.kill()
                    await self._worker.wait()

    async def _running(self) -> Process:
        async with self._starting:
            if self._worker is None:
                self._worker = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "rag_service.worker",
                    stdin=PIPE,
                    stdout=PIPE,
                    env={**os.environ, **self._settings.environ()},
                )
                self._listening = asyncio.create_task(self._listen(self._worker))
            return self._worker

    async def _listen(self, worker: Process) -> None:
        assert worker.stdout is not None
        async for line in worker.stdout:
            self.take(msgspec.json.decode(line, type=Report))
        code = await worker.wait()
        log.error("the background process ended with %s and is started again", code)
        self._worker = None
        await self.died()


async def _nothing() -> None:
    pass
