"""The background process of a server: a child at low priority that is given orders.

Neither the interpreter nor the priority of the requests is shared with it. It sees the server's
rows as any process does. It is started by its first order, and again whenever it has died or could
not be started: orders wait until it can take them.
"""

import asyncio
import os
from asyncio import StreamReader, StreamReaderProtocol, StreamWriter
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from subprocess import PIPE, Popen
from typing import Literal

import msgspec
from msgspec import Struct

from rag_service.errors import RagError
from rag_service.programs import program
from rag_service.settings import Settings
from rag_service.supervisor import FAILING_AFTER, Loop, Supervisor, in_thread, is_end

_STOP_S = 2.0
"""What it is at is done again by the next one, so it need not be waited for any longer."""
_START_S = 120.0
"""From its start until it is ready. A guess: a busy machine reads its modules slowly."""


class Order(Struct, frozen=True):
    """Run a job of `size` bytes, seal a bot's views, deliver what webhooks are owed, look after the
    rows, or bring the gaps up to date."""

    do: Literal["job", "seal", "deliver", "upkeep", "gaps"]
    what: str = ""
    lines: int = 0
    size: int = 0


class Report(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The process is ready, a job has begun, moved, waits or ended, or a bot was sealed."""

    ready: bool = False
    job: str | None = None
    size: int = 0
    """Bytes of the results whose progress is kept: they will not be done again."""
    begun: bool = False
    note: str | None = None
    """Why the job waits."""
    ended: bool = False
    error: str | None = None
    sealed: str | None = None


class NotStarted(RagError):
    """There is no background process: what is ordered waits for it."""


class Background:
    """`take` is told each report, `died` that the process has ended by itself, and `troubled` that
    it cannot be started. `command` is what starts it.
    """

    def __init__(
        self,
        settings: Settings,
        supervisor: Supervisor | None = None,
        command: Sequence[str] | None = None,
    ) -> None:
        self._settings = settings
        self._supervisor = supervisor or Supervisor()
        self._command = command or program("rag_service.worker")
        self._worker: _Process | None = None
        self._waiting: deque[Order] = deque()
        self._mourning = False
        self._orders = Loop("background process", self.send)
        self._reports = Loop("reports of the background process", self.hear)
        self.take: Callable[[Report], None] = lambda report: None
        self.died: Callable[[], Awaitable[None]] = _nothing
        self.troubled: Callable[[], None] = lambda: None

    @property
    def trouble(self) -> str | None:
        """Why it cannot be started, after a few tries."""
        return self._orders.error if self._orders.failures >= FAILING_AFTER else None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        try:
            async with self._supervisor.running(self._orders, self._reports):
                yield
        finally:
            await self._stop()

    def order(self, order: Order) -> None:
        """It is given when the process can take it. One that waits already is not repeated."""
        if order not in self._waiting:
            self._waiting.append(order)
            self._orders.wake()

    async def send(self, now: float) -> float | None:
        """A step: start the process if there is none, and hand over what waits."""
        while self._waiting and not self._mourning:
            if self._worker is None:
                self._worker = await self._start()
                self._reports.wake()
            try:
                self._worker.orders.write(msgspec.json.encode(self._waiting[0]) + b"\n")
                await self._worker.orders.drain()
            except ConnectionError:  # it has died, which is noticed where it is read
                return None
            self._waiting.popleft()
        return None

    async def hear(self, now: float) -> float | None:
        """A step: take a report, or note that the process has ended."""
        if self._mourning:
            await self.died()
            self._mourning = False
            self._orders.wake()
        if self._worker is None:
            return None
        if line := await self._worker.reports.readline():
            self.take(msgspec.json.decode(line, type=Report))
        else:
            code = await self._worker.wait()
            self._worker, self._mourning = None, True
            raise NotStarted(f"the background process ended with {code} and is started again")
        return now

    async def _start(self) -> "_Process":
        """Raises NotStarted."""
        worker = None
        try:
            worker = _Process(self._command, {**os.environ, **self._settings.environ()})
            await worker.connect()
            async with asyncio.timeout(_START_S):
                if await worker.reports.readline():  # that it is ready
                    return worker
            reason = f"it ended with {await worker.wait()}"
        except BaseException as error:
            if worker is not None:
                worker.kill()
                await worker.wait()
            if is_end(error):
                raise
            reason = getattr(error, "strerror", None) or type(error).__name__
        self.troubled()
        raise NotStarted(
            f"the background process cannot be started ({reason}): what it has to do waits"
        )

    async def _stop(self) -> None:
        """What it has told is on disk; the next server goes on from there."""
        if self._worker is not None:
            self._worker.orders.close()
            try:
                async with asyncio.timeout(_STOP_S):
                    await self._worker.wait()
            except TimeoutError:
                self._worker.kill()
                await self._worker.wait()


class _Process:
    """A child with pipes for orders and reports.

    `Popen` starts it without a fork of this process, which event loops do: before a fork numerical
    libraries wait for the threads that compute, and those may wait for them, for ever.
    """

    def __init__(self, command: Sequence[str], environ: dict[str, str]) -> None:
        self._child = Popen(command, stdin=PIPE, stdout=PIPE, bufsize=0, env=environ)
        self.reports = StreamReader()
        self.orders: StreamWriter

    async def connect(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: StreamReaderProtocol(self.reports), self._child.stdout)
        transport, protocol = await loop.connect_write_pipe(
            lambda: StreamReaderProtocol(StreamReader()), self._child.stdin
        )
        self.orders = StreamWriter(transport, protocol, None, loop)

    def kill(self) -> None:
        self._child.kill()

    async def wait(self) -> int:
        """Its return code, when it has ended and its pipes are closed."""
        code = await in_thread(self._child.wait)
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                pipe.close()
        return code


async def _nothing() -> None:
    pass
