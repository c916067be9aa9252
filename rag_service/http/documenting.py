"""What the OpenAPI document says of parameters and bodies that handlers read by themselves."""

from dataclasses import dataclass
from typing import Any

from litestar.datastructures import ResponseHeader
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import (
    Example,
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    Parameter,
    RequestBody,
    Schema,
)
from msgspec import Struct

from rag_service.http.envelopes import ChatError, KnowledgeError, MessagesError

JSON = "application/json"
NDJSON = "application/x-ndjson"
FORM = "multipart/form-data"
CSV = "text/csv"

_REASONS = {
    400: "A parameter or the body is at fault; `data.params` names each.",
    401: "No token has been created, or this one is missing or wrong.",
    403: "The token lacks the scope, or is bound to another bot.",
    404: "There is no such thing.",
    409: "It exists already.",
    413: "The body is larger than RAG_MAX_BODY_MB.",
    429: "Over the token's rate; `Retry-After` tells when to come back.",
    502: "The answer model failed; the question is kept.",
    504: "The answer model took too long; the question is kept.",
    500: "A write or the embedding model failed; the message tells what to do.",
}


_RATES = {
    "X-RateLimit-Limit": "Requests that the token may make in a window.",
    "X-RateLimit-Remaining": "Those that are left in this one.",
    "X-RateLimit-Reset": "When the next one begins, in Unix seconds.",
}
RATE_NAMES = list(_RATES)
RATE_HEADERS = [
    ResponseHeader(name=name, value="0", description=description, documentation_only=True)
    for name, description in _RATES.items()
]
"""Of every counted answer, errors included; absent where the token's rate is off."""


def errors(*statuses: int, chat: bool = False) -> dict[int, ResponseSpec]:
    """The error shapes of a route beside those that every closed route has."""
    return _responses(ChatError if chat else KnowledgeError, statuses)


def messages_errors(*statuses: int) -> dict[int, ResponseSpec]:
    return _responses(MessagesError, statuses)


def _responses(shape: type[Struct], statuses: tuple[int, ...]) -> dict[int, ResponseSpec]:
    return {
        status: ResponseSpec(data_container=shape, description=_REASONS[status])
        for status in sorted({401, 403, 429, 500, *statuses})
    }


def anything(description: str) -> Schema:
    return Schema(type=OpenAPIType.OBJECT, description=description)


def strings(description: str) -> Schema:
    items = Schema(type=OpenAPIType.STRING)
    return Schema(type=OpenAPIType.ARRAY, items=items, description=description)


def string(description: str, **more: Any) -> Schema:
    return Schema(type=OpenAPIType.STRING, description=description, **more)


def whole(description: str, least: int, most: int | None, default: int) -> Schema:
    return Schema(
        type=OpenAPIType.INTEGER,
        description=description,
        minimum=least,
        maximum=most,
        default=default,
    )


def boolean(description: str, default: bool) -> Schema:
    return Schema(type=OpenAPIType.BOOLEAN, description=description, default=default)


def operation(
    *,
    query: dict[str, Schema] | None = None,
    required: tuple[str, ...] = (),
    body: RequestBody | None = None,
) -> type[Operation]:
    """An operation whose query parameters and body are described here."""
    parameters = [
        Parameter(name=name, param_in="query", schema=schema, required=name in required)
        for name, schema in (query or {}).items()
    ]

    @dataclass
    class Described(Operation):
        def __post_init__(self) -> None:
            self.parameters = [*(self.parameters or []), *parameters] or None
            self.request_body = body

    return Described


def json_body(
    properties: dict[str, Schema], required: tuple[str, ...], example: dict[str, Any]
) -> RequestBody:
    schema = Schema(
        type=OpenAPIType.OBJECT, properties=dict(properties), required=list(required) or None
    )
    media = OpenAPIMediaType(schema=schema, examples={"example": Example(value=example)})
    return RequestBody(required=bool(required), content={JSON: media})


def form_body(
    properties: dict[str, Schema], required: tuple[str, ...], example: dict[str, Any]
) -> RequestBody:
    schema = Schema(
        type=OpenAPIType.OBJECT, properties=dict(properties), required=list(required) or None
    )
    media = OpenAPIMediaType(schema=schema, examples={"example": Example(value=example)})
    return RequestBody(required=True, content={FORM: media})


def ndjson_body(description: str, example: str) -> RequestBody:
    media = OpenAPIMediaType(
        schema=string(description), examples={"example": Example(value=example)}
    )
    return RequestBody(required=True, content={NDJSON: media})


def csv_body(description: str, example: str) -> RequestBody:
    media = OpenAPIMediaType(
        schema=string(description), examples={"example": Example(value=example)}
    )
    return RequestBody(required=True, content={CSV: media})


def either(*bodies: RequestBody) -> RequestBody:
    """A body of any of these media types."""
    content = {kind: media for body in bodies for kind, media in body.content.items()}
    return RequestBody(required=True, content=content)
