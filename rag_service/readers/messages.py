"""What a process and its reading child say to each other over two pipes: an order, its answer.

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
    """Of processor time, rounded up; a process that others do not let run has ten times as long."""
    output_bytes: int
    """Of the answer."""


WAITS = 10
"""How much longer than its processor time a document may take. A guess: children of a bulk import
have a low priority, and a busy machine lets them wait."""


class Order(Struct, frozen=True, kw_only=True, tag=True):
    """A document to read, without what the reader need not know of it."""

    data: bytes
    is_text: bool
    """It was pushed as text."""
    title: bytes
    format: Format

    @property
    def document(self) -> Document:
        return Document(
            source_url="file:",
            content=self.data.decode(*_CODING) if self.is_text else self.data,
            title=self.title.decode(*_CODING),
            format=self.format,
        )


_CODING = ("utf-8", "surrogatepass")
"""Text may have half of a surrogate pair, which is no character: the reader replaces it."""


class Unpack(Struct, frozen=True, kw_only=True, tag=True):
    """A file to take the documents out of: see `containers.pushes_of`."""

    name: str
    data: bytes
    source_url: str
    attachments: bool
    types: tuple[str, ...] | None


class Ready(Struct, frozen=True, tag=True):
    """The child has started, and can be given documents."""


class GoesOn(Struct, frozen=True, tag=True):
    """The child has done a slow page, and has as much time again."""


class Entry(Struct, frozen=True, tag=True):
    """One of the pushes in a file; the next one, or the end, follows."""

    push: dict[str, Any]


class Unpacked(Struct, frozen=True, tag=True):
    """There are no more entries."""

    is_last: bool = False


class Read(Struct, frozen=True, tag=True):
    """The document could be read."""

    parsed: ParsedDocument
    is_last: bool = False
    """The child has grown old or large, and reads no other document."""


class Refused(Struct, frozen=True, tag=True):
    """The file cannot be read; `reason` tells what to do."""

    reason: str
    is_last: bool = False
    trace: str = ""
    """Of a failure that nobody foresaw, for the log."""


Answer = Read | Refused


def order_for(document: Document) -> Order:
    content = document.content
    return Order(
        data=content if isinstance(content, bytes) else content.encode(*_CODING),
        is_text=isinstance(content, str),
        title=document.title.encode(*_CODING),
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
