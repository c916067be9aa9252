"""The body of a push -> Document. One reader for HTTP, batch lines and the command line."""

import base64
from collections.abc import Callable, Mapping
from typing import Any, get_args

import msgspec

from rag_service.documents import Document, Format, LeftOut
from rag_service.errors import Invalid
from rag_service.fields import (
    UNPRINTABLE,
    flag,
    is_left_out,
    read_bot_id,
    read_content_type,
    read_metadata,
    read_source_url,
    read_string,
)
from rag_service.readers.formats import BINARY

_LONGEST_TITLE = 2000
_MOST_LEFT_OUT = 20_000
"""Bytes of JSON."""


def read_push(body: dict[str, Any]) -> Document:
    """Raises Invalid with every parameter at fault; fields that are not ours are ignored.

    The content is text in `content`, or a file in `content_base64`; between ourselves, `content`
    may also be the bytes of a file.
    """
    faults: dict[str, str] = {}
    values: dict[str, Any] = {}
    content = "content" if is_left_out(body.get("content_base64")) else "content_base64"
    for name, (check, required) in {content: (_CONTENT[content], True), **_FIELDS}.items():
        value = body.get(name)
        if value is None or (not required and is_left_out(value)):
            if required:
                faults[name] = "is required"
            continue
        try:
            values[name] = check(value)
        except ValueError as error:
            faults[name] = str(error)
    if content == "content_base64" and not is_left_out(body.get("content")):
        faults[content] = "cannot go together with content: send one of them"
    if isinstance(values.get("content"), str) and values.get("format") in BINARY:
        faults["format"] = "is that of a file: send it in content_base64"
    if faults:
        raise Invalid(f"Invalid parameter(s): {', '.join(faults)}", faults)
    return Document(content=values.pop(content), left_out=_left_out(body), **values)


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
    value = body.get("strict")
    try:
        return default if is_left_out(value) else flag(value)
    except ValueError as error:
        raise Invalid("Invalid parameter(s): strict", {"strict": str(error)}) from error


def _content(value: object) -> str | bytes:
    if isinstance(value, bytes):
        return value
    text = read_string(value)
    if is_left_out(text):
        raise ValueError("must not be blank")
    return text


def _file(value: object) -> bytes:
    text = read_string(value)
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ValueError(f"must be base64: {error}") from error
    if not data:
        raise ValueError("must not be empty")
    return data


def _title(value: object) -> str:
    return " ".join(UNPRINTABLE.sub(" ", read_string(value)).split())[:_LONGEST_TITLE]


def _format(value: object) -> str:
    if value not in get_args(Format):
        raise ValueError(f"must be one of {', '.join(get_args(Format))}")
    return str(value)


_CONTENT: dict[str, Callable[[object], str | bytes]] = {
    "content": _content,
    "content_base64": _file,
}
_FIELDS: dict[str, tuple[Callable[[object], Any], bool]] = {
    "source_url": (read_source_url, True),
    "bot_id": (read_bot_id, False),
    "content_type": (read_content_type, False),
    "title": (_title, False),
    "metadata": (read_metadata, False),
    "format": (_format, False),
}
