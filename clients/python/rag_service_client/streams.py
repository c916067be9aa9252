"""What the bytes of a stream mean, however they are cut. Nothing here reads or waits."""

from collections.abc import Iterator
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from rag_service_client.errors import ApiError
from rag_service_client.types import Done, FeedEvent, Piece, Sources

T = TypeVar("T")
_EVENTS: dict[str, type[Sources | Piece | Done]] = {
    "sources": Sources,
    "delta": Piece,
    "done": Done,
}


class Frame(NamedTuple):
    """A server-sent event. `data` is empty where an id came alone."""

    event: str
    data: str
    id: str


class LineDecoder:
    """Lines without their ends, however the bytes come. LF and CRLF end a line; so does a lone CR,
    where `cr` says so, as in server-sent events."""

    def __init__(self, *, cr: bool = False) -> None:
        self._cr = cr
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[str]:
        text = self._rest + data
        held = b"\r" if text.endswith(b"\r") else b""  # it may be the first half of CRLF
        text = text.removesuffix(held).replace(b"\r\n", b"\n")
        if self._cr:
            text = text.replace(b"\r", b"\n")
        *lines, rest = text.split(b"\n")
        self._rest = rest + held
        return (line.decode() for line in lines)

    def end(self) -> Iterator[str]:
        """The last line, which nothing ended."""
        rest, self._rest = self._rest.removesuffix(b"\r"), b""
        return iter([rest.decode()] if rest else [])


class FrameDecoder:
    """Events, as the HTML standard reads them. One that the stream breaks off is dropped."""

    def __init__(self) -> None:
        self._lines = LineDecoder(cr=True)
        self._event = ""
        self._id = ""
        self._data: list[str] = []

    def feed(self, data: bytes) -> Iterator[Frame]:
        for line in self._lines.feed(data):
            if not line:
                if self._data or self._id:
                    yield Frame(self._event or "message", "\n".join(self._data), self._id)
                self._clear()
                continue
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            match name:
                case "event":
                    self._event = value
                case "data":
                    self._data.append(value)
                case "id":
                    self._id = value

    def _clear(self) -> None:
        self._event, self._id, self._data = "", "", []


class Raw:
    """The bytes themselves."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        return iter([data])

    def end(self) -> Iterator[bytes]:
        return iter(())


class JsonLines(Generic[T]):
    """An item of each line of NDJSON."""

    def __init__(self, item: type[T]) -> None:
        self._lines = LineDecoder()
        self._decoder = msgspec.json.Decoder(item)

    def feed(self, data: bytes) -> Iterator[T]:
        return self._items(self._lines.feed(data))

    def end(self) -> Iterator[T]:
        return self._items(self._lines.end())

    def _items(self, lines: Iterator[str]) -> Iterator[T]:
        return (self._decoder.decode(line) for line in lines if line.strip())


class AnswerEvents:
    """The events of an answer, `Done` at its end. Raises ApiError where there is an error instead,
    or nothing."""

    def __init__(self) -> None:
        self._frames = FrameDecoder()
        self._is_done = False

    def feed(self, data: bytes) -> Iterator[Sources | Piece | Done]:
        for frame in self._frames.feed(data):
            if frame.event == "error":
                fault = msgspec.json.decode(frame.data, type=dict[str, Any])
                raise ApiError(200, fault["code"], fault["message"])
            if frame.event in _EVENTS:
                self._is_done = frame.event == "done"
                yield msgspec.json.decode(frame.data, type=_EVENTS[frame.event])

    def end(self) -> Iterator[Sources | Piece | Done]:
        if not self._is_done:
            raise ApiError(0, "stream_ended", "the stream ended before the answer did")
        return iter(())


class LiveEvents:
    """What happens. `after` is where to go on once the stream has ended."""

    def __init__(self, after: str | None) -> None:
        self.after = after
        self.begin()

    def begin(self) -> "LiveEvents":
        """Of another connection."""
        self._frames = FrameDecoder()
        return self

    def feed(self, data: bytes) -> Iterator[FeedEvent]:
        for frame in self._frames.feed(data):
            if frame.data:
                yield msgspec.json.decode(frame.data, type=FeedEvent)
            self.after = frame.id or self.after

    def end(self) -> Iterator[FeedEvent]:
        return iter(())
