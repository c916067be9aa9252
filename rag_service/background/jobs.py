"""Batch jobs of a server: spooled, done by its background process, gone on with after a restart."""

import asyncio
import logging
import sys
from asyncio import to_thread
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec

from rag_service.access.scope import Scope
from rag_service.background.job_status import JobStatus, rate_of
from rag_service.background.orders import Background, Order, Report
from rag_service.background.spool import Spool, SpoolWriter, open_private
from rag_service.clock import Clock, SystemClock, written
from rag_service.ids import new_id
from rag_service.knowledge.jobs import Job, JobCounts
from rag_service.locks import owner_lock
from rag_service.settings import Settings
from rag_service.storage import Store
from rag_service.supervisor import (
    Loop,
    Retries,
    Supervisor,
    describe,
    in_thread,
    is_end,
    is_passing,
    trace,
)

_WRITE_AT_ONCE = 1 << 20
_TRIES = 3

log = logging.getLogger(__name__)


def spool_folder(settings: Settings) -> Path:
    return settings.data_dir / "jobs"


class Jobs:
    """One for each server; `running` is its lifetime. `warm_up` loads what requests need."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        background: Background,
        warm_up: Callable[[], None],
        supervisor: Supervisor | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.warm = False
        self._clock = clock or SystemClock()
        self._background = background
        self._supervisor = supervisor or Supervisor()
        self._warming = Loop("warm-up", self.warm_up)
        self._sealer = Loop("sealing orders", self.consider)
        self._store = store
        self._warm_up = warm_up
        self._folder = spool_folder(settings)
        self._owner = new_id("srv")
        self._mine: dict[str, _Following] = {}
        self._suspects: deque[str] = deque()
        """Jobs that ran when the process died: each is tried alone, until it has moved."""
        self._changed: dict[str, None] = {}
        """Bots whose views may be worth sealing, in order."""
        self._retries: Retries[str] = Retries()
        self._sealing: set[str] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self._background.take, self._background.died = self._take, self._died
        self._background.troubled = self._tell_all
        with owner_lock(self._folder, self._owner):
            for job in await to_thread(self._orphans):
                self.take_over(job)
            async with (
                self._supervisor.running(self._warming, self._sealer),
                self._background.running(),
            ):
                yield

    async def submit(
        self, scope: Scope, body: AsyncIterator[bytes], *, strict: bool = False
    ) -> Job:
        """Spool a batch; when this returns, its lines are on disk. Raises Invalid when empty."""
        job = Job(
            id=new_id("job"),
            state="queued",
            scope=scope,
            owner=self._owner,
            total=0,
            counts=JobCounts(),
            offset=0,
            error=None,
            created_at=written(self._clock.now()),
            started_at=None,
            finished_at=None,
            strict=strict,
        )
        writer = SpoolWriter(Spool(self._folder, job.id))
        try:
            buffer = bytearray()
            async for part in body:
                buffer += part
                if len(buffer) >= _WRITE_AT_ONCE:
                    await to_thread(writer.write, bytes(buffer))
                    buffer.clear()
            if buffer:
                await to_thread(writer.write, bytes(buffer))
            await to_thread(writer.close)
            job = msgspec.structs.replace(job, total=writer.total)
            await to_thread(self._store.jobs.add, job)
            writer.release()
        except BaseException:
            writer.abandon()
            raise
        self.take_over(job)
        return job

    async def follow(self, job_id: str, clean: Callable[[str], str] = str) -> AsyncIterator[bytes]:
        """The result lines of a job of this server, as they come, until it has ended.

        If it fails, or nothing can work on it for now, a last line tells so as `clean` leaves it.
        """
        following = self._mine.get(job_id)
        trouble = None
        with open_private(Spool(self._folder, job_id).results, "ab+") as file:
            file.seek(0)
            ended = following is None
            while True:
                if following is not None:
                    ended = following.ended.is_set()
                    following.moved.clear()
                room = sys.maxsize if ended or following is None else following.size
                while data := await to_thread(_read, file, room):
                    yield data
                trouble = self._background.trouble
                if ended or trouble is not None:
                    break
                if following is not None:
                    await following.moved.wait()
        error = None if following is None else following.error
        if error is None and not ended and trouble is not None:
            error = f"{trouble}; GET /jobs/{job_id} tells how far it is"
        if error is not None:
            failure = {"job_id": job_id, "success": False, "error": clean(error)}
            yield msgspec.json.encode(failure) + b"\n"

    async def status(
        self, scope: Scope, job_id: str, *, limit: int = 1000, offset: int = 0
    ) -> JobStatus:
        """Raises NotFound."""
        job = await to_thread(self._store.jobs.get, scope, job_id)
        failed = await to_thread(
            self._store.jobs.failed_lines, scope, job_id, limit=limit, offset=offset
        )
        rate = rate_of(job, self._clock.now())
        left = (job.total - job.counts.done) / rate if rate and job.state == "running" else None
        following = self._mine.get(job_id)
        note = None if following is None else following.note or self._background.trouble
        return JobStatus(job=job, failed_lines=failed, rate=rate, eta_s=left, note=note)

    async def cancel(self, scope: Scope, job_id: str) -> Job:
        """It stops after the group of lines at hand. Raises NotFound."""
        return await to_thread(self._store.jobs.cancel, scope, job_id)

    def changed(self, bot_ids: set[str]) -> None:
        """Have the views of these bots sealed in the background, where that is worth it."""
        self._changed |= dict.fromkeys(bot_ids - self._sealing)
        self._sealer.wake()

    # -- the loops -----------------------------------------------------------------------------

    async def warm_up(self, now: float) -> float | None:
        """A step: load what requests need."""
        if not self.warm:
            await in_thread(self._warm_up)
            self.warm = True
        return None

    async def consider(self, now: float) -> float | None:
        """A step: order the sealing of the views that are worth it."""
        apart = self._retries.waiting(now)
        for bot_id in [bot_id for bot_id in self._changed if bot_id not in apart]:
            try:
                worth_it = await in_thread(self._store.views.wants_sealing, bot_id)
            except BaseException as error:
                if is_end(error):
                    raise
                told = describe(error)
                log.warning("views of %s: %s", bot_id, told, exc_info=trace(error))
                if self._retries.failed(bot_id, now) < _TRIES or is_passing(error):
                    continue
                worth_it = False  # the next write asks again
            self._retries.forget(bot_id)
            self._changed.pop(bot_id, None)
            if worth_it:
                self._sealing.add(bot_id)  # until the worker reports it
                self._background.order(Order("seal", bot_id))
        return self._retries.next_due(now)

    # -- the background process ----------------------------------------------------------------

    def take_over(self, job: Job) -> None:
        """Have a job of this server worked on; its lines are on disk."""
        self._mine[job.id] = _Following(job.total, Spool(self._folder, job.id).size())
        self._order(job.id)

    def _order(self, job_id: str) -> None:
        """While a job is tried alone, the others wait."""
        if not self._suspects or self._suspects[0] == job_id:
            following = self._mine[job_id]
            self._background.order(Order("job", job_id, following.lines, following.bytes))

    async def _died(self) -> None:
        """A job at work may be why. Two are tried one after the other, and one that ends the
        process again and again is given up; the others lose nothing but time."""
        self._sealing.clear()
        suspects = [job_id for job_id, following in self._mine.items() if following.begun]
        if len(suspects) == 1:
            await self._suspect(suspects[0])
        elif suspects and not self._suspects:
            self._suspects.extend(suspects)
        for following in self._mine.values():
            following.begun, following.note = False, None
        self._order_all()

    async def _suspect(self, job_id: str) -> None:
        following = self._mine[job_id]
        following.deaths += 1
        if following.deaths >= _TRIES:
            reason = f"the background process ended {following.deaths} times while this job ran"
            await in_thread(self._store.jobs.finish, job_id, "failed", reason)
            self._take(Report(job=job_id, ended=True, error=reason))

    def _order_all(self) -> None:
        for job_id in list(self._mine):
            self._order(job_id)

    def _take(self, report: Report) -> None:
        if report.sealed is not None:
            self._sealing.discard(report.sealed)
        following = self._mine.get(report.job or "")
        if report.job is None or following is None:
            return
        following.begun, following.note = True, report.note
        following.size = max(following.size, report.size)
        if report.ended:
            following.error = report.error
            following.ended.set()
            del self._mine[report.job]
        if report.ended or report.size:
            following.deaths = 0
            if report.job in self._suspects:
                self._suspects.remove(report.job)
                self._order_all()
        following.moved.set()

    def _tell_all(self) -> None:
        for following in self._mine.values():
            following.moved.set()

    def _orphans(self) -> list[Job]:
        """Unfinished jobs of servers that are gone, and which are now this one's."""
        return [job for job in self._store.jobs.unfinished() if self._inherit(job)]

    def _inherit(self, job: Job) -> bool:
        try:
            with owner_lock(self._folder, job.owner):
                return self._store.jobs.own(job.id, job.owner, self._owner)
        except BlockingIOError:
            return False


class _Following:
    """A job of this server while it is not over."""

    def __init__(self, lines: int, bytes_: int) -> None:
        self.lines = lines
        self.bytes = bytes_
        self.moved = asyncio.Event()
        self.ended = asyncio.Event()
        self.begun = False
        self.error: str | None = None
        self.note: str | None = None
        self.size = 0
        self.deaths = 0
        """Of the process while this job alone ran and did not move."""


def _read(file: BinaryIO, end: int) -> bytes:
    return file.read(min(_WRITE_AT_ONCE, max(0, end - file.tell())))
