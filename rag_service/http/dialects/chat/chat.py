"""/bot and /chat, in the chat dialect: ask a question, get an answer, whole or as a stream."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Annotated, Any, Literal

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from rag_service.access.scope import Scope
from rag_service.assembly import Service
from rag_service.conversations.messages import Source, Usage, sender
from rag_service.conversations.store import NewMessage
from rag_service.conversations.turns import Answered, AnswerEvent, Asked, Delta, Retrieved
from rag_service.errors import BotNotFound, RagError
from rag_service.fields import Field, read_bot_id, read_label, read_metadata, text
from rag_service.http.documenting import EVENTS, errors, json_body, operation, streamed
from rag_service.http.envelopes import ChatFault, Success, fault_of
from rag_service.http.guarding import need, scope_of, still_holds
from rag_service.http.parameters import read_body
from rag_service.http.sse import event_stream, frame
from rag_service.http.threads import Threads
from rag_service.knowledge.filters import FILTER, Filter
from rag_service.readers.text import clean

AnyRequest = Request[Any, Any, Any]
LONGEST_QUESTION = 20_000


class ChatSource(Struct, frozen=True, kw_only=True, rename="camel"):
    source_url: str
    title: str
    text: str
    score: float


class Reply(Struct, frozen=True, kw_only=True, rename="camel"):
    response: str
    conversation_id: str
    message_id: str
    has_rag_context: bool
    sources: list[ChatSource]
    """What the answer cites: [1] in its text is the first."""
    related: list[ChatSource]
    """What was found beside them."""


class BotAnswer(Struct, frozen=True, kw_only=True):
    """`response` stands beside `data` too, where the seed's snippets read it."""

    success: Literal[True] = True
    response: str
    data: Reply
    error: None = None


class Sources(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the answer cites, where that is known before it comes; else all that it may cite."""

    conversation_id: str
    has_rag_context: bool
    sources: list[ChatSource]
    related: list[ChatSource]


class Done(Struct, frozen=True, kw_only=True, rename="camel"):
    conversation_id: str
    message_id: str
    has_rag_context: bool
    sources: list[ChatSource]
    """What the answer cites: [1] in its text is the first."""
    related: list[ChatSource]
    usage: dict[str, int]


class Piece(Struct, frozen=True, kw_only=True):
    """The next words of the answer."""

    text: str


_QUESTION = Field("The question.", text(LONGEST_QUESTION))
_ASKER = Field("Kept with the message; `userId` tells who asks.", read_metadata)


class ChatRequest(Struct, frozen=True, kw_only=True, rename="camel"):
    message: Annotated[str, _QUESTION]
    conversation_id: Annotated[
        str | None, Field("Goes on with this conversation; a new one without it.", read_label)
    ] = None
    metadata: Annotated[dict[str, Any], _ASKER] = {}
    filter: Annotated[Filter | None, FILTER] = None


class BotRequest(Struct, frozen=True, kw_only=True, rename="camel"):
    message: Annotated[str, _QUESTION]
    session_id: Annotated[
        str | None,
        Field("The conversation, by an id of the client's own; made when it is new.", read_label),
    ] = None
    metadata: Annotated[dict[str, Any], _ASKER] = {}
    filter: Annotated[Filter | None, FILTER] = None


_EXAMPLE = {"message": "What are your business hours?", "metadata": {"userId": "user_789"}}
_CHAT = json_body(ChatRequest, _EXAMPLE)
_BOT = json_body(BotRequest, {"message": "Hello", "sessionId": "s-1"})
STREAM_EXAMPLE = streamed(
    'event: sources\ndata: {"conversationId":"conv_0199","hasRagContext":true,"sources":[],'
    '"related":[]}\n\n'
    'event: delta\ndata: {"text":"We open at 9."}\n\n'
    'event: done\ndata: {"conversationId":"conv_0199","messageId":"msg_0199","hasRagContext":true,'
    '"sources":[],"related":[],"usage":{"promptTokens":9,"completionTokens":5,"totalTokens":14}}\n\n',
    Sources,
    Piece,
    Done,
    ChatFault,
)


@post(
    "/chat/{bot_id:str}/message",
    status_code=200,
    guards=[need("chat", "chat")],
    tags=["chat"],
    summary="Ask",
    operation_class=operation(body=_CHAT),
    responses=errors(400, 404, 413, 502, 504, chat=True),
)
async def chat(
    request: AnyRequest,
    bot_id: FromPath[str],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> Success[Reply]:
    """The answer, when it is whole. Both sides are kept in the conversation."""
    asked = await _asked_in_chat(request, bot_id, service, threads)
    return Success(data=await _whole(service, asked))


@post(
    "/bot/{bot_id:str}",
    status_code=200,
    guards=[need("chat", "chat")],
    tags=["chat"],
    summary="Ask, in a session of the client's own",
    operation_class=operation(body=_BOT),
    responses=errors(400, 404, 413, 502, 504, chat=True),
)
async def ask_bot(
    request: AnyRequest,
    bot_id: FromPath[str],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> BotAnswer:
    """The same, but the client names its conversation by a `sessionId`."""
    scope = scope_of(request)
    await need_bot(scope, bot_id, service, threads)
    body = await read_body(request, BotRequest)
    asked = Asked(
        scope=scope,
        bot_id=bot_id,
        said=_said(body.message, body.metadata),
        conversation_id=body.session_id,
        create=True,
        only=body.filter,
    )
    reply = await _whole(service, asked)
    return BotAnswer(response=reply.response, data=reply)


@post(
    "/chat/{bot_id:str}/stream",
    status_code=200,
    guards=[need("chat", "chat")],
    tags=["chat"],
    summary="Ask, and read the answer as it comes",
    media_type=EVENTS,
    operation_class=operation(body=_CHAT, streams={EVENTS: STREAM_EXAMPLE}),
    responses=errors(400, 404, 413, chat=True),
)
async def chat_stream(
    request: AnyRequest,
    bot_id: FromPath[str],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> Response[Any]:
    """Server-sent events: `sources` first, many `delta`, then `done` or `error`.

    `done` tells which sources the answer cites; a language model is given more than it cites.

    A client that goes away stops the model; what it said until then is kept.
    """
    asked = await _asked_in_chat(request, bot_id, service, threads)
    events = service.assistant.answer(asked)
    first = await anext(events)  # what is wrong with the question is a status, not an event
    holds = still_holds(request, service, threads, "chat")
    return event_stream(answer_frames(first, events, service, holds))


async def answer_frames(
    first: AnswerEvent,
    events: AsyncGenerator[AnswerEvent, None],
    service: Service,
    holds: Callable[[], Awaitable[bool]],
) -> AsyncGenerator[bytes, None]:
    """`first` and what follows, until the token no longer holds; an error ends it as a frame."""
    yield _frame(first)
    try:
        async with aclosing(events):
            async for event in events:
                if not await holds():
                    return
                yield _frame(event)
    except Exception as error:  # noqa: BLE001  the status is sent: this is where the request ends
        yield frame("error", fault_of(error, service))


def _frame(event: AnswerEvent) -> bytes:
    match event:
        case Retrieved():
            return frame(
                "sources",
                Sources(
                    conversation_id=event.conversation_id,
                    has_rag_context=event.has_rag_context,
                    sources=shown_sources(event.sources),
                    related=shown_sources(event.related),
                ),
            )
        case Delta():
            return frame("delta", Piece(text=event.text))
        case Answered():
            return frame(
                "done",
                Done(
                    conversation_id=event.row.conversation_id,
                    message_id=event.row.message_id,
                    has_rag_context=event.has_rag_context,
                    sources=shown_sources(event.sources),
                    related=shown_sources(event.related),
                    usage=_usage(event.usage),
                ),
            )


async def _whole(service: Service, asked: Asked) -> Reply:
    async for event in service.assistant.answer(asked):
        if isinstance(event, Answered):
            return Reply(
                response=event.row.text,
                conversation_id=event.row.conversation_id,
                message_id=event.row.message_id,
                has_rag_context=event.has_rag_context,
                sources=shown_sources(event.sources),
                related=shown_sources(event.related),
            )
    raise RagError("the answer did not end")


async def _asked_in_chat(
    request: AnyRequest, bot_id: str, service: Service, threads: Threads
) -> Asked:
    scope = scope_of(request)
    await need_bot(scope, bot_id, service, threads)
    body = await read_body(request, ChatRequest)
    return Asked(
        scope=scope,
        bot_id=bot_id,
        said=_said(body.message, body.metadata),
        conversation_id=body.conversation_id,
        create=False,
        only=body.filter,
    )


def _said(message: str, metadata: dict[str, Any]) -> NewMessage:
    asker = sender("user", None, metadata)
    return NewMessage(role="user", text=clean(message), sender=asker, metadata=metadata)


async def need_bot(scope: Scope, bot_id: str, service: Service, threads: Threads) -> None:
    """Raises Forbidden and BotNotFound."""
    try:
        read_bot_id(bot_id)
    except ValueError:
        raise BotNotFound(bot_id) from None
    if not await threads.read(service.store.bots.has, scope, bot_id):
        raise BotNotFound(bot_id)


def shown_sources(sources: list[Source]) -> list[ChatSource]:
    return [
        ChatSource(source_url=one.source_url, title=one.title, text=one.text, score=one.score)
        for one in sources
    ]


def _usage(usage: Usage) -> dict[str, int]:
    return {
        "promptTokens": usage.prompt_tokens,
        "completionTokens": usage.completion_tokens,
        "totalTokens": usage.prompt_tokens + usage.completion_tokens,
    }


handlers = [chat, ask_bot, chat_stream]
