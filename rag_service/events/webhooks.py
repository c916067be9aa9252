"""Webhooks as their owners manage them: made, changed, given new secrets, and tried out."""

import base64
import binascii
import re
import secrets
from asyncio import to_thread
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, get_args

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace
from standardwebhooks import Webhook as Signer

from rag_service import __version__
from rag_service.access.scope import Scope
from rag_service.clock import Clock, SystemClock, written
from rag_service.errors import Invalid, Refused
from rag_service.events.happenings import Event, EventType
from rag_service.events.poster import Answer, Poster
from rag_service.events.store import (
    TEST,
    Attempt,
    Delivery,
    DeliveryStore,
    Secret,
    Webhook,
    WebhookChanges,
    WebhookStore,
)
from rag_service.fields import Field, raise_faults, read_bot_id, take_fields, takes
from rag_service.ids import new_id

TYPES = get_args(EventType)
OVERLAP_H = 24
"""How long a former secret still signs, beside the new one."""
_GROUPS = sorted({name.partition(".")[0] for name in TYPES})
_PATTERNS = ("*", *(f"{group}.*" for group in _GROUPS), *TYPES)
_SECRET_BYTES = (24, 64)  # of the Standard Webhooks specification
_LONGEST_DESCRIPTION = 500
_LONGEST_URL = 2048
_URL = re.compile(r"(?i)https?://[^/]")
_CHECK_S = 3.0
"""A host that is not found within this is checked when it is used."""


@takes(type="string", format="uri", maxLength=_LONGEST_URL, pattern="^[hH][tT][tT][pP][sS]?://[^/]")
def _url(value: Any) -> str:
    if not isinstance(value, str) or not _URL.match(value.strip()):
        raise ValueError("must be an http or https URL")
    if len(value) > _LONGEST_URL:
        raise ValueError(f"must have at most {_LONGEST_URL} characters")
    return value.strip()


@takes(type="array", items={"type": "string", "enum": [*_PATTERNS]}, minItems=1)
def _events(value: Any) -> list[str]:
    patterns = value.split(",") if isinstance(value, str) else value
    if not isinstance(patterns, list) or not all(isinstance(one, str) for one in patterns):
        raise ValueError("must be a list of event types")
    patterns = list(dict.fromkeys(one.strip() for one in patterns))
    if not patterns:
        raise ValueError("must name an event type, or *")
    if unknown := [one for one in patterns if one not in _PATTERNS]:
        raise ValueError(f"has unknown types {', '.join(unknown)}: use {', '.join(_PATTERNS)}")
    return patterns


@takes(type="string", maxLength=_LONGEST_DESCRIPTION)
def _description(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_DESCRIPTION:
        raise ValueError(f"must be a string of at most {_LONGEST_DESCRIPTION} characters")
    return value


@takes(type="boolean")
def _enabled(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


@takes(type="string", examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
def _secret(value: Any) -> list[Secret]:
    least, most = _SECRET_BYTES
    try:
        if not isinstance(value, str) or not value.startswith("whsec_"):
            raise ValueError
        size = len(base64.b64decode(value.removeprefix("whsec_"), validate=True))
    except (ValueError, binascii.Error):
        size = 0
    if not least <= size <= most:
        raise ValueError(f"must be whsec_ and {least} to {most} bytes in base64")
    return [Secret(value=str(value))]


_URL_FIELD = Field("Where events are posted: http or https, on the public internet.", _url)


class WebhookRequest(Struct, frozen=True, kw_only=True, rename="camel"):
    """The body of a change. What is left out stays."""

    url: Annotated[str | UnsetType, _URL_FIELD] = UNSET
    events: Annotated[
        list[str] | UnsetType,
        Field(
            "Types, or patterns such as `message.*`; all of them (`*`) without it.",
            _events,
            also=("eventTypes", "event_types", "types"),
        ),
    ] = UNSET
    bot_id: Annotated[
        str | UnsetType | None,
        Field(
            "Only events of this bot; of all, and of none, without it.",
            read_bot_id,
            also=("bot_id",),
        ),
    ] = UNSET
    description: Annotated[str | UnsetType | None, Field("For people to read.", _description)] = (
        UNSET
    )
    enabled: Annotated[
        bool | UnsetType,
        Field("A disabled one is told nothing, and keeps what it is owed.", _enabled),
    ] = UNSET
    secrets: Annotated[
        list[Secret] | UnsetType,
        Field("whsec_ and 24 to 64 bytes in base64; made for you without it.", _secret),
    ] = msgspec.field(default=UNSET, name="secret")


class NewWebhookRequest(WebhookRequest, frozen=True, kw_only=True, rename="camel"):
    url: Annotated[str, _URL_FIELD]


def read_webhook(body: Mapping[str, Any], *, changes: bool = False) -> WebhookChanges:
    """Fields that are not ours are ignored. Raises Invalid with every parameter at fault."""
    values, faults = take_fields(WebhookRequest if changes else NewWebhookRequest, body)
    raise_faults(faults)
    if "description" in values:
        values["description"] = values["description"] or ""
    return WebhookChanges(**values)


class Webhooks:
    """`poster` sends tests, and checks the addresses that are given."""

    def __init__(
        self,
        store: WebhookStore,
        deliveries: DeliveryStore,
        poster: Callable[[], Poster],
        clock: Clock | None = None,
    ) -> None:
        self._store = store
        self._clock = clock or SystemClock()
        self._deliveries = deliveries
        self._poster = poster
        self._posts = False

    async def create(self, scope: Scope, fields: WebhookChanges) -> Webhook:
        """`fields.url` is given; one that names no bot is of the only one of the scope, if there is
        only one. Raises Forbidden, and Invalid for an address that must not be reached."""
        bot_id = scope.one_bot if fields.bot_id is UNSET else fields.bot_id
        scope.need(bot_id)  # before its address is looked up
        fields = await self._checked(fields)
        moment = written(self._clock.now())
        webhook = Webhook(
            **{
                "events": ["*"],
                "description": "",
                "secrets": [Secret(value=new_secret())],
                "enabled": True,
                **_given(fields),
                "bot_id": bot_id,
            },
            id=new_id("whk"),
            reason=None,
            failures=0,
            failing_since=None,
            created_at=moment,
            updated_at=moment,
        )
        await to_thread(self._store.add, scope, webhook)
        return webhook

    async def change(self, scope: Scope, webhook_id: str, changes: WebhookChanges) -> Webhook:
        """Raises NotFound, Forbidden, and Invalid for an address that must not be reached."""
        await to_thread(self._store.get, scope, webhook_id)  # nothing is looked up for others
        changes = await self._checked(changes)
        return await to_thread(self._store.change, scope, webhook_id, changes)

    async def rotate(self, scope: Scope, webhook_id: str, overlap_h: int = OVERLAP_H) -> Webhook:
        """A new secret; the former ones sign beside it for so many hours. Raises NotFound."""
        moment = self._clock.now()
        until = written(moment + timedelta(hours=overlap_h)) if overlap_h else None
        return await to_thread(self._store.rotate_secret, scope, webhook_id, new_secret(), until)

    async def test(self, scope: Scope, webhook_id: str) -> Delivery:
        """Send one now, whatever it wants and though it be disabled; what became of it."""
        webhook = await to_thread(self._store.get, scope, webhook_id)
        event_id, now = new_id("evt"), self._clock.now()
        moment = written(now)
        data = {"webhook_id": webhook.id, "message": "This is a test."}
        body = payload(TEST, event_id, webhook.bot_id or "", moment, data)
        self._posts = True
        answer = await send(self._poster(), webhook, event_id, body, now)
        delivery_id = await to_thread(
            self._deliveries.add_test,
            scope,
            webhook_id,
            event_id,
            attempt_of(answer, moment),
            is_taken(answer),
        )
        return await to_thread(self._deliveries.get, scope, webhook_id, delivery_id)

    async def close(self) -> None:
        if self._posts:
            await self._poster().close()

    async def _checked(self, fields: WebhookChanges) -> WebhookChanges:
        if fields.url is UNSET:
            return fields
        try:
            url = await self._poster().check(fields.url, within_s=_CHECK_S)
        except (Invalid, Refused) as error:
            raise Invalid("Invalid parameter(s): url", {"url": str(error)}) from error
        return replace(fields, url=url)


def payload(type_: str, event_id: str, bot_id: str, created_at: str, data: Any) -> bytes:
    """What is posted, in the structure that the Standard Webhooks specification recommends."""
    return msgspec.json.encode(
        {"type": type_, "timestamp": created_at, "id": event_id, "bot_id": bot_id, "data": data}
    )


def payload_of(event: Event) -> bytes:
    return payload(event.type, event.id, event.bot_id, event.created_at, event.data)


async def send(
    poster: Poster, webhook: Webhook, event_id: str, body: bytes, moment: datetime
) -> Answer:
    """Signed with each of its secrets that holds at that moment."""
    signatures = [
        Signer(secret.value).sign(event_id, moment, body.decode())
        for secret in webhook.secrets
        if secret.until is None or secret.until > written(moment)
    ]
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"rag-service/{__version__}",
        "webhook-id": event_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
    return await poster.post(webhook.url, headers, body)


def is_taken(answer: Answer) -> bool:
    return answer.status is not None and 200 <= answer.status < 300


def attempt_of(answer: Answer, at: str) -> Attempt:
    error = answer.error
    if answer.status is not None and not is_taken(answer):
        redirects = "; redirects are not followed" if 300 <= answer.status < 400 else ""
        error = f"the receiver answered {answer.status}{redirects}"
    return Attempt(
        at=at,
        status=answer.status,
        duration_ms=answer.duration_ms,
        response=answer.text,
        error=error,
    )


def new_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


def _given(fields: WebhookChanges) -> dict[str, Any]:
    values = {name: getattr(fields, name) for name in fields.__struct_fields__}
    return {name: value for name, value in values.items() if value is not UNSET}
