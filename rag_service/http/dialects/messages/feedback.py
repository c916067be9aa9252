"""What visitors think of answers, in the messages dialect and in that of chat."""

from typing import Annotated, Any, ClassVar, Literal, get_args

from litestar import Request, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import UNSET, Struct, UnsetType

from rag_service.assembly import Service
from rag_service.conversations.messages import Feedback, Rating
from rag_service.conversations.store import TranscriptRow
from rag_service.errors import Invalid, NotFound
from rag_service.fields import Field, takes, text
from rag_service.http.dialects.chat.chat import need_bot
from rag_service.http.documenting import errors, json_body, messages_errors, operation
from rag_service.http.guarding import need, scope_of
from rag_service.http.parameters import read_body
from rag_service.http.threads import Threads

AnyRequest = Request[Any, Any, Any]
_LONGEST_COMMENT = 10_000
_RATINGS: tuple[Rating, ...] = get_args(Rating)


@takes(type="string", enum=list(_RATINGS))
def _rating(value: Any) -> Rating:
    for rating in _RATINGS:
        if value == rating:
            return rating
    raise ValueError("must be up, down or null")


class FeedbackRequest(Struct, frozen=True, kw_only=True):
    rating: Annotated[
        Rating | UnsetType | None, Field("`up`, `down`, or null to take it back.", _rating)
    ] = UNSET
    comment: Annotated[str, Field("Why.", text(_LONGEST_COMMENT))] = ""
    JOINT: ClassVar[dict[str, Any]] = {"required": ["rating"]}
    """Though it may be null."""


_BODY = json_body(FeedbackRequest, {"rating": "down", "comment": "That is last year's price."})


class Rated(Struct, frozen=True, kw_only=True):
    message_id: str
    feedback: Feedback | None


class RatedAnswer(Struct, frozen=True, kw_only=True):
    status: Literal["success"] = "success"
    message: str = "Feedback kept."
    data: Rated


class RatedInChat(Struct, frozen=True, kw_only=True):
    success: bool = True
    data: Rated


@post(
    "/messages/{message_id:str}/feedback",
    status_code=200,
    guards=[need("chat", "chat")],
    tags=["messages"],
    summary="Rate an answer",
    operation_class=operation(body=_BODY),
    responses=messages_errors(400, 404, 409, 413),
)
async def rate_message(
    request: AnyRequest,
    message_id: FromPath[str],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> RatedAnswer:
    """A rejected answer makes its question a gap; taking the rating back takes that back."""
    row = await _rate(request, message_id, service, threads)
    return RatedAnswer(data=Rated(message_id=row.message_id, feedback=row.feedback))


@post(
    "/chat/{bot_id:str}/messages/{message_id:str}/feedback",
    status_code=200,
    guards=[need("chat", "chat")],
    tags=["chat"],
    summary="Rate an answer",
    operation_class=operation(body=_BODY),
    responses=errors(400, 404, 409, 413, chat=True),
)
async def rate_answer(
    request: AnyRequest,
    bot_id: FromPath[str],
    message_id: FromPath[str],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> RatedInChat:
    """As `POST /messages/{message_id}/feedback`."""
    await need_bot(scope_of(request), bot_id, service, threads)
    found = await threads.read(service.store.messages.get, scope_of(request), message_id)
    if found.bot_id != bot_id:
        raise NotFound(f"no message {message_id!r}")
    row = await _rate(request, message_id, service, threads)
    return RatedInChat(data=Rated(message_id=row.message_id, feedback=row.feedback))


async def _rate(
    request: AnyRequest, message_id: str, service: Service, threads: Threads
) -> TranscriptRow:
    given = await read_body(request, FeedbackRequest)
    if given.rating is UNSET:
        raise Invalid("Invalid parameter(s): rating", {"rating": "is required; null takes it back"})
    return await threads.write(
        service.desk.rate, scope_of(request), message_id, given.rating, given.comment
    )


of_messages = [rate_message]
of_chat = [rate_answer]
