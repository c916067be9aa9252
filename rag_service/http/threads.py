"""Blocking use cases off the event loop: a slow push never takes the place of a search."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


_READERS = max(4, 2 * (os.cpu_count() or 1))
"""More would only take the processor's caches from each other."""


class Threads:
    def __init__(self) -> None:
        self._reads = ThreadPoolExecutor(_READERS, "read")
        self._writes = ThreadPoolExecutor(8, "write")

    async def read(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await _run(self._reads, function, *args, **kwargs)

    async def write(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await _run(self._writes, function, *args, **kwargs)

    def close(self) -> None:
        """Waits for what has begun, since its client was promised an answer."""
        self._reads.shutdown(cancel_futures=True)
        self._writes.shutdown(cancel_futures=True)


async def _run(
    pool: ThreadPoolExecutor, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(pool, lambda: function(*args, **kwargs))
