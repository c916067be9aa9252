"""The body of a push -> Document. One reader for HTTP, batch lines and the command line."""

import base64
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, get_args

import msgspec
from msgspec import Struct

from rag_service.documents import DEFAULT_BOT, Document, Format, LeftOut
from rag_service.fields import (
    UNPRINTABLE,
    Field,
    flag,
    is_left_out,
    one_of,
    raise_faults,
    read_bot_id,
    read_content_type,
    read_fields,
    read_metadata,
    read_source_url,
    read_string,
    take_fields,
    takes,
)
from rag_service.readers.formats import BINARY

_LONGEST_TITLE = 2000
_MOST_LEFT_OUT = 20_000
"""Bytes of JSON."""
_FORMATS: tuple[Format, ...] = get_args(Format)


@takes(type="string", minLength=1, pattern=r"\S")
def _content(value: Any) -> str | bytes:
    if isinstance(value, bytes):
        return value
    text = read_string(value)
    if is_left_out(text):
        raise ValueError("must not be blank")
    return text


@takes(type="string", contentEncoding="base64", minLength=4, examples=["JVBERi0="])
def _file(value: Any) -> bytes:
    text = read_string(value)
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ValueError(f"must be base64: {error}") from error
    if not data:
        raise ValueError("must not be empty")
    return data


@takes(type="string")
def _title(value: Any) -> str:
    return " ".join(UNPRINTABLE.sub(" ", read_string(value)).split())[:_LONGEST_TITLE]


BOT = Field("The bot whose knowledge it is.", read_bot_id)
LABEL = Field("A free label such as faq, page or post.", read_content_type)
STRICT = Field(
    "Fail where something of a file would be left out, and store none of it.",
    flag,
    may_be_blank=False,
)
_TEXT = Field(
    "What to store and embed, as text. This or `content_base64`.", _content, may_be_blank=False
)
_URL = Field(
    "An absolute URI, kept as given; with `bot_id` the key of the document.", read_source_url
)
_FORMAT = Field(
    "How to read the content. `auto` tells files by their first bytes, and text, Markdown and HTML "
    "by how they look.",
    one_of(_FORMATS),
)


class Push(Struct, frozen=True, kw_only=True):
    """The body of a push, with text or a file."""

    content: Annotated[str | bytes | None, _TEXT] = None
    content_base64: Annotated[
        bytes | None, Field("The same as a file of any of these formats.", _file)
    ] = None
    source_url: Annotated[str, _URL]
    bot_id: Annotated[str, BOT] = DEFAULT_BOT
    content_type: Annotated[str, LABEL] = "manual"
    title: Annotated[str, Field("Read from the content when left out.", _title)] = ""
    metadata: Annotated[dict[str, Any], Field("Kept with the document.", read_metadata)] = {}
    format: Annotated[Format, _FORMAT] = "auto"
    strict: Annotated[bool, STRICT] = False
    JOINT: ClassVar[dict[str, Any]] = {
        "oneOf": [
            {
                "required": ["content"],
                "properties": {
                    "content": {"type": "string"},
                    "content_base64": {"type": "null"},
                    "format": {"enum": [*(f for f in _FORMATS if f not in BINARY), None]},
                },
            },
            {
                "required": ["content_base64"],
                "properties": {
                    "content": {"type": "null"},
                    "content_base64": {"type": "string"},
                },
            },
        ]
    }


def read_push(body: Mapping[str, Any]) -> Document:
    """Raises Invalid with every parameter at fault; fields that are not ours are ignored.

    The content is text in `content`, or a file in `content_base64`; between ourselves, `content`
    may also be the bytes of a file.
    """
    values, faults = take_fields(Push, body)
    text, file = values.pop("content", None), values.pop("content_base64", None)
    if text is file is None and faults.keys().isdisjoint(("content", "content_base64")):
        faults = {"content": "is required", **faults}
    if file is not None and not is_left_out(body.get("content")):
        faults["content_base64"] = "cannot go together with content: send one of them"
    if isinstance(text, str) and values.get("format") in BINARY:
        faults["format"] = "is that of a file: send it in content_base64"
    raise_faults(faults)
    values.pop("strict", None)
    content = text if file is None else file
    return Document(content=content, left_out=_left_out(body), **values)


def _left_out(body: Mapping[str, Any]) -> list[LeftOut]:
    """What an upload notes of a file beside its documents; too much of it was noted by nobody."""
    given = body.get("left_out", [])
    if len(msgspec.json.encode(given)) > _MOST_LEFT_OUT:
        return []
    try:
        return msgspec.convert(given, list[LeftOut])
    except msgspec.ValidationError:
        return []


def read_strict(body: Mapping[str, Any], default: bool = False) -> bool:
    """Whether a push wants to fail where something of it is left out. Raises Invalid."""
    given = read_fields(_Strictness, body).strict
    return default if given is None else given


class _Strictness(Struct, frozen=True, kw_only=True):
    strict: Annotated[bool | None, STRICT] = None
