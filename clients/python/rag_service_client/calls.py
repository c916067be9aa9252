"""What a method asks and how its answer is read, whoever sends it. Nothing here reads or waits."""

import random
from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import Struct

from rag_service_client.errors import ApiError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Pages = Iterable[Mapping[str, Any]] | AsyncIterable[Mapping[str, Any]]
Upload = str | Path | tuple[str, bytes]
"""A file by its path, or its name with its bytes."""

_LONGEST_WAIT_S = 30.0  # a Retry-After beyond it is the caller's decision
_FIRST_WAIT_S = 0.5
_PASSING = {0, 429, 502, 503, 504}
_CAMEL = {"chat", "bot", "bots", "webhooks", "contacts"}
_ENVELOPED = _CAMEL | {"messages", "events"}


class _Envelope(Struct, Generic[T]):
    data: T


class Call(Struct, Generic[T], frozen=True, kw_only=True):
    """A request, and the type of its answer.

    `is_repeatable`: it does no harm when it is done twice. `body` is JSON, `content` anything else:
    bytes, or documents that become a line each.
    """

    answer: Any
    method: str
    path: str
    query: dict[str, str] = {}
    body: dict[str, Any] | None = None
    content: bytes | Pages | None = None
    files: list[Upload] = []
    content_type: str = "application/json"
    accept: str = "application/json"
    is_repeatable: bool = True

    @property
    def headers(self) -> dict[str, str]:
        has_body = self.body is not None or self.content is not None
        kind = {"content-type": self.content_type} if has_body else {}
        return {"accept": self.accept, **kind}

    def read(self, body: bytes) -> T:
        """Without the envelope of its dialect. Raises ApiError where it is no such answer."""
        try:
            if self.path.split("/")[1] in _ENVELOPED:
                envelope: Any = _Envelope[self.answer]  # type: ignore[name-defined]  # at run time
                answer: T = msgspec.json.decode(body, type=envelope).data
            else:
                answer = msgspec.json.decode(body, type=self.answer)
        except msgspec.DecodeError as error:
            raise ApiError(200, "unexpected_answer", str(error)) from error
        return answer

    def wait_after(self, error: ApiError, failures: int, retries: int) -> float:
        """Seconds to wait before it is sent again; raises what it is given where it is not."""
        may_repeat = error.status == 429 or (self.is_repeatable and error.status in _PASSING)
        is_sent_once = self.content is not None and not isinstance(
            self.content, bytes | list | tuple
        )
        if failures >= retries or not may_repeat or is_sent_once:
            raise error
        wait = (error.retry_after or 0.0) + backoff(failures)
        if wait > _LONGEST_WAIT_S:
            raise error
        return wait


class Decoder(Protocol[T_co]):
    """Makes items of the bytes of a stream."""

    def feed(self, data: bytes) -> Iterator[T_co]: ...
    def end(self) -> Iterator[T_co]: ...


class Streamed(Struct, Generic[T], frozen=True, kw_only=True):
    """A call whose answer is read as it comes."""

    call: Call[Any]
    decoder: Callable[[], Decoder[T]]


class Paged(Struct, Generic[T], frozen=True, kw_only=True):
    """The pages of a list, whose items are in the field `key`."""

    first: Call[Any]
    key: str

    def items(self, answer: Any) -> list[T]:
        items: list[T] = getattr(answer, self.key)
        return items

    def following(self, call: Call[Any], answer: Any) -> Call[Any] | None:
        """By offset or by page, whichever the list has. None after the last one."""
        count = len(self.items(answer))
        if "offset" in call.query:
            step, done = "offset", int(call.query["offset"]) + count
            place, total = done, answer.total
        else:
            step, place = "page", int(call.query["page"]) + 1
            size = int(call.query.get("limit") or call.query["per_page"])
            done = (place - 1) * size
            total = answer.total_count if self.key == "leads" else answer.pagination.total
        if not count or done >= total:
            return None
        return msgspec.structs.replace(call, query={**call.query, step: str(place)})


def call(
    answer: Any,
    route: str,
    *ids: str,
    given: Mapping[str, Any] | None = None,
    in_query: Iterable[str] = (),
    repeatable: bool = True,
    **more: Any,
) -> Call[Any]:
    """Of a route such as `POST /chat/{}/message`.

    What is given goes into the query of GET, and of any other method what `in_query` names; the
    rest is its body. An id that is empty would be another route: it raises ValueError.
    """
    method, _, path = route.partition(" ")
    if not all(ids):
        raise ValueError(f"{route}: an id is empty")
    values = {name: value for name, value in (given or {}).items() if value is not None}
    queried = values.keys() if method == "GET" else values.keys() & set(in_query)
    is_camel = path.split("/")[1] in _CAMEL
    body = {
        (_camel(name) if is_camel else name): value
        for name, value in (given or {}).items()
        if method != "GET" and name not in queried
    }
    has_body = bool(body) or method in ("POST", "PATCH")
    return Call(
        answer=answer,
        method=method,
        path=path.format(*(quote(one, safe="") for one in ids)),
        query={name: in_text(values[name]) for name in values if name in queried},
        body=body if has_body and not more.keys() & {"content", "files"} else None,
        is_repeatable=repeatable,
        **more,
    )


def in_text(value: Any) -> str:
    """As a query spells it."""
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    if isinstance(value, dict | bool):
        return msgspec.json.encode(value).decode()
    return str(value)


def line_of(page: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(page) + b"\n"


def backoff(failures: int) -> float:
    """Seconds, random so that not all come back in the same moment."""
    return float(_FIRST_WAIT_S * 2 ** min(failures, 6) * random.uniform(0.5, 1.0))


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)
