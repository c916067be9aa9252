"""All of the service asks one clock: laptops sleep, NTP steps back, summer time ends."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from receiving import Receiver, receiving
from set_clock import SetClock
from shelf import page, paragraphs, push

from rag_service.access.caller import Caller
from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import Service, assemble
from rag_service.contacts.store import ContactFields
from rag_service.conversations.messages import Sender
from rag_service.conversations.store import NewMessage, TranscriptFilter, TranscriptRow
from rag_service.errors import RateLimited
from rag_service.events.poster import Answer
from rag_service.events.webhooks import Webhooks, read_webhook
from rag_service.outbound.guarded import GuardedPoster, anywhere
from rag_service.settings import Settings
from rag_service.storage.sqlite.driver import sqlite3

SUMMER_TIME_ENDS = datetime(2031, 10, 26, 0, 30, tzinfo=UTC)
"""In Europe: half past two, before clocks are put back to two."""
BY_TRIGGERS = {"contacts.chat_deleted_at", "unused_embeddings.since"}
"""SQLite stamps these itself, with the system's time."""


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def service(settings: Settings, clock: SetClock) -> Iterator[Service]:
    with assemble(settings, clock=clock) as service:
        yield service


def say(service: Service, conversation: str, text: str = "When?") -> TranscriptRow:
    said = NewMessage(role="user", text=text, sender=Sender(type="user", id="u1"))
    return service.store.messages.add(ALL_BOTS, "default", conversation, said, create=True)


def rows(service: Service, **where: str) -> list[TranscriptRow]:
    found = TranscriptFilter(**where)
    return service.store.transcripts.page(ALL_BOTS, found, ascending=True, limit=99, offset=0)[1]


def times_of(settings: Settings) -> Iterator[tuple[str, str]]:
    """Each column of a table that has a time, with each time in it."""
    with closing(sqlite3.connect(settings.data_dir / "rag.db")) as database:
        for (table,) in database.execute("select name from sqlite_master where type = 'table'"):
            for row in database.execute(f"select * from {table}").fetchall():
                columns = [
                    column for _, column, *_ in database.execute(f"pragma table_info({table})")
                ]
                for column, value in zip(columns, row, strict=True):
                    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", value):
                        yield f"{table}.{column}", value


def test_whatever_is_written_has_the_time_of_the_clock(
    service: Service, clock: SetClock, settings: Settings
) -> None:
    async def lines() -> AsyncIterator[bytes]:
        yield b'{"source_url": "https://example.com/c", "content": "c"}\n'

    store = service.store
    clock.go_on(hours=1)  # what was made with the base has another time
    service.access.create("one")
    store.bots.create(ALL_BOTS, "second")
    push(service, page("a", paragraphs("heron", "egret")), page("b", "Gone soon."))
    service.knowledge.remove(ALL_BOTS, "default", ["https://example.com/b"])
    contact = store.contacts.add(ALL_BOTS, ContactFields(email="a@example.com"))
    hook = read_webhook({"url": "http://192.0.2.1/"})
    made = asyncio.run(to_anybody(service).create(ALL_BOTS, hook))
    store.conversations.create(ALL_BOTS, "default", "c", title=None, metadata={})
    asked = say(service, "c")
    store.transcripts.add_translation(ALL_BOTS, asked.message_id, "de", "Wann?")
    store.transcripts.add_click(ALL_BOTS, "default", "c", None, "https://example.com/")
    job = asyncio.run(service.jobs.submit(ALL_BOTS, lines()))
    store.jobs.start(job.id)
    store.outbox.fan_out()
    found: dict[str, set[str]] = {}
    for column, value in times_of(settings):
        found.setdefault(column, set()).add(value)
    expected = {"2031-03-30T13:00:00.000Z"}
    at_first = {"upkeep.ended_at", "bots.created_at"}
    assert {name: when for name, when in found.items() if when != expected}.keys() <= (
        at_first | BY_TRIGGERS
    )
    assert contact.created_at == made.created_at == asked.created_at == job.created_at
    assert len(found) >= 15


def to_anybody(service: Service) -> Webhooks:
    """Webhooks that may be tested on this machine."""
    store, poster = service.store, GuardedPoster(refuse=anywhere, clock=service.clock)
    return Webhooks(store.webhooks, store.deliveries, lambda: poster, service.clock)


@pytest.mark.parametrize("hours", [-48, -1, -0.001])
def test_a_clock_that_steps_back_changes_no_order_and_no_time(
    service: Service, clock: SetClock, hours: float
) -> None:
    first = say(service, "c", "first")
    clock.step(hours=hours)
    second = say(service, "c", "second")
    assert second.created_at < first.created_at, "each has the time that it was"
    assert [row.text for row in rows(service)] == ["first", "second"]
    assert [row.text for row in rows(service, until=second.created_at)] == ["second"]
    last = service.store.messages.last(ALL_BOTS, "default", "c", limit=1)
    assert [row.text for row in last] == ["second"]
    events, _ = service.store.events.page(ALL_BOTS, None, types=["message.created"], limit=9)
    assert [event.data["message"]["text"] for event in events] == ["first", "second"]


def test_the_hour_that_comes_twice_in_autumn_is_two_hours(
    service: Service, clock: SetClock
) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    clock.moment = SUMMER_TIME_ENDS.astimezone(berlin)
    first = say(service, "c", "summer")
    clock.moment = (SUMMER_TIME_ENDS + timedelta(hours=1)).astimezone(berlin)
    second = say(service, "c", "winter")
    assert (first.created_at, second.created_at) == (
        "2031-10-26T00:30:00.000Z",
        "2031-10-26T01:30:00.000Z",
    )


def test_a_laptop_that_slept_gives_no_window_twice_and_tells_when_the_next_one_begins(
    settings: Settings, clock: SetClock
) -> None:
    caller = Caller(name="one", permissions=["knowledge"], scope=ALL_BOTS, rates={})
    with assemble(msgspec.structs.replace(settings, rate_data="1/hour"), clock=clock) as service:
        service.limiter.take(caller, "data")
        clock.step(days=3)
        with pytest.raises(RateLimited) as caught:
            service.limiter.take(caller, "data")
        ahead = caught.value.reset - clock.now().timestamp()
        assert 0 < ahead <= 3600
        clock.go_on(seconds=ahead)
        service.limiter.take(caller, "data")


@pytest.mark.parametrize("step", ["go_on", "step"])
def test_a_former_secret_ends_on_time_also_if_the_machine_slept(
    service: Service, clock: SetClock, step: str
) -> None:
    async def signatures() -> int:
        await webhooks.test(ALL_BOTS, made.id)
        return len(receiver.requests[-1].headers["webhook-signature"].split())

    async def story() -> list[int]:
        nonlocal made
        made = await webhooks.create(ALL_BOTS, read_webhook({"url": receiver.url}))
        await webhooks.rotate(ALL_BOTS, made.id, 24)
        counts = [await signatures()]
        for hours in (23, 2):
            getattr(clock, step)(hours=hours)
            counts.append(await signatures())
        await webhooks.close()
        return counts

    made, webhooks = None, to_anybody(service)
    with receiving() as receiver:
        assert asyncio.run(story()) == [2, 2, 1]


def test_a_receiver_that_names_a_time_means_that_of_the_clock(
    clock: SetClock,
) -> None:
    async def post(receiver: Receiver) -> Answer:
        poster = GuardedPoster(refuse=anywhere, clock=clock)
        try:
            return await poster.post(receiver.url, {}, b"{}")
        finally:
            await poster.close()

    later = format_datetime(clock.now() + timedelta(seconds=90), usegmt=True)
    with receiving() as receiver:
        receiver.answers = lambda one: (503, {"Retry-After": later}, b"")
        assert asyncio.run(post(receiver)).retry_after_s == 90


def test_deleted_text_is_gone_however_the_clock_is_set(service: Service, clock: SetClock) -> None:
    say(service, "c", "Xylophone-4711")
    for days in (400, -800, 400):
        clock.step(days=days)
        service.upkeep.step(clock.now())
    service.store.transcripts.delete(ALL_BOTS, ["c"], cascade=True)
    clock.step(days=-30)
    while service.store.upkeep.owes(clock.now()):
        service.upkeep.step(clock.now())
    assert b"Xylophone" not in (service.settings.data_dir / "rag.db").read_bytes()
