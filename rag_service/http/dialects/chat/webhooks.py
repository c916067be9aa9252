"""/webhooks, in the chat dialect: who is told of events."""

from typing import Annotated, Any, Literal

from litestar import HttpMethod, Request, delete, get, post, route
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from rag_service.assembly import Service
from rag_service.events import store as kept
from rag_service.events.webhooks import (
    OVERLAP_H,
    NewWebhookRequest,
    WebhookRequest,
    read_webhook,
)
from rag_service.fields import Field, integer
from rag_service.http.documenting import errors, json_body, operation
from rag_service.http.envelopes import Success
from rag_service.http.guarding import need, scope_of
from rag_service.http.pages import Page, Pagination
from rag_service.http.parameters import body_of, read_optional_body, read_query
from rag_service.http.threads import Threads

AnyRequest = Request[Any, Any, Any]
_LONGEST_OVERLAP_H = 24 * 7


class Webhook(Struct, frozen=True, kw_only=True, rename="camel"):
    """`disabledReason` tells why the service disabled it; `failingSince`, since when nothing
    could be delivered."""

    id: str
    url: str
    events: list[str]
    bot_id: str | None
    description: str
    enabled: bool
    disabled_reason: str | None
    failing_since: str | None
    created_at: str
    updated_at: str


class NewWebhook(Webhook, frozen=True, kw_only=True, rename="camel"):
    """The secret is shown this once."""

    secret: str


class Webhooks(Struct, frozen=True, kw_only=True, rename="camel"):
    webhooks: list[Webhook]
    pagination: Pagination


class WebhookDeleted(Struct, frozen=True, kw_only=True):
    id: str
    deleted: Literal[True] = True


class RotateRequest(Struct, frozen=True, kw_only=True, rename="camel"):
    overlap_hours: Annotated[
        int,
        Field("How long the former secret signs too.", integer(0, _LONGEST_OVERLAP_H)),
    ] = OVERLAP_H


_EXAMPLE = {"url": "https://example.com/hooks", "events": ["message.*", "job.finished"]}
ONE = "/webhooks/{webhook_id:str}"
GUARDS = [need("admin", "webhook")]
_TAGS = ["webhooks"]


@post(
    "/webhooks",
    status_code=201,
    guards=GUARDS,
    tags=_TAGS,
    summary="Create a webhook",
    operation_class=operation(body=json_body(NewWebhookRequest, _EXAMPLE)),
    responses=errors(400, 413, chat=True),
)
async def create_webhook(
    request: AnyRequest, service: NamedDependency[Service]
) -> Success[NewWebhook]:
    """It is told of what happens from now on. An address that may not be reached is refused."""
    fields = read_webhook(await body_of(request))
    webhook = await service.webhooks.create(scope_of(request), fields)
    return Success(data=_with_secret(webhook))


@get(
    "/webhooks",
    guards=GUARDS,
    tags=_TAGS,
    summary="List webhooks",
    operation_class=operation(query=Page),
    responses=errors(400, chat=True),
)
async def list_webhooks(
    request: AnyRequest, service: NamedDependency[Service], threads: NamedDependency[Threads]
) -> Success[Webhooks]:
    """The newest first."""
    page = read_query(request, Page)
    every = await threads.read(service.store.webhooks.all, scope_of(request))
    shown = [_shown(one) for one in every[page.offset : page.offset + page.limit]]
    return Success(data=Webhooks(webhooks=shown, pagination=page.among(len(every))))


@get(
    ONE,
    guards=GUARDS,
    tags=_TAGS,
    summary="Read a webhook",
    operation_class=operation(),
    responses=errors(400, 404, chat=True),
)
async def get_webhook(
    request: AnyRequest,
    webhook_id: FromPath[str],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> Success[Webhook]:
    """Without its secret."""
    return Success(
        data=_shown(await threads.read(service.store.webhooks.get, scope_of(request), webhook_id))
    )


@route(
    ONE,
    http_method=[HttpMethod.PATCH, HttpMethod.PUT],
    status_code=200,
    guards=GUARDS,
    tags=_TAGS,
    summary="Change a webhook",
    operation_class=operation(body=json_body(WebhookRequest, {"enabled": True})),
    responses=errors(400, 404, 413, chat=True),
)
async def update_webhook(
    request: AnyRequest,
    webhook_id: FromPath[str],
    service: NamedDependency[Service],
) -> Success[Webhook]:
    """What is left out stays. Enabling one, or a new URL, has it tried at once again."""
    changes = read_webhook(await body_of(request), changes=True)
    return Success(
        data=_shown(await service.webhooks.change(scope_of(request), webhook_id, changes))
    )


@delete(
    ONE,
    status_code=200,
    guards=GUARDS,
    tags=_TAGS,
    summary="Delete a webhook",
    operation_class=operation(),
    responses=errors(400, 404, chat=True),
)
async def delete_webhook(
    request: AnyRequest,
    webhook_id: FromPath[str],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> Success[WebhookDeleted]:
    """With what it is owed, and the log of its deliveries."""
    await threads.write(service.store.webhooks.remove, scope_of(request), webhook_id)
    return Success(data=WebhookDeleted(id=webhook_id))


@post(
    f"{ONE}/rotate",
    status_code=200,
    guards=GUARDS,
    tags=_TAGS,
    summary="Rotate the secret",
    operation_class=operation(body=json_body(RotateRequest, {"overlapHours": OVERLAP_H})),
    responses=errors(400, 404, chat=True),
)
async def rotate_webhook_secret(
    request: AnyRequest,
    webhook_id: FromPath[str],
    service: NamedDependency[Service],
) -> Success[NewWebhook]:
    """Deliveries are signed with both, so that the receiver can change over meanwhile."""
    hours = (await read_optional_body(request, RotateRequest)).overlap_hours
    return Success(
        data=_with_secret(await service.webhooks.rotate(scope_of(request), webhook_id, hours))
    )


def _shown(webhook: kept.Webhook) -> Webhook:
    return Webhook(**_fields(webhook))


def _with_secret(webhook: kept.Webhook) -> NewWebhook:
    return NewWebhook(**_fields(webhook), secret=webhook.secrets[0].value)


def _fields(webhook: kept.Webhook) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "url": webhook.url,
        "events": webhook.events,
        "bot_id": webhook.bot_id,
        "description": webhook.description,
        "enabled": webhook.enabled,
        "disabled_reason": webhook.reason,
        "failing_since": webhook.failing_since,
        "created_at": webhook.created_at,
        "updated_at": webhook.updated_at,
    }


handlers = [
    create_webhook,
    list_webhooks,
    get_webhook,
    update_webhook,
    delete_webhook,
    rotate_webhook_secret,
]
