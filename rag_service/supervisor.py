"""Loops that never die: each is one step, which is run again whatever it raises.

A step is given the monotonic time and returns when it has more to do: a monotonic time, or None
for "when it is woken". What it raises is noted, and after a delay that grows with each failure in
a row the step is run again. Only the end of the process and the cancellation of the loop end it.
"""

import asyncio
import logging
from asyncio import to_thread
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager, suppress
from typing import Generic, ParamSpec, TypeVar

from rag_service.clock import Clock, SystemClock
from rag_service.errors import RagError, ReaderUnavailable, StorageFailed

DELAYS_S = (0.1, 0.5, 2.0, 5.0, 15.0, 30.0)
"""After each failure in a row; the last one from then on. A guess: soon, and never busily."""
FAILING_AFTER = 3
"""Failures in a row from which on a loop counts as failing; two may be a busy moment."""

P = ParamSpec("P")
T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

Step = Callable[[float], Awaitable[float | None]]

log = logging.getLogger(__name__)


class Loop:
    """A step that is run again and again. `error` is why it failed the last time, if it did."""

    def __init__(self, name: str, step: Step, clock: Clock | None = None) -> None:
        self.name = name
        self.failures = 0
        self.error: str | None = None
        self._step = step
        self._clock = clock or SystemClock()
        self._moved = asyncio.Event()
        self._home: asyncio.AbstractEventLoop | None = None

    def wake(self) -> None:
        """Have the step run soon. From any thread, and before the loop runs as well."""
        if self._home is None:
            self._moved.set()
        else:
            with suppress(RuntimeError):  # the event loop is closed, and nothing runs any more
                self._home.call_soon_threadsafe(self._moved.set)

    async def run(self) -> None:
        """Until it is cancelled."""
        self._home = asyncio.get_running_loop()
        while True:
            self._moved.clear()
            try:
                due = await self._step(self._clock.monotonic())
            except BaseException as error:
                if is_end(error):
                    raise
                await asyncio.sleep(self._failed(error))
            else:
                self.failures, self.error = 0, None
                await self._wait(due)

    def _failed(self, error: BaseException) -> float:
        """How long to wait, in seconds."""
        delay = DELAYS_S[min(self.failures, len(DELAYS_S) - 1)]
        self.failures += 1
        self.error = describe(error)
        log.warning(
            "%s failed and goes on in %.1f s: %s",
            self.name,
            delay,
            self.error,
            exc_info=None if self.failures > 1 else trace(error),
        )
        return delay

    async def _wait(self, due: float | None) -> None:
        seconds = None if due is None else due - self._clock.monotonic()
        if seconds is not None and seconds <= 0:
            await asyncio.sleep(0)  # the others have their turn
            return
        with suppress(TimeoutError):  # wait_for may swallow a cancellation (Python 3.11)
            async with asyncio.timeout(seconds):
                await self._moved.wait()


class Supervisor:
    """Runs the loops of a process, and tells which of them are failing."""

    def __init__(self) -> None:
        self._loops: list[Loop] = []

    @asynccontextmanager
    async def running(self, *loops: Loop) -> AsyncIterator[None]:
        """They run inside; at the end they are cancelled, and waited for."""
        tasks = [asyncio.create_task(loop.run(), name=loop.name) for loop in loops]
        self._loops += loops
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._loops = [loop for loop in self._loops if loop not in loops]

    def loops(self) -> list[Loop]:
        """Those that run, in the order of their start."""
        return list(self._loops)

    def failing(self) -> dict[str, str]:
        """By name, what went wrong the last time."""
        return {
            loop.name: loop.error or "" for loop in self._loops if loop.failures >= FAILING_AFTER
        }


class Retries(Generic[K]):
    """Items of a loop that failed: each waits a while, longer each time, and the others go on."""

    def __init__(self) -> None:
        self._failures: dict[K, int] = {}
        self._due: dict[K, float] = {}

    def failed(self, item: K, now: float, delay_s: float | None = None) -> int:
        """Note a failure at the monotonic time `now`; how many that makes in a row."""
        failures = self._failures.get(item, 0)
        delay = DELAYS_S[min(failures, len(DELAYS_S) - 1)] if delay_s is None else delay_s
        self._failures[item] = failures + 1
        self._due[item] = now + delay
        return failures + 1

    def waiting(self, now: float) -> list[K]:
        """Those whose time has not come."""
        return [item for item, due in self._due.items() if due > now]

    def next_due(self, now: float) -> float | None:
        return min((due for due in self._due.values() if due > now), default=None)

    def forget(self, item: K) -> None:
        """It went well, or it is set aside."""
        self._failures.pop(item, None)
        self._due.pop(item, None)


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Like `asyncio.to_thread`, for functions that may raise anything.

    A future cannot carry a StopIteration, and whoever awaits it would wait for ever.
    """

    def call() -> T:
        try:
            return function(*args, **kwargs)
        except StopIteration as error:
            raise RuntimeError("a StopIteration where none was expected") from error

    return await to_thread(call)


def is_end(error: BaseException) -> bool:
    """Whether it ends the process or this task, so that nothing may go on after it."""
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0
    return isinstance(error, SystemExit | KeyboardInterrupt | GeneratorExit)


def is_passing(error: BaseException) -> bool:
    """Whether the same may go well later: a held lock, a full disk, no memory, no process."""
    return isinstance(error, StorageFailed | ReaderUnavailable | OSError | MemoryError)


def describe(error: BaseException) -> str:
    """In a line that may be shown; what is not ours is told by its kind alone."""
    if isinstance(error, RagError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"an unforeseen failure ({type(error).__name__}): see the log of the service"


def trace(error: BaseException) -> BaseException | None:
    """What the log shows the way of: that of our own errors is known."""
    return None if isinstance(error, RagError) else error
