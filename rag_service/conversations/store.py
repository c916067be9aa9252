"""The contracts of what is said: conversations, messages, transcripts, and owed replies."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

from msgspec import Struct

from rag_service.access.scope import Scope
from rag_service.conversations.messages import Feedback, Role, Sender, Source
from rag_service.conversations.signals import Signal


class NewMessage(Struct, frozen=True, kw_only=True):
    """A row to be kept.

    `answers` is the message that this one answers: both rows then have the same decision and
    context, given with whichever of them comes first. An answer without a decision may give the
    question's context anew, with what it used of it.
    """

    role: Role
    text: str
    sender: Sender
    metadata: dict[str, Any] = {}
    reply_to: str | None = None
    has_rag_context: bool | None = None
    context: list[Source] | None = None
    answers: str | None = None
    question_metadata: dict[str, str] = {}
    """To be added to the metadata of the message that this one answers."""
    wants_reply: str | None = None
    """The server that owes an answer from now on."""
    message_id: str | None = None
    """Its id, where that was told before it was said."""
    fingerprint: bytes | None = None
    """A digest that a later request of its client is known by."""
    owner: bytes | None = None
    """Whose conversation this begins, or goes on; see `continuations`."""
    signal: Signal | None = None
    """What the question leaves that is not answered: this one, or the one that this answers."""


class TranscriptRow(Struct, frozen=True, kw_only=True):
    """A row that is kept. `id` counts up; `has_rag_context` is None where nothing was looked up."""

    id: int
    message_id: str
    conversation_id: str
    bot_id: str
    role: Role
    text: str
    created_at: str
    sender: Sender
    metadata: dict[str, Any]
    reply_to: str | None
    has_rag_context: bool | None
    feedback: Feedback | None
    context: list[Source] | None


class Conversation(Struct, frozen=True, kw_only=True):
    """`preview` is how its first message begins."""

    conversation_id: str
    bot_id: str
    title: str | None
    metadata: dict[str, Any]
    preview: str
    messages: int
    created_at: str
    updated_at: str


class TranscriptFilter(Struct, frozen=True, kw_only=True):
    """Every field that is not None narrows. Times as `clock.now` writes them, both inclusive."""

    since: str | None = None
    until: str | None = None
    session_id: str | None = None
    role: Role | None = None
    has_rag_context: bool | None = None
    q: str | None = None
    """A substring of the text, whatever its case."""


class Deleted(Struct, frozen=True, kw_only=True):
    """Rows that are gone. With `erasure_pending` a reader keeps their text in a file for now."""

    transcripts: int
    translations: int
    clicks: int
    erasure_pending: bool


class PendingReply(Struct, frozen=True, kw_only=True):
    """An answer that was promised and is not there yet."""

    message_id: str
    conversation_id: str
    bot_id: str
    tries: int


@runtime_checkable
class ConversationStore(Protocol):
    """A conversation's id is its client's or ours, and unique within its bot.

    One outside the scope is not found; a bot outside it that is named is Forbidden.
    """

    def create(
        self,
        scope: Scope,
        bot_id: str,
        conversation_id: str,
        *,
        title: str | None,
        metadata: dict[str, Any],
    ) -> Conversation:
        """Raises Conflict."""
        ...

    def get(self, scope: Scope, bot_id: str, conversation_id: str) -> Conversation:
        """Raises NotFound."""
        ...

    def find(self, scope: Scope, conversation_id: str) -> Conversation:
        """The newest one of this id. Raises NotFound."""
        ...

    def page(
        self, scope: Scope, bot_id: str, *, since: str | None, limit: int, offset: int
    ) -> tuple[int, list[Conversation]]:
        """How many were active since then, and one page of them, the last active first."""
        ...

    def change(
        self,
        scope: Scope,
        bot_id: str,
        conversation_id: str,
        *,
        title: str | None,
        metadata: dict[str, Any],
    ) -> Conversation:
        """`metadata` is laid over what there is, and what is None in it is taken out; a title of
        None stays. In one step, so that no change of somebody else is lost. Raises NotFound."""
        ...


@runtime_checkable
class MessageStore(Protocol):
    """What is said, message by message, in the order of their row ids."""

    def last(
        self,
        scope: Scope,
        bot_id: str,
        conversation_id: str,
        *,
        limit: int,
        before: str | None = None,
    ) -> list[TranscriptRow]:
        """The last `limit` rows, up to the message `before` but without it, the oldest first."""
        ...

    def get(self, scope: Scope, message_id: str) -> TranscriptRow:
        """By its message id or its row id. Raises NotFound."""
        ...

    def add(
        self,
        scope: Scope,
        bot_id: str,
        conversation_id: str,
        said: NewMessage,
        *,
        create: bool = False,
    ) -> TranscriptRow:
        """Keep a row; `create` makes the conversation where there is none.

        Raises NotFound without it, also when the conversation, or the message that is answered or
        replied to, has been deleted meanwhile, or the conversation is another owner's, and
        Conflict when that message has its answer.
        """
        ...


@runtime_checkable
class TranscriptStore(Protocol):
    """What was said in all conversations, for those who look after them."""

    def page(
        self, scope: Scope, where: TranscriptFilter, *, limit: int, offset: int, ascending: bool
    ) -> tuple[int, list[TranscriptRow]]:
        """How many match, and one page of them in the order of their ids, which is that of time."""
        ...

    def export(
        self, scope: Scope, where: TranscriptFilter, *, ascending: bool
    ) -> Iterator[list[TranscriptRow]]:
        """All that match at the first step, a group at a time, except what is deleted meanwhile."""
        ...

    def delete(self, scope: Scope, session_ids: Sequence[str], *, cascade: bool) -> Deleted:
        """For good, with contexts, events and what is owed; `cascade`: translations, clicks."""
        ...

    def add_translation(self, scope: Scope, message_id: str, language: str, text: str) -> None:
        """In place of a former one in that language. Raises NotFound."""
        ...

    def add_click(
        self, scope: Scope, bot_id: str, session_id: str, message_id: str | None, url: str
    ) -> None:
        """Raises NotFound where there is no such conversation, or no such message."""
        ...


@runtime_checkable
class ReplyStore(Protocol):
    """Answers that were promised, and the servers that owe them."""

    def claim(self, owner: str, busy: Sequence[str]) -> PendingReply | None:
        """The oldest answer that `owner` owes, in a conversation that is not `busy`."""
        ...

    def give_up(self, message_id: str, error: str, *, final: bool) -> None:
        """Note a failed try; after the final one the answer is owed no more."""
        ...

    def inherit(self, former: str, owner: str) -> int:
        """Take over what a server that is gone owed; how many answers that is."""
        ...

    def debtors(self) -> list[str]:
        """The servers that owe answers."""
        ...
