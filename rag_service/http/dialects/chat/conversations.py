"""/chat/{botId}/conversations, in the chat dialect: what was said, by conversation."""

import sys
from typing import Annotated, Any, Literal

from litestar import Request, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from rag_service.assembly import Service
from rag_service.conversations.messages import Feedback, Role
from rag_service.conversations.store import Conversation, TranscriptRow
from rag_service.fields import Field, read_label, read_metadata, read_moment
from rag_service.http.dialects.chat.chat import ChatSource, need_bot, shown_sources
from rag_service.http.documenting import errors, json_body, operation
from rag_service.http.envelopes import Success
from rag_service.http.guarding import need, scope_of
from rag_service.http.pages import Page, Pagination
from rag_service.http.parameters import read_body, read_optional_body, read_query
from rag_service.http.threads import Threads
from rag_service.ids import new_id

AnyRequest = Request[Any, Any, Any]


class Line(Struct, frozen=True, kw_only=True, rename="camel"):
    """`role` is `user`, `assistant` or `system`."""

    id: str
    role: Role
    content: str
    timestamp: str
    sender_type: str
    has_rag_context: bool | None
    sources: list[ChatSource]
    """What an answer cites: [1] in its text is the first."""
    related: list[ChatSource]
    feedback: Feedback | None


class History(Struct, frozen=True, kw_only=True, rename="camel"):
    conversation_id: str
    messages: list[Line]
    metadata: dict[str, Any]


class Entry(Struct, frozen=True, kw_only=True, rename="camel"):
    id: str
    title: str | None
    preview: str
    message_count: int
    metadata: dict[str, Any]
    created_at: str
    updated_at: str


class Entries(Struct, frozen=True, kw_only=True, rename="camel"):
    conversations: list[Entry]
    pagination: Pagination


class Made(Struct, frozen=True, kw_only=True, rename="camel"):
    id: str
    conversation_id: str
    title: str | None
    metadata: dict[str, Any]
    message_count: int
    created_at: str
    updated_at: str


class ConversationDeleted(Struct, frozen=True, kw_only=True, rename="camel"):
    conversation_id: str
    deleted: Literal[True] = True
    messages_deleted: int


class ConversationsRequest(Page, frozen=True, kw_only=True):
    since: Annotated[str | None, Field("Only those with messages since then.", read_moment)] = None


class ConversationChange(Struct, frozen=True, kw_only=True, rename="camel"):
    title: Annotated[str | None, Field("A name for people to read.", read_label)] = None
    metadata: Annotated[
        dict[str, Any],
        Field("Its keys replace those of the same name; null removes one.", read_metadata),
    ] = {}


class NewConversation(ConversationChange, frozen=True, kw_only=True, rename="camel"):
    conversation_id: Annotated[
        str | None, Field("An id of the client's own.", read_label, also=("id", "sessionId"))
    ] = None


_EXAMPLE = {"title": "Opening hours"}
_PATH = "/chat/{bot_id:str}/conversations"
_ONE = "/chat/{bot_id:str}/conversations/{conversation_id:str}"


@get(
    _PATH,
    guards=[need("chat", "chat")],
    tags=["conversations"],
    summary="List conversations",
    operation_class=operation(query=ConversationsRequest),
    responses=errors(400, 404, chat=True),
)
async def list_conversations(
    request: AnyRequest,
    bot_id: FromPath[str],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> Success[Entries]:
    """The last active first."""
    await need_bot(scope_of(request), bot_id, service, threads)
    page = read_query(request, ConversationsRequest)
    total, found = await threads.read(
        service.store.conversations.page,
        scope_of(request),
        bot_id,
        since=page.since,
        limit=page.limit,
        offset=page.offset,
    )
    return Success(
        data=Entries(
            conversations=[_entry(conversation) for conversation in found],
            pagination=page.among(total),
        )
    )


@post(
    _PATH,
    status_code=201,
    guards=[need("chat", "chat")],
    tags=["conversations"],
    summary="Begin a conversation",
    operation_class=operation(body=json_body(NewConversation, _EXAMPLE)),
    responses=errors(400, 404, 409, chat=True),
)
async def create_conversation(
    request: AnyRequest,
    bot_id: FromPath[str],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> Success[Made]:
    """Also without a body."""
    await need_bot(scope_of(request), bot_id, service, threads)
    given = await read_optional_body(request, NewConversation)
    made = await threads.write(
        service.store.conversations.create,
        scope_of(request),
        bot_id,
        given.conversation_id or new_id("conv"),
        title=given.title,
        metadata=given.metadata,
    )
    return Success(data=_made(made))


@get(
    _ONE,
    guards=[need("chat", "chat")],
    tags=["conversations"],
    summary="Read a conversation",
    operation_class=operation(),
    responses=errors(400, 404, chat=True),
)
async def get_conversation(
    request: AnyRequest,
    bot_id: FromPath[str],
    conversation_id: FromPath[str],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> Success[History]:
    """All of its messages, the oldest first."""
    await need_bot(scope_of(request), bot_id, service, threads)
    about = await threads.read(
        service.store.conversations.get, scope_of(request), bot_id, conversation_id
    )
    rows = await threads.read(
        service.store.messages.last, scope_of(request), bot_id, conversation_id, limit=sys.maxsize
    )
    return Success(
        data=History(
            conversation_id=conversation_id,
            messages=[_line(row) for row in rows],
            metadata={
                **about.metadata,
                "title": about.title,
                "createdAt": about.created_at,
                "updatedAt": about.updated_at,
                "messageCount": about.messages,
            },
        )
    )


@patch(
    _ONE,
    guards=[need("chat", "chat")],
    tags=["conversations"],
    summary="Name a conversation",
    operation_class=operation(body=json_body(ConversationChange, _EXAMPLE)),
    responses=errors(400, 404, chat=True),
)
async def update_conversation(
    request: AnyRequest,
    bot_id: FromPath[str],
    conversation_id: FromPath[str],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> Success[Made]:
    """What is left out stays as it is."""
    await need_bot(scope_of(request), bot_id, service, threads)
    given = await read_body(request, ConversationChange)
    changed = await threads.write(
        service.store.conversations.change,
        scope_of(request),
        bot_id,
        conversation_id,
        title=given.title,
        metadata=given.metadata,
    )
    return Success(data=_made(changed))


@delete(
    _ONE,
    status_code=200,
    guards=[need("chat", "chat")],
    tags=["conversations"],
    summary="Delete a conversation",
    operation_class=operation(),
    responses=errors(400, 404, chat=True),
)
async def delete_conversation(
    request: AnyRequest,
    bot_id: FromPath[str],
    conversation_id: FromPath[str],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> Success[ConversationDeleted]:
    """For good, with everything that was said in it."""
    await need_bot(scope_of(request), bot_id, service, threads)
    await threads.read(service.store.conversations.get, scope_of(request), bot_id, conversation_id)
    gone = await threads.write(
        service.store.transcripts.delete,
        scope_of(request).only(bot_id),
        [conversation_id],
        cascade=True,
    )
    data = ConversationDeleted(conversation_id=conversation_id, messages_deleted=gone.transcripts)
    return Success(data=data)


def _line(row: TranscriptRow) -> Line:
    context = (row.context or []) if row.role == "assistant" else []
    return Line(
        id=row.message_id,
        role=row.role,
        content=row.text,
        timestamp=row.created_at,
        sender_type=row.sender.type,
        has_rag_context=row.has_rag_context,
        sources=shown_sources([one for one in context if one.used]),
        related=shown_sources([one for one in context if not one.used]),
        feedback=row.feedback,
    )


def _entry(conversation: Conversation) -> Entry:
    return Entry(
        id=conversation.conversation_id,
        title=conversation.title,
        preview=conversation.preview,
        message_count=conversation.messages,
        metadata=conversation.metadata,
        created_at=conversation.created_at,
        updated_at=conversation.updated_at,
    )


def _made(conversation: Conversation) -> Made:
    return Made(
        id=conversation.conversation_id,
        conversation_id=conversation.conversation_id,
        title=conversation.title,
        metadata=conversation.metadata,
        message_count=conversation.messages,
        created_at=conversation.created_at,
        updated_at=conversation.updated_at,
    )


handlers = [
    list_conversations,
    create_conversation,
    get_conversation,
    update_conversation,
    delete_conversation,
]
