"""A file that crashes its reader, hangs or is too large costs itself, and nobody else anything."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from files import docx, pdf, wordpress, xlsx
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_service.documents import Document, ParsedDocument
from rag_service.errors import ReaderUnavailable, Unreadable
from rag_service.readers import parse_each
from rag_service.readers.containers import Within, pushes_of
from rag_service.readers.messages import Limits
from rag_service.readers.pool import ReaderPool

FAILING = [sys.executable, str(Path(__file__).with_name("failing_child.py"))]
PATIENT = Limits(memory_mb=1024, seconds=60, output_bytes=10_000_000)
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="where the system limits memory")


@pytest.fixture
def pools() -> Iterator[Callable[..., ReaderPool]]:
    made = []

    def make(size: int = 2, command: list[str] | None = None, limits: Limits = PATIENT):
        made.append(ReaderPool(size, limits, command))
        return made[-1]

    yield make
    for pool in made:
        pool.close()


@pytest.fixture
def failing(pools) -> ReaderPool:
    """Reads plain text, or fails as that says."""
    return pools(size=1, command=FAILING)


def file(data: bytes | str, format: str = "text") -> Document:
    return Document(
        source_url="file", content=data if isinstance(data, bytes) else data.encode(), format=format
    )


def read(pool: ReaderPool, *contents: bytes | str) -> list[str]:
    """Of each its text, or why it could not be read."""
    results = pool.read([file(content) for content in contents])
    return [one.reason if isinstance(one, Unreadable) else one.text for one in results]


def test_files_are_read_as_in_this_process_and_in_their_order(pools):
    rows = [["Item", "Price"], ["Tea", 3]]
    documents = [
        file(pdf(["The stork.", "The ibis."]), "pdf"),
        file("# Hours\n\nWe open at nine.", "markdown"),
        file(docx("Gift cards never expire."), "docx"),
        file(b"%PDF-1.4 torn", "pdf"),
        file(xlsx(rows), "xlsx"),
        Document(source_url="text", content="Pushed as text, 1 < 2.", title="Title"),
        Document(source_url="long", content="<p>Long, \ud800 and long.</p>" * 2_000),
        file("<p>Within thirty days.</p>", "html"),
        file("Subject: Hi\n\nHello.", "eml"),
    ]
    found = list(pools().read(documents))
    expected = list(parse_each(documents))
    assert [str(one) for one in found] == [str(one) for one in expected]
    assert sum(isinstance(one, ParsedDocument) for one in found) == 8


@given(
    content=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)),
    title=st.text(st.characters(exclude_categories=()), max_size=10),
    format=st.sampled_from(["auto", "text", "markdown", "html", "csv", "json", "eml"]),
)
@settings(max_examples=50)
def test_any_bytes_are_read_or_refused_as_in_this_process(shared_pool, content, title, format):
    document = Document(source_url="file", content=content, title=title, format=format)
    [found] = shared_pool.read([document])
    [expected] = parse_each([document])
    if isinstance(expected, Unreadable):
        assert found.reason == expected.reason
    else:
        assert found == expected


@pytest.fixture(scope="module")
def shared_pool() -> Iterator[ReaderPool]:
    pool = ReaderPool(1, PATIENT)
    yield pool
    pool.close()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("segfault", "made its reader crash (SIGSEGV), being damaged or too large"),
        ("abort", "made its reader crash (SIGABRT), being damaged or too large"),
        ("exit", "made its reader crash (exit code 0), being damaged or too large"),
        ("recursion", "is nested too deeply"),
        ("unforeseen x", "cannot be read (KeyError): save it again"),
        ("unreadable is locked", "is locked"),
        pytest.param("memory", "takes more than 1,024 MiB of memory", marks=needs_linux),
    ],
)
def test_a_file_that_fails_is_refused_with_the_reason_and_the_next_one_is_read(
    failing, content, reason
):
    before, refused, after = read(failing, "before", content, "after")
    assert (before, after) == ("before", "after")
    assert refused.startswith(reason)


@pytest.mark.parametrize("content", ["endless", "sleep"])
def test_a_file_that_takes_too_long_is_refused(pools, content):
    limits = Limits(memory_mb=1024, seconds=0.3, output_bytes=10_000)
    [refused] = read(pools(1, FAILING, limits), content)
    assert refused == "took longer than 0.3 s to read (RAG_READER_SECONDS): split it"


def test_a_file_of_slow_pages_has_the_time_for_each_of_them(pools):
    limits = Limits(memory_mb=1024, seconds=0.3, output_bytes=10_000)
    assert read(pools(1, FAILING, limits), "pages 24") == ["all pages"]


def test_a_file_that_holds_too_much_text_is_refused(pools):
    limits = Limits(memory_mb=1024, seconds=60, output_bytes=2 << 20)
    long = b"A word and another one.\n\n" * 100_000
    assert read(pools(1, None, limits), b"short", long, b"short") == [
        "short",
        "holds more than 2 MiB of text: split it",
        "short",
    ]


def test_a_file_that_crashes_its_reader_spares_those_beside_it(pools):
    contents = [content for n in range(20) for content in (f"file {n}", "segfault")]
    found = read(pools(2, FAILING), *contents)
    assert found[::2] == [f"file {n}" for n in range(20)]
    assert all(reason.startswith("made its reader crash") for reason in found[1::2])


def test_a_slow_file_does_not_hold_the_others(pools, tmp_path):
    pool = pools(2, FAILING)
    slow: list[str] = []
    thread = threading.Thread(target=lambda: slow.extend(read(pool, f"wait {tmp_path / 'go'}")))
    thread.start()
    assert read(pool, *("quick" for _ in range(50))) == ["quick"] * 50
    assert not slow
    (tmp_path / "go").touch()
    thread.join()
    assert slow == ["waited"]


def test_a_reader_that_has_grown_is_replaced_and_one_that_has_not_reads_on(failing):
    first, second, _, third = read(failing, "pid", "pid", "grow", "pid")
    assert first == second != third


def test_a_reader_that_somebody_else_ended_is_replaced(failing):
    [pid] = read(failing, "pid")
    os.kill(int(pid), signal.SIGKILL)
    _wait_until_gone(int(pid))
    assert read(failing, "still there") == ["still there"]


def test_what_a_library_prints_is_not_taken_for_an_answer(failing):
    assert read(failing, "output nobody asked for this", "next") == ["printed", "next"]


def test_a_reader_goes_on_when_the_service_is_told_to_end(failing):
    assert read(failing, "end") == ["goes on"]


def test_a_reader_sees_no_secret_and_no_open_file_of_the_service(failing, monkeypatch):
    monkeypatch.setenv("RAG_CHAT_API_KEY", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with socket.socket() as connection:
        connection.set_inheritable(True)
        variables, descriptors = read(failing, "variables", "descriptors")
    assert "PATH" in variables.split()
    assert not {"RAG_CHAT_API_KEY", "AWS_SECRET_ACCESS_KEY"} & set(variables.split())
    assert "socket" not in descriptors.split()


def test_a_module_in_the_current_folder_is_not_run(pools, tmp_path, monkeypatch):
    (tmp_path / "msgspec.py").write_text("raise SystemExit('taken over')")
    monkeypatch.chdir(tmp_path)
    assert read(pools(), "a text") == ["a text"]


def test_a_reader_that_cannot_be_started_is_no_fault_of_the_file(pools, tmp_path):
    for command in ([str(tmp_path / "missing")], [sys.executable, "-c", "raise SystemExit(3)"]):
        with pytest.raises(ReaderUnavailable, match="no process to read files can be started"):
            read(pools(1, command), "a text")


def test_close_ends_the_readers_and_gives_up_what_they_read(pools):
    pool = pools(1, FAILING)
    [pid] = read(pool, "pid")
    given_up: list[BaseException] = []

    def ask() -> None:
        try:
            read(pool, "sleep", "next")
        except ReaderUnavailable as error:
            given_up.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    pool.close()
    thread.join()
    _wait_until_gone(int(pid))
    assert len(given_up) == 1
    with pytest.raises(ReaderUnavailable):
        read(pool, "a text")


# -- files of several documents -------------------------------------------------------------------

MAIL = (
    b"Subject: Fees\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    b"--x\r\nContent-Type: text/plain\r\n\r\nSee the list.\r\n"
    b"--x\r\nContent-Disposition: attachment; filename=list.csv\r\n\r\na,b\r\n--x--\r\n"
)


def test_the_documents_in_a_file_are_those_that_this_process_finds(pools):
    pool = pools()
    export = wordpress(("One", "publish"), ("Two", "publish"), ("Three", "draft"))
    for name, data, within in (
        ("blog.xml", export, Within()),
        ("blog.xml", export, Within(types=("page", "post"))),
        ("fees.eml", MAIL, Within(attachments=True)),
        ("fees.eml", MAIL, Within()),
        ("fees.mbox", b"From a 10:00\n" + MAIL, Within(attachments=True)),
        ("page.md", b"# Page", Within(attachments=True)),
    ):
        found = list(pool.unpack(name, data, "file", within))
        expected = list(pushes_of(name, data, "file", within))
        assert msgspec.json.encode(found) == msgspec.json.encode(expected)
    assert len(found) == 1


def test_a_damaged_export_gives_what_it_has_and_then_the_reason(pools):
    export = wordpress(*((f"Post {n}", "publish") for n in range(9)))
    for name, data in (("blog.xml", export[:-300]), ("blog.xml", b"<rss"), ("blog.psd", b"")):
        for pushes in (pools().unpack(name, data, "file"), pushes_of(name, data, "file")):
            with pytest.raises(Unreadable) as caught:
                list(pushes)
        assert caught.value.reason


def test_an_export_may_be_left_halfway_and_taken_slowly(pools):
    limits = Limits(memory_mb=1024, seconds=0.3, output_bytes=10_000_000)
    pool = pools(1, None, limits)
    export = wordpress(*((f"Post {n}", "publish") for n in range(3_000)))
    for _ in range(2):  # the second one would wait for the first
        pushes = pool.unpack("blog.xml", export, "file")
        assert next(pushes)["title"] == "Post 0"
        pushes.close()
    slow = pool.unpack("blog.xml", export, "file")
    next(slow)
    time.sleep(6)  # it has more to say than a pipe holds
    assert read(pool, b"meanwhile") == ["meanwhile"]
    assert len(list(slow)) == 2_999


OWNER = """
import sys
from rag_service.documents import Document
from rag_service.readers.messages import Limits
from rag_service.readers.pool import ReaderPool

pool = ReaderPool(2, Limits(memory_mb=1024, seconds=0.5, output_bytes=10_000), sys.argv[1:])
def read(*contents):
    return pool.read([Document(source_url="file", content=one, format="text") for one in contents])
reading = read(b"pid", b"sleep")
print(next(reading).text, next(read(b"pid")).text, flush=True)
sys.stdin.read()
"""


def test_readers_end_with_a_service_that_is_killed():
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, *FAILING],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    pids = [int(pid) for pid in owner.stdout.readline().split()]
    owner.kill()
    owner.communicate()
    assert len(pids) == 2
    for pid in pids:
        _wait_until_gone(pid)


def _wait_until_gone(pid: int) -> None:
    """Raises TimeoutError."""
    for _ in range(3000):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        if _is_dead(pid):
            return
        time.sleep(0.01)
    raise TimeoutError(f"process {pid} is still there")


def _is_dead(pid: int) -> bool:
    """It has ended, and its parent has not asked for its status."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return False
