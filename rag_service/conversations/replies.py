"""Answers that were promised: queued as rows, given in the background, after a restart as well."""

import asyncio
import logging
from asyncio import to_thread
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from rag_service.conversations.assistant import Assistant
from rag_service.conversations.store import ConversationStore, Owed
from rag_service.errors import Conflict, NotFound, RagError
from rag_service.ids import new_id
from rag_service.locks import owner_lock

AT_ONCE = 4
RETRY_AFTER_S = (1, 5, 30, 120)
"""An answer that failed is tried again after these; then it is owed no more."""

log = logging.getLogger(__name__)


class Replies:
    """One for each server; `running` is its lifetime, `owner` names it in the queue."""

    def __init__(self, store: ConversationStore, assistant: Assistant, folder: Path) -> None:
        self.owner = new_id("srv")
        self._store = store
        self._assistant = assistant
        self._folder = folder
        self._moved = asyncio.Event()
        self._busy: dict[str, asyncio.Task[None]] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        with owner_lock(self._folder, self.owner):
            await to_thread(self._inherit)
            working = asyncio.create_task(self._work())
            try:
                yield
            finally:
                tasks = [working, *self._busy.values()]
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def wake(self) -> None:
        """Something was queued."""
        self._moved.set()

    async def _work(self) -> None:
        while True:
            self._moved.clear()
            while len(self._busy) < AT_ONCE:
                owed = await self._next()
                if owed is None:
                    break
                # one at a time in each conversation, so that answers come in order
                self._busy[owed.conversation_id] = asyncio.create_task(self._pay(owed))
            await self._moved.wait()

    async def _next(self) -> Owed | None:
        try:
            return await to_thread(self._store.claim_owed, self.owner, list(self._busy))
        except RagError as error:
            log.error("answers that are owed cannot be read: %s", error)
            return None

    async def _pay(self, owed: Owed) -> None:
        wait = 0.0
        try:
            with suppress(NotFound, Conflict):  # deleted, or answered, meanwhile
                await self._assistant.pay(owed)
        except RagError as error:
            final = owed.tries >= len(RETRY_AFTER_S)
            log.warning("no answer to %s: %s", owed.message_id, error)
            wait = 0.0 if final else float(RETRY_AFTER_S[owed.tries])
            with suppress(RagError):
                await to_thread(self._store.give_up, owed.message_id, str(error), final=final)
        asyncio.get_running_loop().call_later(wait, self._free, owed.conversation_id)

    def _free(self, conversation_id: str) -> None:
        self._busy.pop(conversation_id, None)
        self.wake()

    def _inherit(self) -> None:
        """What servers that are gone owed is owed by this one."""
        for former in self._store.debtors():
            with suppress(BlockingIOError), owner_lock(self._folder, former):
                self._store.inherit_owed(former, self.owner)
