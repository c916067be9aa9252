"""The parameters of a request, as their struct declares them, out of its query and JSON body.

Every reader here raises Invalid with each parameter at fault, and NotJson for a body that is none.
"""

import re
from typing import Any, TypeVar

from litestar import Request
from msgspec import UNSET, Struct

from rag_service import fields
from rag_service.errors import Invalid
from rag_service.fields import declared_fields, read_fields

R = TypeVar("R", bound=Struct)
AnyRequest = Request[Any, Any, Any]

_LISTED = re.compile(r"(.+)\[\d*\]")
"""As PHP writes the names of a list."""


class NotJson(Invalid):
    """The body is not a JSON object, so none of its parameters can be read."""


def read_query(request: AnyRequest, kind: type[R]) -> R:
    return read_fields(kind, query_of(request, kind))


async def read_body(request: AnyRequest, kind: type[R]) -> R:
    return read_fields(kind, await body_of(request))


async def read_optional_body(request: AnyRequest, kind: type[R]) -> R:
    return read_fields(kind, await optional_body_of(request))


async def read_query_or_body(request: AnyRequest, kind: type[R]) -> R:
    """What the body says goes before the query. PHP's [] is no body that has to say something."""
    query = query_of(request, kind)
    there = {one.name for one in declared_fields(kind) if one.value_in(query)[1] is not UNSET}
    required = [one.name for one in declared_fields(kind) if one.is_required]
    ways = [one["required"] for one in getattr(kind, "JOINT", {}).get("anyOf", [])] or [[]]
    is_needed = not any(there.issuperset([*required, *way]) for way in ways)
    read = body_of if is_needed and await request.body() else optional_body_of
    return read_fields(kind, query | await read(request))


def query_of(request: AnyRequest, kind: type[Struct]) -> dict[str, Any]:
    """The last value of each name; all of them, as a list, where its field takes one or the name
    ends in `[]` or `[0]`."""
    lists = {one.name for one in declared_fields(kind) if one.field.read.takes_lists}
    values: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
        listed = _LISTED.fullmatch(name)
        name = name if listed is None else listed[1]
        if listed is None and name not in lists:
            values[name] = value
        elif isinstance(known := values.setdefault(name, []), list):
            known.append(value)
    return values


async def body_of(request: AnyRequest) -> dict[str, Any]:
    """A JSON object, whatever its content type says."""
    return read_json(await request.body())


async def optional_body_of(request: AnyRequest) -> dict[str, Any]:
    """As `body_of`, where there may be none; PHP writes an empty object as []."""
    body = await request.body()
    return {} if body.strip() in (b"", b"[]") else read_json(body)


def read_json(body: bytes) -> dict[str, Any]:
    try:
        return fields.read_body(body)
    except Invalid as error:
        raise NotJson(str(error)) from error
