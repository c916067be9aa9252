"""/messages, in the messages dialect: leave a message; its answer comes as an event."""

from typing import Annotated, Any, Literal

from litestar import Request, post
from litestar.di import NamedDependency
from msgspec import Struct

from rag_service.access.scope import Scope
from rag_service.assembly import Service
from rag_service.conversations.messages import Role, SenderType, sender
from rag_service.conversations.store import NewMessage, TranscriptRow
from rag_service.errors import Invalid, StorageFailed
from rag_service.fields import (
    Field,
    flag,
    one_of,
    read_bot_id,
    read_label,
    read_metadata,
    text,
)
from rag_service.http.dialects.chat.chat import LONGEST_QUESTION, need_bot
from rag_service.http.documenting import json_body, messages_errors, operation
from rag_service.http.guarding import need, scope_of
from rag_service.http.parameters import NotJson, read_body
from rag_service.http.threads import Threads
from rag_service.ids import new_id
from rag_service.readers.text import clean

_SENDERS: tuple[SenderType, ...] = ("user", "agent", "system")
_ROLES: dict[SenderType, Role] = {"user": "user", "agent": "assistant", "system": "system"}


class SentMessage(Struct, frozen=True, kw_only=True):
    id: str
    sender_id: str | None
    sender_type: str
    text: str
    metadata: dict[str, Any]
    reply_to_message_id: str | None
    created_at: str


class Sent(Struct, frozen=True, kw_only=True):
    conversation_id: str
    message: SentMessage
    auto_reply_enqueued: bool


class SentAnswer(Struct, frozen=True, kw_only=True):
    status: Literal["success"] = "success"
    message: str = "Message sent successfully."
    data: Sent


class MessageRequest(Struct, frozen=True, kw_only=True):
    sender_id: Annotated[str, Field("Who sends it, for instance usr_82hd92.", read_label)]
    sender_type: Annotated[SenderType, Field("What they are.", one_of(_SENDERS))]
    text: Annotated[str, Field("The message.", text(LONGEST_QUESTION))]
    conversation_id: Annotated[
        str | None, Field("An existing conversation; a new one without it.", read_label)
    ] = None
    metadata: Annotated[dict[str, Any], Field("Kept with the message.", read_metadata)] = {}
    reply_to_message_id: Annotated[
        str | None, Field("A message of that conversation.", read_label)
    ] = None
    auto_reply: Annotated[bool, Field("Queue an answer; only to a user's message.", flag)] = True
    bot_id: Annotated[
        str | None,
        Field(
            "Whose knowledge answers; the conversation's or the token's bot, or `default`, "
            "without it.",
            read_bot_id,
        ),
    ] = None


_EXAMPLE = {"sender_id": "usr_82hd92", "sender_type": "user", "text": "When are you open?"}


@post(
    "/messages",
    status_code=200,
    guards=[need("chat", "chat")],
    tags=["messages"],
    summary="Send a message",
    operation_class=operation(body=json_body(MessageRequest, _EXAMPLE)),
    responses=messages_errors(400, 404, 413),
)
async def send_message(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> SentAnswer:
    """It is on disk when this answers, and so is the promise of a reply, over restarts too."""
    sent = await _read(request)
    scope = scope_of(request)
    enqueue = sent.auto_reply and sent.sender_type == "user"
    bot_id = await _bot(scope, sent.bot_id, sent.conversation_id, service, threads)
    said = NewMessage(
        role=_ROLES[sent.sender_type],
        text=clean(sent.text),
        sender=sender(sent.sender_type, sent.sender_id, sent.metadata),
        metadata=sent.metadata,
        reply_to=sent.reply_to_message_id,
        wants_reply=service.replies.owner if enqueue else None,
    )
    try:
        row = await threads.write(
            service.store.messages.add,
            scope,
            bot_id,
            sent.conversation_id or new_id("conv"),
            said,
            create=sent.conversation_id is None,
        )
    except StorageFailed as error:
        raise StorageFailed("Failed to enqueue message. Please retry.") from error
    if enqueue:
        service.replies.wake()
    return SentAnswer(data=_sent(row, enqueue))


async def _read(request: Request[Any, Any, Any]) -> MessageRequest:
    """The first fault is the answer, in the seed's words."""
    try:
        return await read_body(request, MessageRequest)
    except NotJson:
        raise
    except Invalid as error:
        name, reason = next(iter(error.params.items()))
        raise Invalid(f"Field '{name}' {reason}.") from error


async def _bot(
    scope: Scope,
    bot_id: str | None,
    conversation_id: str | None,
    service: Service,
    threads: Threads,
) -> str:
    """The bot that is named, or the conversation's, or the token's."""
    if bot_id is None and conversation_id is not None:
        found = await threads.read(service.store.conversations.find, scope, conversation_id)
        return found.bot_id
    bot_id = bot_id or scope.default_bot
    await need_bot(scope, bot_id, service, threads)
    return bot_id


def _sent(row: TranscriptRow, enqueued: bool) -> Sent:
    return Sent(
        conversation_id=row.conversation_id,
        message=SentMessage(
            id=row.message_id,
            sender_id=row.sender.id,
            sender_type=row.sender.type,
            text=row.text,
            metadata=row.metadata,
            reply_to_message_id=row.reply_to,
            created_at=row.created_at,
        ),
        auto_reply_enqueued=enqueued,
    )


handlers = [send_message]
