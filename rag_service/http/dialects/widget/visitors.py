"""/widget: a session, a question, the visitor's own conversation and what they think of answers."""

import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.di import NamedDependency
from msgspec import Struct

from rag_service.access.visitors import Session
from rag_service.assembly import Service
from rag_service.conversations.messages import Rating, Sender, Source
from rag_service.conversations.store import NewMessage, TranscriptRow
from rag_service.conversations.turns import Answered, AnswerEvent, Asked, Delta, Retrieved
from rag_service.errors import ConversationNotFound, NotFound
from rag_service.fields import Field, read_label, text
from rag_service.http.dialects.chat.chat import STREAM_EXAMPLE, ChatSource, answer_frames
from rag_service.http.dialects.messages.feedback import FeedbackRequest
from rag_service.http.dialects.widget.visits import (
    OF_VISITORS,
    address_of,
    from_its_pages,
    preflight,
    take,
    visitor_of,
)
from rag_service.http.documenting import EVENTS, errors, json_body, operation
from rag_service.http.envelopes import Success
from rag_service.http.guarding import caller_of, need, scope_of, still_holds
from rag_service.http.parameters import read_body, read_optional_body
from rag_service.http.sse import event_stream
from rag_service.http.threads import Threads
from rag_service.readers.text import clean

AnyRequest = Request[Any, Any, Any]
_LONGEST_QUESTION = 4_000
_LONGEST_ADDRESS = 2_000


class SessionRequest(Struct, frozen=True, kw_only=True):
    session: Annotated[
        str, Field("The one to go on with, also some hours after it expired.", text(200))
    ] = ""


class VisitorQuestion(Struct, frozen=True, kw_only=True, rename="camel"):
    message: Annotated[str, Field("The question.", text(_LONGEST_QUESTION))]
    page_url: Annotated[
        str | None, Field("The page that it is asked on.", text(_LONGEST_ADDRESS))
    ] = None
    page_title: Annotated[str | None, Field("Its title.", text(_LONGEST_ADDRESS))] = None


class VisitorRating(FeedbackRequest, frozen=True, kw_only=True, rename="camel"):
    message_id: Annotated[str, Field("The answer, as `done` names it.", read_label)]


class VisitorLine(Struct, frozen=True, kw_only=True, rename="camel"):
    """`role` is `user` or `assistant`, or `system` where the service speaks."""

    id: str
    role: str
    content: str
    timestamp: str
    rating: Rating | None
    sources: list[ChatSource]


class VisitorHistory(Struct, frozen=True, kw_only=True):
    messages: list[VisitorLine]


class Erased(Struct, frozen=True, kw_only=True, rename="camel"):
    deleted: Literal[True] = True
    messages_deleted: int


class VisitorRated(Struct, frozen=True, kw_only=True, rename="camel"):
    message_id: str
    rating: Rating | None


_GUARDS = [need("widget", "chat"), from_its_pages]


@post(
    "/widget/session",
    status_code=200,
    guards=_GUARDS,
    tags=["widget"],
    summary="Begin a visitor's session, or go on with it",
    operation_class=operation(body=json_body(SessionRequest, {})),
    responses=errors(400, chat=True),
)
async def begin_visit(request: AnyRequest, service: NamedDependency[Service]) -> Success[Session]:
    """Send it as `X-Widget-Session` with all other calls. It opens one conversation for an hour."""
    given = await read_optional_body(request, SessionRequest)
    service.visitor_limiter.arrive(address_of(request))
    return Success(data=service.visitors.begin(caller_of(request), given.session))


@post(
    "/widget/stream",
    status_code=200,
    guards=_GUARDS,
    tags=["widget"],
    summary="Ask as a visitor, and read the answer as it comes",
    media_type=EVENTS,
    operation_class=operation(
        body=json_body(VisitorQuestion, {"message": "When do you open?"}),
        streams={EVENTS: STREAM_EXAMPLE},
        headers=OF_VISITORS,
    ),
    responses=errors(400, 413, chat=True),
)
async def ask_as_visitor(
    request: AnyRequest, service: NamedDependency[Service], threads: NamedDependency[Threads]
) -> Response[Any]:
    """The events of `/chat/{bot_id}/stream`. Addresses of sources that are no web pages are left
    out."""
    visitor = visitor_of(request, service)
    take(request, service, visitor)
    question = await read_body(request, VisitorQuestion)
    asker = Sender(
        type="user", id=visitor, page_url=question.page_url, page_title=question.page_title
    )
    said = NewMessage(
        role="user",
        text=clean(question.message),
        sender=asker,
        metadata={"widget": caller_of(request).name},
    )
    scope = scope_of(request)
    events = _for_visitors(
        service.assistant.answer(
            Asked(
                scope=scope,
                bot_id=scope.default_bot,
                said=said,
                conversation_id=_conversation_of(visitor),
                create=True,
            )
        )
    )
    first = await anext(events)  # what is wrong with the question is a status, not an event
    holds = still_holds(request, service, threads, "widget")
    return event_stream(answer_frames(first, events, service, holds))


@get(
    "/widget/conversation",
    guards=_GUARDS,
    tags=["widget"],
    summary="Read the visitor's own conversation",
    operation_class=operation(headers=OF_VISITORS),
    responses=errors(404, chat=True),
)
async def read_own_conversation(
    request: AnyRequest, service: NamedDependency[Service], threads: NamedDependency[Threads]
) -> Success[VisitorHistory]:
    """The oldest message first; empty before the first question."""
    rows = await threads.read(_own_rows, service, request, visitor_of(request, service))
    return Success(data=VisitorHistory(messages=[_line(row) for row in rows]))


@delete(
    "/widget/conversation",
    status_code=200,
    guards=_GUARDS,
    tags=["widget"],
    summary="Delete the visitor's own conversation",
    operation_class=operation(headers=OF_VISITORS),
    responses=errors(404, chat=True),
)
async def delete_own_conversation(
    request: AnyRequest, service: NamedDependency[Service], threads: NamedDependency[Threads]
) -> Success[Erased]:
    """For good, with everything that was said in it and every gap that it alone made."""
    conversation_id = _conversation_of(visitor_of(request, service))
    gone = await threads.write(
        service.store.transcripts.delete, scope_of(request), [conversation_id], cascade=True
    )
    return Success(data=Erased(messages_deleted=gone.transcripts))


@post(
    "/widget/feedback",
    status_code=200,
    guards=_GUARDS,
    tags=["widget"],
    summary="Rate an answer as a visitor",
    operation_class=operation(
        body=json_body(VisitorRating, {"messageId": "msg_0199", "rating": "up"}),
        headers=OF_VISITORS,
    ),
    responses=errors(400, 404, 409, chat=True),
)
async def rate_as_visitor(
    request: AnyRequest, service: NamedDependency[Service], threads: NamedDependency[Threads]
) -> Success[VisitorRated]:
    """Only what was answered to this visitor; null takes the rating back."""
    visitor = visitor_of(request, service)
    take(request, service, visitor)
    given = await read_body(request, VisitorRating)
    scope = scope_of(request)
    found = await threads.read(service.store.messages.get, scope, given.message_id)
    if found.conversation_id != _conversation_of(visitor):
        raise NotFound(f"no message {given.message_id!r}")
    row = await threads.write(
        service.desk.rate, scope, given.message_id, given.told(), given.comment
    )
    rating = row.feedback.rating if row.feedback else None
    return Success(data=VisitorRated(message_id=row.message_id, rating=rating))


def _conversation_of(visitor: str) -> str:
    """A visitor has one, which nobody else can name: it follows from the session alone."""
    return f"widget_{visitor}"


def _own_rows(service: Service, request: AnyRequest, visitor: str) -> list[TranscriptRow]:
    scope = scope_of(request)
    try:
        return service.store.messages.last(
            scope, scope.default_bot, _conversation_of(visitor), limit=sys.maxsize
        )
    except ConversationNotFound:
        return []


async def _for_visitors(
    events: AsyncGenerator[AnswerEvent, None],
) -> AsyncGenerator[AnswerEvent, None]:
    async with aclosing(events):
        async for event in events:
            match event:
                case Delta():
                    yield event
                case Retrieved() | Answered():
                    yield msgspec.structs.replace(
                        event, sources=[_published(one) for one in event.sources], related=[]
                    )


def _published(source: Source) -> Source:
    """Without an address that is none on the web: it may tell of folders on this machine."""
    is_web = source.source_url.lower().startswith(("https://", "http://"))
    return source if is_web else msgspec.structs.replace(source, source_url="")


def _line(row: TranscriptRow) -> VisitorLine:
    cited = [one for one in row.context or () if one.used and row.role == "assistant"]
    return VisitorLine(
        id=row.message_id,
        role=row.role,
        content=row.text,
        timestamp=row.created_at,
        rating=row.feedback.rating if row.feedback else None,
        sources=[
            ChatSource(source_url=one.source_url, title=one.title, text=one.text, score=one.score)
            for one in map(_published, cited)
        ],
    )


handlers = [
    preflight,
    begin_visit,
    ask_as_visitor,
    read_own_conversation,
    delete_own_conversation,
    rate_as_visitor,
]
