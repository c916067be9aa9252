"""Receivers of webhooks in a process of their own: one answers at once, one after some seconds.

Orders and answers are JSON lines: see `work`.
"""

import asyncio
import sys
import threading
import time
from typing import Any

from harness import answer_orders


class Receiver:
    """Counts events by their webhook-id; notes when the first and the last new one came."""

    def __init__(self, delay_s: float) -> None:
        self.port = 0
        self._delay_s = delay_s
        self._ids: set[bytes] = set()
        self._first = self._last = 0.0
        self._requests = 0

    async def open(self) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]

    def figures(self) -> dict[str, Any]:
        return {
            "events": len(self._ids),
            "requests": self._requests,
            "seconds": self._last - self._first,
        }

    def forget(self) -> None:
        self._ids.clear()
        self._requests = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
                await reader.readexactly(int(fields[b"content-length"]))
                self._note(fields[b"webhook-id"])
                if self._delay_s:
                    await asyncio.sleep(self._delay_s)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _note(self, event: bytes) -> None:
        self._requests += 1
        if event not in self._ids:
            self._last = time.perf_counter()
            if not self._ids:
                self._first = self._last
            self._ids.add(event)


class Receivers:
    def __init__(self, slow_s: float) -> None:
        self._all = {"healthy": Receiver(0), "slow": Receiver(slow_s)}
        ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._run(ready)), daemon=True).start()
        ready.wait()

    def work(self, order: dict[str, Any]) -> dict[str, Any]:
        """`forget` begins anew; the answer has the port and the figures of each."""
        if order.get("forget"):
            for one in self._all.values():
                one.forget()
        return {name: {"port": one.port, **one.figures()} for name, one in self._all.items()}

    async def _run(self, ready: threading.Event) -> None:
        for one in self._all.values():
            await one.open()
        ready.set()
        await asyncio.Event().wait()


if __name__ == "__main__":
    answer_orders(Receivers(float(sys.argv[1])).work)
