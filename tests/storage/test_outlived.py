"""Everything that grows has an end."""

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from shelf import names, page, push, settings_in

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import Service, assemble
from rag_service.background.jobs import spool_folder
from rag_service.background.spool import Spool, SpoolWriter
from rag_service.clock import written
from rag_service.conversations.messages import Sender, Source
from rag_service.conversations.store import NewMessage
from rag_service.documents import DEFAULT_BOT
from rag_service.errors import NotFound
from rag_service.events.store import Attempt, Outcome, Secret, Webhook
from rag_service.events.webhooks import new_secret
from rag_service.knowledge.jobs import FailedLine, Job, JobCounts
from rag_service.locks import owner_lock
from rag_service.settings import Settings
from rag_service.storage.sqlite.driver import sqlite3

DAY = timedelta(days=1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path, keep_jobs_days=10, keep_events_days=20)


def after(days: float) -> datetime:
    return datetime.now(UTC) + days * DAY


def count(service: Service, table: str) -> int:
    path = service.settings.data_dir / "rag.db"
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute(f"select count(*) from {table}").fetchone()[0])
    finally:
        connection.close()


def add_job(service: Service, job_id: str, *, ended: bool) -> Spool:
    job = Job(
        id=job_id,
        state="queued",
        scope=ALL_BOTS,
        owner="srv_gone",
        total=1,
        counts=JobCounts(),
        offset=0,
        error=None,
        created_at="2026-01-02T03:04:05.678Z",
        started_at=None,
        finished_at=None,
    )
    service.store.jobs.add(job)
    service.store.jobs.start(job_id)
    failed = [FailedLine(line=1, source_url=None, error="no content")]
    service.store.jobs.advance(job_id, JobCounts(done=1, failed=1), 1, failed)
    if ended:
        service.store.jobs.finish(job_id, "succeeded", None)
    spool = Spool(spool_folder(service.settings), job_id)
    spool.results.parent.mkdir(exist_ok=True)
    spool.results.write_text("{}\n")
    return spool


def made(path: Path, moment: datetime) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.touch()
    os.utime(path, (moment.timestamp(), moment.timestamp()))
    return path


def test_a_step_tells_when_the_next_is_due(service: Service) -> None:
    moment = after(2)
    assert service.upkeep.step(moment) == moment + DAY
    assert service.upkeep.step(moment + DAY / 2) - (moment + DAY) < timedelta(seconds=1)
    assert not service.store.upkeep.owes(moment + DAY / 2)
    assert service.store.upkeep.owes(moment + 1.1 * DAY)


def test_jobs_and_their_results_go_days_after_their_end(service: Service) -> None:
    ended, running = add_job(service, "job_1", ended=True), add_job(service, "job_2", ended=False)
    service.upkeep.step(after(9))
    assert ended.results.exists() and service.store.jobs.get(ALL_BOTS, "job_1").state == "succeeded"
    service.upkeep.step(after(11))
    with pytest.raises(NotFound):
        service.store.jobs.get(ALL_BOTS, "job_1")
    assert not ended.results.exists() and count(service, "job_failures") == 1
    assert running.results.exists() and service.store.jobs.get(ALL_BOTS, "job_2").state == "running"


def test_orphans_of_servers_that_are_gone_are_swept(service: Service) -> None:
    folder = spool_folder(service.settings)
    old, new = datetime.now(UTC) - 2 * DAY, datetime.now(UTC)
    orphan, fresh = made(folder / "job_9.ndjson", old), made(folder / "job_8.ndjson", new)
    gone, begins = made(folder / "srv_1.lock", old), made(folder / "srv_2.lock", new)
    other = made(folder / "deliveries.lock", old)
    with owner_lock(folder, "srv_3"):
        alive = made(folder / "srv_3.lock", old)
        service.upkeep.sweep(new)
        assert not orphan.exists() and not gone.exists()
        assert all(path.exists() for path in (fresh, begins, other, alive))


def test_a_batch_that_has_no_job_yet_is_not_swept_however_the_clock_steps(service: Service) -> None:
    spool = Spool(spool_folder(service.settings), "job_7")
    writer = SpoolWriter(spool)
    writer.write(b"{}\n")
    writer.close()
    service.upkeep.sweep(datetime.now(UTC) + 30 * DAY)
    assert spool.lines.exists()
    writer.release()
    service.upkeep.sweep(datetime.now(UTC) + 30 * DAY)
    assert not spool.lines.exists()


def test_changes_go_that_the_sealed_views_have_and_any_process_finds_the_rest(
    settings: Settings,
) -> None:
    with assemble(settings) as service, assemble(settings) as late:
        push(service, *(page(f"p{n}", f"Heron number{n}.") for n in range(20)))
        assert names(late, "number3", "keyword") == ["p3"]  # it has views of now
        service.knowledge.remove(ALL_BOTS, DEFAULT_BOT, ["https://example.com/p3"])
        push(service, page("p4", "Stork number4."), page("p20", "Ibis number20."))
        service.store.views.seal(DEFAULT_BOT, share=0)
        service.upkeep.step(after(2))
        assert count(service, "changes") == 0
        push(service, page("p21", "Crane number21."))
        for each in (service, late):
            assert list(each.store.views.check()) == []
            assert names(each, "number3", "keyword") == []
            assert names(each, "stork", "keyword") == ["p4"]
            assert names(each, "crane", "keyword") == ["p21"]
    with assemble(settings) as service:
        assert names(service, "crane", "keyword") == ["p21"]
    shutil.rmtree(settings.index_dir)
    with assemble(settings) as service:
        service.store.views.warm()
        assert list(service.store.views.check()) == []
        assert names(service, "ibis", "keyword") == ["p20"]


def test_vectors_without_a_chunk_go_after_a_time_of_grace(service: Service) -> None:
    push(service, page("a", "The heron."), page("b", "The stork."), page("c", "The ibis."))
    service.knowledge.remove(
        ALL_BOTS, DEFAULT_BOT, ["https://example.com/a", "https://example.com/b"]
    )
    push(service, page("d", "The stork."))  # has the vector of b
    service.upkeep.step(after(0.9))
    assert count(service, "embeddings") == 3
    service.upkeep.step(after(2))
    assert count(service, "embeddings") == count(service, "chunks") == 2
    assert names(service, "stork")[0] == "d"
    push(service, page("a", "The heron."))
    assert names(service, "heron")[0] == "a"
    assert list(service.store.views.check()) == []


def test_events_go_after_their_days_and_the_views_stay(settings: Settings) -> None:
    with assemble(settings) as service:
        push(service, page("a", "The heron."))
        service.store.views.seal(DEFAULT_BOT, share=0)
        service.upkeep.step(after(19))
        assert count(service, "events") > 0
        service.upkeep.step(after(21))
        assert count(service, "events") == 0
        events, cursor = service.store.events.page(ALL_BOTS, None, types=None, limit=10)
        assert events == []
        push(service, page("b", "The stork."))
        (event,), _ = service.store.events.page(ALL_BOTS, cursor, types=None, limit=10)
        assert event.type == "knowledge.upserted"
    (sealed,) = (settings.index_dir / "1").iterdir()
    with assemble(settings) as service:
        assert names(service, "heron")[0] == "a"
        assert sealed.exists()


def test_deliveries_go_a_month_after_their_end_though_nothing_happens_any_more(
    service: Service,
) -> None:
    hook = Webhook(
        id="whk_1",
        url="https://example.com/",
        events=["*"],
        bot_id=None,
        description="",
        secrets=[Secret(value=new_secret())],
        enabled=True,
        reason=None,
        failures=0,
        failing_since=None,
        created_at="2026-01-02T03:04:05.678Z",
        updated_at="2026-01-02T03:04:05.678Z",
    )
    service.store.webhooks.add(ALL_BOTS, hook)
    push(service, page("a", "The heron."))
    service.store.outbox.fan_out()
    found, _ = service.store.outbox.due({"whk_1": 9}, [], written(after(0)))
    attempt = Attempt(at=written(after(0)), status=200, error=None, duration_ms=1, response="")
    outcomes = [
        Outcome(row=due.row, updated_at=hook.updated_at, attempt=attempt, delivered=True)
        for due in found
    ]
    service.store.outbox.settle(outcomes)
    service.upkeep.step(after(29))
    assert count(service, "deliveries") == count(service, "attempts") == len(outcomes) > 0
    service.upkeep.step(after(31))
    assert count(service, "deliveries") == count(service, "attempts") == 0
    assert count(service, "events") == 0


def test_a_passage_is_kept_once_however_often_it_is_quoted(service: Service) -> None:
    text = "The heron waits in the reeds. " * 100
    sources = [
        Source(source_url="s:1", chunk_id="chk_1", title="t", score=0.1 + 0.2, text=text),
        Source(source_url="s:2", chunk_id="chk_2", title="t", score=1e-9, text="short", used=True),
    ]

    def ask(conversation: str, context: list[Source]) -> Any:
        sender = Sender(type="user")
        said = NewMessage(
            role="user", text="?", sender=sender, has_rag_context=True, context=context
        )
        return service.store.messages.add(ALL_BOTS, DEFAULT_BOT, conversation, said, create=True)

    rows = [ask(f"c{n}", sources) for n in range(50)] + [ask("last", sources[:1])]
    assert count(service, "quotes") == 2
    assert service.store.messages.get(ALL_BOTS, rows[7].message_id).context == sources
    service.store.transcripts.delete(ALL_BOTS, [f"c{n}" for n in range(50)], cascade=True)
    assert count(service, "quotes") == 1
    assert service.store.messages.get(ALL_BOTS, rows[-1].message_id).context == sources[:1]
    service.store.transcripts.delete(ALL_BOTS, ["last"], cascade=True)
    assert count(service, "quotes") == count(service, "context_quotes") == 0


def test_the_copy_from_before_an_upgrade_has_an_end(service: Service) -> None:
    copy = made(service.settings.data_dir / "rag.db.before-12", datetime.now(UTC))
    service.upkeep.step(after(29))
    assert copy.exists()
    service.upkeep.step(after(31))
    assert not copy.exists()
