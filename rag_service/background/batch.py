"""A batch at work: from its lines on disk to its results, group by group."""

import fcntl
import threading
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import msgspec

from rag_service.access.scope import ALL_BOTS
from rag_service.background.orders import Report
from rag_service.background.spool import Spool, open_private, read_lines
from rag_service.knowledge.imports import Importer, Result
from rag_service.knowledge.jobs import FailedLine, Job, JobCounts, JobStore
from rag_service.knowledge.lines import Line, is_within, longest_line, read_line
from rag_service.settings import Settings


class Batches:
    """Works on jobs of a data folder. `seal` is told which views an import makes worth sealing,
    and with what share; `tell` how far a job is. Thread-safe.
    """

    def __init__(
        self,
        settings: Settings,
        store: JobStore,
        importer: Importer,
        tell: Callable[[Report], None],
        seal: Callable[[str, float], None],
    ) -> None:
        self._settings = settings
        self._folder = settings.data_dir / "jobs"
        self._store = store
        self._importer = importer
        self._tell = tell
        self._seal = seal
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Jobs at work stop after the group at hand; the next process goes on from there."""
        self._stopped.set()

    def run(self, job_id: str) -> bool:
        """From where it was left; True when it is over, False when all is stopped.

        Raises whatever keeps it from going on; what was written until then stays.
        """
        if self._stopped.is_set():
            return False
        self._tell(Report(job=job_id, begun=True))
        spool = Spool(self._folder, job_id)
        with open_private(spool.results, "ab+") as results:
            # a worker whose server was killed may be at its last group still
            if not _locked(results, fcntl.LOCK_NB):
                note = "the job waits for a former background process, which is at it still"
                self._tell(Report(job=job_id, note=note))
                _locked(results, 0)
            if self._store.start(job_id):
                self._go_on(self._store.get(ALL_BOTS, job_id), spool, results)
            if self._stopped.is_set():
                return False
            self._store.finish(job_id, "succeeded", None)
        spool.lines.unlink(missing_ok=True)
        return True

    def fail(self, job_id: str, error: str) -> None:
        self._store.finish(job_id, "failed", error)
        Spool(self._folder, job_id).lines.unlink(missing_ok=True)

    def _go_on(self, job: Job, spool: Spool, results: BinaryIO) -> None:
        """Until it is done or cancelled, or all is stopped."""
        progress = _Progress(job.counts)
        _cut(results, job.counts.done)
        for group in self._importer.run(job.scope, self._lines(job, spool), self._seal):
            results.writelines(result_line(result) + b"\n" for result in group)
            results.flush()
            failed = progress.add(group)
            end = group[-1].line.end
            goes_on = self._store.advance(job.id, progress.counts, end, failed)
            self._tell(Report(job=job.id, size=results.tell()))
            if not goes_on or self._stopped.is_set():
                return

    def _lines(self, job: Job, spool: Spool) -> Iterator[Line]:
        longest = self._settings.max_body_bytes
        for number, end, raw in read_lines(spool.lines, longest_line(longest), offset=job.offset):
            if self._stopped.is_set():
                return
            if raw is None or not is_within(raw, longest):
                mib = self._settings.max_body_mb
                error = f"the line is longer than {mib} MiB (RAG_MAX_BODY_MB)"
                yield Line(number=number, end=end, error=error)
            else:
                yield read_line(raw, number=number, end=end, scope=job.scope, strict=job.strict)


class _Progress:
    def __init__(self, counts: JobCounts) -> None:
        self.counts = counts

    def add(self, group: list[Result]) -> list[FailedLine]:
        failed = [
            FailedLine(line=r.line.number, source_url=r.line.source_url, error=r.line.error or "")
            for r in group
            if r.upserted is None
        ]
        unchanged = sum(r.upserted is not None and r.upserted.unchanged for r in group)
        self.counts = JobCounts(
            done=self.counts.done + len(group),
            embedded=self.counts.embedded + len(group) - unchanged - len(failed),
            unchanged=self.counts.unchanged + unchanged,
            failed=self.counts.failed + len(failed),
        )
        return failed


def result_line(result: Result) -> bytes:
    """A line of the answer: its number, URL and file, then the fields of a push or `error`."""
    head: dict[str, Any] = {"line": result.line.number, "source_url": result.line.source_url}
    if result.line.file is not None:
        head["file"] = result.line.file
    if result.upserted is None:
        return msgspec.json.encode({**head, "success": False, "error": result.line.error})
    pushed = msgspec.structs.asdict(result.upserted)
    del pushed["left_out"], pushed["unsuited"]
    pushed["warnings"] = result.upserted.warnings
    return msgspec.json.encode({**head, "success": True, **pushed})


def _locked(file: BinaryIO, how: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | how)
    except BlockingIOError:
        return False
    return True


def _cut(results: BinaryIO, done: int) -> None:
    """Drop results of lines that will be done again, since their progress was not kept."""
    results.seek(0)
    for _ in range(done):
        if not results.readline():
            break
    results.truncate(results.tell())
