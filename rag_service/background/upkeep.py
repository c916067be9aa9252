"""Keeps what was deleted out of every file, and what grows within bounds.

A server's background process does it (`Upkeep`). The server has it started when there is something
to do (`Caretaker`).
"""

import asyncio
import logging
from asyncio import to_thread
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rag_service.background.orders import Background, Order
from rag_service.errors import RagError
from rag_service.locks import owner_lock
from rag_service.settings import Settings
from rag_service.storage.upkeep import UpkeepStore

_EVERY = timedelta(days=1)
_ORPHANED = timedelta(days=1)
"""A spool without a job, or a lock that nobody holds, may be of a server that has just begun."""
_LOOK_S = 60.0
"""What another process deletes tells nobody here: it is looked for after this."""

log = logging.getLogger(__name__)


class Upkeep:
    def __init__(self, settings: Settings, store: UpkeepStore, folder: Path) -> None:
        """`folder` has the spools and the locks of servers."""
        self._store = store
        self._folder = folder
        self._keep_jobs = timedelta(days=settings.keep_jobs_days)
        self._keep_events = timedelta(days=settings.keep_events_days)

    def step(self, now: datetime) -> datetime:
        """Do what is due; when to come again. Raises RagError or OSError: the rest comes later."""
        again = self._store.erase_deleted(now)
        due = self._store.outlived_at() + _EVERY
        if due > now + _EVERY:  # noted by a clock that was wrong
            due = now
        if due <= now:
            self._store.remove_outlived(
                now, jobs_before=now - self._keep_jobs, events_before=now - self._keep_events
            )
            self.sweep(now)
            due = now + _EVERY
        return due if again is None else min(again, due)

    def sweep(self, now: datetime) -> None:
        """Remove spools of jobs that are no more, and locks of servers that have ended."""
        if not self._folder.is_dir():
            return
        spools: dict[str, list[Path]] = {}
        for path in _before(now - _ORPHANED, self._folder.glob("job_*.ndjson")):
            spools.setdefault(path.name.partition(".")[0], []).append(path)
        for job_id in self._store.unknown_jobs(list(spools)):
            for path in spools[job_id]:
                path.unlink(missing_ok=True)
        for path in _before(now - _ORPHANED, self._folder.glob("srv_*.lock")):
            try:
                with owner_lock(self._folder, path.stem):
                    pass  # nobody holds it: the file goes at the end
            except BlockingIOError:  # its server lives
                continue


class Caretaker:
    """Orders upkeep where something is owed. Without that, no process is started."""

    def __init__(self, store: UpkeepStore, background: Background, upkeep: Upkeep) -> None:
        self._store = store
        self._background = background
        self._upkeep = upkeep

    @asynccontextmanager
    async def running(self, on_write: Callable[[Callable[[], None]], None]) -> AsyncIterator[None]:
        """`on_write` has a function called after each write of this process."""
        wrote = asyncio.Event()
        loop = asyncio.get_running_loop()

        def tell() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(wrote.set)

        on_write(tell)
        watching = asyncio.create_task(self._watch(wrote))
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def step(self, now: datetime) -> None:
        if await to_thread(self._store.owes_upkeep, now):
            await self._background.order(Order("upkeep"))

    async def _watch(self, wrote: asyncio.Event) -> None:
        begun = False
        while True:
            wrote.clear()
            try:
                if not begun:
                    await to_thread(self._upkeep.sweep, datetime.now(UTC))
                    begun = True
                await self.step(datetime.now(UTC))
            except (RagError, OSError) as error:
                log.warning("upkeep waits: %s", error)
            except Exception:  # it is not to wait until the server starts again
                log.exception("upkeep waits")
            try:
                async with asyncio.timeout(_LOOK_S):
                    await wrote.wait()
            except TimeoutError:
                continue


def _before(moment: datetime, paths: Iterable[Path]) -> list[Path]:
    """Those that were written before; what is gone meanwhile is not among them."""
    found = []
    for path in paths:
        try:
            written_at = path.stat().st_mtime
        except FileNotFoundError:
            continue
        if written_at < moment.timestamp():
            found.append(path)
    return found
