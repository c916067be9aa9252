"""What a GGUF file says of itself, without its weights.

The layout is that of https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3.
"""

import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from msgspec import Struct

from rag_service.errors import InvalidSettings

_NUMBERS = {**dict(enumerate("BbHhIif?")), **dict(enumerate("Qqd", start=10))}
"""Kinds of values, as the module struct names them."""
_STRING, _ARRAY = 8, 9
_CONTROL, _ADDED = 3, 4


class GgufFile(Struct, frozen=True, kw_only=True):
    """`controls` are the tokens that no text may write: those that begin and end turns."""

    context_tokens: int
    controls: list[str]
    has_template: bool


def read_window(path: Path) -> int:
    """Tokens that the model reads. Reads no more than that; raises InvalidSettings."""
    return int(_read(path, "context_length")["context_length"])


def read_file(path: Path) -> GgufFile:
    """Raises InvalidSettings."""
    found = _read(path, "context_length", "tokens", "token_type", "chat_template")
    kinds = zip(found.get("tokens", ()), found.get("token_type", ()), strict=False)
    return GgufFile(
        context_tokens=int(found["context_length"]),
        controls=[
            token
            for token, kind in kinds
            if kind in (_CONTROL, _ADDED) and token and not token.isspace()
        ],
        has_template="chat_template" in found,
    )


def _read(path: Path, *names: str) -> dict[str, Any]:
    """The entries by the last part of their names, read until all are there or none is left."""
    found: dict[str, Any] = {}
    with suppress(OSError, _Damaged), path.open("rb") as file:
        for key, value in _entries(file, path.stat().st_size):
            name = key.rpartition(".")[2]
            if name in names:
                found.setdefault(name, value)
            if len(found) == len(names):
                break
        if isinstance(found.get("context_length"), int) and found["context_length"] > 0:
            return found
    raise InvalidSettings(
        f"RAG_CHAT_MODEL: {str(path)!r} is no GGUF file of a language model, or it is damaged"
    )


class _Damaged(Exception):
    pass


def _entries(file: BinaryIO, size: int) -> Iterator[tuple[str, Any]]:
    if file.read(4) != b"GGUF" or _number(file, "<I") not in (2, 3):
        raise _Damaged
    _number(file, "<Q")  # how many tensors
    for _ in range(_number(file, "<Q")):
        key = _string(file, size)
        yield key, _value(file, _number(file, "<I"), size)


def _value(file: BinaryIO, kind: int, size: int) -> Any:
    if kind == _STRING:
        return _string(file, size)
    if kind != _ARRAY:
        if kind not in _NUMBERS:
            raise _Damaged
        return _number(file, f"<{_NUMBERS[kind]}")
    inner, length = _number(file, "<I"), _number(file, "<Q")
    if length > size:
        raise _Damaged
    if inner in _NUMBERS:
        layout = f"<{length}{_NUMBERS[inner]}"
        return struct.unpack(layout, _bytes(file, struct.calcsize(layout), size))
    return [_value(file, inner, size) for _ in range(length)]


def _number(file: BinaryIO, layout: str) -> Any:
    width = struct.calcsize(layout)
    return struct.unpack(layout, _bytes(file, width, width))[0]


def _string(file: BinaryIO, size: int) -> str:
    return _bytes(file, _number(file, "<Q"), size).decode("utf-8", "replace")


def _bytes(file: BinaryIO, length: int, size: int) -> bytes:
    data = file.read(length) if length <= size else b""
    if len(data) < length:
        raise _Damaged
    return data
