"""JSON -> lines such as `address.city: Oslo`, a block for each object of a list."""

import json
from collections.abc import Iterator
from typing import Any

from rag_service.documents import ParsedDocument
from rag_service.errors import Unreadable
from rag_service.readers.outline import Outline, one_line
from rag_service.readers.text import clean

DEEPEST = 100
_LONGEST_NAME = 200
_TITLES = ("title", "name", "headline", "subject")


def read_json(content: str) -> ParsedDocument:
    """The title is that of the outermost object. Raises Unreadable for what is no JSON."""
    try:
        value = json.loads(content)
    except ValueError as error:
        reason = str(error).split(";")[0]
        raise Unreadable(f"is not JSON: {reason}") from error
    except RecursionError as error:
        raise Unreadable("is JSON nested too deeply") from error
    outline = Outline()
    _write(value, "", 0, outline)
    title = ""
    if isinstance(value, dict):
        titles = (value.get(name) for name in _TITLES)
        title = next((one_line(found) for found in titles if isinstance(found, str)), "")
    return outline.parsed(title)


def _write(value: Any, name: str, depth: int, outline: Outline) -> None:
    """Lists of objects part the blocks; all else goes on lines."""
    _check(depth)
    if _has_objects(value):
        for inner in value:
            _write(inner, name, depth + 1, outline)
    elif isinstance(value, dict):
        lines = [
            line
            for key, inner in value.items()
            if not _has_objects(inner)
            for line in _lines(inner, _below(name, key), depth + 1)
        ]
        outline.add("paragraph", "\n".join(lines))
        for key, inner in value.items():
            if _has_objects(inner):
                _write(inner, _below(name, key), depth + 1, outline)
    else:
        outline.add("paragraph", "\n".join(_lines(value, name, depth)))


def _has_objects(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(inner, dict | list) for inner in value)


def _lines(value: Any, name: str, depth: int) -> Iterator[str]:
    _check(depth)
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _lines(inner, _below(name, key), depth + 1)
    elif _has_objects(value):
        for number, inner in enumerate(value, 1):
            yield from _lines(inner, f"{name}[{number}]", depth + 1)
    elif isinstance(value, list):
        yield _line(name, ", ".join(_text(inner) for inner in value))
    elif value not in (None, ""):
        yield _line(name, _text(value))


def _check(depth: int) -> None:
    if depth > DEEPEST:
        raise Unreadable(f"is JSON nested more than {DEEPEST} deep")


def _below(name: str, key: str) -> str:
    """The path of a value, of which the end tells more than the beginning."""
    key = one_line(key[:_LONGEST_NAME])
    return (f"{name}.{key}" if name else key)[-_LONGEST_NAME:]


def _line(name: str, text: str) -> str:
    return f"{name}: {text}" if name else text


def _text(value: Any) -> str:
    if isinstance(value, str):
        return clean(value).strip()
    return json.dumps(value)
