"""What happens, read once and told to everybody who listens."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from msgspec import Struct

from rag_service.events.feed import EventStore
from rag_service.events.happenings import Event
from rag_service.supervisor import Loop, Supervisor, in_thread

_AT_ONCE = 1000
_OTHERS_S = 1.0
"""What another process writes tells nobody here: it is looked for after this."""


class Batch(Struct, frozen=True, kw_only=True):
    """All events past the place `start`, up to `end`, each with its place."""

    start: int
    events: list[tuple[int, Event]]
    end: int


class FanOut:
    """While somebody listens, one reader looks for new events; the others read none.

    Only the newest batch is kept, so that what is erased is not told much later: who is slow reads
    the store, and so does who begins in the past.
    """

    def __init__(self, store: EventStore, supervisor: Supervisor) -> None:
        self._store = store
        self._supervisor = supervisor
        self._loop = Loop("event listeners", self.step)
        self._listeners = 0
        self._batch: Batch | None = None
        self._moved = asyncio.Event()
        self.closing = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self._store.on_write(self._loop.wake)
        async with self._supervisor.running(self._loop):
            yield
            self.close()

    def close(self) -> None:
        """Whoever waits is told at once that nothing more comes."""
        self.closing = True
        self._tell()

    @contextmanager
    def listening(self) -> Iterator[None]:
        self._listeners += 1
        self._loop.wake()
        try:
            yield
        finally:
            self._listeners -= 1

    async def wait(
        self, place: int, wanted: Callable[[Event], bool], limit: int, seconds: float
    ) -> tuple[list[Event], int] | None:
        """The first events past `place`, or none after so many seconds, and the place to go on.

        None when they are to be read from the store. For use inside `listening`.
        """
        end = time.monotonic() + seconds
        while True:
            moved, batch = self._moved, self._batch
            if batch is not None and place < batch.start:
                return None
            if batch is not None and place <= batch.end:
                found = [(at, event) for at, event in batch.events if at > place and wanted(event)]
                place = found[limit - 1][0] if len(found) > limit else batch.end
                if found:
                    return [event for _, event in found[:limit]], place
            left = end - time.monotonic()
            if left <= 0 or self.closing:
                return [], place
            try:
                async with asyncio.timeout(left):
                    await moved.wait()
            except TimeoutError:
                return [], place

    async def step(self, now: float) -> float | None:
        """Read what is new, and tell it."""
        if not self._listeners:
            self._batch = None
            return None
        start = None if self._batch is None else self._batch.end
        events, end = await in_thread(self._store.after, start, _AT_ONCE)
        if self._batch is None or events or self._batch.events:
            self._batch = Batch(start=end if start is None else start, events=events, end=end)
            self._tell()
        return now if len(events) == _AT_ONCE else now + _OTHERS_S

    def _tell(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()
