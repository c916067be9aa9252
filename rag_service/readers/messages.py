"""What a process and its reading child say to each other over two pipes: one document, one answer.

Both ends are the same version of this package. A message is its length and its msgpack.
"""

import struct
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from rag_service.documents import Document, Format, ParsedDocument

_LENGTH = struct.Struct(">Q")


class Limits(Struct, frozen=True, kw_only=True):
    """What one document may cost. A child is given them as its arguments."""

    memory_mb: int
    """Of address space, the interpreter and its libraries included."""
    seconds: float
    output_bytes: int
    """Of the answer."""


class Order(Struct, frozen=True, kw_only=True):
    """A document to read, without what the reader need not know of it."""

    data: bytes
    is_text: bool
    """It was pushed as text, which is in UTF-8 here."""
    title: str
    format: Format

    @property
    def document(self) -> Document:
        content = self.data.decode() if self.is_text else self.data
        return Document(source_url="file:", content=content, title=self.title, format=self.format)


class Ready(Struct, frozen=True, tag=True):
    """The child has started, and can be given documents."""


class Read(Struct, frozen=True, tag=True):
    """The document could be read."""

    parsed: ParsedDocument
    is_last: bool = False
    """The child has grown old or large, and reads no other document."""


class Refused(Struct, frozen=True, tag=True):
    """The document cannot be read; `reason` tells what to do."""

    reason: str
    is_last: bool = False
    trace: str = ""
    """Of a failure that nobody foresaw, for the log."""


Answer = Read | Refused


def order_for(document: Document) -> Order:
    """Half of a surrogate pair, which is no character, becomes a question mark."""
    return Order(
        data=document.data,
        is_text=isinstance(document.content, str),
        title=document.title.encode(errors="replace").decode(),
        format=document.format,
    )


def packed(message: Struct) -> bytes:
    data = msgspec.msgpack.encode(message)
    return _LENGTH.pack(len(data)) + data


def read_message(read: Callable[[int], bytes], kind: Any, most_bytes: int) -> Any:
    """`read` gives as many bytes as it is asked for, fewer at the end. Raises EOFError when the
    other end is closed, and ValueError for what is longer than allowed or no message."""
    (length,) = _LENGTH.unpack(_exactly(read, _LENGTH.size))
    if length > most_bytes:
        raise ValueError(f"a message of {length} bytes, where {most_bytes} are allowed")
    return msgspec.msgpack.decode(_exactly(read, length), type=kind)


def _exactly(read: Callable[[int], bytes], length: int) -> bytes:
    data = read(length)
    if len(data) < length:
        raise EOFError
    return data
