"""Has a server's background process deliver to webhooks, whenever something is owed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rag_service.background.orders import Background, Order
from rag_service.storage import Store
from rag_service.supervisor import Loop, Supervisor, in_thread

_OTHERS_S = 1.0
"""What another process writes tells nobody here: it is looked for after this."""


class Dispatcher:
    """Without a webhook that is owed something, no process is started."""

    def __init__(self, store: Store, background: Background, supervisor: Supervisor) -> None:
        self._store = store
        self._background = background
        self._supervisor = supervisor
        self._loop = Loop("webhooks", self.step)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self._store.events.on_write(self._loop.wake)
        async with self._supervisor.running(self._loop):
            yield

    async def step(self, now: float) -> float | None:
        if await in_thread(self._store.outbox.owes):
            self._background.order(Order("deliver"))
        return now + _OTHERS_S
