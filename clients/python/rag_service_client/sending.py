"""What both clients send, and how they tell what did not come back."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
from msgspec import Struct

from rag_service_client.calls import Call, Streamed, call
from rag_service_client.errors import ApiError
from rag_service_client.streams import LiveEvents
from rag_service_client.types import FeedEvent

OVER = {"succeeded", "failed", "cancelled"}
"""The states of a batch that does not go on."""


class Options(Struct, frozen=True, kw_only=True):
    base_url: str
    token: str | None
    timeout: float | None
    retries: int


def arguments(options: Options, call: Call[Any], files: ExitStack) -> dict[str, Any]:
    """Of a request of httpx2, but for the content. Files are open until `files` is closed."""
    token = {"authorization": f"Bearer {options.token}"} if options.token else {}
    given: dict[str, Any] = {
        "method": call.method,
        "url": options.base_url.rstrip("/") + call.path,
        "params": call.query,
        "headers": {**call.headers, **token},
        "timeout": options.timeout,
    }
    if call.body is not None:
        given["json"] = call.body
    if call.files:
        given["files"] = [("files", _opened(file, files)) for file in call.files]
    return given


@contextmanager
def network(options: Options) -> Iterator[None]:
    """Makes an ApiError of what goes wrong on the way."""
    try:
        yield
    except httpx2.TimeoutException as error:
        raise ApiError(0, "timeout", f"no answer in time from {options.base_url}") from error
    except httpx2.RequestError as error:
        text = f"no answer from {options.base_url}: {error}"
        raise ApiError(0, "network", text) from error


def live(events: LiveEvents, types: list[str] | None) -> Streamed[FeedEvent]:
    """One connection of a stream that goes on."""
    asked = call(
        None,
        "GET /events",
        given={"after": events.after, "types": types},
        accept="text/event-stream",
    )
    return Streamed(call=asked, decoder=events.begin)


def _opened(file: Any, files: ExitStack) -> tuple[str, Any]:
    if isinstance(file, tuple):
        return file
    path = Path(file)
    return path.name, files.enter_context(path.open("rb"))
