"""The client for programs that wait."""

import time
from collections.abc import AsyncIterable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Self, TypeVar

import httpx2

from rag_service_client.api import Api
from rag_service_client.calls import Call, Paged, Streamed, backoff, line_of
from rag_service_client.errors import ApiError, error_of
from rag_service_client.methods import Sender
from rag_service_client.sending import OVER, Options, arguments, live, network
from rag_service_client.streams import LiveEvents
from rag_service_client.types import FeedEvent, JobAnswer

T = TypeVar("T")


class Client(Api, Sender):
    """A client of one service; several threads may share it.

    `timeout` is in seconds, for each read and write. A call that may be repeated is tried again
    `retries` times. `http` is a client of httpx2 to send with; the caller closes it.
    """

    def __init__(
        self,
        base_url: str,
        token: str | None = None,
        *,
        timeout: float | None = 120.0,
        retries: int = 2,
        http: httpx2.Client | None = None,
    ) -> None:
        self._options = Options(base_url=base_url, token=token, timeout=timeout, retries=retries)
        self._http = http or httpx2.Client()
        self._owns_http = http is None

    def close(self) -> None:
        if self._owns_http:
            self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def wait_for_job(self, job_id: str, /, *, every: float = 1.0) -> JobAnswer:
        """The batch when it is over; it is looked at `every` so many seconds."""
        while (job := self.get_job(job_id)).state not in OVER:
            time.sleep(every)
        return job

    def stream_events(
        self, *, after: str | None = None, types: list[str] | None = None
    ) -> Generator[FeedEvent, None, None]:
        """Events as they happen, from `after` or now on, for ever. A connection that breaks is made
        again and goes on after the last event."""
        events, failures = LiveEvents(after), 0
        while True:
            try:
                for event in self._stream(live(events, types)):
                    failures = 0
                    yield event
            except ApiError as error:
                if error.status:
                    raise
                failures += 1
            time.sleep(backoff(failures))

    # -- how a call is sent -----------------------------------------------------------------------

    def _send(self, call: Call[T]) -> T:
        with self._begun(call) as response:
            return call.read(response.read())

    def _stream(self, stream: Streamed[T] | Paged[T]) -> Generator[T, None, None]:
        if isinstance(stream, Paged):
            yield from self._items(stream)
            return
        decoder = stream.decoder()
        with self._begun(stream.call) as response, network(self._options):
            for data in response.iter_bytes():
                yield from decoder.feed(data)
            yield from decoder.end()

    def _items(self, paged: Paged[T]) -> Generator[T, None, None]:
        call: Call[Any] | None = paged.first
        while call is not None:
            answer = self._send(call)
            yield from paged.items(answer)
            call = paged.following(call, answer)

    @contextmanager
    def _begun(self, call: Call[Any]) -> Iterator[httpx2.Response]:
        """An answer that is no error, of which the head has come; tried again until it does."""
        for failures in range(self._options.retries + 1):
            with ExitStack() as opened:
                try:
                    response = self._response(call, opened)
                except ApiError as error:
                    wait = call.wait_after(error, failures, self._options.retries)
                else:
                    yield response
                    return
            time.sleep(wait)

    def _response(self, call: Call[Any], opened: ExitStack) -> httpx2.Response:
        given = arguments(self._options, call, opened)
        if call.content is not None:
            given["content"] = _content(call.content)
        with network(self._options):
            response = opened.enter_context(self._http.stream(**given))
            if response.is_success and call.accept != "application/json":
                return response
            body = response.read()
        if not response.is_success:
            raise error_of(response.status_code, response.headers, body)
        return response


def _content(content: Any) -> bytes | Iterator[bytes]:
    if isinstance(content, bytes):
        return content
    if isinstance(content, AsyncIterable):
        raise TypeError("an asynchronous iterable is for AsyncClient")
    lines = map(line_of, content)
    return b"".join(lines) if isinstance(content, list | tuple) else lines
