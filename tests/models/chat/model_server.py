"""A real HTTP server that answers as OpenAI's would, or fails in one way: its URL says which."""

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

ANSWER = ["We ", "open ", "at nine 😀", "."]
DECLINING = ['"NO', "_ANS", "WER", '". The sources ', "are about shops."]
REGRETTING = ["I don't ", "know when ", "you open."]
ECHOING = [
    "<sour",
    "ce 1>\nWe ",
    "open [",
    "1",
    "] at nine [7",
    "].\n</source",
    " 1>",
    "<|im_end|>",
]
KEY = "sk-very-secret-0123456789"


class ModelServer:
    """In a thread of its own, one for all requests. `requests` are headers and bodies, by the way
    they were answered; `left` are the ways whose reader went away before the end.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        self.left: list[str] = []
        self.gone = threading.Condition()

    def url(self, way: str) -> str:
        return f"http://127.0.0.1:{self.port}/{way}/v1"

    def asked(self, way: str) -> list[tuple[dict[str, str], Any]]:
        return [(headers, body) for other, headers, body in self.requests if other == way]

    def is_left(self, way: str, seconds: float) -> bool:
        with self.gone:
            return self.gone.wait_for(lambda: way in self.left, seconds)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            way, headers = await _head(reader)
            body = json.loads(await reader.readexactly(int(headers["content-length"])))
            self.requests.append((way, headers, body))
            answering = asyncio.ensure_future(self._answer(way, writer))
            leaving = asyncio.ensure_future(reader.read(1))
            await asyncio.wait([answering, leaving], return_when=asyncio.FIRST_COMPLETED)
            if not answering.done() or answering.exception():
                with self.gone:
                    self.left.append(way)
                    self.gone.notify_all()
            for task in (answering, leaving):
                task.cancel()
        writer.close()

    async def _answer(self, way: str, writer: asyncio.StreamWriter) -> None:
        async for data in _ways(way, len(self.asked(way))):
            writer.write(data)
            await writer.drain()


async def _head(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, path, _ = lines[0].split()
    assert (method, path.partition("/v1")[2]) == ("POST", "/chat/completions")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
    return path.split("/")[1], headers


async def _ways(way: str, times: int) -> AsyncIterator[bytes]:
    if way == "flaky" and times < 3:
        way = "503"
    if way.isdecimal():
        yield status(int(way))
        return
    if way == "silent":
        await asyncio.sleep(3600)
    yield b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n"
    if way == "breaking":
        data = piece(content="We ")
        yield b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(data), data)
        return
    yield b"\r\n" + _bodies()[way]
    while way in ("endless", "comments"):
        yield _bodies()[way]
        await asyncio.sleep(0.01)
    if way == "hanging":
        await asyncio.sleep(3600)


def _bodies() -> dict[str, bytes]:
    whole = piece(role="assistant", content="") + b": a comment\n\n"
    whole += b"".join(piece(content=text) for text in ANSWER)
    whole += piece(ends="stop") + usage() + b"data: [DONE]\n\n"
    return {
        "whole": whole,
        "flaky": whole,
        "declining": _said(DECLINING),
        "regretting": _said(REGRETTING),
        "echoing": _said(ECHOING),
        "no-usage": piece(content="yes") + piece(ends="stop"),
        "endless": piece(content="on "),
        "hanging": piece(content="We "),
        "comments": b": still there\n\n",
        "ending": piece(content="We "),
        "error": piece(content="We ") + event(error={"message": f"no memory for {KEY}"}),
        "page": b"<!doctype html><title>Welcome</title>",
        "empty": b"",
        "garbage": b"data: {garbage\n\n",
        "binary": b"data: \xff\xfe\x00\n\n",
        "list": b'data: [{"choices": 1}]\n\n',
        "number": b"data: 1\n\n",
        "other-shape": b'data: {"choices": [{"delta": {"content": {"text": "We"}}}]}\n\n',
        "other-usage": b'data: {"choices": [], "usage": {"prompt_tokens": "many"}}\n\n',
    }


def _said(pieces: list[str]) -> bytes:
    return b"".join(piece(content=text) for text in pieces) + piece(ends="stop") + usage()


def status(code: int) -> bytes:
    body = json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}"}}).encode()
    return (
        f"HTTP/1.1 {code} Nothing\r\nContent-Type: application/json\r\nConnection: close\r\n"
        f"Location: http://127.0.0.1:9/elsewhere\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def piece(ends: str | None = None, **delta: str) -> bytes:
    return event(choices=[{"index": 0, "delta": delta, "finish_reason": ends}])


def usage() -> bytes:
    return event(choices=[], usage={"prompt_tokens": 7, "completion_tokens": 4, "total_tokens": 11})


def event(**fields: Any) -> bytes:
    whole = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", **fields}
    return b"data: " + json.dumps(whole).encode() + b"\n\n"


@contextlib.contextmanager
def serving() -> Iterator[ModelServer]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="model-server")
    thread.start()

    async def start() -> tuple[asyncio.Server, ModelServer]:
        model_server = ModelServer(0)
        server = await asyncio.start_server(model_server.handle, "127.0.0.1", 0)
        model_server.port = server.sockets[0].getsockname()[1]
        return server, model_server

    async def stop(server: asyncio.Server) -> None:
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)

    server, model_server = asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        yield model_server
    finally:
        asyncio.run_coroutine_threadsafe(stop(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
