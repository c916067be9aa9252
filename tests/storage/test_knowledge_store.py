from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from shelf import (
    ALL,
    MODES,
    CountingEmbedder,
    bots,
    knowledge_with,
    names,
    page,
    paragraphs,
    push,
    settings_in,
    stored,
    texts,
)

from rag_service.access.scope import ALL_BOTS, Scope
from rag_service.access.store import Token
from rag_service.assembly import Service, assemble
from rag_service.documents import DEFAULT_BOT, Document
from rag_service.errors import Conflict, EmbedderMismatch, NotFound, StorageBusy
from rag_service.knowledge.base import KnowledgeBase
from rag_service.knowledge.filters import has_label
from rag_service.knowledge.jobs import FailedLine, Job, JobCounts
from rag_service.knowledge.store import DocumentFilter, Mode, Revision
from rag_service.models.embedders import load_embedder
from rag_service.settings import Settings
from rag_service.storage.sqlite.driver import sqlite3

MOMENT = "2026-01-02T03:04:05.678Z"


@pytest.fixture
def embedder() -> CountingEmbedder:
    return CountingEmbedder(load_embedder("hashing:1024", Path()))


@pytest.fixture
def knowledge(service: Service, embedder: CountingEmbedder) -> KnowledgeBase:
    return knowledge_with(service, embedder)


@pytest.fixture
def rows(service: Service) -> Iterator[sqlite3.Connection]:
    """As a backup program or an operator would look at them."""
    with closing(sqlite3.connect(service.settings.data_dir / "rag.db")) as connection:
        yield connection


def everything(rows: sqlite3.Connection) -> dict[str, list[Any]]:
    tables = ("documents", "chunks", "changes", "events", "embeddings", "sqlite_sequence")
    return {table: rows.execute(f"select * from {table}").fetchall() for table in tables}


def chunk_ids(service: Service, name: str, bot_id: str = DEFAULT_BOT) -> list[str]:
    return [passage.chunk_id for passage in stored(service, name, bot_id).passages]


# -- upsert and remove -------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_a_push_is_found_by_the_next_search(service: Service, mode: Mode) -> None:
    push(service, page("a", "The heron waits in the reeds."), page("b", "Steel is an alloy."))
    assert names(service, "heron reeds", mode)[0] == "a"


@pytest.mark.parametrize("mode", MODES)
def test_the_former_text_is_gone_from_every_search(service: Service, mode: Mode) -> None:
    push(service, page("a", "The heron waits in the reeds."))
    assert names(service, "heron", mode)
    push(service, page("a", "The stork has left."))
    assert texts(service, "heron", mode) in ([], ["The stork has left."])
    assert texts(service, "stork", mode) == ["The stork has left."]


@pytest.mark.parametrize("mode", MODES)
def test_a_removed_document_is_gone_from_every_search(service: Service, mode: Mode) -> None:
    push(service, page("a", paragraphs("heron", "egret")), page("b", "The stork."))
    before = len(chunk_ids(service, "a"))
    url = "https://example.com/a"
    assert service.knowledge.remove(ALL_BOTS, DEFAULT_BOT, [url, "https://example.com/none"]) == {
        url: before
    }
    assert "a" not in names(service, "heron egret", mode)
    assert stored(service, "a") is None
    assert service.knowledge.remove(ALL_BOTS, DEFAULT_BOT, [url]) == {}


def test_a_document_that_is_pushed_again_after_its_removal_is_new(service: Service) -> None:
    push(service, page("a", "The heron."))
    former = stored(service, "a")
    service.knowledge.remove(ALL_BOTS, DEFAULT_BOT, ["https://example.com/a"])
    push(service, page("a", "The heron."))
    again = stored(service, "a")
    assert again.info.document_id != former.info.document_id
    assert again.passages[0].chunk_id > former.passages[0].chunk_id
    assert names(service, "heron") == ["a"]


def test_an_unchanged_push_writes_nothing(service: Service, rows: sqlite3.Connection) -> None:
    document = page("a", paragraphs("heron", "egret"), metadata={"b": 1, "a": [2]})
    push(service, document)
    before = everything(rows)
    reordered = msgspec.structs.replace(document, metadata={"a": [2], "b": 1})
    again = service.knowledge.upsert(ALL_BOTS, [reordered])
    assert again[0].unchanged
    assert again[0].document_id == stored(service, "a").info.document_id
    assert (again[0].chunks.embedded, again[0].chunks.removed) == (0, 0)
    assert again[0].chunks.total == again[0].chunks.reused == len(chunk_ids(service, "a"))
    assert everything(rows) == before


@pytest.mark.parametrize(
    "change",
    [{"title": "Birds"}, {"metadata": {"x": 1}}, {"content_type": "faq"}, {"format": "text"}],
)
def test_a_change_beside_the_text_is_a_change(service: Service, change: dict[str, Any]) -> None:
    document = page("a", "The heron.")
    push(service, document)
    assert not service.knowledge.upsert(ALL_BOTS, [msgspec.structs.replace(document, **change)])[
        0
    ].unchanged
    info = stored(service, "a").info
    assert [getattr(info, name) for name in change] == list(change.values())


def test_a_preview_changes_nothing_and_tells_what_the_push_will_do(
    service: Service, rows: sqlite3.Connection
) -> None:
    push(service, page("a", paragraphs("heron", "egret", "stork")))
    before = everything(rows)
    for edit in (page("a", paragraphs("heron", "ibis", "stork", "crane")), page("new", "A wren.")):
        preview = service.knowledge.preview(ALL_BOTS, edit)
        assert everything(rows) == before
        done = service.knowledge.upsert(ALL_BOTS, [edit])[0]
        assert msgspec.structs.replace(preview, document_id=done.document_id) == done
        before = everything(rows)


def test_chunks_that_stay_keep_their_ids(service: Service) -> None:
    push(service, page("a", paragraphs("heron", "egret", "stork")))
    former = chunk_ids(service, "a")
    push(service, page("a", paragraphs("heron", "ibis", "stork")))
    now = chunk_ids(service, "a")
    assert len(former) == len(now) == 3
    assert (now[0], now[2]) == (former[0], former[2])
    assert now[1] > max(former)


def test_chunks_that_move_keep_their_ids(service: Service) -> None:
    push(service, page("a", paragraphs("heron", "egret", "stork"), title="Birds"))
    former = chunk_ids(service, "a")
    push(service, page("a", paragraphs("stork", "heron", "egret"), title="Birds"))
    assert chunk_ids(service, "a") == [former[2], *former[:2]]
    assert [p.ordinal for p in stored(service, "a").passages] == [0, 1, 2]


def test_a_chunk_id_is_never_given_again(service: Service) -> None:
    seen: set[str] = set()
    for version in range(6):
        push(service, page("a", f"Version {version}."), page("b", f"Other {version}."))
        now = {*chunk_ids(service, "a"), *chunk_ids(service, "b")}
        assert not now & seen
        seen |= now
        service.knowledge.remove(
            ALL_BOTS, DEFAULT_BOT, [f"https://example.com/{'ab'[version % 2]}"]
        )


def test_equal_paragraphs_are_chunks_of_their_own(service: Service) -> None:
    push(service, page("a", paragraphs("heron", "heron", "stork")))
    ids = chunk_ids(service, "a")
    assert len(set(ids)) == 3
    push(service, page("a", paragraphs("heron", "stork")))
    assert chunk_ids(service, "a") == [ids[0], ids[2]]


# -- embedding is what costs -------------------------------------------------------------------


def test_known_chunks_are_never_embedded_again(
    knowledge: KnowledgeBase, embedder: CountingEmbedder
) -> None:
    def embedded(document: Document) -> int:
        before = embedder.passages
        result = knowledge.upsert(ALL_BOTS, [document])[0]
        assert result.chunks.embedded == embedder.passages - before
        return embedder.passages - before

    birds = paragraphs("heron", "egret", "stork")
    edited = paragraphs("heron", "ibis", "stork")
    assert embedded(page("a", birds)) == 3
    assert embedded(page("a", birds)) == 0
    assert embedded(page("a", edited)) == 1
    assert embedded(page("a", birds)) == 0, "rolled back"
    assert embedded(page("renamed", birds)) == 0
    assert embedded(page("a", edited, bot_id="other")) == 0
    assert embedded(page("a", birds, content_type="faq")) == 0
    knowledge.remove(ALL_BOTS, DEFAULT_BOT, ["https://example.com/a"])
    assert embedded(page("a", edited)) == 0, "pushed again after its removal"


def test_a_repeated_text_is_embedded_once(
    knowledge: KnowledgeBase, embedder: CountingEmbedder
) -> None:
    knowledge.upsert(
        ALL_BOTS, [page("a", paragraphs("heron", "heron")), page("b", paragraphs("heron"))]
    )
    assert embedder.passages == 1


def test_another_model_is_refused_with_both_names(settings: Settings) -> None:
    with assemble(settings) as service:
        push(service, page("a", "The heron."))
    with assemble(msgspec.structs.replace(settings, embedding_model="hashing:32")) as service:
        for attempt in (
            lambda: push(service, page("b", "The stork.")),
            lambda: names(service, "heron"),
            service.store.views.warm,
        ):
            with pytest.raises(EmbedderMismatch, match=r"hashing:1024.*hashing:32.*RAG_EMBEDDING"):
                attempt()
        assert stored(service, "a") is not None, "what needs no model goes on"
        assert list(service.store.views.check()) == []
    with assemble(settings) as service:
        assert names(service, "heron") == ["a"]


# -- apart -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_bots_are_apart(service: Service, mode: Mode) -> None:
    push(service, page("a", "The heron.", bot_id="one"), page("a", "The egret.", bot_id="two"))
    assert texts(service, "heron egret", mode, bot_id="one") == ["The heron."]
    assert texts(service, "heron egret", mode, bot_id="two") == ["The egret."]
    assert texts(service, "heron egret", mode) == []
    service.knowledge.remove(ALL_BOTS, "one", ["https://example.com/a"])
    assert texts(service, "heron egret", mode, bot_id="one") == []
    assert texts(service, "heron egret", mode, bot_id="two") == ["The egret."]


def test_an_unknown_bot_has_no_context(service: Service) -> None:
    found = service.knowledge.search(ALL_BOTS, "heron", "nobody")
    assert (found.hits, found.has_rag_context, found.confidence) == ([], False, 0.0)


def test_a_bot_exists_once_it_is_made_or_pushed_to(service: Service) -> None:
    service.store.bots.create(ALL_BOTS, "made")
    push(service, page("a", paragraphs("heron", "egret"), bot_id="pushed"))
    bots = service.store.bots.all(ALL_BOTS)
    assert {name: (bot.documents, bot.chunks) for name, bot in bots.items()} == {
        "made": (0, 0),
        "pushed": (1, 2),
    }
    for name in ("made", "pushed", DEFAULT_BOT):
        with pytest.raises(Conflict, match=name):
            service.store.bots.create(ALL_BOTS, name)


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_a_label_narrows_and_follows_its_change(service: Service, mode: Mode, sealed: bool) -> None:
    def seal() -> None:
        if sealed:
            service.store.views.seal(DEFAULT_BOT, share=0)

    push(
        service,
        page("a", "The heron waits.", content_type="faq"),
        page("b", "The heron flies.", content_type="manual"),
    )
    seal()
    assert names(service, "heron", mode, only=has_label("faq")) == ["a"]
    assert names(service, "heron", mode, only=has_label("none")) == []
    push(service, page("a", "The heron waits.", content_type="news"))
    seal()
    assert names(service, "heron", mode, only=has_label("faq")) == []
    assert names(service, "heron", mode, only=has_label("news")) == ["a"]
    assert sorted(names(service, "heron", mode)) == ["a", "b"]


# -- listing -----------------------------------------------------------------------------------


def listed(
    service: Service,
    limit: int = 100,
    offset: int = 0,
    scope: Scope = ALL_BOTS,
    **where: Any,
) -> list[str]:
    _, infos = service.store.knowledge.documents(
        scope, DocumentFilter(**where), limit=limit, offset=offset
    )
    return [info.source_url.rpartition("/")[2] for info in infos]


def test_documents_are_listed_newest_first_page_by_page(service: Service) -> None:
    for name in "abcde":
        push(service, page(name, f"Page {name}."))
    push(service, page("b", "Page b, edited later than all others."))
    order = listed(service)
    assert set(order) == set("abcde")
    _, infos = service.store.knowledge.documents(ALL_BOTS, ALL, limit=9, offset=0)
    times = [info.updated_at for info in infos]
    assert sorted(times, reverse=True) == times
    paged = [name for offset in range(0, 6, 2) for name in listed(service, 2, offset)]
    assert paged == order
    assert service.store.knowledge.documents(ALL_BOTS, ALL, limit=2, offset=4)[0] == 5
    assert listed(service, 2, 10) == []


def test_a_listing_is_narrowed_by_each_field(service: Service) -> None:
    push(
        service,
        page("a", "The heron.", title="Birds", content_type="faq"),
        page("b", "The carp.", bot_id="two"),
        page("c", "The 100% wren_song.", bot_id="three"),
    )
    assert sorted(listed(service)) == ["a", "b", "c"]
    assert listed(service, scope=bots("two")) == ["b"]
    assert sorted(listed(service, scope=bots("two", DEFAULT_BOT))) == ["a", "b"]
    assert listed(service, content_type="faq") == ["a"]
    assert listed(service, source_url="https://example.com/c") == ["c"]
    assert listed(service, q="heron") == ["a"]
    assert listed(service, q="bIRds") == ["a"]
    assert listed(service, q="EXAMPLE.com/b") == ["b"]
    assert listed(service, q="100% wren_") == ["c"]
    assert listed(service, q="100_") == []
    assert listed(service, q="heron", scope=bots("two")) == []


@pytest.mark.parametrize(
    ("text", "q"),
    [
        ("Die STRASSE", "straße"),
        ("Ünïcode ÀÉÎ", "ÜNÏCODE àéî"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("中文", "文"),
    ],
)
def test_a_substring_is_found_in_any_case_of_any_script(
    service: Service, text: str, q: str
) -> None:
    push(service, page("a", text))
    assert listed(service, q=q) == ["a"]


def test_an_unknown_document_is_not_found(service: Service) -> None:
    with pytest.raises(NotFound, match="doc_none"):
        service.store.knowledge.document(ALL_BOTS, "doc_none")


anything = st.text(st.characters(codec=None), min_size=1, max_size=200)


@hypothesis_settings(max_examples=60)
@given(content=anything, title=anything, label=st.text(st.characters(codec="utf-8"), min_size=1))
def test_any_text_can_be_pushed_found_listed_and_removed(
    service: Service, content: str, title: str, label: str
) -> None:
    document = page(
        "odd", "heron \x00 " + content, title=title.replace("\ud800", ""), format="text"
    )
    document = msgspec.structs.replace(
        document, title=title.encode(errors="replace").decode(), metadata={"label": label}
    )
    assert not service.knowledge.upsert(ALL_BOTS, [document])[0].unchanged
    assert service.knowledge.upsert(ALL_BOTS, [document])[0].unchanged
    kept = stored(service, "odd")
    assert kept.info.metadata == {"label": label}
    assert "\x00" not in kept.text
    for mode in MODES:
        assert "odd" in names(service, "heron", mode, k=100)
        names(service, content.encode(errors="replace").decode(), mode)
    service.store.knowledge.documents(ALL_BOTS, DocumentFilter(q=label), limit=1, offset=0)
    service.knowledge.remove(ALL_BOTS, DEFAULT_BOT, [document.source_url])
    assert names(service, "heron") == []


# -- one transaction ---------------------------------------------------------------------------


def test_each_write_leaves_its_event(service: Service, rows: sqlite3.Connection) -> None:
    push(service, page("a", paragraphs("heron", "egret")))
    push(service, page("a", paragraphs("heron", "stork")))
    push(service, page("a", paragraphs("heron", "stork")))
    service.knowledge.remove(
        ALL_BOTS, DEFAULT_BOT, ["https://example.com/a", "https://example.com/none"]
    )
    found = rows.execute("select type, bot_id, data from events order by seq").fetchall()
    events = [(type_, bot, msgspec.json.decode(data)) for type_, bot, data in found]
    assert [event[:2] for event in events] == [
        ("knowledge.upserted", DEFAULT_BOT),
        ("knowledge.upserted", DEFAULT_BOT),
        ("knowledge.deleted", DEFAULT_BOT),
    ]
    assert [data.get("chunks") for *_, data in events] == [
        {"total": 2, "added": 2, "removed": 0},
        {"total": 2, "added": 1, "removed": 1},
        None,
    ]
    assert events[2][2]["entries_removed"] == 2
    assert len({data["document_id"] for *_, data in events}) == 1


def test_a_write_that_fails_leaves_nothing(service: Service, rows: sqlite3.Connection) -> None:
    push(service, page("a", "The heron."))
    before = everything(rows)
    whole = service.knowledge.plan(
        ALL_BOTS, [page("a", "The stork."), page("b", "The ibis.", bot_id="new")]
    )
    vectors = service.knowledge.embed(whole)
    unknown = Revision(
        document=page("c", "x"),
        fingerprint=b"",
        title="",
        text="x",
        chunks=whole.revisions[0].chunks,
        digests=[b"never embedded"],
    )
    with pytest.raises(StorageBusy, match="try again"):
        service.store.knowledge.replace(ALL_BOTS, [*whole.revisions, unknown], vectors)
    assert everything(rows) == before
    assert texts(service, "stork ibis heron") == ["The heron."]
    assert list(service.store.bots.all(ALL_BOTS)) == [DEFAULT_BOT]
    push(service, page("a", "The stork."))
    assert texts(service, "stork") == ["The stork."]


def test_a_group_is_written_whole(service: Service) -> None:
    results = service.knowledge.upsert(
        ALL_BOTS, [page(str(n), f"Page number {n}.") for n in range(50)]
    )
    assert [r.source_url.rpartition("/")[2] for r in results] == [str(n) for n in range(50)]
    assert service.store.knowledge.documents(ALL_BOTS, ALL, limit=1, offset=0)[0] == 50


# -- tokens and jobs ---------------------------------------------------------------------------


def token(name: str, digest: bytes = b"d") -> Token:
    return Token(
        name=name,
        digest=digest,
        scopes=["knowledge"],
        bot_id=None,
        rates={"data": "off"},
        created_at=MOMENT,
    )


def test_a_change_of_tokens_is_seen_by_another_store_at_once(settings: Settings) -> None:
    with assemble(settings) as here, assemble(settings) as there:
        assert there.store.tokens.all() == []
        here.store.tokens.add(token("a"))
        assert there.store.tokens.all() == [token("a")]
        with pytest.raises(Conflict, match="'a'"):
            there.store.tokens.add(token("a", b"other"))
        there.store.tokens.rotate("a", b"new")
        assert here.store.tokens.all() == [token("a", b"new")]
        here.store.tokens.revoke("a")
        assert there.store.tokens.all() == []
        with pytest.raises(NotFound, match="'a'"):
            here.store.tokens.revoke("a")
        with pytest.raises(NotFound, match="'a'"):
            here.store.tokens.rotate("a", b"x")


def job(job_id: str, owner: str = "srv_one") -> Job:
    return Job(
        id=job_id,
        state="queued",
        scope=bots("a"),
        owner=owner,
        total=5,
        counts=JobCounts(),
        offset=0,
        error=None,
        created_at=MOMENT,
        started_at=None,
        finished_at=None,
    )


def test_a_job_is_seen_by_another_store_at_each_step(settings: Settings) -> None:
    with assemble(settings) as here, assemble(settings) as there:
        here.store.jobs.add(job("job_1"))
        here.store.jobs.add(job("job_2"))
        assert there.store.jobs.unfinished() == [job("job_1"), job("job_2")]
        assert there.store.jobs.start("job_1")
        assert there.store.jobs.start("job_1"), "after a restart"
        failed = [FailedLine(line=2, source_url=None, error="not JSON")]
        counts = JobCounts(done=2, embedded=1, failed=1)
        for _ in range(2):
            assert there.store.jobs.advance("job_1", counts, 77, failed)
        moved = here.store.jobs.get(ALL_BOTS, "job_1")
        assert (moved.state, moved.counts, moved.offset) == ("running", counts, 77)
        assert here.store.jobs.failed_lines(ALL_BOTS, "job_1", limit=10, offset=0) == failed
        assert here.store.jobs.failed_lines(ALL_BOTS, "job_1", limit=10, offset=1) == []
        here.store.jobs.finish("job_1", "succeeded", None)
        there.store.jobs.finish("job_1", "failed", "too late")
        over = there.store.jobs.get(ALL_BOTS, "job_1")
        assert (over.state, over.error) == ("succeeded", None)
        assert not there.store.jobs.start("job_1")
        assert there.store.jobs.unfinished() == [job("job_2")]


def test_a_cancelled_job_still_counts_the_lines_at_hand(service: Service) -> None:
    service.store.jobs.add(job("job_1"))
    service.store.jobs.start("job_1")
    service.store.jobs.finish("job_1", "cancelled", None)
    assert not service.store.jobs.advance("job_1", JobCounts(done=3, embedded=3), 9, [])
    over = service.store.jobs.get(ALL_BOTS, "job_1")
    assert (over.state, over.counts.done) == ("cancelled", 3)


def test_a_job_is_taken_over_from_its_former_owner_only_once(service: Service) -> None:
    service.store.jobs.add(job("job_1"))
    assert service.store.jobs.own("job_1", "srv_one", "srv_two")
    assert not service.store.jobs.own("job_1", "srv_one", "srv_three")
    service.store.jobs.finish("job_1", "failed", "x")
    assert not service.store.jobs.own("job_1", "srv_two", "srv_three")


def test_an_unknown_job_is_not_found(service: Service) -> None:
    with pytest.raises(NotFound, match="job_none"):
        service.store.jobs.get(ALL_BOTS, "job_none")


def test_many_first_users_make_one_base(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    with assemble(settings) as one, assemble(settings) as two:
        push(one, page("a", "The heron."))
        push(two, page("b", "The egret."))
        assert sorted(names(one, "heron egret")) == sorted(names(two, "heron egret")) == ["a", "b"]
