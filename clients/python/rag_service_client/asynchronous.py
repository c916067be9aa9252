"""The client for asyncio."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import AsyncExitStack, ExitStack, aclosing, asynccontextmanager
from typing import Any, Self, TypeVar

import httpx2

from rag_service_client.api import Api
from rag_service_client.calls import Call, Paged, Streamed, backoff, line_of
from rag_service_client.errors import ApiError, error_of
from rag_service_client.methods import AsyncSender
from rag_service_client.sending import OVER, Options, arguments, live, network
from rag_service_client.streams import LiveEvents
from rag_service_client.types import FeedEvent, JobAnswer

T = TypeVar("T")


class AsyncClient(Api, AsyncSender):
    """A client of one service, for one event loop.

    As `Client`, but that methods are awaited and streams are read with `async for`; to cancel the
    task ends either. A stream that is left early should be closed (`contextlib.aclosing`).
    """

    def __init__(
        self,
        base_url: str,
        token: str | None = None,
        *,
        timeout: float | None = 120.0,
        retries: int = 2,
        http: httpx2.AsyncClient | None = None,
    ) -> None:
        self._options = Options(base_url=base_url, token=token, timeout=timeout, retries=retries)
        self._http = http or httpx2.AsyncClient()
        self._owns_http = http is None

    async def aclose(self) -> None:
        if self._owns_http:
            await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.aclose()

    async def wait_for_job(self, job_id: str, /, *, every: float = 1.0) -> JobAnswer:
        """The batch when it is over; it is looked at `every` so many seconds."""
        while (job := await self.get_job(job_id)).state not in OVER:
            await asyncio.sleep(every)
        return job

    async def stream_events(
        self, *, after: str | None = None, types: list[str] | None = None
    ) -> AsyncGenerator[FeedEvent, None]:
        """Events as they happen, from `after` or now on, for ever. A connection that breaks is made
        again and goes on after the last event."""
        events, failures = LiveEvents(after), 0
        while True:
            try:
                async with aclosing(self._stream(live(events, types))) as stream:
                    async for event in stream:
                        failures = 0
                        yield event
            except ApiError as error:
                if error.status:
                    raise
                failures += 1
            await asyncio.sleep(backoff(failures))

    # -- how a call is sent -----------------------------------------------------------------------

    async def _send(self, call: Call[T]) -> T:
        async with self._begun(call) as response:
            return call.read(await response.aread())

    async def _stream(self, stream: Streamed[T] | Paged[T]) -> AsyncGenerator[T, None]:
        if isinstance(stream, Paged):
            async for item in self._items(stream):
                yield item
            return
        decoder = stream.decoder()
        async with self._begun(stream.call) as response:
            with network(self._options):
                async for data in response.aiter_bytes():
                    for item in decoder.feed(data):
                        yield item
                for item in decoder.end():
                    yield item

    async def _items(self, paged: Paged[T]) -> AsyncGenerator[T, None]:
        call: Call[Any] | None = paged.first
        while call is not None:
            answer = await self._send(call)
            for item in paged.items(answer):
                yield item
            call = paged.following(call, answer)

    @asynccontextmanager
    async def _begun(self, call: Call[Any]) -> AsyncIterator[httpx2.Response]:
        """An answer that is no error, of which the head has come; tried again until it does."""
        for failures in range(self._options.retries + 1):
            async with AsyncExitStack() as opened:
                try:
                    response = await self._response(call, opened)
                except ApiError as error:
                    wait = call.wait_after(error, failures, self._options.retries)
                else:
                    yield response
                    return
            await asyncio.sleep(wait)

    async def _response(self, call: Call[Any], opened: AsyncExitStack) -> httpx2.Response:
        given = arguments(self._options, call, opened.enter_context(ExitStack()))
        if call.content is not None:
            given["content"] = _content(call.content)
        with network(self._options):
            response = await opened.enter_async_context(self._http.stream(**given))
            if response.is_success and call.accept != "application/json":
                return response
            body = await response.aread()
        if not response.is_success:
            raise error_of(response.status_code, response.headers, body)
        return response


def _content(content: Any) -> bytes | AsyncIterator[bytes]:
    if isinstance(content, bytes):
        return content
    if isinstance(content, list | tuple):
        return b"".join(map(line_of, content))
    return _lines(content)


async def _lines(pages: Any) -> AsyncIterator[bytes]:
    if isinstance(pages, AsyncIterable):
        async for page in pages:
            yield line_of(page)
    else:
        for page in pages:
            yield line_of(page)
