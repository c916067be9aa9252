"""The body of a push -> Document. One reader for HTTP, batch lines and the command line."""

import base64
import re
from collections.abc import Callable
from typing import Any, get_args

import msgspec

from rag_service.documents import Document, Format
from rag_service.errors import Invalid
from rag_service.readers.formats import BINARY

_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:\S")  # RFC 3986, section 3.1
_BOT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:@-]{0,99}")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_BLANK = re.compile(r"[\s\x00-\x1f\x7f\ufeff\u200b]*")
_LONGEST_URL = 4096
_LONGEST_LABEL = 200
_LONGEST_TITLE = 2000
_DEEPEST = 100


def read_body(body: bytes | str) -> dict[str, Any]:
    """A JSON object. Raises Invalid."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise Invalid(f"the body is not JSON: {error}") from error
    except RecursionError as error:
        raise Invalid("the body is nested too deeply") from error
    if not isinstance(value, dict):
        raise Invalid("the body is not a JSON object")
    return value


def read_push(body: dict[str, Any]) -> Document:
    """Raises Invalid with every parameter at fault; fields that are not ours are ignored.

    The content is text in `content`, or a file in `content_base64`; between ourselves, `content`
    may also be the bytes of a file.
    """
    faults: dict[str, str] = {}
    values: dict[str, Any] = {}
    content = "content_base64" if body.get("content_base64") is not None else "content"
    for name, (check, required) in {content: (_CONTENT[content], True), **_FIELDS}.items():
        value = body.get(name)
        if value is None:
            if required:
                faults[name] = "is required"
            continue
        try:
            values[name] = check(value)
        except ValueError as error:
            faults[name] = str(error)
    if content == "content_base64" and body.get("content") is not None:
        faults[content] = "cannot go together with content: send one of them"
    if isinstance(values.get("content"), str) and values.get("format") in BINARY:
        faults["format"] = "is that of a file: send it in content_base64"
    if faults:
        raise Invalid(f"Invalid parameter(s): {', '.join(faults)}", faults)
    return Document(content=values.pop(content), **values)


def read_source_url(value: object) -> str:
    """Kept as given but for surrounding white space. Raises ValueError."""
    url = _string(value).strip()
    if not url:
        raise ValueError("must not be blank")
    if len(url) > _LONGEST_URL:
        raise ValueError(f"must have at most {_LONGEST_URL} characters")
    if _UNPRINTABLE.search(url):
        raise ValueError("must not contain control characters")
    if not _SCHEME.match(url):
        raise ValueError("must be an absolute URI such as https://example.com/page")
    return url


def read_bot_id(value: object) -> str:
    """Raises ValueError."""
    name = _string(value).strip()
    if not _BOT.fullmatch(name):
        raise ValueError(
            "must be 1 to 100 letters, digits or any of _ . : @ - and start with a letter or digit"
        )
    return name


def read_content_type(value: object) -> str:
    """A free label. Raises ValueError."""
    return read_label(value)


def _content(value: object) -> str | bytes:
    if isinstance(value, bytes):
        return value
    text = _string(value)
    if _BLANK.fullmatch(text):
        raise ValueError("must not be blank")
    return text


def _file(value: object) -> bytes:
    text = _string(value)
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ValueError(f"must be base64: {error}") from error
    if not data:
        raise ValueError("must not be empty")
    return data


def _title(value: object) -> str:
    return " ".join(_UNPRINTABLE.sub(" ", _string(value)).split())[:_LONGEST_TITLE]


def read_metadata(value: object) -> dict[str, Any]:
    """Raises ValueError."""
    if not isinstance(value, dict):
        raise ValueError("must be an object")
    level: list[Any] = [value]
    for _ in range(_DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return value
    raise ValueError(f"must be nested at most {_DEEPEST} deep")


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _format(value: object) -> str:
    if value not in get_args(Format):
        raise ValueError(f"must be one of {', '.join(get_args(Format))}")
    return str(value)


def read_label(value: object, longest: int = _LONGEST_LABEL) -> str:
    """A line of text. Raises ValueError."""
    label = _string(value).strip()
    if not label:
        raise ValueError("must not be blank")
    if len(label) > longest:
        raise ValueError(f"must have at most {longest} characters")
    if _UNPRINTABLE.search(label):
        raise ValueError("must not contain control characters")
    return label


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a string")
    return value


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
