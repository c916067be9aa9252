"""What the service refused, and what did not reach it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec


class ApiError(Exception):
    """An answer that is an error, or none at all.

    `status` is that of HTTP, and 0 where no answer came. `code` is the service's own, such as
    `BOT_NOT_FOUND`; else `http_404` and the like, `network`, or `stream_ended`. `retry_after` is in
    seconds, where the service tells it. `params` has each parameter at fault, with the reason.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        retry_after: float | None = None,
        params: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after
        self.params = dict(params or {})


def error_of(status: int, headers: Mapping[str, str], body: bytes) -> ApiError:
    """In whichever dialect it is told; a proxy's page has its status alone."""
    told = _object(body)
    fault = _object_in(told, "error") or told
    message = fault.get("message")
    return ApiError(
        status,
        str(fault.get("code") or f"http_{status}"),
        message if isinstance(message, str) else f"the service answered {status}",
        retry_after=seconds_of(headers.get("retry-after")),
        params=_object_in(_object_in(told, "data"), "params"),
    )


def seconds_of(header: str | None) -> float | None:
    """Of a Retry-After: seconds, or a date."""
    if header is None:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _object_in(value: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}
