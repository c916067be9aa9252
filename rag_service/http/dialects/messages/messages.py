"""/messages, in the messages dialect: leave a message; its answer comes as an event."""

from typing import Any, Literal

from litestar import Request, post
from litestar.di import NamedDependency
from msgspec import Struct

from rag_service.access.scope import Scope
from rag_service.assembly import Service
from rag_service.conversations.messages import Role, SenderType, sender
from rag_service.conversations.store import NewMessage, TranscriptRow
from rag_service.documents import DEFAULT_BOT
from rag_service.errors import Invalid, StorageFailed
from rag_service.fields import (
    flag,
    is_left_out,
    one_of,
    read_bot_id,
    read_label,
    read_metadata,
    text,
)
from rag_service.http.dialects.chat.chat import LONGEST_QUESTION, need_bot
from rag_service.http.documenting import (
    RATE_HEADERS,
    boolean,
    json_body,
    messages_errors,
    operation,
    string,
)
from rag_service.http.documenting import anything as an_object
from rag_service.http.guarding import need, scope_of
from rag_service.http.parameters import body_of
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


_FIELDS = {
    "conversation_id": string("An existing conversation; a new one without it."),
    "sender_id": string("Who sends it, for instance usr_82hd92."),
    "sender_type": string("What they are.", enum=list(_SENDERS)),
    "text": string("The message."),
    "reply_to_message_id": string("A message of that conversation."),
    "metadata": an_object("Kept with the message."),
    "auto_reply": boolean("Queue an answer; only to a user's message.", True),
    "bot_id": string("Whose knowledge answers.", default=DEFAULT_BOT),
}
_EXAMPLE = {"sender_id": "usr_82hd92", "sender_type": "user", "text": "When are you open?"}


@post(
    "/messages",
    status_code=200,
    guards=[need("chat", "chat")],
    response_headers=RATE_HEADERS,
    tags=["messages"],
    summary="Send a message",
    operation_class=operation(
        body=json_body(_FIELDS, ("sender_id", "sender_type", "text"), _EXAMPLE)
    ),
    responses=messages_errors(400, 404, 413),
)
async def send(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> SentAnswer:
    """It is on disk when this answers, and so is the promise of a reply, over restarts too."""
    values = _Fields(await body_of(request))
    sender_id = values.need("sender_id", read_label)
    sender_type = values.need("sender_type", one_of(_SENDERS))
    message = values.need("text", text(LONGEST_QUESTION))
    conversation_id = values.take("conversation_id", read_label, None)
    metadata = values.take("metadata", read_metadata, {})
    reply_to = values.take("reply_to_message_id", read_label, None)
    enqueue = values.take("auto_reply", flag, True) and sender_type == "user"
    bot_id = values.take("bot_id", read_bot_id, None)
    scope = scope_of(request)
    bot_id = await _bot(scope, bot_id, conversation_id, service, threads)
    said = NewMessage(
        role=_ROLES[sender_type],
        text=clean(message),
        sender=sender(sender_type, sender_id, metadata),
        metadata=metadata,
        reply_to=reply_to,
        wants_reply=service.replies.owner if enqueue else None,
    )
    try:
        row = await threads.write(
            service.store.messages.add,
            scope,
            bot_id,
            conversation_id or new_id("conv"),
            said,
            create=conversation_id is None,
        )
    except StorageFailed as error:
        raise StorageFailed("Failed to enqueue message. Please retry.") from error
    if enqueue:
        service.replies.wake()
    return SentAnswer(data=_sent(row, enqueue))


class _Fields:
    """The first fault is the answer, in the seed's words."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def need(self, name: str, read: Any) -> Any:
        if self._values.get(name) is None:
            raise Invalid(f"Field '{name}' is required.")
        return self._read(name, read)

    def take(self, name: str, read: Any, default: Any) -> Any:
        return default if is_left_out(self._values.get(name)) else self._read(name, read)

    def _read(self, name: str, read: Any) -> Any:
        try:
            return read(self._values[name])
        except ValueError as error:
            raise Invalid(f"Field '{name}' {error}.") from error


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


handlers = [send]
