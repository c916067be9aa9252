import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from shelf import CountingEmbedder, bots, knowledge_with, names, page, push, stored, texts

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import Service, assemble
from rag_service.background.spool import Spool, SpoolWriter, read_lines
from rag_service.documents import DEFAULT_BOT, Document, Vectors
from rag_service.errors import Invalid, ModelUnavailable, StorageFailed, Unreadable
from rag_service.knowledge.embedder import Span
from rag_service.knowledge.imports import GROUP_DOCUMENTS, Importer, Result
from rag_service.knowledge.lines import Line, read_line
from rag_service.models.embedders import load_embedder
from rag_service.settings import Settings


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = set(threading.enumerate()) - before
    for thread in left:  # one that was told to adopt a view ends by itself
        if thread.name == "adopt":
            thread.join()
    assert not {thread for thread in left if thread.is_alive()}


def lines_of(documents: Iterable[Document]) -> Iterator[Line]:
    for number, document in enumerate(documents, 1):
        yield Line(number=number, source_url=document.source_url, document=document)


def pages(count: int, text: str = "Item") -> list[Document]:
    return [page(f"p{n}", f"{text} {n}.") for n in range(count)]


def run(service: Service, lines: Iterable[Line]) -> list[Result]:
    return [result for group in service.importer.run(ALL_BOTS, lines) for result in group]


# -- files that cost too much ------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="where the system limits memory")
def test_a_file_that_takes_too_much_memory_costs_itself(settings: Settings) -> None:
    bomb = b"[" + b"1," * 2_000_000 + b"1]"
    contents = (b"[1]", bomb, b"[2]", bomb, b"[3]")
    with assemble(replace(settings, reader_memory_mb=256)) as service:
        documents = [page(f"p{n}", data, format="json") for n, data in enumerate(contents)]
        results = run(service, lines_of(documents))
        assert [r.line.error is None for r in results] == [True, False, True, False, True]
        assert "takes more than 256 MiB of memory" in str(results[1].line.error)
        with pytest.raises(Unreadable, match="content"):
            service.knowledge.upsert(ALL_BOTS, documents[1:2])
        assert service.store.bots.all(ALL_BOTS)[DEFAULT_BOT].documents == 3


def test_a_file_that_takes_too_long_costs_itself(settings: Settings) -> None:
    slow = b"<p " + b"".join(b"a%d " % n for n in range(200_000)) + b">Slow."
    with assemble(replace(settings, reader_seconds=2, readers=1)) as service:
        contents = (b"One.", slow, b"Three.")
        documents = [page(f"p{n}", data, format="html") for n, data in enumerate(contents)]
        results = run(service, lines_of(documents))
        assert [r.line.error is None for r in results] == [True, False, True]
        assert "took longer than 2 s to read" in str(results[1].line.error)


# -- an import ---------------------------------------------------------------------------------


def test_each_line_has_its_result_in_order(service: Service) -> None:
    results = run(service, lines_of(pages(600)))
    assert [result.line.number for result in results] == list(range(1, 601))
    assert all(r.upserted and r.upserted.source_url == r.line.source_url for r in results)
    assert service.store.bots.all(ALL_BOTS)[DEFAULT_BOT].documents == 600


def test_a_bad_line_does_not_stop_the_others(service: Service) -> None:
    lines = list(lines_of(pages(20)))
    for at in (0, 7, 8, 19):
        lines[at] = Line(number=at + 1, error=f"bad {at}")
    results = run(service, lines)
    assert [result.line.number for result in results] == list(range(1, 21))
    assert [r.line.error for r in results if r.upserted is None] == [
        f"bad {at}" for at in (0, 7, 8, 19)
    ]
    assert service.store.bots.all(ALL_BOTS)[DEFAULT_BOT].documents == 16


def test_nothing_but_bad_lines_and_no_line_at_all_are_imports_too(service: Service) -> None:
    assert [r.upserted for r in run(service, [Line(number=1, error="bad")])] == [None]
    assert run(service, []) == []
    assert service.store.bots.all(ALL_BOTS) == {}


@given(versions=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2)), max_size=24))
def test_the_last_line_of_a_page_wins_and_each_is_told_what_it_did(
    service: Service, versions: list[tuple[str, int]]
) -> None:
    """As if they had been pushed one by one, whatever was there and is in flight."""
    documents = [page(name, f"Version {version} of {name}.") for name, version in versions]
    known = {name: stored(service, name) for name in "abc"}
    expected = {name: kept.text if kept else None for name, kept in known.items()}
    for document, result in zip(documents, run(service, lines_of(documents)), strict=True):
        assert result.upserted is not None
        name = document.source_url[-1]
        assert result.upserted.unchanged == (expected[name] == document.content)
        expected[name] = document.content
    for name, text in expected.items():
        kept = stored(service, name)
        assert (kept.text if kept else None) == text


def test_a_page_that_goes_back_to_what_is_stored_is_written_again(service: Service) -> None:
    push(service, page("a", "The heron."))
    run(service, lines_of([page("a", "The stork."), page("a", "The heron.")]))
    assert stored(service, "a").text == "The heron."
    assert texts(service, "stork heron") == ["The heron."]


def test_what_comes_out_is_kept_and_found_at_once(service: Service) -> None:
    seen = 0
    for group in service.importer.run(ALL_BOTS, lines_of(pages(3 * GROUP_DOCUMENTS))):
        seen += len(group)
        assert service.store.bots.all(ALL_BOTS)[DEFAULT_BOT].documents >= seen
        assert names(service, f"Item {seen - 1}.", "keyword")[0] == f"p{seen - 1}"


def test_a_stream_is_read_only_a_few_groups_ahead(service: Service) -> None:
    taken = 0

    def counted() -> Iterator[Line]:
        nonlocal taken
        for line in lines_of(page(f"p{n % 5000}", "The same.") for n in range(20_000)):
            taken = line.number
            yield line

    groups = service.importer.run(ALL_BOTS, counted())
    assert taken == 0, "nothing begins before it is asked for"
    out = 0
    for _ in range(8):
        out += len(next(groups))
        assert taken <= out + 6 * GROUP_DOCUMENTS
    groups.close()
    assert taken <= out + 7 * GROUP_DOCUMENTS


def test_large_pages_make_small_groups(service: Service) -> None:
    large = "Words about nothing. " * 10_000
    groups = list(
        service.importer.run(ALL_BOTS, lines_of(page(f"p{n}", f"{large} {n}") for n in range(6)))
    )
    assert max(len(group) for group in groups) <= 4


def test_views_are_sealed_when_that_is_worth_it(service: Service) -> None:
    run(service, lines_of(pages(100)))
    assert not list(service.settings.index_dir.rglob("sealed.json"))
    run(service, lines_of(pages(2500, "Article")))
    assert len(list(service.settings.index_dir.rglob("sealed.json"))) == 1
    assert not service.store.views.wants_sealing(DEFAULT_BOT)
    assert list(service.store.views.check()) == []


# -- what can go wrong -------------------------------------------------------------------------


class FailingEmbedder(CountingEmbedder):
    """Fails once it has been asked for more than a few texts."""

    def __init__(self, error: BaseException, after: int) -> None:
        super().__init__(load_embedder("hashing:1024", Path()))
        self._error = error
        self._after = after

    def embed_spans(
        self, texts: Sequence[str], spans: Sequence[Sequence[Span]]
    ) -> tuple[Vectors, list[Vectors]]:
        if self.passages + len(texts) > self._after:
            raise self._error
        return super().embed_spans(texts, spans)


@pytest.mark.parametrize("error", [ModelUnavailable("out of memory"), ValueError("x")])
def test_what_came_out_before_a_failure_stays(service: Service, error: Exception) -> None:
    embedder = FailingEmbedder(error, after=3 * GROUP_DOCUMENTS)
    importer = Importer(knowledge_with(service, embedder), service.store.views)
    out = 0
    with pytest.raises(type(error), match=str(error)):
        for group in importer.run(ALL_BOTS, lines_of(pages(3000))):
            out += len(group)
    assert out == 3 * GROUP_DOCUMENTS
    assert service.store.bots.all(ALL_BOTS)[DEFAULT_BOT].documents == out
    assert list(service.store.views.check()) == []


def test_a_source_that_fails_fails_the_import_after_what_came_before(service: Service) -> None:
    def source() -> Iterator[Line]:
        yield from lines_of(pages(GROUP_DOCUMENTS + 10))
        raise OSError("the tape is torn")

    out = 0
    with pytest.raises(OSError, match="torn"):
        for group in service.importer.run(ALL_BOTS, source()):
            out += len(group)
    assert out == GROUP_DOCUMENTS


def test_an_import_can_be_left_early(service: Service) -> None:
    groups = service.importer.run(ALL_BOTS, lines_of(pages(5000)))
    first = next(groups)
    groups.close()
    kept = service.store.bots.all(ALL_BOTS)[DEFAULT_BOT].documents
    assert kept == len(first)
    assert names(service, "Item 7.", "keyword")[0] == "p7"


def test_an_import_that_is_interrupted_ends_its_threads(service: Service) -> None:
    with pytest.raises(KeyboardInterrupt):
        for _ in service.importer.run(ALL_BOTS, lines_of(pages(5000))):
            raise KeyboardInterrupt
    assert list(service.store.views.check()) == []


def test_an_interrupt_in_a_stage_reaches_the_reader(service: Service) -> None:
    embedder = FailingEmbedder(KeyboardInterrupt(), after=0)
    importer = Importer(knowledge_with(service, embedder), service.store.views)
    with pytest.raises(KeyboardInterrupt):
        list(importer.run(ALL_BOTS, lines_of(pages(10))))


def test_views_that_cannot_be_written_do_not_fail_an_import(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    service.settings.index_dir.parent.mkdir(exist_ok=True)
    service.settings.index_dir.write_text("not a folder")
    assert len(run(service, lines_of(pages(2500)))) == 2500
    assert "could not be written" in caplog.text
    assert names(service, "Item 2345.", "keyword")[0] == "p2345"


def test_several_imports_at_once_keep_everything(service: Service) -> None:
    def one(which: int) -> None:
        documents = [page(f"w{which}-{n}", f"Writer {which}, item {n}.") for n in range(400)]
        run(service, lines_of([*documents, page("shared", f"By writer {which}.")]))

    threads = [threading.Thread(target=one, args=[which]) for which in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert service.store.bots.all(ALL_BOTS)[DEFAULT_BOT].documents == 3 * 400 + 1
    assert len(stored(service, "shared").passages) == 1
    assert list(service.store.views.check()) == []


# -- a line ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "not a JSON object"),
        (b'"\\ud800"', "not a JSON object"),
        (b"\xff\xfe", "not JSON"),
        (b"{}", "content is required; source_url is required"),
        (b'{"source_url": "https://a/b", "content": " \\n"}', "content is required"),
        (b'{"source_url": "nowhere", "content": "x"}', "source_url must be an absolute URI"),
        (b'{"source_url": 5, "content": "x"}', "source_url must be a string"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "nested too deeply"),
    ],
)
def test_a_bad_line_tells_why(raw: bytes, reason: str) -> None:
    line = read_line(raw, scope=ALL_BOTS, number=3, end=9)
    assert (line.number, line.end, line.document) == (3, 9, None)
    assert reason in (line.error or "")


def test_a_bound_token_writes_to_its_own_bot_only() -> None:
    push_to = '{{"source_url": "https://a/b", "content": "x", "bot_id": {}}}'
    for bot in ("null", '"mine"'):
        line = read_line(push_to.format(bot).encode(), number=1, scope=bots("mine"))
        assert line.document is not None and line.document.bot_id == "mine"
    other = read_line(push_to.format('"other"').encode(), number=1, scope=bots("mine"))
    assert other.document is None and other.source_url == "https://a/b"
    assert "bound to the bot 'mine'" in (other.error or "")


@given(st.binary(max_size=300))
def test_any_bytes_make_a_line(raw: bytes) -> None:
    line = read_line(raw, scope=ALL_BOTS, number=1)
    assert (line.document is None) == (line.error is not None)


# -- the spool ---------------------------------------------------------------------------------


def spooled(folder: Path, parts: Sequence[bytes]) -> tuple[Spool, int]:
    spool = Spool(folder, "job_1")
    writer = SpoolWriter(spool)
    for part in parts:
        writer.write(part)
    writer.close()
    writer.release()
    return spool, writer.total


def expected_lines(data: bytes, longest: int) -> list[tuple[int, int, bytes | None]]:
    found: list[tuple[int, int, bytes | None]] = []
    end = 0
    for number, line in enumerate(data.split(b"\n"), 1):
        start, end = end, end + len(line) + 1
        if line.strip():
            text = data[start:end]
            found.append((number, min(end, len(data)), None if len(line) > longest else text))
    return found


pieces = st.lists(
    st.one_of(st.sampled_from([b"\n", b" ", b"\r\n", b"ab", b"\t"]), st.binary(max_size=9)),
    max_size=30,
)


@given(parts=pieces, longest=st.integers(1, 12))
def test_however_it_is_cut_a_batch_has_the_same_lines(
    tmp_path: Path, parts: list[bytes], longest: int
) -> None:
    data = b"".join(parts)
    expected = expected_lines(data, longest)
    if not expected:
        with pytest.raises(Invalid, match="empty"):
            spooled(tmp_path, parts)
        assert list(tmp_path.iterdir()) == []
        return
    spool, total = spooled(tmp_path, parts)
    assert spool.lines.read_bytes() == data
    assert list(read_lines(spool.lines, longest)) == expected
    assert total == len(expected)
    for at, (_, offset, _) in enumerate(expected, 1):
        assert list(read_lines(spool.lines, longest, offset=offset)) == expected[at:]


def test_a_line_is_too_long_from_one_byte_over(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"12345\n123456\n     \n      \n12345")
    assert [line for *_, line in read_lines(path, 5)] == [b"12345\n", None, b"12345"]


def test_a_line_without_end_is_never_held_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"x" * 5_000_000 + b"\n{}\n")
    assert [(number, line) for number, _, line in read_lines(path, 10)] == [(1, None), (2, b"{}\n")]


def test_a_batch_that_is_given_up_leaves_no_file(tmp_path: Path) -> None:
    writer = SpoolWriter(Spool(tmp_path, "job_1"))
    writer.write(b"{}\n")
    writer.abandon()
    assert list(tmp_path.iterdir()) == []


def test_a_batch_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    writer = SpoolWriter(Spool(tmp_path / "file" / "jobs", "job_1"))
    with pytest.raises(StorageFailed, match="batch could not be written"):
        writer.write(b"{}")
    writer.abandon()


class PoisonedEmbedder(CountingEmbedder):
    """Cannot take one text, for a reason that nobody foresaw."""

    def embed_spans(
        self, texts: Sequence[str], spans: Sequence[Sequence[Span]]
    ) -> tuple[Vectors, list[Vectors]]:
        if any("Item 7." in text for text in texts):
            raise ZeroDivisionError
        return super().embed_spans(texts, spans)


def test_a_line_that_fails_unforeseen_stops_no_other(service: Service) -> None:
    importer = Importer(
        knowledge_with(service, PoisonedEmbedder(load_embedder("hashing:1024", Path()))),
        service.store.views,
    )
    results = [result for group in importer.run(ALL_BOTS, lines_of(pages(600))) for result in group]
    assert [result.line.number for result in results] == list(range(1, 601))
    (failed,) = [result for result in results if result.upserted is None]
    assert failed.line.source_url == "https://example.com/p7"
    assert "unforeseen" in (failed.line.error or "")
    assert service.store.bots.all(ALL_BOTS)[DEFAULT_BOT].documents == 599
