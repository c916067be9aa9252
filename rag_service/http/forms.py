"""A multipart form as it comes in: its fields in memory, its files on disk until it is closed."""

import tempfile
from asyncio import to_thread
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

from litestar import Request
from msgspec import Struct
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from rag_service.errors import Invalid, StorageFailed

MOST_PARTS = 10_000
LONGEST_FIELD = 65_536
LONGEST_NAME = 255
_READ_AT_ONCE = 1 << 20
_HELD_IN_MEMORY = 1 << 18
"""Bytes of all files together; when there are more, they go to disk."""


class FormFile(Struct, kw_only=True):
    """`name` is a plain file name, `path` the same below the folders that the client put before."""

    name: str
    path: str
    start: int
    size: int = 0
    """As sent; of a file over the limit nothing is kept beyond it."""


class Form:
    """Used once, and closed: `async with Form(...) as form: await form.read(request)`."""

    def __init__(self, folder: Path, longest: int) -> None:
        self.fields: dict[str, str] = {}
        """The last value of each name."""
        self.files: list[FormFile] = []
        self._longest = longest
        # one for all: each would take a file descriptor of which there are not many
        self._data = tempfile.SpooledTemporaryFile(_HELD_IN_MEMORY, dir=str(folder))  # noqa: SIM115
        self._part: MultipartSegment | None = None
        self._field = bytearray()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await to_thread(self._data.close)

    async def read(self, request: Request[Any, Any, Any]) -> None:
        """Raises Invalid for what is no whole multipart form, StorageFailed when a disk is full."""
        kind, options = parse_options_header(request.headers.get("content-type", ""))
        if kind != "multipart/form-data" or not options.get("boundary"):
            raise Invalid("the body has to be multipart/form-data with a file in it")
        try:
            parser = PushMultipartParser(options["boundary"], max_segment_count=MOST_PARTS)
            async for data in _gathered(request.stream()):
                await to_thread(self._take, parser, data)
            parser.close()
        except MultipartError as error:
            raise Invalid(f"the body is no whole multipart/form-data: {error}") from error
        except OSError as error:
            raise StorageFailed(f"the files could not be kept: {error.strerror}") from error

    def content(self, file: FormFile) -> bytes:
        """What was kept of it. Raises StorageFailed."""
        try:
            self._data.seek(file.start)
            return self._data.read(min(file.size, self._longest))
        except OSError as error:
            raise StorageFailed(f"the files could not be read: {error.strerror}") from error

    def _take(self, parser: PushMultipartParser, data: bytes) -> None:
        for event in parser.parse(data):
            if isinstance(event, MultipartSegment):
                self._begin(event)
            elif event is None:
                self._end()
            else:
                self._add(bytes(event))

    def _begin(self, part: MultipartSegment) -> None:
        self._part = part
        if part.filename:
            path = _plain(part.filename)
            name = path.rpartition("/")[2]
            self.files.append(FormFile(name=name, path=path, start=self._data.tell()))

    def _add(self, data: bytes) -> None:
        if self._part is not None and self._part.filename:
            file = self.files[-1]
            self._data.write(data[: max(0, self._longest - file.size)])
            file.size += len(data)
        elif len(self._field) + len(data) > LONGEST_FIELD:
            raise Invalid(f"a field of the form is longer than {LONGEST_FIELD} bytes")
        else:
            self._field += data

    def _end(self) -> None:
        if self._part is not None and self._part.filename is None:
            self.fields[self._part.name or ""] = self._field.decode(errors="replace")
        self._field.clear()
        self._part = None


async def _gathered(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    buffer = bytearray()
    async for data in stream:
        buffer += data
        if len(buffer) >= _READ_AT_ONCE:
            yield bytes(buffer)
            buffer.clear()
    if buffer:
        yield bytes(buffer)


def _plain(path: str) -> str:
    """A name and folders, of whichever system, without characters that nobody can see."""
    parts = [
        "".join(char for char in part if char.isprintable()).strip()[-LONGEST_NAME:]
        for part in path.replace("\\", "/").rstrip("/").split("/")
    ]
    *folders, name = parts
    return "/".join([*(one for one in folders if one not in ("", ".", "..")), name or "file"])
