import os
import random
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import pytest
from shelf import ALL, MODES, names, page, push, settings_in, stored, texts

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import Service, assemble
from rag_service.documents import DEFAULT_BOT
from rag_service.errors import InvalidSettings, RagError, StorageBusy, StorageFailed
from rag_service.knowledge.store import Mode
from rag_service.settings import Settings, load_settings
from rag_service.storage.sqlite.driver import sqlite3

_SQL = re.compile(r"\b(select|insert|update|delete|pragma|begin|commit|sqlite)\b", re.IGNORECASE)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path, embedding_model="hashing:1024", lock_timeout_s=0.2)


def large(name: str, seed: int = 0) -> str:
    """Half a megabyte of words that occur nowhere else."""
    rng = random.Random(f"{name}{seed}")
    return name + " " + " ".join(rng.randbytes(4).hex() for _ in range(50_000))


def is_clear(error: pytest.ExceptionInfo[RagError]) -> bool:
    message = str(error.value)
    return not _SQL.search(message) and "Traceback" not in message and len(message) < 300


# -- no room -----------------------------------------------------------------------------------

# These run in a process of their own, whose files may not grow or whose disk is small. It tells
# what it saw as lines; `ROOM` in its input means that there is room again.

BEGIN = """
import sys
from pathlib import Path
sys.path[:0] = {path!r}
from shelf import page, push, settings_in, texts
from test_failures import large, limited
from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import assemble
from rag_service.documents import DEFAULT_BOT
from rag_service.errors import StorageFailed

folder = Path({folder!r})
settings = settings_in(folder, embedding_model="hashing:1024", index_dir=folder / "indexes")
"""

FILES_MAY_NOT_GROW = """
with assemble(settings) as service:
    push(service, page("first", "The heron waits."))
    try:
        with limited(200_000):
            for n in range(50):
                push(service, page(f"p{n}", large(f"p{n}")), page(f"q{n}", f"Small {n}."))
                print("kept", n)
    except StorageFailed as error:
        print("failed", error)
    print("found", texts(service, "heron waits", "keyword"))
    push(service, page("last", "There is room."))
    print("found", texts(service, "room", "keyword"))
    print("check", *service.store.views.check())
"""

THE_DISK_IS_FULL = """
ballast = folder / "ballast"
ballast.write_bytes(bytes(2_000_000))
with assemble(settings) as service:
    push(service, page("first", "The heron waits."))
    try:
        for n in range(100):
            push(service, page(f"p{n}", large(f"p{n}")), page(f"q{n}", f"Small {n}."))
            print("kept", n)
    except StorageFailed as error:
        print("failed", error)
    rest = (folder / "rest").open("wb", buffering=0)
    try:
        while True:
            rest.write(bytes(4096))
    except OSError:
        rest.close()
    try:
        service.store.views.seal(DEFAULT_BOT, share=0)
        print("sealed")
    except StorageFailed as error:
        print("seal failed", error)
    print("found", texts(service, "heron waits", "keyword"))
    service.knowledge.search(ALL_BOTS, "heron", DEFAULT_BOT, mode="dense")
    ballast.unlink()
    (folder / "rest").unlink()
    push(service, page("last", "There is room."))
    print("found", texts(service, "room", "keyword"))
    print("check", *service.store.views.check())
with assemble(settings) as service:
    for n in range(100):
        if f"Small {n}." in texts(service, f"Small {n}.", "keyword", k=100):
            print("there", n)
"""


@contextmanager
def limited(size: int) -> Iterator[None]:
    """No file of this process grows beyond `size` bytes."""
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, former[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)


def told(program: str, folder: Path, *command: str) -> list[str]:
    here = Path(__file__).parent
    begin = BEGIN.format(path=[str(here), str(here.parent)], folder=str(folder))
    done = subprocess.run(
        [*command, sys.executable, "-c", begin + program], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_write_that_finds_no_room_fails_whole_and_the_next_goes_on(tmp_path: Path) -> None:
    lines = told(FILES_MAY_NOT_GROW, tmp_path)
    failed = [line for line in lines if line.startswith("failed")]
    assert len(failed) == 1 and "nothing was written" in failed[0] and not _SQL.search(failed[0])
    assert [line for line in lines if line.startswith(("found", "check"))] == [
        "found ['The heron waits.']",
        "found ['There is room.']",
        "check",
    ]
    kept = [line.removeprefix("kept ") for line in lines if line.startswith("kept")]
    with assemble(settings_in(tmp_path, embedding_model="hashing:1024")) as service:
        assert_whole(service, kept)


def assert_whole(service: Service, kept: list[str]) -> None:
    """Each pair of pages is there if it was acknowledged, and not at all otherwise."""
    assert service.store.knowledge.documents(ALL_BOTS, ALL, limit=1, offset=0)[0] == 2 + 2 * len(
        kept
    )
    for n in kept:
        assert stored(service, f"p{n}").text == large(f"p{n}")
        assert texts(service, f"Small {n}", "keyword")[0] == f"Small {n}."


@pytest.fixture
def small_disk(tmp_path: Path) -> list[str]:
    """A command that runs another one with a disk of 16 MB at `tmp_path`, where that is allowed."""
    mount = f'mount -t tmpfs -o size=16m tmpfs {tmp_path} && exec "$@"'
    command = ["unshare", "-rm", "sh", "-c", mount, "sh"]
    try:
        subprocess.run([*command, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this system lets nobody make a small disk")
    return command


def test_a_full_disk_loses_nothing_and_serves_on(tmp_path: Path, small_disk: list[str]) -> None:
    lines = told(THE_DISK_IS_FULL, tmp_path, *small_disk)
    failed = [line for line in lines if line.startswith("failed")]
    assert len(failed) == 1 and "disk is full" in failed[0] and "nothing was written" in failed[0]
    assert any(line.startswith("seal failed the disk is full") for line in lines)
    assert [line for line in lines if line.startswith(("found", "check"))] == [
        "found ['The heron waits.']",
        "found ['There is room.']",
        "check",
    ]
    kept = [line.removeprefix("kept ") for line in lines if line.startswith("kept")]
    there = [line.removeprefix("there ") for line in lines if line.startswith("there")]
    assert kept == there != []


# -- no place ----------------------------------------------------------------------------------


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings = settings_in(tmp_path, data_dir=tmp_path / "file" / "data")
    with pytest.raises(StorageFailed, match=r"file.data cannot be made.*RAG_DATA_DIR") as error:
        assemble(settings).__enter__()
    assert is_clear(error)


def test_a_data_folder_that_cannot_be_written_is_told() -> None:
    with pytest.raises(StorageFailed, match=r"cannot be (made|written)") as error:
        assemble(settings_in(Path("/proc/self"), data_dir=Path("/proc/self"))).__enter__()
    assert is_clear(error)


def test_a_folder_in_place_of_the_rows_is_told(settings: Settings) -> None:
    (settings.data_dir / "rag.db").mkdir(parents=True)
    with pytest.raises(StorageFailed) as error:
        assemble(settings).__enter__()
    assert is_clear(error)


def test_a_timeout_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidSettings, match="RAG_LOCK_TIMEOUT_S"):
        load_settings({"RAG_LOCK_TIMEOUT_S": "0"})


# -- another process ---------------------------------------------------------------------------


@contextmanager
def a_writer_that_does_not_end(settings: Settings) -> Iterator[None]:
    with closing(sqlite3.connect(settings.data_dir / "rag.db", isolation_level=None)) as other:
        other.execute("begin immediate")
        yield
        other.execute("rollback")


def test_a_lock_that_is_held_too_long_is_busy_and_passes(settings: Settings) -> None:
    with assemble(settings) as service:
        push(service, page("a", "The heron."))
        with a_writer_that_does_not_end(settings):
            for attempt in (
                lambda: push(service, page("b", "The stork.")),
                lambda: service.knowledge.remove(ALL_BOTS, DEFAULT_BOT, ["https://example.com/a"]),
                lambda: service.store.bots.create(ALL_BOTS, "b"),
            ):
                with pytest.raises(StorageBusy, match="try again") as error:
                    attempt()
                assert is_clear(error)
            assert names(service, "heron") == ["a"]
            assert list(service.store.views.check()) == []
        push(service, page("b", "The stork."))
        assert names(service, "stork")[0] == "b"
        assert "b" not in service.store.bots.all(ALL_BOTS)


@pytest.mark.parametrize("mode", MODES)
def test_a_search_needs_no_lock_even_in_a_new_process(settings: Settings, mode: Mode) -> None:
    with assemble(settings) as service:
        push(service, page("a", "The heron."))
    with assemble(settings) as service, a_writer_that_does_not_end(settings):
        assert names(service, "heron", mode) == ["a"]


# -- damage ------------------------------------------------------------------------------------


@pytest.fixture
def filled(settings: Settings) -> Settings:
    with assemble(settings) as service:
        push(service, *(page(f"p{n}", large(f"p{n}")[:20_000]) for n in range(5)))
    return settings


def use(settings: Settings) -> None:
    with assemble(settings) as service:
        for complaint in service.store.views.check():
            raise StorageFailed(complaint)
        for n in range(5):
            names(service, f"p{n}")
            stored(service, f"p{n}")
        push(service, page("p0", large("p0", seed=1)[:20_000]), page("new", "A new page."))
        service.knowledge.remove(ALL_BOTS, DEFAULT_BOT, ["https://example.com/p1"])
        assert names(service, "A new page.")[0] == "new"


def test_rubbish_in_place_of_the_rows_is_told(filled: Settings) -> None:
    (filled.data_dir / "rag.db").write_bytes(random.Random(1).randbytes(50_000))
    with pytest.raises(StorageFailed, match=r"damaged.*backup") as error:
        use(filled)
    assert is_clear(error)


@pytest.mark.parametrize("seed", range(12))
def test_rows_that_are_damaged_anywhere_fail_in_our_words_or_not_at_all(
    filled: Settings, seed: int
) -> None:
    rng = random.Random(seed)
    path = filled.data_dir / "rag.db"
    data = bytearray(path.read_bytes())
    if seed % 3 == 0:
        del data[rng.randrange(100, len(data)) :]
    else:
        for _ in range(1 + seed):
            start = rng.randrange(100, len(data) - 4096)
            data[start : start + 4096] = rng.randbytes(4096)
    path.write_bytes(data)
    shutil.rmtree(filled.index_dir, ignore_errors=True)
    try:
        use(filled)
    except StorageFailed as error:
        assert not _SQL.search(str(error).replace("rag.db", ""))


def test_rows_that_went_away_while_they_are_used_are_no_other_error(filled: Settings) -> None:
    with assemble(filled) as service:
        os.truncate(filled.data_dir / "rag.db", 0)
        for wal in filled.data_dir.glob("rag.db-wal"):
            os.truncate(wal, 0)
        with pytest.raises(StorageFailed) as error:
            push(service, page("b", "The stork."))
        assert is_clear(error)


def test_settings_survive_the_way_to_a_child_process(settings: Settings) -> None:
    assert load_settings(settings.environ()) == settings
    changed = msgspec.structs.replace(settings, lock_timeout_s=1.5, max_body_mb=3)
    assert load_settings(changed.environ()) == changed


def test_what_is_kept_is_for_its_owner_alone_to_read(settings: Settings) -> None:
    with assemble(settings) as service:
        push(service, page("a", "The heron waits."))
        files = list(settings.data_dir.glob("rag.db*"))
        assert len(files) == 3
        assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
