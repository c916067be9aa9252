"""/events, in the messages dialect: what happened, page by page, held until it does, or live."""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Annotated, Any, Literal, get_args

from litestar import Request, Response, get
from litestar.di import NamedDependency
from msgspec import Struct

from rag_service.access.caller import Caller
from rag_service.access.scope import Scope
from rag_service.assembly import Service
from rag_service.events.fan_out import FanOut
from rag_service.events.feed import cursor, place_of
from rag_service.events.happenings import Event, EventType
from rag_service.fields import Field, integer, read_label, takes
from rag_service.http.documenting import EVENTS, messages_errors, operation, streamed
from rag_service.http.guarding import caller_of, need, still_holds
from rag_service.http.parameters import read_query
from rag_service.http.sse import event_stream, frame
from rag_service.http.threads import Threads

_MOST = 1000
_LONGEST_WAIT_S = 30
_HOLDS_S = 1.0
"""A live stream whose token is revoked ends within this."""


class FeedEvent(Struct, frozen=True, kw_only=True):
    id: str
    type: str
    created_at: str
    bot_id: str
    data: dict[str, Any]


class Feed(Struct, frozen=True, kw_only=True):
    """`next` is the cursor to ask with the next time."""

    events: list[FeedEvent]
    next: str


class FeedAnswer(Struct, frozen=True, kw_only=True):
    status: Literal["success"] = "success"
    message: str = "Events retrieved successfully."
    data: Feed


_KNOWN = get_args(EventType)
_OF_CONTACTS = {"contact.created", "contact.updated"}


@takes(type="string", examples=["message.created,job.finished"])
def _types(value: Any) -> list[str]:
    types = value if isinstance(value, list) else [one.strip() for one in str(value).split(",")]
    if unknown := [one for one in types if one not in _KNOWN]:
        raise ValueError(f"has unknown types {', '.join(unknown)}: use {', '.join(_KNOWN)}")
    return types


class EventsRequest(Struct, frozen=True, kw_only=True):
    after: Annotated[
        str | None, Field("An event's id or a `next`; the beginning without it.", read_label)
    ] = None
    types: Annotated[list[str] | None, Field("Only these, with commas between them.", _types)] = (
        None
    )
    limit: Annotated[int, Field("Events at most.", integer(1, _MOST))] = 100
    wait: Annotated[
        int,
        Field("Seconds to hold the answer until there is one.", integer(0, _LONGEST_WAIT_S)),
    ] = 0


_STREAM = streamed(
    'id: evt_0199\nevent: message.created\ndata: {"id":"evt_0199","type":"message.created",'
    '"created_at":"2026-05-12T10:00:00.000000Z","bot_id":"default","data":{}}\n\n',
    FeedEvent,
)


@get(
    "/events",
    guards=[need("chat", "chat")],
    tags=["events"],
    summary="Read events",
    operation_class=operation(query=EventsRequest, streams={EVENTS: _STREAM}),
    responses=messages_errors(400),
)
async def list_events(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
    fan_out: NamedDependency[FanOut],
) -> Response[FeedAnswer]:
    """In order. With `Accept: text/event-stream` a live stream, from `Last-Event-ID` or now on.

    Events of contacts, who are people with an address, are for tokens with the scope `admin`.
    """
    asked = read_query(request, EventsRequest)
    after = asked.after
    caller = caller_of(request)
    feed = _Feed(
        service, threads, fan_out, _visible(caller, asked.types), caller.scope, asked.limit
    )
    if EVENTS in request.headers.get("accept", ""):
        after = request.headers.get("last-event-id") or after
        if after is None:
            after = await feed.end()
        first = await feed.read(after)  # a cursor that does not exist is a status, not an event
        return event_stream(feed.live(first, still_holds(request, service, threads, "chat")))
    events, following = await feed.wait(after, asked.wait)
    data = Feed(events=[_shown(event) for event in events], next=following)
    return Response(FeedAnswer(data=data))


class _Feed:
    def __init__(
        self,
        service: Service,
        threads: Threads,
        fan_out: FanOut,
        types: list[str] | None,
        scope: Scope,
        limit: int,
    ) -> None:
        self._store = service.store.events
        self._threads = threads
        self._fan_out = fan_out
        self._types = types
        self._scope = scope
        self._limit = limit

    async def end(self) -> str:
        _, cursor = await self._threads.read(
            self._store.page, self._scope, None, types=None, limit=0
        )
        return cursor

    async def read(self, after: str | None) -> tuple[list[Event], str]:
        return await self._threads.read(
            self._store.page, self._scope, after, types=self._types, limit=self._limit
        )

    async def wait(self, after: str | None, seconds: float) -> tuple[list[Event], str]:
        """As soon as there is one, or nothing after so many seconds."""
        with self._fan_out.listening():
            events, following = await self.read(after)
            if events:
                return events, following
            return await self._next(following, seconds)

    async def live(
        self, first: tuple[list[Event], str], holds: Callable[[], Awaitable[bool]]
    ) -> AsyncGenerator[bytes, None]:
        """Until the service ends, or the token does not hold any more."""
        events, following = first
        place = "" if events else f"id: {following}\n"  # where to go on when nothing has come
        yield f": open\n{place}\n".encode()
        with self._fan_out.listening():
            while not self._fan_out.closing and await holds():
                for event in events:
                    yield frame(event.type, _shown(event), event.id)
                events, following = await self._next(following, _HOLDS_S)

    async def _next(self, after: str, seconds: float) -> tuple[list[Event], str]:
        end = time.monotonic() + seconds
        while True:
            left = max(0.0, end - time.monotonic())
            told = await self._fan_out.wait(place_of(after), self._wants, self._limit, left)
            if told is not None:
                return told[0], cursor(told[1])
            events, after = await self.read(after)
            if events:
                return events, after

    def _wants(self, event: Event) -> bool:
        wanted = self._types is None or event.type in self._types
        return wanted and self._scope.admits(event.bot_id)


def _shown(event: Event) -> FeedEvent:
    return FeedEvent(
        id=event.id,
        type=event.type,
        created_at=event.created_at,
        bot_id=event.bot_id,
        data=event.data,
    )


def _visible(caller: Caller, types: list[str] | None) -> list[str] | None:
    """Raises Forbidden where others are asked for."""
    if caller.is_admin:
        return types
    if types is None:
        return [one for one in _KNOWN if one not in _OF_CONTACTS]
    if not _OF_CONTACTS.isdisjoint(types):
        caller.need("admin")
    return types


handlers = [list_events]
