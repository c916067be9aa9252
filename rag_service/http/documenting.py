"""What the OpenAPI document says of an operation beside what Litestar sees in its handler.

Parameters and bodies come from the structs that the handlers read them with.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import (
    Example,
    OpenAPIHeader,
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    Parameter,
    Reference,
    RequestBody,
    Schema,
)
from litestar.types import Method
from msgspec import Struct

from rag_service.fields import declared_fields, request_schema
from rag_service.http.envelopes import (
    CHAT,
    KNOWLEDGE,
    MESSAGES,
    ChatError,
    KnowledgeError,
    MessagesError,
    OpenAIError,
)

JSON = "application/json"
NDJSON = "application/x-ndjson"
EVENTS = "text/event-stream"
FORM = "multipart/form-data"
CSV = "text/csv"

JsonObject = dict[str, Any]

_HEADER = "#/components/headers"
_STREAMED = "As it goes on."
_REQUIRING = {"required", "anyOf", "oneOf"}
_REASONS = {
    400: "A parameter or the body is at fault; `data.params` names each.",
    401: "No token has been created, or this one is missing or wrong.",
    403: "The token lacks the scope, or is bound to another bot.",
    404: "There is no such thing.",
    409: "It exists already, or is not what was confirmed.",
    413: "The body is larger than RAG_MAX_BODY_MB.",
    415: "The Content-Encoding is not understood.",
    429: "Over the token's rate; `Retry-After` tells when to come back.",
    502: "The answer model failed; the question is kept.",
    504: "The answer model took too long; the question is kept.",
    500: "A write or the embedding model failed; the message tells what to do.",
}
_OF_ALL = {401, 403, 415, 429, 500}
_IN_PATHS = {
    "bot_id": "The bot.",
    "contact_id": "The contact.",
    "conversation_id": "The conversation, with a slash in it encoded.",
    "delivery_id": "The delivery.",
    "document_id": "The document.",
    "gap_id": "The gap.",
    "job_id": "The batch.",
    "message_id": "The answer.",
    "model_id": "A bot, or the embedding model.",
    "webhook_id": "The webhook.",
}

RATE_HEADERS = {
    "X-RateLimit-Limit": "Requests that the token may make in a window.",
    "X-RateLimit-Remaining": "Those that are left in this one.",
    "X-RateLimit-Reset": "When the next one begins, in Unix seconds.",
}
"""Of every counted answer, errors included; absent where the token's rate is off."""
_HEADERS = {
    **{name: ("integer", about) for name, about in RATE_HEADERS.items()},
    "Retry-After": ("integer", "Seconds."),
    "Retry-After-Ms": ("integer", "The same in milliseconds."),
    "WWW-Authenticate": ("string", "`Bearer`."),
}
_MOUNTS = {KNOWLEDGE: "mxchat", CHAT: "api", MESSAGES: "v1"}
_AT_STATUS = {"401": ["WWW-Authenticate"], "429": ["Retry-After", "Retry-After-Ms"]}


def operation_id(handler: HTTPRouteHandler, method: Method, path: list[Any]) -> str:
    """The handler's name in camel case, which is that of the clients' method: `listPages`.

    Below a mount it is `mxchatListPages`, and of a further method `putUpdateWebhook`.
    """
    whole = "/" + "/".join(part for part in path if isinstance(part, str))
    words = handler.handler_name.split("_")
    if len(handler.http_methods) > 1 and method != "PATCH":
        words = [method.lower(), *words]
    mounts = [name for prefix, name in _MOUNTS.items() if whole.startswith(f"{prefix}/")]
    first, *rest = mounts + words
    return first + "".join(word.title() for word in rest)


def headers() -> dict[str, OpenAPIHeader]:
    """Those that answers refer to."""
    return {
        name: OpenAPIHeader(schema=shown({"type": kind}), description=about)
        for name, (kind, about) in _HEADERS.items()
    }


@dataclass
class _Shown(Schema):
    """One that is shown as it is."""

    given: JsonObject = field(default_factory=dict)

    def to_schema(self) -> JsonObject:
        return self.given


def shown(schema: JsonObject) -> Schema:
    return _Shown(given=schema)


def errors(*statuses: int, chat: bool = False) -> dict[int, ResponseSpec]:
    """The error shapes of a route beside those that every closed route has."""
    return _responses(ChatError if chat else KnowledgeError, statuses)


def messages_errors(*statuses: int) -> dict[int, ResponseSpec]:
    return _responses(MessagesError, statuses)


def openai_errors(*statuses: int) -> dict[int, ResponseSpec]:
    return _responses(OpenAIError, statuses)


def _responses(shape: type[Struct], statuses: tuple[int, ...]) -> dict[int, ResponseSpec]:
    return {
        status: ResponseSpec(shape, generate_examples=False, description=_REASONS[status])
        for status in sorted({*_OF_ALL, *statuses})
    }


def operation(
    *,
    query: type[Struct] | None = None,
    body: RequestBody | None = None,
    in_place_of_body: type[Struct] | None = None,
    streams: Mapping[str, OpenAPIMediaType] | None = None,
    headers: Mapping[str, str] | None = None,
) -> type[Operation]:
    """Of a closed route. `query` is the struct of its parameters, `in_place_of_body` that of a body
    whose fields may be in the query as well, so that none has to be sent; `streams` has the media
    types that a 200 has beside JSON; `headers` tells of each that has to be sent, by its name."""

    is_form = body is not None and FORM in body.content
    is_needed = body is not None and body.required and (in_place_of_body is None or is_form)

    @dataclass
    class Described(Operation):
        def __post_init__(self) -> None:
            of_path = [_of_path(one) for one in self.parameters or () if isinstance(one, Parameter)]
            of_headers = [
                Parameter(
                    name, "header", shown({"type": "string"}), description=about, required=True
                )
                for name, about in (headers or {}).items()
            ]
            of_query = _of_query(query, in_place_of_body)
            self.parameters = [*of_path, *of_query, *of_headers] or None
            self.request_body = body and replace(body, required=is_needed)
            self.responses = self.responses or {}
            if streams:
                whole = self.responses.setdefault("200", OpenAPIResponse(description=_STREAMED))
                assert isinstance(whole, OpenAPIResponse)
                whole.content = {**(whole.content or {}), **streams}
            for status, response in self.responses.items():
                assert isinstance(response, OpenAPIResponse)
                names = (*RATE_HEADERS, *_AT_STATUS.get(status, ()))
                response.headers = {name: Reference(f"{_HEADER}/{name}") for name in names}

    return Described


def _of_path(parameter: Parameter) -> Parameter:
    return replace(parameter, description=_IN_PATHS[parameter.name])


def _of_query(query: type[Struct] | None, body: type[Struct] | None) -> Iterator[Parameter]:
    for kind in (query, body):
        for one in () if kind is None else declared_fields(kind):
            schema = dict(one.schema)
            yield Parameter(
                name=one.name,
                param_in="query",
                description=schema.pop("description"),
                schema=shown(schema),
                required=one.is_required and kind is query,
            )


def streamed(example: str, *items: type[Struct]) -> OpenAPIMediaType:
    """A text as it comes. Its schema is that of each line of NDJSON, or of the `data` of each
    event; a string where there are no items."""
    if not items:
        return _media(shown({"type": "string"}), example)
    schemas, named = msgspec.json.schema_components(items, ref_template="{name}")
    kinds = [_in_place(schema, named) for schema in schemas]
    return _media(shown(kinds[0] if len(kinds) == 1 else {"anyOf": kinds}), example)


def _in_place(schema: Any, named: Mapping[str, Any]) -> Any:
    """A schema of msgspec's, with what it refers to in its place."""
    if isinstance(schema, list):
        return [_in_place(one, named) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _in_place(named[schema["$ref"]], named)
    return {key: _in_place(value, named) for key, value in schema.items()}


def json_body(request: type[Struct], example: dict[str, Any]) -> RequestBody:
    schema = request_schema(request)
    media = _media(shown(schema), example)
    return RequestBody(required=bool(_REQUIRING & schema.keys()), content={JSON: media})


def form_body(
    request: type[Struct], files: dict[str, JsonObject], example: dict[str, Any]
) -> RequestBody:
    """Fields, and files that are required."""
    schema = request_schema(request)
    schema["properties"] = {**files, **schema["properties"]}
    schema["required"] = [*files, *schema.get("required", [])]
    return RequestBody(required=True, content={FORM: _media(shown(schema), example)})


def text_body(media_type: str, description: str, example: str) -> RequestBody:
    schema = shown({"type": "string", "description": description})
    return RequestBody(required=True, content={media_type: _media(schema, example)})


def either(*bodies: RequestBody) -> RequestBody:
    """A body of any of these media types."""
    content = {kind: media for body in bodies for kind, media in body.content.items()}
    return RequestBody(required=True, content=content)


def _media(schema: Schema, example: Any) -> OpenAPIMediaType:
    return OpenAPIMediaType(schema=schema, examples={"example": Example(value=example)})
