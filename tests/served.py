"""`rag-service serve` as a process of its own, and a client of it."""

import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[1]


def command(settings, *more):
    return subprocess.Popen(
        [sys.executable, "-m", "rag_service", "serve", *more],
        env={**os.environ, **settings.environ()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def served(settings):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = command(settings, "--port", str(port))
    try:
        transport = httpx.HTTPTransport(retries=8)  # until it listens
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", transport=transport, timeout=60
        ) as client:
            yield client, process
    finally:
        process.kill()
        process.communicate()
