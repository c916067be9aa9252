"""The `ask` and `chat` commands: the assistant without HTTP."""

import asyncio
from collections.abc import Callable

from msgspec import Struct

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import Service
from rag_service.conversations.messages import Sender, Source
from rag_service.conversations.store import NewMessage
from rag_service.conversations.turns import Answered, Asked, Delta
from rag_service.knowledge.filters import Filter
from rag_service.readers.text import clean


class Reply(Struct, frozen=True, kw_only=True):
    """An answer that is kept in its conversation."""

    response: str
    conversation_id: str
    message_id: str
    has_rag_context: bool
    sources: list[Source]
    related: list[Source]


class Conversing:
    """One conversation with a bot, a turn at a time."""

    def __init__(self, service: Service, bot_id: str) -> None:
        self._assistant = service.assistant
        self._bot_id = bot_id
        self._conversation_id: str | None = None
        self._runner = asyncio.Runner()

    def __enter__(self) -> "Conversing":
        return self

    def __exit__(self, *_: object) -> None:
        with self._runner:
            self._runner.run(self._assistant.close())

    def ask(self, question: str, say: Callable[[str], None], only: Filter | None = None) -> Reply:
        """`say` is given each piece as it comes. An interrupt keeps what was said until then."""
        reply = self._runner.run(self._ask(question, say, only))
        self._conversation_id = reply.conversation_id
        return reply

    async def _ask(self, question: str, say: Callable[[str], None], only: Filter | None) -> Reply:
        asked = Asked(
            scope=ALL_BOTS,
            bot_id=self._bot_id,
            said=NewMessage(role="user", text=clean(question), sender=Sender(type="user")),
            conversation_id=self._conversation_id,
            only=only,
        )
        reply = None
        async for event in self._assistant.answer(asked):
            if isinstance(event, Delta):
                say(event.text)
            if isinstance(event, Answered):
                reply = Reply(
                    response=event.row.text,
                    conversation_id=event.row.conversation_id,
                    message_id=event.row.message_id,
                    has_rag_context=event.has_rag_context,
                    sources=event.sources,
                    related=event.related,
                )
        assert reply is not None  # the last event of an answer that did not fail
        return reply
