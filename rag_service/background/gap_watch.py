"""Has a server's background process follow what was asked and what was pushed, into the gaps."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from rag_service.background.jobs import spool_folder
from rag_service.background.orders import Background, Order
from rag_service.gaps.ledger import Ledger
from rag_service.locks import turn_at
from rag_service.settings import Settings
from rag_service.supervisor import Loop, Supervisor, in_thread

_LOOK_S = 5.0
"""What another process writes tells nobody here: it is looked for after this."""
_REST_S = 0.25
"""Between two looks: what comes meanwhile is considered together, so that a chat, which writes
twice a message, has little to do with it."""
_DECISIONS_S = 60.0
"""How often it is looked whether the decision is another one, since somebody calibrated a bot."""


def follow(settings: Settings, ledger: Ledger) -> None:
    """Bring the gaps up to date now, unless another process is at it."""
    turn = turn_at(ledger_lock(settings))
    if turn is None:
        return
    with turn:
        ledger.follow()


def ledger_lock(settings: Settings) -> Path:
    """Held by the one process that keeps the ledger of a data folder."""
    return spool_folder(settings) / "gaps.lock"


class GapWatch:
    """Without a question that was not answered, no process is started."""

    def __init__(self, ledger: Ledger, background: Background, supervisor: Supervisor) -> None:
        self._ledger = ledger
        self._background = background
        self._supervisor = supervisor
        self._loop = Loop("gaps", self.step)
        self._decisions_due = 0.0
        self._rests_until = 0.0

    @asynccontextmanager
    async def running(self, on_write: Callable[[Callable[[], None]], None]) -> AsyncIterator[None]:
        """`on_write` has a function called after each write of this process."""
        on_write(self._loop.wake)
        async with self._supervisor.running(self._loop):
            yield

    async def step(self, now: float) -> float:
        if now >= self._decisions_due:
            await in_thread(self._ledger.check_decisions)
            self._decisions_due = now + _DECISIONS_S
        if now < self._rests_until:
            return self._rests_until
        self._rests_until = now + _REST_S
        if await in_thread(self._ledger.waiting):
            self._background.order(Order("gaps"))
        return now + _LOOK_S
