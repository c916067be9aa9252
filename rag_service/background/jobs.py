"""Batch jobs of a server: spooled, done by its background process, gone on with after a restart."""

import asyncio
import logging
import sys
import threading
from asyncio import to_thread
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct

from rag_service.background.orders import Background, Order, Report
from rag_service.background.spool import Spool, SpoolWriter
from rag_service.clock import now
from rag_service.errors import RagError
from rag_service.ids import new_id
from rag_service.knowledge.jobs import FailedLine, Job, JobCounts
from rag_service.locks import owner_lock
from rag_service.settings import Settings
from rag_service.storage import Store

_WRITE_AT_ONCE = 1 << 20
_TRIES = 3

log = logging.getLogger(__name__)


class JobStatus(Struct, frozen=True, kw_only=True):
    job: Job
    failed_lines: list[FailedLine]
    rate: float | None
    """Lines a second since it started."""
    eta_s: float | None


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
    ) -> None:
        self.warm = False
        self._background = background
        self._store = store
        self._warm_up = warm_up
        self._folder = spool_folder(settings)
        self._owner = new_id("srv")
        self._mine: dict[str, _Following] = {}
        self._sealing: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        loading = threading.Thread(target=self._load, name="warm-up")
        loading.start()
        self._background.take, self._background.died = self._take, self._died
        with owner_lock(self._folder, self._owner):
            for job in await to_thread(self._orphans):
                self._begin(job.id)
            try:
                yield
            finally:
                for task in self._tasks:
                    task.cancel()
                await self._background.stop()
                await to_thread(loading.join)

    async def submit(
        self, body: AsyncIterator[bytes], bot_ids: list[str] | None, *, strict: bool = False
    ) -> Job:
        """Spool a batch; when this returns, its lines are on disk. Raises Invalid when empty."""
        job = Job(
            id=new_id("job"),
            state="queued",
            bot_ids=bot_ids or [],
            owner=self._owner,
            total=0,
            counts=JobCounts(),
            offset=0,
            error=None,
            created_at=now(),
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
            await to_thread(self._store.add_job, job)
        except BaseException:
            writer.abandon()
            raise
        self._begin(job.id)
        return job

    async def follow(self, job_id: str, clean: Callable[[str], str] = str) -> AsyncIterator[bytes]:
        """The result lines of a job of this server, as they come, until it has ended.

        If it fails, a last line has its error as `clean` leaves it.
        """
        following = self._mine.get(job_id)
        with Spool(self._folder, job_id).results.open("ab+") as file:
            file.seek(0)
            ended = following is None
            while True:
                if following is not None:
                    ended = following.ended.is_set()
                    following.moved.clear()
                room = sys.maxsize if ended or following is None else following.size
                while data := await to_thread(_read, file, room):
                    yield data
                if ended:
                    break
                if following is not None:
                    await following.moved.wait()
        if following is not None and following.error is not None:
            failure = {"job_id": job_id, "success": False, "error": clean(following.error)}
            yield msgspec.json.encode(failure) + b"\n"

    async def status(self, job_id: str, *, limit: int = 1000, offset: int = 0) -> JobStatus:
        """Raises NotFound."""
        job = await to_thread(self._store.job, job_id)
        failed = await to_thread(self._store.failed_lines, job_id, limit=limit, offset=offset)
        rate = _rate(job)
        left = (job.total - job.counts.done) / rate if rate and job.state == "running" else None
        return JobStatus(job=job, failed_lines=failed, rate=rate, eta_s=left)

    async def cancel(self, job_id: str) -> Job:
        """It stops after the group of lines at hand. Raises NotFound."""
        await to_thread(self._store.job, job_id)
        await to_thread(self._store.finish_job, job_id, "cancelled", None)
        return await to_thread(self._store.job, job_id)

    def changed(self, bot_ids: set[str]) -> None:
        """Have the views of these bots sealed in the background, where that is worth it."""
        for bot_id in bot_ids - self._sealing:
            self._sealing.add(bot_id)
            self._spawn(self._seal(bot_id))

    # -- the background process ----------------------------------------------------------------

    def _begin(self, job_id: str) -> None:
        self._mine[job_id] = _Following()
        self._spawn(self._background.order(Order("job", job_id)))

    async def _seal(self, bot_id: str) -> None:
        try:
            if await to_thread(self._store.wants_sealing, bot_id):
                await self._background.order(Order("seal", bot_id))
                return  # it is taken out of _sealing by the worker's report
        except RagError as error:
            log.warning("%s", error)
        self._sealing.discard(bot_id)

    async def _died(self) -> None:
        self._sealing.clear()
        for place, (job_id, following) in enumerate(list(self._mine.items())):
            following.tries += place == 0  # they run in this order: the others had not begun
            if following.tries < _TRIES:
                await self._background.order(Order("job", job_id))
            else:
                reason = f"the background process ended {_TRIES} times while this job ran"
                await to_thread(self._store.finish_job, job_id, "failed", reason)
                self._take(Report(job=job_id, ended=True, error=reason))

    def _take(self, report: Report) -> None:
        if report.sealed is not None:
            self._sealing.discard(report.sealed)
        following = self._mine.get(report.job or "")
        if report.job is None or following is None:
            return
        following.tries = 0
        following.size = max(following.size, report.size)
        if report.ended:
            following.error = report.error
            following.ended.set()
            del self._mine[report.job]
        following.moved.set()

    def _spawn(self, work: "asyncio._CoroutineLike[None]") -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _load(self) -> None:
        try:
            self._warm_up()
            self.warm = True
        except RagError as error:
            log.error("not ready: %s", error)

    def _orphans(self) -> list[Job]:
        """Unfinished jobs of servers that are gone, and which are now this one's."""
        return [job for job in self._store.unfinished_jobs() if self._inherit(job)]

    def _inherit(self, job: Job) -> bool:
        try:
            with owner_lock(self._folder, job.owner):
                return self._store.own_job(job.id, job.owner, self._owner)
        except BlockingIOError:
            return False


class _Following:
    """A job of this server while it is not over."""

    def __init__(self) -> None:
        self.moved = asyncio.Event()
        self.ended = asyncio.Event()
        self.error: str | None = None
        self.size = 0
        self.tries = 0


def _read(file: BinaryIO, end: int) -> bytes:
    return file.read(min(_WRITE_AT_ONCE, max(0, end - file.tell())))


def _rate(job: Job) -> float | None:
    if job.started_at is None or not job.counts.done:
        return None
    start = datetime.fromisoformat(job.started_at)
    end = datetime.fromisoformat(job.finished_at) if job.finished_at else datetime.now(UTC)
    seconds = (end - start).total_seconds()
    return round(job.counts.done / seconds, 2) if seconds > 0 else None
