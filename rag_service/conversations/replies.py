"""Answers that were promised: queued as rows, given in the background, after a restart as well."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from rag_service.clock import Clock, SystemClock
from rag_service.conversations.assistant import Assistant
from rag_service.conversations.store import PendingReply, ReplyStore
from rag_service.errors import Conflict, NotFound, RagError
from rag_service.ids import new_id
from rag_service.locks import owner_lock
from rag_service.supervisor import (
    Loop,
    Retries,
    Supervisor,
    describe,
    in_thread,
    is_end,
    is_passing,
    trace,
)

AT_ONCE = 4
RETRY_AFTER_S = (1, 5, 30, 120)
"""An answer that failed is tried again after these; then it is owed no more."""

log = logging.getLogger(__name__)


class Replies:
    """One for each server; `running` is its lifetime, `owner` names it in the queue."""

    def __init__(
        self,
        store: ReplyStore,
        assistant: Assistant,
        folder: Path,
        supervisor: Supervisor | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.owner = new_id("srv")
        self._store = store
        self._assistant = assistant
        self._folder = folder
        self._supervisor = supervisor or Supervisor()
        self._clock = clock or SystemClock()
        self._loop = Loop("replies", self.step, self._clock)
        self._inherited = False
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._retries: Retries[str] = Retries()
        """By conversation, since its answers come in order."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        with owner_lock(self._folder, self.owner):
            try:
                with suppress(RagError):  # the first step tries again
                    await in_thread(self._inherit)
                    self._inherited = True
                async with self._supervisor.running(self._loop):
                    yield
            finally:
                for task in self._busy.values():
                    task.cancel()
                await asyncio.gather(*self._busy.values(), return_exceptions=True)

    def wake(self) -> None:
        """Something was queued."""
        self._loop.wake()

    async def step(self, now: float) -> float | None:
        """Begin as many answers as there is room for; when the next one is tried again."""
        if not self._inherited:
            await in_thread(self._inherit)
            self._inherited = True
        while len(self._busy) < AT_ONCE:
            # one at a time in each conversation, so that answers come in order
            apart = [*self._busy, *self._retries.waiting(now)]
            owed = await in_thread(self._store.claim, self.owner, apart)
            if owed is None:
                break
            self._busy[owed.conversation_id] = asyncio.create_task(self._pay(owed))
        return self._retries.next_due(now)

    async def _pay(self, owed: PendingReply) -> None:
        try:
            with suppress(NotFound, Conflict):  # deleted, or answered, meanwhile
                await self._assistant.pay(owed)
            self._retries.forget(owed.conversation_id)
        except BaseException as error:
            if is_end(error):
                raise
            told = describe(error)
            log.warning("no answer to %s: %s", owed.message_id, told, exc_info=trace(error))
            await self._missed(owed, error)
        finally:
            del self._busy[owed.conversation_id]
            self.wake()

    async def _missed(self, owed: PendingReply, error: BaseException) -> None:
        """A full disk or a held lock costs no try: the answer was promised, and waits for it."""
        now = self._clock.monotonic()
        if is_passing(error):
            self._retries.failed(owed.conversation_id, now)
            return
        final = owed.tries >= len(RETRY_AFTER_S)
        self._retries.failed(
            owed.conversation_id, now, 0.0 if final else float(RETRY_AFTER_S[owed.tries])
        )
        try:
            await in_thread(self._store.give_up, owed.message_id, describe(error), final=final)
        except BaseException as failure:
            if is_end(failure):
                raise
            log.warning("the failed answer to %s is not noted: %s", owed.message_id, failure)
            self._retries.failed(owed.conversation_id, now)  # it is found again, and at once
        else:
            if final:
                self._retries.forget(owed.conversation_id)

    def _inherit(self) -> None:
        """What servers that are gone owed is owed by this one."""
        for former in self._store.debtors():
            with suppress(BlockingIOError), owner_lock(self._folder, former):
                self._store.inherit(former, self.owner)
