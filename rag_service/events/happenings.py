"""What happened, as small structs; written in the transaction of the change itself."""

from typing import Any, ClassVar, Literal

import msgspec
from msgspec import Struct, field

from rag_service.ids import new_id

EventType = Literal[
    "message.created",
    "conversation.created",
    "knowledge.upserted",
    "knowledge.deleted",
    "contact.created",
    "contact.updated",
    "gap.opened",
    "gap.closed",
    "gap.reopened",
    "job.finished",
]


class Event(Struct, frozen=True, kw_only=True):
    type: EventType
    bot_id: str
    """Empty where it is of no bot, or of several."""
    data: dict[str, Any]
    """One of the structs below, as JSON."""
    created_at: str
    id: str = field(default_factory=lambda: new_id("evt"))


class Happening(Struct, frozen=True, kw_only=True):
    """What is told of an event, for each type of event one."""

    type: ClassVar[EventType]

    def at(self, moment: str, bot_id: str) -> Event:
        data = msgspec.to_builtins(self)
        return Event(type=self.type, bot_id=bot_id, data=data, created_at=moment)


class EventMessage(Struct, frozen=True, kw_only=True):
    """`has_rag_context` is null where nothing was looked up, or not yet."""

    id: str
    role: str
    sender_id: str | None
    sender_type: str
    text: str
    metadata: dict[str, Any]
    reply_to_message_id: str | None
    has_rag_context: bool | None
    created_at: str


class MessageCreated(Happening, frozen=True, kw_only=True):
    """Somebody has said something, a person or the assistant."""

    type: ClassVar[EventType] = "message.created"
    conversation_id: str
    message: EventMessage


class ConversationCreated(Happening, frozen=True, kw_only=True):
    """A conversation has begun."""

    type: ClassVar[EventType] = "conversation.created"
    conversation_id: str
    title: str | None
    metadata: dict[str, Any]


class ChunkChanges(Struct, frozen=True, kw_only=True):
    total: int
    added: int
    removed: int


class KnowledgeUpserted(Happening, frozen=True, kw_only=True):
    """A document is new, or has new content; one that came unchanged is no event."""

    type: ClassVar[EventType] = "knowledge.upserted"
    document_id: str
    source_url: str
    content_type: str
    chunks: ChunkChanges


class KnowledgeDeleted(Happening, frozen=True, kw_only=True):
    """A document is gone; `entries_removed` counts its chunks."""

    type: ClassVar[EventType] = "knowledge.deleted"
    document_id: str
    source_url: str
    entries_removed: int


class EventContact(Struct, frozen=True, kw_only=True):
    contact_id: str
    email: str | None
    name: str | None
    phone: str | None
    user_id: str | None
    metadata: dict[str, Any]
    created_at: str
    updated_at: str


class ContactCreated(Happening, frozen=True, kw_only=True):
    """Somebody is known from now on."""

    type: ClassVar[EventType] = "contact.created"
    contact: EventContact


class ContactUpdated(Happening, frozen=True, kw_only=True):
    """Something else is known of somebody; a change to what it was is no event."""

    type: ClassVar[EventType] = "contact.updated"
    contact: EventContact


class EventGap(Struct, frozen=True, kw_only=True):
    """A gap without the words of its questions, which are erased with their transcripts."""

    gap_id: str
    state: str
    kind: str
    questions: int
    people: int
    confidence: float


class EventClosing(Struct, frozen=True, kw_only=True):
    """Why a gap is closed; without a passage where somebody closed it by hand."""

    reason: str
    source_url: str | None
    document_id: str | None
    chunk_id: str | None
    confidence_before: float | None
    confidence_after: float | None


class GapOpened(Happening, frozen=True, kw_only=True):
    """A question was not answered that is unlike those of all gaps there are."""

    type: ClassVar[EventType] = "gap.opened"
    gap: EventGap


class GapClosed(Happening, frozen=True, kw_only=True):
    """All questions of a gap are answered, or somebody closed it."""

    type: ClassVar[EventType] = "gap.closed"
    gap: EventGap
    closed_by: EventClosing


class GapReopened(Happening, frozen=True, kw_only=True):
    """A question of a closed gap is not answered any more, or another one came that is not."""

    type: ClassVar[EventType] = "gap.reopened"
    gap: EventGap


class JobFinished(Happening, frozen=True, kw_only=True):
    """A batch has ended, with `state` succeeded, failed or cancelled. The counts are lines."""

    type: ClassVar[EventType] = "job.finished"
    job_id: str
    state: str
    done: int
    embedded: int
    unchanged: int
    failed: int
