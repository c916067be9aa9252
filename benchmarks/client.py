"""HTTP clients in a process of their own, so that they do not share an interpreter with the timer.

Orders and answers are JSON lines: see `work`.
"""

import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
from harness import answer_orders, connect

Bodies = Iterator[dict[str, Any]]


class Clients:
    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._token = token
        self._kept: list[httpx.Client] = []

    def work(self, order: dict[str, Any]) -> dict[str, Any]:
        """`bodies` are POSTed to `path` by `clients` clients, each taking the next one when free.

        Ends with the last body, or after `seconds`. Answers the latencies in seconds, those of
        `path` "/health" being GETs, and with `want` that field of each answer, in order.
        """
        bodies = order["bodies"]
        count = order.get("clients", 1)
        while len(self._kept) < count:
            self._kept.append(connect(self._url, self._token))
            self._kept[-1].get("/health")  # the connection is there before the first request
        took = [0.0] * len(bodies)
        wanted: list[Any] = [None] * len(bodies)
        numbers = iter(range(len(bodies)))
        lock = threading.Lock()
        end = time.perf_counter() + order.get("seconds", 1e9)

        def run(client: httpx.Client) -> None:
            while time.perf_counter() < end:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                start = time.perf_counter()
                answer = _request(client, order["path"], bodies[number])
                took[number] = time.perf_counter() - start
                answer.raise_for_status()
                if "want" in order:
                    wanted[number] = answer.json()[order["want"]]

        start = time.perf_counter()
        threads = [threading.Thread(target=run, args=[c]) for c in self._kept[:count]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - start
        return {"latencies": [t for t in took if t], "seconds": seconds, "wanted": wanted}


def _request(client: httpx.Client, path: str, body: dict[str, Any]) -> httpx.Response:
    return client.get(path) if path == "/health" else client.post(path, json=body)


if __name__ == "__main__":
    answer_orders(Clients(sys.argv[1], sys.argv[2]).work)
