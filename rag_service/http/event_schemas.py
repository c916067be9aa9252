"""What the OpenAPI document says of the requests that webhooks get, for each type of event."""

from typing import Any

import msgspec
from litestar.openapi.spec import (
    Example,
    OpenAPIFormat,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    Parameter,
    PathItem,
    RequestBody,
    Schema,
)

from rag_service.events.examples import EXAMPLES
from rag_service.events.happenings import Event, Happening
from rag_service.events.webhooks import payload_of
from rag_service.http.documenting import JSON

_HEADERS = {
    "webhook-id": "The event's id, the same in each attempt: do nothing for one that you know.",
    "webhook-timestamp": "Of the attempt, in Unix seconds: refuse an old one.",
    "webhook-signature": "`v1,` and the HMAC-SHA256 of `ID.TIMESTAMP.BODY` in base64, for each "
    "secret one, with spaces between them: standardwebhooks.com has libraries that check it.",
}
_ANSWERS = {
    "2XX": "It has been taken.",
    "410": "No more of them: the webhook is disabled.",
    "default": "It failed, redirects too: it is sent again, for about a day.",
}


def webhooks() -> dict[str, PathItem]:
    """By type of event."""
    return {example.type: _told(example) for example in EXAMPLES}


def _told(example: Event) -> PathItem:
    happening = next(cls for cls in Happening.__subclasses__() if cls.type == example.type)
    body = OpenAPIMediaType(
        schema=_body(happening),
        examples={"example": Example(value=msgspec.json.decode(payload_of(example)))},
    )
    operation = Operation(
        operation_id=f"told{happening.__name__}",
        tags=["events"],
        summary=example.type,
        description=happening.__doc__,
        security=[{}],
        parameters=[
            Parameter(
                name=name,
                param_in="header",
                required=True,
                description=text,
                schema=Schema(type=OpenAPIType.STRING),
            )
            for name, text in _HEADERS.items()
        ],
        request_body=RequestBody(required=True, content={JSON: body}),
        responses={status: OpenAPIResponse(description=text) for status, text in _ANSWERS.items()},
    )
    return PathItem(post=operation)


def _body(happening: type[Happening]) -> Schema:
    (data,), named = msgspec.json.schema_components([happening], ref_template="{name}")
    properties: dict[str, Schema] = {
        "type": Schema(type=OpenAPIType.STRING, const=happening.type),
        "timestamp": Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.DATE_TIME),
        "id": Schema(type=OpenAPIType.STRING),
        "bot_id": Schema(type=OpenAPIType.STRING, description="Empty where it is of no bot."),
        "data": _schema(data, named),
    }
    return Schema(type=OpenAPIType.OBJECT, properties=dict(properties), required=list(properties))


def _schema(given: dict[str, Any], named: dict[str, dict[str, Any]]) -> Schema:
    """A JSON Schema of msgspec's, with what it refers to in its place."""
    if "$ref" in given:
        given = named[given["$ref"]]
    if "anyOf" in given:
        return Schema(any_of=[_schema(one, named) for one in given["anyOf"]])
    properties = {name: _schema(one, named) for name, one in given.get("properties", {}).items()}
    return Schema(
        type=OpenAPIType(given["type"]),
        description=given.get("description"),
        properties=dict(properties) or None,
        required=given.get("required"),
    )
