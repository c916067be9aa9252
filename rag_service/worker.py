"""The background process of a server: batch jobs, sealing and webhooks, out of its requests' way.

It reads orders from standard input, a JSON object a line, and tells on standard output how far it
is. At the end of its input, which is also the end of its server, it stops after the group at hand;
the next server goes on from there.
"""

import asyncio
import fcntl
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import Any, BinaryIO

import msgspec

from rag_service.assembly import Service, assemble
from rag_service.background.jobs import spool_folder
from rag_service.background.orders import Order, Report
from rag_service.background.spool import Spool, read_lines
from rag_service.errors import OtherVersion, RagError
from rag_service.knowledge.imports import Line, Result, is_within, longest_line, read_line
from rag_service.knowledge.jobs import FailedLine, Job, JobCounts
from rag_service.locks import only_one
from rag_service.settings import load_settings

_STOP_S = 4.0
_LATER_S = 60.0
"""How long upkeep waits after a failure."""

log = logging.getLogger(__name__)


def main() -> None:
    logging.basicConfig(level=os.environ.get("RAG_LOG_LEVEL", "info").upper(), stream=sys.stderr)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to us as well as the server
    if hasattr(os, "nice"):
        os.nice(19)
    try:
        _obey()
    except OtherVersion as error:
        log.error("the background process steps aside until its server is restarted: %s", error)
        while sys.stdin.buffer.readline():  # if it ended, its server would start another
            pass


def _obey() -> None:
    """Carries out its orders, until the last has come."""
    with assemble(load_settings()) as service:
        worker = Worker(service)
        runs = (worker.run_jobs, worker.run_sealing, worker.run_deliveries, worker.run_upkeep)
        threads = [threading.Thread(target=run, daemon=True) for run in runs]
        jobs, sealing, deliveries, upkeep = threads
        for thread in threads:
            thread.start()
        for line in sys.stdin.buffer:
            worker.take(msgspec.json.decode(line, type=Order))
        worker.stop()
        jobs.join()
        sealing.join()
        upkeep.join()
        deliveries.join(_STOP_S)  # it may be waiting for another server's


class Worker:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._folder = spool_folder(service.settings)
        self._jobs: SimpleQueue[str | None] = SimpleQueue()
        self._seals: SimpleQueue[str | None] = SimpleQueue()
        self._telling = threading.Lock()
        self._owed = threading.Event()
        self._upkeep = threading.Event()
        self._stopped = threading.Event()

    def take(self, order: Order) -> None:
        if order.do == "deliver":
            self._owed.set()
            self._service.deliverer.wake()
        elif order.do == "upkeep":
            self._upkeep.set()
        else:
            (self._jobs if order.do == "job" else self._seals).put(order.what)

    def stop(self) -> None:
        self._stopped.set()
        self._owed.set()
        self._upkeep.set()
        self._service.deliverer.stop()
        self._jobs.put(None)
        self._seals.put(None)

    def run_deliveries(self) -> None:
        self._owed.wait()
        if self._stopped.is_set():
            return
        # another server's process may be at it: this one takes over when that is gone
        with only_one(self._folder / "deliveries.lock"):
            asyncio.run(self._service.deliverer.run())

    def run_sealing(self) -> None:
        while (bot_id := self._seals.get()) is not None:
            try:
                self._service.store.seal(bot_id)
            except RagError as error:
                log.warning("%s", error)
            self._tell(Report(sealed=bot_id))

    def run_upkeep(self) -> None:
        while not self._stopped.is_set():
            self._upkeep.clear()
            wait = _LATER_S
            try:
                moment = datetime.now(UTC)
                wait = (self._service.upkeep.step(moment) - moment).total_seconds()
            except (RagError, OSError) as error:
                log.warning("upkeep waits: %s", error)
            except Exception:  # what is owed is not to wait for ever
                log.exception("upkeep waits")
            self._upkeep.wait(max(0.0, wait))

    def run_jobs(self) -> None:
        while (job_id := self._jobs.get()) is not None:
            if self._stopped.is_set():
                return
            error = None
            try:
                self._run(job_id)
            except (RagError, OSError) as failure:
                error = str(failure)
                log.warning("job %s: %s", job_id, error)
            except Exception:  # a job ends here, and the next one is not to wait for ever
                error = "an unforeseen failure: see the log of the service"
                log.exception("job %s", job_id)
            if error is not None:
                self._fail(job_id, error)
            self._tell(Report(job=job_id, ended=not self._stopped.is_set(), error=error))

    def _run(self, job_id: str) -> None:
        store = self._service.store
        spool = Spool(self._folder, job_id)
        with spool.results.open("ab+") as results:
            # a worker whose server was killed may be at its last group still
            fcntl.flock(results, fcntl.LOCK_EX)
            if store.start_job(job_id):
                self._go_on(store.job(job_id), spool, results)
            if self._stopped.is_set():
                return
            store.finish_job(job_id, "succeeded", None)
        spool.lines.unlink(missing_ok=True)

    def _go_on(self, job: Job, spool: Spool, results: BinaryIO) -> None:
        """Until it is done or cancelled, or the worker is stopped."""
        progress = _Progress(job.counts)
        _cut(results, job.counts.done)
        for group in self._service.importer.run(self._lines(job, spool)):
            results.writelines(result_line(result) + b"\n" for result in group)
            results.flush()
            failed = progress.add(group)
            end = group[-1].line.end
            goes_on = self._service.store.advance_job(job.id, progress.counts, end, failed)
            self._tell(Report(job=job.id, size=results.tell()))
            if not goes_on or self._stopped.is_set():
                return

    def _lines(self, job: Job, spool: Spool) -> Iterator[Line]:
        longest = self._service.settings.max_body_bytes
        only_bot = job.bot_ids[0] if job.bot_ids else None
        for number, end, raw in read_lines(spool.lines, longest_line(longest), offset=job.offset):
            if self._stopped.is_set():
                return
            if raw is None or not is_within(raw, longest):
                mib = self._service.settings.max_body_mb
                error = f"the line is longer than {mib} MiB (RAG_MAX_BODY_MB)"
                yield Line(number=number, end=end, error=error)
            else:
                yield read_line(raw, number=number, end=end, only_bot=only_bot, strict=job.strict)

    def _fail(self, job_id: str, error: str) -> None:
        try:
            self._service.store.finish_job(job_id, "failed", error)
            Spool(self._folder, job_id).lines.unlink(missing_ok=True)
        except (RagError, OSError) as failure:
            log.error("job %s could not be closed and is tried again later: %s", job_id, failure)

    def _tell(self, report: Report) -> None:
        # when nobody listens any more, the end of the input stops us
        with self._telling, suppress(BrokenPipeError):
            sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
            sys.stdout.buffer.flush()


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


def _cut(results: BinaryIO, done: int) -> None:
    """Drop results of lines that will be done again, since their progress was not kept."""
    results.seek(0)
    for _ in range(done):
        if not results.readline():
            break
    results.truncate(results.tell())


if __name__ == "__main__":
    main()
