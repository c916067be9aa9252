import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from shelf import ALL, MODES, names, page, push, settings_in, texts

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import Service, assemble
from rag_service.contacts.store import ContactFields
from rag_service.conversations.messages import Sender
from rag_service.conversations.store import NewMessage
from rag_service.documents import DEFAULT_BOT, Document, Vectors
from rag_service.errors import NotFound, StorageFailed
from rag_service.knowledge.store import Hit, Mode
from rag_service.settings import Settings
from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.views.selection import Selection
from rag_service.storage.views.vectors import (
    EXACT_UP_TO,
    Batch,
    Reader,
    SealedVectors,
    seal_vectors,
)

SENTENCES = [
    "The heron waits in the reeds.",
    "Steel is an alloy of iron and carbon.",
    "The reeds of the oboe are cut from cane.",
    "A ledger holds the accounts of the house.",
    "Iron rusts in the house by the water.",
    "The oboe gives the orchestra its pitch.",
]


@pytest.fixture
def full(settings: Settings) -> Iterator[Service]:
    """A few pages, half of them sealed."""
    with assemble(settings) as service:
        push(service, *(page(f"p{n}", text) for n, text in enumerate(SENTENCES[:3])))
        assert service.store.views.seal(DEFAULT_BOT, share=0)
        push(service, *(page(f"p{n}", text) for n, text in enumerate(SENTENCES) if n >= 3))
        yield service


def seal(service: Service, bot_id: str = DEFAULT_BOT) -> Path:
    """Seals, and returns the folder."""
    service.store.views.seal(bot_id, share=0)
    folders = [path for path in sealed_folders(service.settings) if path.is_dir()]
    assert folders
    return folders[-1]


def sealed_folders(settings: Settings) -> list[Path]:
    return sorted(path.parent for path in settings.index_dir.glob("*/*/sealed.json"))


def finds_everything(service: Service) -> bool:
    return all(
        names(service, text, mode)[0] == f"p{n}"
        for n, text in enumerate(SENTENCES)
        for mode in MODES
    )


def by_id(service: Service, query: str, mode: Mode, **rest: Any) -> dict[str, Hit]:
    hits = service.knowledge.search(ALL_BOTS, query, DEFAULT_BOT, mode=mode, k=100, **rest).hits
    return {hit.passage.chunk_id: hit for hit in hits}


# -- what can happen to the folder -------------------------------------------------------------


def test_a_lost_folder_is_made_again(full: Service, settings: Settings) -> None:
    seal(full)
    shutil.rmtree(settings.index_dir)
    assert finds_everything(full)
    with assemble(settings) as again:
        assert finds_everything(again)
        assert list(again.store.views.check()) == []
        assert again.store.views.seal(DEFAULT_BOT, share=0)
        assert finds_everything(again)


def test_the_tail_survives_a_restart_without_sealing(full: Service, settings: Settings) -> None:
    with assemble(settings) as again:
        assert finds_everything(again)
        assert list(again.store.views.check()) == []


def rubbish(path: Path, rng: random.Random) -> None:
    path.write_bytes(rng.randbytes(rng.randrange(2000)))


def flipped(path: Path, rng: random.Random) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(1 + len(data) // 500):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def cut(path: Path, rng: random.Random) -> None:
    path.write_bytes(path.read_bytes()[: rng.randrange(path.stat().st_size)])


def gone(path: Path, rng: random.Random) -> None:
    path.unlink()


def emptied(path: Path, rng: random.Random) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [rubbish, flipped, cut, gone, emptied])
def test_a_folder_that_is_damaged_in_any_file_is_made_again(
    full: Service, settings: Settings, damage: Callable[[Path, random.Random], None]
) -> None:
    folder = seal(full)
    whole = settings.index_dir.with_name("whole")
    shutil.copytree(settings.index_dir, whole)
    rng = random.Random(damage.__name__)
    files = [path.relative_to(whole) for path in whole.rglob("*") if path.stat().st_size]
    files = [path for path in files if (whole / path).is_file() and path.suffix != ".lock"]
    assert len(files) > 3
    for file in files:
        shutil.rmtree(settings.index_dir)
        shutil.copytree(whole, settings.index_dir)
        damage(settings.index_dir / file, rng)
        with assemble(settings) as again:
            assert finds_everything(again), file
            assert list(again.store.views.check()) == [], file
            assert again.store.views.seal(DEFAULT_BOT, share=0), file
            assert sealed_folders(settings) == [folder]


def test_a_folder_full_of_rubbish_is_no_obstacle(settings: Settings) -> None:
    rng = random.Random(1)
    bot = settings.index_dir / "1"
    for name in ("0" * 20, "9" * 20, "1".zfill(20), "x", "5".zfill(20) + ".77.partial"):
        (bot / name / "words").mkdir(parents=True)
        rubbish(bot / name / "sealed.json", rng)
        rubbish(bot / name / "vectors.faiss", rng)
    rubbish(bot / "3".zfill(19), rng)
    rubbish(settings.index_dir / "note.txt", rng)
    with assemble(settings) as service:
        push(service, *(page(f"p{n}", text) for n, text in enumerate(SENTENCES)))
        assert service.store.views.seal(DEFAULT_BOT) is False, "too little for it"
        assert finds_everything(service)
        folder = seal(service)
        assert finds_everything(service)
    with assemble(settings) as service:
        assert finds_everything(service)
        assert sealed_folders(settings) == [folder]


def test_a_folder_of_another_base_is_not_believed(full: Service, settings: Settings) -> None:
    with assemble(settings_in(settings.data_dir / "other", embedding_model="hashing:64")) as other:
        push(other, *(page(f"q{n}", f"Something else, part {n}.") for n in range(6)))
        shutil.rmtree(settings.index_dir)
        seal(other)
        shutil.copytree(other.settings.index_dir, settings.index_dir)
    with assemble(settings) as again:
        assert finds_everything(again)
        assert list(again.store.views.check()) == []


def test_deleting_a_conversation_leaves_the_sealed_views_as_they_are(
    full: Service, settings: Settings
) -> None:
    said = NewMessage(role="user", text="When?", sender=Sender(type="user"))
    full.store.messages.add(ALL_BOTS, DEFAULT_BOT, "con_1", said, create=True)
    folder = seal(full)
    full.store.transcripts.delete(ALL_BOTS, ["con_1"], cascade=True)
    with assemble(settings) as again:
        assert finds_everything(again)
        again.store.views.seal(DEFAULT_BOT)
    assert sealed_folders(settings) == [folder]
    assert not full.store.views.seal(DEFAULT_BOT)


def test_deleting_a_contact_leaves_them_too(full: Service, settings: Settings) -> None:
    contact = full.store.contacts.add(ALL_BOTS, ContactFields(email="ann@example.com"))
    folder = seal(full)
    full.store.contacts.delete(ALL_BOTS, contact.contact_id, conversations=False)
    with assemble(settings) as again:
        assert finds_everything(again)
        again.store.views.seal(DEFAULT_BOT)
    assert sealed_folders(settings) == [folder]
    assert not full.store.views.seal(DEFAULT_BOT)


def copy_of(data: Path, to: Path) -> None:
    """A backup as `sqlite3 rag.db .backup` makes it."""
    to.mkdir()
    with (
        closing(sqlite3.connect(data / "rag.db")) as rows,
        closing(sqlite3.connect(to / "rag.db")) as copy,
    ):
        rows.backup(copy)


@pytest.mark.parametrize("writes_after", [0, 1, 2, 5, 9])
def test_an_older_backup_that_is_put_back_wins_over_the_views(
    settings: Settings, writes_after: int
) -> None:
    """Also when new writes have reached the watermark of the views with other chunks."""
    backup = settings.data_dir.with_name("backup")
    with assemble(settings) as service:
        push(service, page("kept", "The heron waits."), page("old", "The oboe is old."))
        seal(service)
        copy_of(settings.data_dir, backup)
        for n in range(5):
            push(service, page(f"lost{n}", f"The ledger of year {n} is lost."))
        service.knowledge.remove(ALL_BOTS, DEFAULT_BOT, ["https://example.com/kept"])
        seal(service)
    shutil.rmtree(settings.data_dir)
    shutil.copytree(backup, settings.data_dir)
    with assemble(settings) as service:
        # each search of a fresh service, so that the views are loaded after the writes
        for n in range(writes_after):
            push(service, page(f"new{n}", f"Iron number {n} rusts."))
    with assemble(settings) as service:
        for mode in MODES:
            assert names(service, "heron waits", mode)[0] == "kept"
            assert not any("ledger" in text for text in texts(service, "ledger year", mode))
            for n in range(writes_after):
                assert names(service, f"Iron number {n} rusts.", mode)[0] == f"new{n}"
        for query in ("Iron rusts", "ledger of year"):
            dense, words = by_id(service, query, "dense"), by_id(service, query, "keyword")
            assert len(dense) == writes_after + 2
            assert {hit.passage.text for hit in words.values()} == {
                hit.passage.text
                for hit in dense.values()
                if "Iron" in query and "rusts" in hit.passage.text
            }
        assert list(service.store.views.check()) == []


def test_a_crash_between_a_commit_and_the_sealing_loses_nothing(
    full: Service, settings: Settings
) -> None:
    folder = sealed_folders(settings)[0]
    partial = folder.with_name(folder.name + ".1234.partial")
    shutil.copytree(folder, partial)
    (partial / "sealed.json").unlink()
    with assemble(settings) as again:
        assert finds_everything(again)
        assert again.store.views.seal(DEFAULT_BOT, share=0)
        assert not partial.exists()
        assert finds_everything(again)


@pytest.mark.parametrize("mode", MODES)
def test_without_a_place_for_views_searching_still_works(tmp_path: Path, mode: Mode) -> None:
    (tmp_path / "file").write_text("not a folder")
    settings = settings_in(tmp_path, index_dir=tmp_path / "file" / "indexes")
    with assemble(settings) as service:
        push(service, page("a", "The heron waits."))
        assert names(service, "heron", mode) == ["a"]
        with pytest.raises(StorageFailed, match=r"views in .*file.indexes could not be written"):
            service.store.views.seal(DEFAULT_BOT, share=0)
        with pytest.raises(StorageFailed, match="could not be written"):
            service.store.views.reindex(DEFAULT_BOT)
        push(service, page("b", "The heron flies."))
        assert sorted(names(service, "heron", mode)) == ["a", "b"]
        assert list(service.store.views.check()) == []


# -- sealing while others work -----------------------------------------------------------------


def test_another_store_reads_and_writes_while_one_seals(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, embedding_model="hashing:4096")
    with assemble(settings) as one, assemble(settings) as two:
        push(one, page("p", "Nothing yet."))
        stop = False
        sealed = []

        def keep_sealing() -> None:
            while not stop:
                sealed.append(one.store.views.seal(DEFAULT_BOT, share=0))

        thread = Thread(target=keep_sealing)
        thread.start()
        try:
            for n in range(40):
                push(two, page("p", f"State number {n} of the page."), page(f"q{n}", f"Heron {n}."))
                for service in (two, one):
                    for mode in MODES:
                        state = texts(service, f"State number {n} of the page.", mode)[0]
                        assert state == f"State number {n} of the page."
                        assert names(service, f"Heron {n}.", mode)[0] == f"q{n}"
        finally:
            stop = True
            thread.join()
        assert any(sealed)
        for service in (one, two):
            assert list(service.store.views.check()) == []
        assert len(sealed_folders(settings)) == 1


def test_a_second_store_takes_over_what_the_first_has_sealed(settings: Settings) -> None:
    many = [page(f"p{n}", f"Item {n} lies on shelf {n % 7}.") for n in range(2100)]
    with assemble(settings) as one, assemble(settings) as two:
        push(one, page("first", "The heron."))
        assert names(two, "heron") == ["first"]
        push(one, *many)
        assert names(two, "heron", "keyword") == ["first"]
        assert one.store.views.wants_sealing(DEFAULT_BOT) and two.store.views.wants_sealing(
            DEFAULT_BOT
        )
        assert one.store.views.seal(DEFAULT_BOT)
        assert not one.store.views.wants_sealing(DEFAULT_BOT)
        assert two.store.views.seal(DEFAULT_BOT) is False, "there is nothing left to do"
        one.knowledge.remove(
            ALL_BOTS, DEFAULT_BOT, [document.source_url for document in many[:1000]]
        )
        for service in (two, one):
            found = service.knowledge.search(
                ALL_BOTS, "Item shelf", DEFAULT_BOT, mode="keyword", k=100
            )
            shelves = {int(hit.passage.source_url.rpartition("p")[2]) for hit in found.hits}
            assert len(shelves) == 100 and min(shelves) >= 1000
            assert list(service.store.views.check()) == []


@pytest.mark.parametrize("mode", MODES)
def test_two_stores_see_each_others_writes_in_the_next_search(
    settings: Settings, mode: Mode
) -> None:
    with assemble(settings) as one, assemble(settings) as two:
        for n in range(6):
            writer, reader = (one, two) if n % 2 else (two, one)
            push(writer, page("p", f"State {n} of the heron."))
            assert texts(reader, "heron", mode) == [f"State {n} of the heron."]
            writer.knowledge.remove(ALL_BOTS, DEFAULT_BOT, ["https://example.com/p"])
            assert texts(reader, "heron", mode) == []
            if n == 3:
                seal(writer)


def test_only_one_at_a_time_seals_and_none_is_harmed(settings: Settings) -> None:
    with assemble(settings) as one, assemble(settings) as two:
        push(one, *(page(f"p{n}", text) for n, text in enumerate(SENTENCES)))
        for round_ in range(10):
            push(one, page("more", f"Round {round_}."))
            threads = [
                Thread(target=service.store.views.seal, args=[DEFAULT_BOT], kwargs={"share": 0})
                for service in (one, two, one, two)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert finds_everything(one) and finds_everything(two)
        assert len(sealed_folders(settings)) == 1
        assert not list(settings.index_dir.rglob("*.partial"))


# -- the two parts are one index ---------------------------------------------------------------

words = st.sampled_from(
    ["heron", "egret", "stork", "ibis", "crane", "wren", "finch", "robin", "reed", "pond"]
)
# of one length, since a sealed part knows only the mean length of its own chunks
sentences = st.lists(words, min_size=7, max_size=7).map(" ".join)


Found = dict[Mode, dict[str, Hit]]


@hypothesis_settings(max_examples=10)
@given(
    contents=st.lists(sentences, min_size=1, max_size=25),
    sealed_after=st.integers(0, 25),
    query=sentences,
    removed=st.sets(st.integers(0, 24), max_size=4),
)
def test_it_does_not_matter_where_a_chunk_lies(
    tmp_path_factory: pytest.TempPathFactory,
    contents: list[str],
    sealed_after: int,
    query: str,
    removed: set[int],
) -> None:
    def found(sealed_after: int | None, removed: set[int]) -> Found:
        with assemble(settings_in(tmp_path_factory.mktemp("base"))) as service:
            for n, text in enumerate(contents):
                if n == sealed_after:
                    service.store.views.seal(DEFAULT_BOT, share=0)
                push(service, page(f"p{n}", text, format="text"))
            urls = [f"https://example.com/p{n}" for n in removed]
            service.knowledge.remove(ALL_BOTS, DEFAULT_BOT, urls)
            if sealed_after == len(contents):
                service.store.views.seal(DEFAULT_BOT, share=0)
            assert list(service.store.views.check()) == []
            return {mode: by_id(service, query, mode) for mode in MODES}

    tail = found(None, removed)
    assert_alike(tail, found(len(contents), removed))
    # what is removed from the sealed part counts in the weights until the next sealing, and
    # in nothing else: scores are those of a base in which it still is
    sealed = sealed_after if sealed_after < len(contents) else 0  # before anything is removed
    weighed = found(None, {n for n in removed if n >= sealed})
    weighed = {
        mode: {chunk: hit for chunk, hit in hits.items() if chunk in tail["dense"]}
        for mode, hits in weighed.items()
    }
    assert_alike(weighed, found(sealed_after, removed))


def assert_alike(one: Found, other: Found) -> None:
    assert one["dense"].keys() == other["dense"].keys()
    assert one["keyword"].keys() == other["keyword"].keys()
    for chunk, hit in one["dense"].items():
        assert other["dense"][chunk].scores.dense == pytest.approx(hit.scores.dense, abs=1e-3)
    for chunk, hit in one["keyword"].items():
        score = other["keyword"][chunk].scores.keyword
        assert score == pytest.approx(hit.scores.keyword, rel=0.02, abs=0.02)


def test_an_edit_without_end_changes_no_other_score(settings: Settings) -> None:
    def hot(state: int) -> list[Document]:
        return [page(f"hot{n}", f"The heron {n} counts to {state}.") for n in range(20)]

    def scores() -> list[float]:
        found = by_id(service, "heron counts", "keyword")
        return sorted(hit.scores.keyword for hit in found.values())

    with assemble(settings) as service:
        push(service, *(page(f"p{n}", text) for n, text in enumerate(SENTENCES)), *hot(0))
        before = scores()
        for state in range(1, 120):
            push(service, *hot(state))
            if state % 9 == 0:
                found = texts(service, f"counts {state}", "keyword", k=100)
                assert len(found) == 20 and all(f"to {state}." in text for text in found)
        assert len(before) == 21
        assert scores() == pytest.approx(before, rel=1e-3)


def test_a_chunk_that_came_and_went_between_two_searches_is_not_counted(full: Service) -> None:
    assert finds_everything(full)
    for n in range(3):
        push(full, page("brief", f"Brief {n}."))
    full.knowledge.remove(ALL_BOTS, DEFAULT_BOT, ["https://example.com/brief"])
    assert finds_everything(full)
    assert list(full.store.views.check()) == []
    found = full.store.bots.all(ALL_BOTS)[DEFAULT_BOT]
    assert found.chunks == len(SENTENCES)


@pytest.mark.parametrize("mode", MODES)
def test_what_is_removed_from_the_sealed_part_is_not_found(service: Service, mode: Mode) -> None:
    push(service, *(page(f"p{n}", f"The heron {n}.") for n in range(150)))
    seal(service)
    service.knowledge.remove(
        ALL_BOTS, DEFAULT_BOT, [f"https://example.com/p{n}" for n in range(140)]
    )
    assert sorted(names(service, "heron", mode, k=100)) == [f"p{n}" for n in range(140, 150)]
    assert list(service.store.views.check()) == []


# -- words -------------------------------------------------------------------------------------


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("东京是日本的首都,人口众多。", "首都"),
        ("東京タワーは赤い。", "タワー"),
        ("서울특별시는 대한민국의 수도이다.", "특별시"),
        ("支持 USB-C 充电", "充电"),
        ("Ersatzteil XK-4711/B, Dichtung", "xk-4711"),
        ("Set RAG_MAX_BODY_MB to 20.", "rag_max_body_mb"),
        ("Torque: 12.5 Nm at M8x1.25", "M8x1.25"),
        ("Übergrößen sind möglich", "ubergrossen"),
    ],
)
def test_the_keyword_mode_finds_parts(
    service: Service, text: str, query: str, sealed: bool
) -> None:
    push(service, page("wanted", text), *(page(f"p{n}", s) for n, s in enumerate(SENTENCES)))
    push(service, page("cjk", "京都は日本の古い町である。"))
    if sealed:
        seal(service)
    assert names(service, query, "keyword")[0] == "wanted"


# -- above the threshold -----------------------------------------------------------------------


class Clusters(Reader):
    """Many vectors around some centres, as topics are."""

    def __init__(self, chunks: int, dimension: int = 32) -> None:
        rng = np.random.default_rng(7)
        centres = rng.normal(size=(200, dimension))
        self.topics = rng.integers(0, len(centres), chunks)
        self.vectors = self._units(
            centres[self.topics] + 0.5 * rng.normal(size=(chunks, dimension))
        )
        self.ids = np.cumsum(rng.integers(1, 4, chunks)).astype(np.int64)
        asked = centres[rng.integers(0, len(centres), 100)]
        self.queries = self._units(asked + 0.6 * rng.normal(size=(100, dimension)))

    def sample(self, count: int) -> Vectors:
        return self.vectors[np.random.default_rng(1).permutation(len(self.vectors))[:count]]

    def everything(self, at_once: int) -> Iterator[Batch]:
        for start in range(0, len(self.ids), at_once):
            part = slice(start, start + at_once)
            yield Batch(self.ids[part], self.vectors[part])

    def recall(self, index: SealedVectors, hidden: Any = None, only: Any = None) -> float:
        """At 10, over queries that nobody has seen, among what is neither hidden nor left out."""
        allowed = np.ones(len(self.ids), bool) if only is None else only
        allowed = allowed if hidden is None else allowed & ~hidden
        gone = self.ids[:0] if hidden is None else self.ids[hidden]
        hits = 0
        for query in self.queries:
            scores = np.where(allowed, self.vectors @ query, -2)
            best = self.ids[np.argpartition(-scores, 10)[:10]]
            chosen = None if only is None else Selection(self.ids[only])
            found = [chunk for chunk, _ in index.best(query[None], 10, chosen, gone)]
            assert len(found) == 10
            hits += len(np.intersect1d(best, found))
        return hits / (10 * len(self.queries))

    @staticmethod
    def _units(vectors: Any) -> Vectors:
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


@pytest.fixture(scope="module")
def clusters() -> Clusters:
    return Clusters(EXACT_UP_TO + 5000)


@pytest.fixture(scope="module")
def approximate(
    clusters: Clusters, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], SealedVectors]:
    folder = tmp_path_factory.mktemp("sealed") / "vectors"
    recall = seal_vectors(folder, 32, len(clusters.ids), clusters)
    assert recall.candidates > 0 and recall.at_10 >= 0.99
    return lambda: SealedVectors(folder, recall)


def test_the_approximate_index_holds_everything(
    clusters: Clusters, approximate: Callable[[], SealedVectors]
) -> None:
    index = approximate()
    assert np.array_equal(index.ids, clusters.ids)


def test_the_approximate_index_finds_99_of_100(
    clusters: Clusters, approximate: Callable[[], SealedVectors]
) -> None:
    assert clusters.recall(approximate()) >= 0.99


def test_removing_does_not_blind_the_approximate_index(
    clusters: Clusters, approximate: Callable[[], SealedVectors]
) -> None:
    scattered = np.random.default_rng(3).random(len(clusters.ids)) < 0.2
    assert clusters.recall(approximate(), hidden=scattered) >= 0.99
    whole_topics = clusters.topics < 40
    assert clusters.recall(approximate(), hidden=whole_topics) >= 0.97


def test_a_filter_does_not_blind_the_approximate_index(
    clusters: Clusters, approximate: Callable[[], SealedVectors]
) -> None:
    few = np.random.default_rng(4).random(len(clusters.ids)) < 0.002
    assert clusters.recall(approximate(), only=few) >= 0.99
    assert clusters.recall(approximate(), only=clusters.topics == 5) >= 0.99
    assert clusters.recall(approximate(), only=clusters.topics % 2 == 0) >= 0.99
    assert clusters.recall(approximate(), only=clusters.topics < 20) >= 0.99


# -- comparing and mending ---------------------------------------------------------------------


def without_triggers(settings: Settings, *statements: str) -> None:
    """Changes rows behind the back of the views, as no program of ours does."""
    with closing(sqlite3.connect(settings.data_dir / "rag.db")) as rows:
        triggers = rows.execute("select name, sql from sqlite_master where type = 'trigger'")
        triggers = triggers.fetchall()
        for name, _ in triggers:
            rows.execute(f"drop trigger {name}")
        for statement in (*statements, *(sql for _, sql in triggers)):
            rows.execute(statement)
        rows.commit()


def test_check_tells_what_the_views_lack_or_have_too_much(
    full: Service, settings: Settings
) -> None:
    assert list(full.store.views.check()) == []
    without_triggers(settings, "delete from chunks where id <= 2")
    complaints = list(full.store.views.check())
    assert any("2 chunks that are not in the rows" in complaint for complaint in complaints)
    assert any("words hold 6 chunks and the rows 4" in complaint for complaint in complaints)
    assert len(names(full, "heron steel oboe ledger", "dense")) == 4, "no row, no answer"
    without_triggers(
        settings,
        """insert into chunks (document, bot, ordinal, start, "end", heading, text, embedding)
        select document, bot, 9, start, "end", heading, text, embedding from chunks""",
    )
    complaints = list(full.store.views.check())
    assert any("4 chunks are missing from the vectors" in complaint for complaint in complaints)
    full.store.views.reindex(DEFAULT_BOT)
    with assemble(settings) as fresh:
        assert list(fresh.store.views.check()) == []


def test_a_bot_that_has_been_emptied_is_sealed_as_any(full: Service, settings: Settings) -> None:
    urls = [
        info.source_url
        for info in full.store.knowledge.documents(ALL_BOTS, ALL, limit=9, offset=0)[1]
    ]
    full.knowledge.remove(ALL_BOTS, DEFAULT_BOT, urls)
    seal(full)
    full.store.views.reindex(DEFAULT_BOT)
    for mode in MODES:
        assert names(full, "heron", mode) == []
    with assemble(settings) as again:
        assert list(again.store.views.check()) == []
        push(again, page("p0", SENTENCES[0]))
        assert names(again, "heron") == ["p0"]


def test_reindex_makes_the_views_from_the_rows(full: Service, settings: Settings) -> None:
    without_triggers(
        settings, "delete from chunks where id = 1", "delete from documents where id = 1"
    )
    assert list(full.store.views.check())
    full.store.views.reindex(DEFAULT_BOT)
    assert list(full.store.views.check()) == []
    assert "p0" not in names(full, SENTENCES[0])
    for n, text in enumerate(SENTENCES[1:], 1):
        assert names(full, text)[0] == f"p{n}"
    assert full.store.knowledge.documents(ALL_BOTS, ALL, limit=1, offset=0)[0] == 5
    with pytest.raises(NotFound, match="'nobody'"):
        full.store.views.reindex("nobody")
