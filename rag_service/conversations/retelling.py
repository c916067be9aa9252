"""Answers to clients that tell the whole conversation each time. A repeat asks nothing new."""

import asyncio
from asyncio import to_thread
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta

from anyio import CancelScope
from msgspec.structs import replace

from rag_service.access.scope import Scope
from rag_service.clock import Clock, SystemClock, written
from rag_service.conversations.assistant import Assistant
from rag_service.conversations.continuations import ContinuationStore
from rag_service.conversations.store import TranscriptRow
from rag_service.conversations.turns import AnswerEvent, Asked
from rag_service.ids import new_id

REPEAT_S = 60
"""Seconds in which the same request is the same question: clients try again when they have waited
too long."""

_LONGEST_NAME = 180
_OWNER = 12
"""Hexadecimal digits: enough to keep owners apart, and the name within the length of a label."""


class Retelling:
    """One for each server. Repeats share one answer, while it comes and after it."""

    def __init__(
        self, assistant: Assistant, store: ContinuationStore, clock: Clock | None = None
    ) -> None:
        self._assistant = assistant
        self._store = store
        self._clock = clock or SystemClock()
        self._shared: dict[tuple[str, bytes], _SharedAnswer] = {}
        """The oldest first."""

    def conversation_named(
        self, scope: Scope, bot_id: str, name: str, owner: bytes, user: str | None
    ) -> str:
        """The conversation of this name, or one of this owner's own where it is another's."""
        if self._store.owns(scope, bot_id, name, owner, user):
            return name
        return f"{name[:_LONGEST_NAME]}~{owner.hex()[:_OWNER]}"

    def conversation_after(self, scope: Scope, bot_id: str, said: bytes) -> str:
        """The one in which this was said; a new one where there is none."""
        return self._store.conversation_after(scope, bot_id, said) or new_id("conv")

    async def answer(self, asked: Asked) -> AsyncGenerator[AnswerEvent, None]:
        """As `Assistant.answer`, which it is for whoever asks first; `asked.retold` is needed."""
        assert asked.retold is not None
        self._forget_old()
        key = (asked.bot_id, asked.retold.request)
        shared = self._shared.get(key)
        if shared is None:
            moment = self._clock.monotonic()
            shared = self._shared[key] = _SharedAnswer(self._answer(asked), moment)
        try:
            async with aclosing(shared.follow()) as events:
                async for event in events:
                    yield event
        finally:
            if not shared.readers and not shared.is_whole:
                if self._shared.get(key) is shared:
                    del self._shared[key]
                await shared.close()

    async def _answer(self, asked: Asked) -> AsyncGenerator[AnswerEvent, None]:
        former = await to_thread(self._former, asked)
        if former:  # it failed, its reader left, or the server was started anew
            conversation_id, question_id = former.conversation_id, former.message_id
            asked = replace(asked, conversation_id=conversation_id, question_id=question_id)
        async with aclosing(self._assistant.answer(asked)) as events:
            async for event in events:
                yield event

    def _former(self, asked: Asked) -> TranscriptRow | None:
        assert asked.retold is not None
        since = written(self._clock.now() - timedelta(seconds=REPEAT_S))
        return self._store.repeated(asked.scope, asked.bot_id, asked.retold.request, since)

    def _forget_old(self) -> None:
        since = self._clock.monotonic() - REPEAT_S
        for key, shared in list(self._shared.items()):
            if shared.begun >= since:
                break
            del self._shared[key]


class _SharedAnswer:
    """An answer that several read from its beginning."""

    def __init__(self, source: AsyncGenerator[AnswerEvent, None], begun: float) -> None:
        self.begun = begun
        self.readers = 0
        self._events: list[AnswerEvent] = []
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._read(source))
        self._task.add_done_callback(lambda _: self._tell())

    @property
    def is_whole(self) -> bool:
        task = self._task
        return task.done() and not task.cancelled() and task.exception() is None

    async def follow(self) -> AsyncGenerator[AnswerEvent, None]:
        """Raises what ended it early."""
        self.readers += 1
        place = 0
        try:
            while True:
                while place < len(self._events):
                    yield self._events[place]
                    place += 1
                if self._task.done():
                    self._task.result()
                    return
                await self._news.wait()
        finally:
            self.readers -= 1

    async def close(self) -> None:
        """What was said until now is kept before this returns."""
        self._task.cancel()
        with CancelScope(shield=True):
            await asyncio.gather(self._task, return_exceptions=True)

    async def _read(self, source: AsyncGenerator[AnswerEvent, None]) -> None:
        async with aclosing(source):
            async for event in source:
                self._events.append(event)
                self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()
