"""/webhooks/{id}/deliveries, in the chat dialect: what became of the events."""

from typing import Annotated, Any, get_args

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from rag_service.assembly import Service
from rag_service.events import store as kept
from rag_service.fields import Field, one_of
from rag_service.http.dialects.chat.webhooks import GUARDS, ONE
from rag_service.http.documenting import errors, json_body, operation
from rag_service.http.envelopes import Success
from rag_service.http.guarding import scope_of
from rag_service.http.pages import Page, Pagination
from rag_service.http.parameters import read_query
from rag_service.http.threads import Threads

AnyRequest = Request[Any, Any, Any]
_STATES: tuple[kept.DeliveryState, ...] = get_args(kept.DeliveryState)
_TAGS = ["webhooks"]


class Attempt(Struct, frozen=True, kw_only=True, rename="camel"):
    """`status` is null where none came; `response` is how the answer's body began."""

    at: str
    status: int | None
    duration_ms: int
    response: str
    error: str | None


class Delivery(Struct, frozen=True, kw_only=True, rename="camel"):
    """`eventId` is the `webhook-id` of its requests."""

    id: str
    event_id: str
    event_type: str
    status: kept.DeliveryState
    attempts: list[Attempt]
    next_attempt_at: str | None
    created_at: str


class Deliveries(Struct, frozen=True, kw_only=True):
    deliveries: list[Delivery]
    pagination: Pagination


class DeliveriesRequest(Page, frozen=True, kw_only=True):
    status: Annotated[kept.DeliveryState | None, Field("Only these.", one_of(_STATES))] = None


class NoFields(Struct, frozen=True):
    """The body of what is only to be done."""


_EMPTY = operation(body=json_body(NoFields, {}))


class Redelivered(Struct, frozen=True, kw_only=True):
    redelivered: int


@post(
    f"{ONE}/test",
    status_code=200,
    guards=GUARDS,
    tags=_TAGS,
    summary="Send a test",
    operation_class=_EMPTY,
    responses=errors(400, 404, chat=True),
)
async def test_webhook(
    request: AnyRequest,
    webhook_id: FromPath[str],
    service: NamedDependency[Service],
) -> Success[Delivery]:
    """One `webhook.test`, now and once, also to a disabled one; what came of it is the answer."""
    return Success(data=_delivery(await service.webhooks.test(scope_of(request), webhook_id)))


@get(
    f"{ONE}/deliveries",
    guards=GUARDS,
    tags=_TAGS,
    summary="List deliveries",
    operation_class=operation(query=DeliveriesRequest),
    responses=errors(400, 404, chat=True),
)
async def list_deliveries(
    request: AnyRequest,
    webhook_id: FromPath[str],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> Success[Deliveries]:
    """The newest first, each with its attempts; those that ended are kept for 30 days."""
    page = read_query(request, DeliveriesRequest)
    total, found = await threads.read(
        service.store.deliveries.page,
        scope_of(request),
        webhook_id,
        page.status,
        limit=page.limit,
        offset=page.offset,
    )
    deliveries = [_delivery(one) for one in found]
    return Success(data=Deliveries(deliveries=deliveries, pagination=page.among(total)))


@post(
    f"{ONE}/deliveries/{{delivery_id:str}}/redeliver",
    status_code=200,
    guards=GUARDS,
    tags=_TAGS,
    summary="Deliver one again",
    operation_class=_EMPTY,
    responses=errors(400, 404, chat=True),
)
async def redeliver(
    request: AnyRequest,
    webhook_id: FromPath[str],
    delivery_id: FromPath[str],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> Success[Redelivered]:
    """In the background, with the same `webhook-id`; a pending one is tried at once."""
    count = await threads.write(
        service.store.deliveries.redeliver, scope_of(request), webhook_id, delivery_id
    )
    return Success(data=Redelivered(redelivered=count))


@post(
    f"{ONE}/redeliver",
    status_code=200,
    guards=GUARDS,
    tags=_TAGS,
    summary="Deliver all that failed again",
    operation_class=_EMPTY,
    responses=errors(400, 404, chat=True),
)
async def redeliver_failed(
    request: AnyRequest,
    webhook_id: FromPath[str],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> Success[Redelivered]:
    """In the background; tests are not repeated."""
    count = await threads.write(
        service.store.deliveries.redeliver, scope_of(request), webhook_id, None
    )
    return Success(data=Redelivered(redelivered=count))


def _delivery(delivery: kept.Delivery) -> Delivery:
    return Delivery(
        id=delivery.id,
        event_id=delivery.event_id,
        event_type=delivery.event_type,
        status=delivery.state,
        attempts=[
            Attempt(
                at=one.at,
                status=one.status,
                duration_ms=one.duration_ms,
                response=one.response,
                error=one.error,
            )
            for one in delivery.attempts
        ],
        next_attempt_at=delivery.next_attempt_at,
        created_at=delivery.created_at,
    )


handlers = [test_webhook, list_deliveries, redeliver, redeliver_failed]
