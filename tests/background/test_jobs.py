import asyncio
import fcntl
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from serving import pushes, stream
from shelf import ALL, bots, page, push, settings_in

from rag_service.access.scope import ALL_BOTS, Scope
from rag_service.assembly import Service, assemble
from rag_service.background.jobs import Jobs
from rag_service.background.orders import Background
from rag_service.background.spool import Spool, open_private
from rag_service.documents import DEFAULT_BOT
from rag_service.errors import Invalid, NotFound
from rag_service.knowledge.jobs import Job
from rag_service.programs import program
from rag_service.settings import Settings

MANY = 3000
"""Lines of a job that takes about a second, in a dozen groups."""
ENDLESS = 30_000
"""Lines of a job that no test waits for."""
WORKER = "rag_service.worker"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


@asynccontextmanager
async def server(settings: Settings) -> AsyncIterator[Service]:
    with assemble(settings) as service:
        async with service.jobs.running():
            yield service


def serve(settings: Settings, story: Callable[[Service], Awaitable[None]]) -> None:
    """Runs a story on a server of its own, after which no process is left."""

    async def run() -> None:
        async with server(settings) as service:
            await story(service)

    asyncio.run(run())
    assert workers() == []


async def submit(service: Service, data: bytes, scope: Scope = ALL_BOTS) -> Job:
    return await service.jobs.submit(scope, stream(data))


async def results(service: Service, job_id: str) -> list[dict[str, Any]]:
    data = b"".join([part async for part in service.jobs.follow(job_id)])
    return [msgspec.json.decode(line) for line in data.splitlines()]


async def first_results(service: Service, job_id: str) -> list[bytes]:
    async for part in service.jobs.follow(job_id):
        return part.splitlines()
    raise AssertionError("no results")


def workers() -> list[int]:
    """The background processes of this one, as Linux tells them."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if (
                    parent == os.getpid()
                    and b"rag_service.worker" in (entry / "cmdline").read_bytes()
                ):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


async def kill_worker() -> None:
    """The one there is, or the one that is about to be."""
    while not (found := workers()):
        await asyncio.sleep(0.01)
    os.kill(found[0], signal.SIGKILL)
    while found[0] in workers():
        await asyncio.sleep(0.01)


async def assert_done(
    service: Service, job_id: str, lines: list[dict[str, Any]], count: int = MANY
) -> None:
    """Each of `count` lines has exactly one result, and all of it is stored."""
    assert [line["line"] for line in lines] == list(range(1, count + 1))
    assert all(line["success"] for line in lines)
    job = (await service.jobs.status(ALL_BOTS, job_id)).job
    assert (job.state, job.total) == ("succeeded", count)
    assert (job.counts.done, job.counts.failed) == (count, 0)
    assert job.counts.unchanged == sum(line["unchanged"] for line in lines)
    assert job.counts.embedded == count - job.counts.unchanged
    assert service.store.bots.all(ALL_BOTS)[DEFAULT_BOT].documents == count
    assert list(service.store.views.check()) == []
    assert not list((service.settings.data_dir / "jobs").glob(f"{job_id}.ndjson"))


# -- one job -----------------------------------------------------------------------------------


def test_each_line_gets_its_result_in_order(settings: Settings) -> None:
    body = b"\n".join(
        [
            b'{"source_url": "https://example.com/a", "content": "The heron.", "title": "Birds"}',
            b"not JSON",
            b"",
            b'{"source_url": "nowhere", "content": "x"}',
            b'{"source_url": "https://example.com/b", "content": "The ibis.", "bot_id": "two"}',
            b'{"source_url": "https://example.com/a", "content": "The heron.", "title": "Birds"}',
        ]
    )

    async def story(service: Service) -> None:
        job = await submit(service, body)
        assert (job.state, job.total) == ("queued", 5)
        lines = await results(service, job.id)
        assert [(line["line"], line["source_url"], line["success"]) for line in lines] == [
            (1, "https://example.com/a", True),
            (2, None, False),
            (4, "nowhere", False),
            (5, "https://example.com/b", True),
            (6, "https://example.com/a", True),
        ]
        first, broken, nowhere, other, again = lines
        assert first == {
            "line": 1,
            "success": True,
            "source_url": "https://example.com/a",
            "bot_id": "default",
            "content_type": "manual",
            "bytes": len("The heron."),
            "document_id": first["document_id"],
            "unchanged": False,
            "chunks": {"total": 1, "embedded": 1, "reused": 0, "removed": 0},
            "warnings": [],
        }
        assert (other["bot_id"], again["unchanged"]) == ("two", True)
        assert again["document_id"] == first["document_id"]
        assert "not JSON" in broken["error"] and "absolute URI" in nowhere["error"]
        status = await service.jobs.status(ALL_BOTS, job.id)
        counts = {"done": 5, "embedded": 2, "unchanged": 1, "failed": 2}
        assert msgspec.structs.asdict(status.job.counts) == counts
        assert (status.job.state, status.job.total, status.eta_s) == ("succeeded", 5, None)
        assert status.rate is not None and status.rate > 0
        assert [(f.line, f.source_url) for f in status.failed_lines] == [(2, None), (4, "nowhere")]
        assert (
            status.job.created_at <= (status.job.started_at or "") <= (status.job.finished_at or "")
        )
        assert await results(service, job.id) == lines, "they can be read again"

    serve(settings, story)


def test_an_empty_batch_is_refused_and_leaves_nothing(settings: Settings) -> None:
    async def story(service: Service) -> None:
        for body in (b"", b"\n \r\n\n"):
            with pytest.raises(Invalid, match="empty"):
                await submit(service, body)
        assert service.store.jobs.unfinished() == []
        assert not list(settings.data_dir.rglob("*.ndjson"))
        with pytest.raises(NotFound, match="job_none"):
            await service.jobs.status(ALL_BOTS, "job_none")
        with pytest.raises(NotFound, match="job_none"):
            await service.jobs.cancel(ALL_BOTS, "job_none")

    serve(settings, story)


def test_a_batch_whose_sender_goes_away_leaves_nothing(settings: Settings) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield pushes(10)
        raise ConnectionError("gone")

    async def story(service: Service) -> None:
        with pytest.raises(ConnectionError):
            await service.jobs.submit(ALL_BOTS, broken())
        assert service.store.jobs.unfinished() == []
        assert not list(settings.data_dir.rglob("*.ndjson"))

    serve(settings, story)


def test_the_job_of_a_bound_bot_writes_to_no_other(settings: Settings) -> None:
    body = b"\n".join(
        [
            b'{"source_url": "https://example.com/a", "content": "Mine by default."}',
            b'{"source_url": "https://example.com/b", "content": "Not mine.", "bot_id": "other"}',
            b'{"source_url": "https://example.com/c", "content": "Mine.", "bot_id": "mine"}',
        ]
    )

    async def story(service: Service) -> None:
        job = await submit(service, body, bots("mine"))
        lines = await results(service, job.id)
        assert [line["success"] for line in lines] == [True, False, True]
        assert "bound to the bot 'mine'" in lines[1]["error"]
        assert list(service.store.bots.all(ALL_BOTS)) == ["mine"]

    serve(settings, story)


def test_a_line_that_is_too_long_is_one_failed_line(settings: Settings) -> None:
    settings = msgspec.structs.replace(settings, max_body_mb=1)
    long = msgspec.json.encode({"source_url": "https://example.com/x", "content": "x" * 1_100_000})

    async def story(service: Service) -> None:
        job = await submit(service, pushes(2) + long + b"\n" + pushes(1, "Other"))
        lines = await results(service, job.id)
        assert [line["success"] for line in lines] == [True, True, False, True]
        assert "longer than 1 MiB" in lines[2]["error"]

    serve(settings, story)


def test_jobs_run_one_after_the_other_beside_pushes(settings: Settings) -> None:
    async def story(service: Service) -> None:
        jobs = [await submit(service, pushes(300, f"Job {n}, item")) for n in range(3)]
        await asyncio.to_thread(push, service, page("beside", "Pushed beside the jobs."))
        for job in jobs:
            assert len(await results(service, job.id)) == 300
        assert service.store.knowledge.documents(ALL_BOTS, ALL, limit=1, offset=0)[0] == 301
        found = service.knowledge.search(ALL_BOTS, "Job 2, item 7.", DEFAULT_BOT).hits[0]
        assert found.passage.text == "Job 2, item 7."

    serve(settings, story)


# -- cancelled ---------------------------------------------------------------------------------


def test_a_cancelled_job_stops_and_counts_what_it_did(settings: Settings) -> None:
    async def story(service: Service) -> None:
        job = await submit(service, pushes(ENDLESS))
        await first_results(service, job.id)
        queued = await submit(service, pushes(500, "Late"))
        cancelled = await service.jobs.cancel(ALL_BOTS, queued.id)
        assert (cancelled.state, cancelled.counts.done) == ("cancelled", 0)
        assert (await service.jobs.cancel(ALL_BOTS, job.id)).state == "cancelled"
        lines = await results(service, job.id)
        assert await results(service, queued.id) == []
        status = await service.jobs.status(ALL_BOTS, job.id)
        assert status.job.state == "cancelled"
        assert 0 < status.job.counts.done == len(lines) < ENDLESS
        assert service.store.bots.all(ALL_BOTS)[DEFAULT_BOT].documents == len(lines)
        assert (await service.jobs.cancel(ALL_BOTS, job.id)).finished_at == status.job.finished_at
        assert not list((settings.data_dir / "jobs").glob("job_*[0-9a-f].ndjson"))

    serve(settings, story)


# -- interrupted -------------------------------------------------------------------------------


def test_a_job_goes_on_after_a_restart(settings: Settings) -> None:
    job_id = ""

    async def begin(service: Service) -> None:
        nonlocal job_id
        job_id = (await submit(service, pushes(3 * MANY))).id
        await first_results(service, job_id)

    async def go_on(service: Service) -> None:
        await assert_done(service, job_id, await results(service, job_id), 3 * MANY)

    serve(settings, begin)
    with assemble(settings) as between:
        job = between.store.jobs.get(ALL_BOTS, job_id)
        assert job.state == "running" and 0 < job.counts.done < 3 * MANY
    serve(settings, go_on)


def test_a_job_that_has_hardly_begun_goes_on_after_a_restart(settings: Settings) -> None:
    """Servers that live for all but nothing: the job is neither lost nor taken for done."""
    job_id = ""

    async def begin(service: Service) -> None:
        nonlocal job_id
        job_id = (await submit(service, pushes(MANY))).id

    async def live_until_it_starts(service: Service) -> None:
        while (await service.jobs.status(ALL_BOTS, job_id)).job.state == "queued":
            await asyncio.sleep(0.001)

    async def go_on(service: Service) -> None:
        await assert_done(service, job_id, await results(service, job_id))

    serve(settings, begin)
    serve(settings, live_until_it_starts)
    serve(settings, go_on)


def test_a_worker_that_is_killed_is_replaced_and_each_line_told_once(settings: Settings) -> None:
    async def story(service: Service) -> None:
        job = await submit(service, pushes(MANY))
        following = asyncio.create_task(results(service, job.id))
        for _ in range(2):
            await first_results(service, job.id)
            await kill_worker()
        await assert_done(service, job.id, await following)

    serve(settings, story)


async def until_noted(service: Service, job_id: str) -> str:
    """Why it waits."""
    while (note := (await service.jobs.status(ALL_BOTS, job_id)).note) is None:
        await asyncio.sleep(0.01)
    return note


async def kill_worker_at(service: Service, job_id: str) -> None:
    """While it waits for a lock that the test holds; returns when the server knows."""
    await until_noted(service, job_id)
    await kill_worker()
    while (await service.jobs.status(ALL_BOTS, job_id)).note is not None:
        await asyncio.sleep(0.01)


def test_a_job_that_kills_its_worker_is_given_up_and_the_next_one_runs(settings: Settings) -> None:
    async def story(service: Service) -> None:
        job, other = await submit(service, pushes(5)), await submit(service, pushes(700))
        results_of_job = settings.data_dir / "jobs" / f"{job.id}.results.ndjson"
        with results_of_job.open("ab+") as held:
            fcntl.flock(held, fcntl.LOCK_EX)  # it has begun, and does not move
            following = asyncio.create_task(results(service, job.id))
            assert len(await results(service, other.id)) == 700, "it does not wait for the other"
            for _ in range(3):
                await kill_worker_at(service, job.id)
            lines = await following
        assert "ended 3 times" in lines[-1]["error"]
        status = await service.jobs.status(ALL_BOTS, job.id)
        assert status.job.state == "failed" and "ended 3 times" in (status.job.error or "")
        last = await submit(service, pushes(7))
        assert len(await results(service, last.id)) == 7

    serve(settings, story)


def test_a_large_job_loses_nothing_by_a_small_one_that_kills_the_worker(settings: Settings) -> None:
    async def story(service: Service) -> None:
        jobs = [await submit(service, pushes(count)) for count in (5, 700)]
        held = [
            open_private(settings.data_dir / "jobs" / f"{job.id}.results.ndjson", "ab+")
            for job in jobs
        ]
        for file in held:
            fcntl.flock(file, fcntl.LOCK_EX)
        for job in jobs:
            await until_noted(service, job.id)
        for _ in range(4):  # once both, and then the first alone
            await kill_worker_at(service, jobs[0].id)
        held[1].close()
        assert len(await results(service, jobs[1].id)) == 700
        assert (await service.jobs.status(ALL_BOTS, jobs[0].id)).job.state == "failed"
        held[0].close()

    serve(settings, story)


# -- what passes -------------------------------------------------------------------------------


def test_a_small_job_does_not_wait_for_a_large_one(settings: Settings) -> None:
    async def story(service: Service) -> None:
        large = await submit(service, pushes(ENDLESS))
        await first_results(service, large.id)
        small = await submit(service, pushes(3, "Small"))
        assert len(await results(service, small.id)) == 3
        assert (await service.jobs.status(ALL_BOTS, large.id)).job.state == "running"
        await service.jobs.cancel(ALL_BOTS, large.id)

    serve(settings, story)


def test_a_job_waits_for_a_lock_that_is_held_for_longer_than_a_write_waits(
    settings: Settings,
) -> None:
    settings = msgspec.structs.replace(settings, lock_timeout_s=0.1)

    async def story(service: Service) -> None:
        job = await submit(service, pushes(5))
        await results(service, job.id)  # the process is there
        with closing(sqlite3.connect(settings.data_dir / "rag.db", isolation_level=None)) as other:
            spool = Spool(settings.data_dir / "jobs", "job_held")
            with open_private(spool.lines, "wb") as lines:
                lines.write(pushes(7, "Held"))
            held = msgspec.structs.replace(job, id="job_held", total=7)
            service.store.jobs.add(held)
            other.execute("begin immediate")
            service.jobs.take_over(held)
            assert "too long" in await until_noted(service, "job_held")
            assert service.store.jobs.get(ALL_BOTS, "job_held").state == "queued"
            other.execute("rollback")
        assert len(await results(service, "job_held")) == 7
        assert service.store.jobs.get(ALL_BOTS, "job_held").state == "succeeded"

    serve(settings, story)


def test_a_job_waits_while_its_results_cannot_be_written(settings: Settings) -> None:
    """A folder in the place of the file stands for a disk that takes nothing."""

    async def story(service: Service) -> None:
        job = await submit(service, pushes(5))
        in_the_way = settings.data_dir / "jobs" / f"{job.id}.results.ndjson"
        in_the_way.mkdir()
        assert "waits" in await until_noted(service, job.id)
        in_the_way.rmdir()
        assert len(await results(service, job.id)) == 5
        assert (await service.jobs.status(ALL_BOTS, job.id)).note is None

    serve(settings, story)


def test_a_worker_that_cannot_be_started_is_told_and_its_jobs_go_on_when_it_can(
    settings: Settings, tmp_path: Path
) -> None:
    command = tmp_path / "python"

    async def story(service: Service) -> None:
        background = Background(settings, service.supervisor, [str(command), *program(WORKER)[1:]])
        jobs = Jobs(settings, service.store, background, lambda: None, service.supervisor)
        async with jobs.running():
            job = await jobs.submit(ALL_BOTS, stream(pushes(5)))
            (told,) = [part async for part in jobs.follow(job.id)]
            assert "cannot be started" in msgspec.json.decode(told)["error"]
            status = await jobs.status(ALL_BOTS, job.id)
            assert status.job.state == "queued" and "cannot be started" in (status.note or "")
            assert "background process" in service.supervisor.failing()
            made = tmp_path / "made"
            made.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
            made.chmod(0o700)
            made.rename(command)
            while (await jobs.status(ALL_BOTS, job.id)).job.state != "succeeded":
                await asyncio.sleep(0.05)
            assert service.supervisor.failing() == {}

    async def run() -> None:
        with assemble(settings) as service:
            await story(service)

    asyncio.run(run())


@pytest.fixture
def killed(settings: Settings) -> Iterator[tuple[str, int]]:
    """A server that was killed in the middle of a job: the job, and how many results were told."""
    program = Path(__file__).parents[1] / "serving.py"
    command = [sys.executable, str(program), str(settings.data_dir.parent), str(MANY)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        job_id = child.stdout.readline().decode().strip()
        told = [child.stdout.readline() for _ in range(300)]
        child.kill()
        told += [line for line in child.stdout.readlines() if line.endswith(b"\n")]
    yield job_id, len(told)


def test_a_job_goes_on_after_its_server_was_killed(
    settings: Settings, killed: tuple[str, int]
) -> None:
    job_id, told = killed

    async def go_on(service: Service) -> None:
        lines = await results(service, job_id)
        await assert_done(service, job_id, lines)
        assert not any(line["unchanged"] for line in lines[:told]), "what was told is not redone"

    serve(settings, go_on)


def test_a_server_leaves_the_jobs_of_one_that_lives_alone(settings: Settings) -> None:
    async def story(service: Service) -> None:
        job = await submit(service, pushes(MANY))
        following = asyncio.create_task(results(service, job.id))
        for _ in range(2):
            async with server(settings) as second:
                await first_results(service, job.id)
                assert (await second.jobs.status(ALL_BOTS, job.id)).job.owner == job.owner
                assert len(workers()) == 1
        await assert_done(service, job.id, await following)
        assert service.store.jobs.get(ALL_BOTS, job.id).owner == job.owner

    serve(settings, story)


def test_views_are_sealed_in_the_background_when_that_is_worth_it(settings: Settings) -> None:
    async def story(service: Service) -> None:
        service.jobs.changed({DEFAULT_BOT})
        documents = [page(f"p{n}", f"Item {n}.") for n in range(2100)]
        await asyncio.to_thread(push, service, *documents)
        service.jobs.changed({DEFAULT_BOT, "nobody"})
        while not list(settings.index_dir.rglob("sealed.json")):
            await asyncio.sleep(0.01)
        assert list(service.store.views.check()) == []

    serve(settings, story)
