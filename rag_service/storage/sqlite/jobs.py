"""Batch jobs as rows: what a restart goes on with."""

from collections.abc import Iterable
from typing import Any

import msgspec

from rag_service.access.scope import ALL_BOTS, Scope
from rag_service.errors import NotFound
from rag_service.events.happenings import JobFinished
from rag_service.knowledge.jobs import FailedLine, Job, JobCounts, JobState
from rag_service.storage.sqlite.database import RowsFile, as_json, now
from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.sqlite.events import record

_COLUMNS = """id, state, bot_ids, owner, total, done, embedded, unchanged, failed, "offset", error,
    created_at, started_at, finished_at, strict"""


class SqliteJobs:
    def __init__(self, rows: RowsFile) -> None:
        self._rows = rows

    def add(self, job: Job) -> None:
        with self._rows.writing() as connection:
            connection.execute(
                """insert into jobs (id, state, bot_ids, owner, total, done, embedded, unchanged,
                failed, "offset", created_at, strict)
                values (?, ?, ?, ?, ?, 0, 0, 0, 0, 0, ?, ?)""",
                [
                    job.id,
                    job.state,
                    as_json(sorted(job.scope.bot_ids or ())),  # none stand for all
                    job.owner,
                    job.total,
                    job.created_at,
                    job.strict,
                ],
            )

    def get(self, scope: Scope, job_id: str) -> Job:
        with self._rows.reading() as connection:
            return _job(connection, scope, job_id)

    def page(
        self, scope: Scope, state: JobState | None, *, limit: int, offset: int
    ) -> tuple[int, list[Job]]:
        where, values = _covered(scope)
        if state is not None:
            where, values = f"{where} and state = ?", [*values, state]
        with self._rows.reading() as connection:
            total = connection.execute(f"select count(*) from jobs where {where}", values)
            count = int(total.fetchone()[0])
            rows = connection.execute(
                f"select {_COLUMNS} from jobs where {where} order by id desc limit ? offset ?",
                [*values, limit, offset],
            ).fetchall()
        return count, [_from_row(row) for row in rows]

    def failed_lines(
        self, scope: Scope, job_id: str, *, limit: int, offset: int
    ) -> list[FailedLine]:
        with self._rows.reading() as connection:
            _job(connection, scope, job_id)
            rows = connection.execute(
                """select line, source_url, error from job_failures where job = ?
                order by line limit ? offset ?""",
                [job_id, limit, offset],
            ).fetchall()
        return [FailedLine(line=line, source_url=url, error=error) for line, url, error in rows]

    def start(self, job_id: str) -> bool:
        with self._rows.writing() as connection:
            changed = connection.execute(
                """update jobs set state = 'running', started_at = coalesce(started_at, ?)
                where id = ? and state in ('queued', 'running')""",
                [now(connection), job_id],
            )
            return changed.rowcount == 1

    def own(self, job_id: str, former: str, owner: str) -> bool:
        with self._rows.writing() as connection:
            changed = connection.execute(
                """update jobs set owner = ? where id = ? and owner = ?
                and state in ('queued', 'running')""",
                [owner, job_id, former],
            )
            return changed.rowcount == 1

    def advance(
        self, job_id: str, counts: JobCounts, offset: int, failed: Iterable[FailedLine]
    ) -> bool:
        with self._rows.writing() as connection:
            connection.executemany(
                """insert or replace into job_failures (job, line, source_url, error)
                values (?, ?, ?, ?)""",
                [(job_id, f.line, f.source_url, f.error) for f in failed],
            )
            changed = connection.execute(
                """update jobs set done = ?, embedded = ?, unchanged = ?, failed = ?, "offset" = ?
                where id = ? and state in ('running', 'cancelled') returning state""",
                [counts.done, counts.embedded, counts.unchanged, counts.failed, offset, job_id],
            ).fetchall()
            return changed == [("running",)]

    def cancel(self, scope: Scope, job_id: str) -> Job:
        with self._rows.writing() as connection:
            _job(connection, scope, job_id)
            _finish(connection, job_id, "cancelled", None)
            return _job(connection, scope, job_id)

    def finish(self, job_id: str, state: JobState, error: str | None) -> None:
        with self._rows.writing() as connection:
            _finish(connection, job_id, state, error)

    def unfinished(self) -> list[Job]:
        with self._rows.reading() as connection:
            rows = connection.execute(
                f"select {_COLUMNS} from jobs where state in ('queued', 'running') order by rowid"
            ).fetchall()
        return [_from_row(row) for row in rows]


def _covered(scope: Scope) -> tuple[str, list[str]]:
    """The condition, with its values, that a job is of no bot outside the scope."""
    if scope.bot_ids is None:
        return "1", []
    outside = "select 1 from json_each(bot_ids) where value not in (select value from json_each(?))"
    return f"bot_ids <> '[]' and not exists ({outside})", [as_json(sorted(scope.bot_ids))]


def _finish(
    connection: sqlite3.Connection, job_id: str, state: JobState, error: str | None
) -> None:
    changed = connection.execute(
        """update jobs set state = ?, error = ?, finished_at = ?
        where id = ? and state in ('queued', 'running')""",
        [state, error, now(connection), job_id],
    )
    if not changed.rowcount:
        return
    job = _job(connection, ALL_BOTS, job_id)
    counts = msgspec.structs.asdict(job.counts)
    finished = JobFinished(job_id=job_id, state=state, **counts)
    record(connection, finished.at(now(connection), job.scope.one_bot or ""), job_id)


def _job(connection: sqlite3.Connection, scope: Scope, job_id: str) -> Job:
    row = connection.execute(f"select {_COLUMNS} from jobs where id = ?", [job_id]).fetchone()
    job = None if row is None else _from_row(row)
    if job is None or not scope.covers(job.scope):
        raise NotFound(f"no job {job_id!r}")
    return job


def _from_row(row: tuple[Any, ...]) -> Job:
    values = dict(zip(_COLUMNS.replace('"', "").replace("\n", " ").split(","), row, strict=True))
    values = {name.strip(): value for name, value in values.items()}
    counts = JobCounts(**{name: values.pop(name) for name in JobCounts.__struct_fields__})
    values["strict"] = bool(values["strict"])
    bot_ids = msgspec.json.decode(values.pop("bot_ids"))
    scope = Scope(frozenset(bot_ids)) if bot_ids else ALL_BOTS
    return Job(counts=counts, scope=scope, **values)
