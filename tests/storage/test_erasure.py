"""What was deleted is in no file, as soon as nobody reads it any more."""

import asyncio
import random
import re
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from open_gaps import gaps_of
from served import served
from shelf import names, page, push, settings_in

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import Service, assemble
from rag_service.conversations.assistant import Asked
from rag_service.conversations.messages import Sender, Source
from rag_service.conversations.store import NewMessage
from rag_service.documents import DEFAULT_BOT
from rag_service.gaps.desk import GapAnswer
from rag_service.settings import Settings
from rag_service.storage.sqlite.base import Base
from rag_service.storage.sqlite.database import RowsFile
from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.sqlite.upkeep import SqliteUpkeep
from rag_service.storage.views.terms import terms_of
from rag_service.storage.views.words import SealedWords

SECRET = "Xylophone-4711"
USER = Sender(type="user", id="u1")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """With a lock that is waited for much longer than a test may take."""
    return settings_in(tmp_path, lock_timeout_s=200)


@contextmanager
def a_reader(settings: Settings) -> Iterator[None]:
    """Of another process, such as a backup, that sees the rows of this moment until it ends."""
    with closing(sqlite3.connect(settings.data_dir / "rag.db", isolation_level=None)) as other:
        other.execute("begin")
        other.execute("select count(*) from messages").fetchone()
        yield
        other.execute("rollback")


def say(service: Service, text: str, conversation: str = "c") -> None:
    source = Source(source_url="s:1", chunk_id="chk", title=text, score=1, text=text)
    said = NewMessage(role="user", text=text, sender=USER, has_rag_context=True, context=[source])
    service.store.messages.add(ALL_BOTS, DEFAULT_BOT, conversation, said, create=True)


def files_with(settings: Settings, word: str) -> list[str]:
    """Whatever its case; views keep folded words."""
    return [
        path.name
        for folder in (settings.data_dir, settings.index_dir)
        for path in folder.rglob("*")
        if path.is_file() and word.lower().encode() in path.read_bytes().lower()
    ]


def now() -> datetime:
    return datetime.now(UTC)


def test_a_delete_beside_a_reader_returns_and_holds_up_nobody(service: Service) -> None:
    say(service, SECRET)
    with a_reader(service.settings):
        assert service.store.transcripts.delete(ALL_BOTS, ["c"], cascade=True).erasure_pending
        say(service, "harmless", "another")  # would wait for the reader, or for the lock's time
        assert files_with(service.settings, SECRET) != []  # what the reader sees
        assert service.store.upkeep.owes(now())
        later = service.upkeep.step(now())
        assert later < now() + timedelta(minutes=1)
        assert service.store.upkeep.owes(now())
    assert service.upkeep.step(now()) > now() + timedelta(hours=1)
    assert not service.store.transcripts.delete(ALL_BOTS, ["another"], cascade=True).erasure_pending
    assert files_with(service.settings, SECRET) == []
    assert not service.store.upkeep.owes(now())


def test_what_is_owed_outlasts_the_process(settings: Settings) -> None:
    with a_reader_of_a_new_base(settings):
        with assemble(settings) as service:
            say(service, SECRET)
        with a_reader(settings), assemble(settings) as service:
            service.store.transcripts.delete(ALL_BOTS, ["c"], cascade=True)
        with assemble(settings) as service:
            assert service.store.upkeep.owes(now())
            service.upkeep.step(now())
            assert not service.store.upkeep.owes(now())
    assert files_with(settings, SECRET) == []


@contextmanager
def a_reader_of_a_new_base(settings: Settings) -> Iterator[None]:
    """It keeps the log from being removed with the last process, and reads nothing."""
    with assemble(settings):
        pass
    with closing(sqlite3.connect(settings.data_dir / "rag.db")) as other:
        other.execute("select count(*) from messages").fetchone()
        yield


def test_a_server_takes_deleted_text_out_once_its_reader_is_gone(settings: Settings) -> None:
    with assemble(settings) as service:
        token = service.access.create("t", ["transcripts"])
        say(service, SECRET)
    with served(settings) as (client, _):
        client.headers["Authorization"] = f"Bearer {token}"
        assert client.get("/transcripts").json()["total"] == 1
        with a_reader(settings):
            gone = client.request("DELETE", "/transcripts", json={"session_ids": ["c"]}).json()
            assert (gone["transcripts_deleted"], gone["erasure_pending"]) == (1, True)
            assert files_with(settings, SECRET)
        while files_with(settings, SECRET):
            time.sleep(0.05)
        again = {"session_ids": ["c"]}  # the debt is struck off just after the text is gone
        while "erasure_pending" in client.request("DELETE", "/transcripts", json=again).json():
            time.sleep(0.05)


def test_readers_that_come_and_go_do_not_keep_deleted_text(service: Service) -> None:
    say(service, SECRET)
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            service.store.bots.all(ALL_BOTS)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        service.store.transcripts.delete(ALL_BOTS, ["c"], cascade=True)
        while service.store.upkeep.owes(now()):
            service.upkeep.step(now())
            time.sleep(0.001)
    finally:
        ended.set()
        for reader in readers:
            reader.join()
    assert files_with(service.settings, SECRET) == []


def test_no_piece_of_a_deleted_message_is_left_in_the_index_of_substrings(
    service: Service,
) -> None:
    say(service, "common words")
    say(service, f"common {SECRET}")
    service.store.transcripts.delete(ALL_BOTS, ["unknown"], cascade=True)
    say(service, f"more common {SECRET}", "another")
    service.store.transcripts.delete(ALL_BOTS, ["another"], cascade=True)
    with closing(sqlite3.connect(":memory:")) as memory:
        memory.execute("attach ? as rows", [str(service.settings.data_dir / "rag.db")])
        memory.execute("create virtual table temp.terms using fts5vocab(rows, messages_text, row)")
        terms = dict(memory.execute("select term, cnt from terms").fetchall())
    assert terms["xyl"] == 1 and "mor" not in terms


def test_a_deleted_page_is_taken_out_of_the_sealed_views(service: Service) -> None:
    push(service, page("secret", f"About the {SECRET}."), page("kept", "The heron waits."))
    assert service.store.views.seal(DEFAULT_BOT, share=0)
    assert [sealed_with(service, word) for word in ("xylophone", "heron")] == [1, 1]
    service.knowledge.remove(ALL_BOTS, DEFAULT_BOT, ["https://example.com/secret"])
    assert service.store.upkeep.owes(now())
    service.upkeep.step(now() + timedelta(seconds=1))
    assert not service.store.upkeep.owes(now())
    assert files_with(service.settings, SECRET) == []
    assert [sealed_with(service, word) for word in ("xylophone", "heron")] == [0, 1]
    assert list(service.store.views.check()) == []
    assert names(service, "heron")[0] == "kept"


def sealed_with(service: Service, word: str) -> int:
    """In how many passages of the files of the views it is."""
    (term,) = terms_of(word)
    folders = (service.settings.index_dir / "1").iterdir()
    return sum(SealedWords(folder / "words").frequency(term) for folder in folders)


def test_pages_may_be_deleted_while_the_views_are_sealed(service: Service) -> None:
    """Sealing reads in short transactions, so that they are in some of what it has read."""
    push(service, *(page(f"p{n}", f"Heron number{n} waits.") for n in range(700)))
    sealing = threading.Thread(
        target=service.store.views.seal, args=[DEFAULT_BOT], kwargs={"share": 0.0}
    )
    sealing.start()
    gone = []
    for n in range(0, 690, 7):
        service.knowledge.remove(ALL_BOTS, DEFAULT_BOT, [f"https://example.com/p{n}"])
        gone.append(n)
        if not sealing.is_alive():
            break
    sealing.join()
    for moment in (now(), now() + timedelta(minutes=1)):
        assert list(service.store.views.check()) == []
        assert names(service, "number699", "keyword") == ["p699"]
        assert not any(names(service, f"number{n}", "keyword") for n in gone)
        service.upkeep.step(moment)


def test_nothing_of_a_question_is_left_in_gaps_when_its_transcript_is_deleted(
    service: Service,
) -> None:
    service.knowledge.upsert(ALL_BOTS, [page("hours", "We open at nine in the morning.")])
    question = f"Where can I buy a {SECRET} in the evening?"
    said = NewMessage(role="user", text=question, sender=USER)

    async def ask() -> None:
        asked = Asked(
            scope=ALL_BOTS, bot_id=DEFAULT_BOT, said=said, conversation_id="c", create=True
        )
        async for _ in service.assistant.answer(asked):
            pass

    asyncio.run(ask())
    (gap,) = gaps_of(service)
    assert gap.title == question
    service.desk.answer(ALL_BOTS, gap.gap_id, GapAnswer(text="At nine.", title="Shopping"))
    assert files_with(service.settings, SECRET) != []
    assert not service.store.transcripts.delete(ALL_BOTS, ["c"], cascade=True).erasure_pending
    assert gaps_of(service, state=None) == []
    assert list(service.store.gaps.golden(ALL_BOTS)) == []
    assert files_with(service.settings, SECRET) == []


@pytest.mark.parametrize("most_repacked", [0, 1 << 30], ids=["a large file", "a small one"])
def test_copies_that_sqlite_leaves_in_free_space_are_gone_after_upkeep(
    service: Service, most_repacked: int
) -> None:
    """Rows that it moved to other pages: of some thousand deleted ones, a few are found."""
    rng = random.Random(1)
    rows = RowsFile(service.settings.data_dir / "rag.db", 30)
    there: list[str] = []
    gone: set[str] = set()
    with rows.writing() as connection:
        for number in range(10_000):
            if rng.random() < 0.55 or not there:
                there.append(f"marker-{number:07}-{rng.random():.8f}")
                text = there[-1] + " x" * rng.randint(0, rng.choice([10, 200, 1500, 3000]))
                connection.execute(
                    "insert into translations values (?, 'de', 'c', 1, ?, '')", [there[-1], text]
                )
            else:
                marker = there.pop(rng.randrange(len(there)))
                gone.add(marker)
                connection.execute("delete from translations where message_id = ?", [marker])
    base = Base(rows, service.settings.index_dir, lambda: ("hashing:1024", 1024))
    upkeep = SqliteUpkeep(rows, base, most_repacked)
    upkeep.remove_outlived(now(), jobs_before=now(), events_before=now())
    held = (service.settings.data_dir / "rag.db").read_bytes()
    found = {marker.decode() for marker in re.findall(rb"marker-\d{7}-0\.\d{8}", held)}
    assert set(there) <= found
    assert gone & found == set()
    assert not service.store.upkeep.owes(now())
    rows.close()


def test_what_an_edit_replaced_is_out_of_the_sealed_views_after_upkeep(service: Service) -> None:
    push(service, page("a", "The quagga waits."), page("b", "The heron waits."))
    service.store.views.seal(DEFAULT_BOT, share=0)
    push(service, page("a", "The stork waits."))
    assert is_in_sealed_words(service.settings, "quagga")
    service.store.upkeep.remove_outlived(now(), jobs_before=now(), events_before=now())
    assert not is_in_sealed_words(service.settings, "quagga")
    assert names(service, "stork")[0] == "a"


def is_in_sealed_words(settings: Settings, word: str) -> bool:
    (term,) = terms_of(word)
    parts = [SealedWords(folder) for folder in settings.index_dir.glob("*/*/words")]
    return any(part.frequency(term) for part in parts)
