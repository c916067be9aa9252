"""Has a server's background process deliver to webhooks, whenever something is owed."""

import asyncio
import logging
from asyncio import to_thread
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from rag_service.background.orders import Background, Order
from rag_service.errors import RagError
from rag_service.storage import Store

_OTHERS_S = 1.0
"""What another process writes tells nobody here: it is looked for after this."""

log = logging.getLogger(__name__)


class Dispatcher:
    """Without a webhook that is owed something, no process is started."""

    def __init__(self, store: Store, background: Background) -> None:
        self._store = store
        self._background = background

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        wrote = asyncio.Event()
        loop = asyncio.get_running_loop()

        def tell() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(wrote.set)

        self._store.on_write(tell)
        watching = asyncio.create_task(self._watch(wrote))
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _watch(self, wrote: asyncio.Event) -> None:
        while True:
            wrote.clear()
            try:
                if await to_thread(self._store.owes):
                    await self._background.order(Order("deliver"))
            except (RagError, OSError) as error:
                log.warning("webhooks wait: %s", error)
            except Exception:  # what is owed is not to wait until the server starts again
                log.exception("webhooks wait")
            with suppress(TimeoutError):  # wait_for may swallow a cancellation (Python 3.11)
                async with asyncio.timeout(_OTHERS_S):
                    await wrote.wait()
