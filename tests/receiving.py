"""A receiver of webhooks: a real server that checks each signature with the reference library."""

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook


class Received:
    """One request. `event` is its body."""

    def __init__(self, headers: dict[str, str], body: bytes) -> None:
        self.headers = headers
        self.body = body
        self.event: dict[str, Any] = json.loads(body)
        self.at = time.monotonic()

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def verify(self, secret: str) -> None:
        """Raises WebhookVerificationError."""
        Webhook(secret).verify(self.body, self.headers)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # of 5, the sixth connection at once waits for a second


class Receiver:
    """Answers as `answers` tells for each request; 200 without it."""

    def __init__(self, host: str, tls: ssl.SSLContext | None) -> None:
        self.requests: list[Received] = []
        self.answers: Callable[[Received], tuple[int, dict[str, str], bytes]] = lambda one: (
            200,
            {},
            b"thanks",
        )
        self._arrived = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                one = Received(headers, self.rfile.read(length))
                with receiver._arrived:
                    receiver.requests.append(one)
                    receiver._arrived.notify_all()
                status, more, body = receiver.answers(one)
                try:
                    self.send_response(status)
                    for name, value in {"Content-Length": str(len(body)), **more}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:  # the sender has gone
                    self.close_connection = True

            def log_message(self, *_: Any) -> None:
                pass

        self._server = Server((host, 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.url = f"http://{host}:{self.port}/hook"

    def wait(self, count: int, seconds: float = 60) -> list[Received]:
        """As soon as there are so many; those there are."""
        end = time.monotonic() + seconds
        with self._arrived:
            while len(self.requests) < count and time.monotonic() < end:
                self._arrived.wait(0.1)
            assert len(self.requests) >= count, f"{len(self.requests)} of {count} have come"
            return list(self.requests)

    def wait_for_ids(self, count: int, seconds: float = 60) -> None:
        """Until as many different events have come."""
        end = time.monotonic() + seconds
        while len({one.id for one in list(self.requests)}) < count and time.monotonic() < end:
            with self._arrived:
                self._arrived.wait(0.1)

    def types(self) -> list[str]:
        return [one.event["type"] for one in self.requests]


@contextmanager
def receiving(host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    receiver = Receiver(host, tls)
    thread = threading.Thread(target=receiver._server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield receiver
    finally:
        receiver._server.shutdown()
        receiver._server.server_close()
        thread.join()


def statuses(*given: int) -> Callable[[Received], tuple[int, dict[str, str], bytes]]:
    """These in order, and then 200."""
    left = list(given)
    return lambda one: (left.pop(0) if left else 200, {}, b"as told")
