"""Blocking use cases off the event loop, with a number of threads for each kind of work, so that
none takes the place of another: large pushes delay no message, and a slow list delays no search.
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


_READERS = max(4, 2 * (os.cpu_count() or 1))
"""More would only take the processor's caches from each other."""
_LARGE = 256 << 10
"""Bytes of a push from which on it counts as large. A guess: tenths of a second."""


class Threads:
    def __init__(self) -> None:
        self._reads = ThreadPoolExecutor(_READERS, "read")
        self._scans = ThreadPoolExecutor(2, "scan")
        self._writes = ThreadPoolExecutor(8, "write")
        self._pushes = ThreadPoolExecutor(4, "push")
        self._large_pushes = ThreadPoolExecutor(2, "large-push")

    async def read(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await _run(self._reads, function, *args, **kwargs)

    async def scan(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A read that may look through all there is."""
        return await _run(self._scans, function, *args, **kwargs)

    async def write(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A write that is over as soon as it has the lock of writers."""
        return await _run(self._writes, function, *args, **kwargs)

    async def push(
        self, size: int, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """What reads, cuts and embeds `size` bytes."""
        pool = self._pushes if size < _LARGE else self._large_pushes
        return await _run(pool, function, *args, **kwargs)

    def close(self) -> None:
        """Waits for what has begun, since its client was promised an answer."""
        pools = (self._reads, self._scans, self._writes, self._pushes, self._large_pushes)
        for pool in pools:
            pool.shutdown(cancel_futures=True)


async def _run(
    pool: ThreadPoolExecutor, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(pool, lambda: function(*args, **kwargs))
