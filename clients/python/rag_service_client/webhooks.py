"""Is a request from the service? https://www.standardwebhooks.com tells how it signs."""

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

_TOLERANCE_S = 300.0


class WebhookError(Exception):
    """The request is not from the service, or it is an old one."""


class WebhookEvent(Struct, frozen=True, kw_only=True):
    """What happened. `bot_id` is empty where it is of no bot."""

    type: str
    timestamp: str
    id: str = ""
    bot_id: str = ""
    data: dict[str, Any] = {}


def verify_webhook(
    body: bytes | str,
    headers: Mapping[str, str],
    secret: str,
    *,
    tolerance_s: float = _TOLERANCE_S,
    now: float | None = None,
) -> WebhookEvent:
    """The event of a request whose signature is right. Raises WebhookError otherwise.

    `body` is what came, byte by byte; `now` is in Unix seconds.
    """
    given = {name.lower(): value for name, value in headers.items()}
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    id_, timestamp, signatures = (given.get(name, "") for name in names)
    if not (id_ and timestamp and signatures):
        raise WebhookError("the request has no signature")
    moment = time.time() if now is None else now
    if not (timestamp.isascii() and timestamp.isdigit()):
        raise WebhookError("the request has no time")
    if abs(moment - int(timestamp)) > tolerance_s:
        raise WebhookError("the request is too old, or from the future")
    content = body.encode() if isinstance(body, str) else body
    signed = f"{id_}.{timestamp}.".encode() + content
    right = base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256))
    for signature in signatures.split(" "):
        version, _, value = signature.partition(",")
        if version == "v1" and hmac.compare_digest(value.encode(), right):
            return _event(content)
    raise WebhookError("the signature is wrong")


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise WebhookError("the secret is no base64") from error


def _event(content: bytes) -> WebhookEvent:
    try:
        return msgspec.json.decode(content, type=WebhookEvent)
    except msgspec.DecodeError as error:
        raise WebhookError("the body is no event") from error
