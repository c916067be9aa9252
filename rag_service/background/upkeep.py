"""Keeps what was deleted out of every file, and what grows within bounds.

A server's background process does it (`Upkeep`). The server has it started when there is something
to do (`Caretaker`).
"""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

from rag_service.background.orders import Background, Order
from rag_service.background.spool import Spool
from rag_service.clock import Clock, SystemClock
from rag_service.locks import alone_with, owner_lock
from rag_service.settings import Settings
from rag_service.storage.upkeep import UpkeepStore
from rag_service.supervisor import Loop, Supervisor, in_thread

_EVERY = timedelta(days=1)
_ORPHANED = timedelta(days=1)
"""A spool without a job, or a lock that nobody holds, may be of a server that has just begun."""
_LOOK_S = 60.0
"""What another process deletes tells nobody here: it is looked for after this."""


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
            # a file is as old as the clock says that it is, and its job may be made just now
            with alone_with(Spool(self._folder, job_id).lines) as is_alone:
                if is_alone and self._store.unknown_jobs([job_id]):
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

    def __init__(
        self,
        store: UpkeepStore,
        background: Background,
        upkeep: Upkeep,
        supervisor: Supervisor,
        clock: Clock | None = None,
    ) -> None:
        self._store = store
        self._background = background
        self._upkeep = upkeep
        self._supervisor = supervisor
        self._clock = clock or SystemClock()
        self._loop = Loop("upkeep", self.step, self._clock)
        self._is_swept = False

    @asynccontextmanager
    async def running(self, on_write: Callable[[Callable[[], None]], None]) -> AsyncIterator[None]:
        """`on_write` has a function called after each write of this process."""
        on_write(self._loop.wake)
        async with self._supervisor.running(self._loop):
            yield

    async def step(self, now: float) -> float:
        moment = self._clock.now()
        if not self._is_swept:
            await in_thread(self._upkeep.sweep, moment)
            self._is_swept = True
        if await in_thread(self._store.owes, moment):
            self._background.order(Order("upkeep"))
        return now + _LOOK_S


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
