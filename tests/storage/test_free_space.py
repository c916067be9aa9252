"""Copies of deleted text are overwritten where they stand, and nothing else is touched."""

import random
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_service.errors import StorageBusy, StorageFailed
from rag_service.programs import program
from rag_service.storage.sqlite import free_space
from rag_service.storage.sqlite.database import RowsFile
from rag_service.storage.sqlite.driver import sqlite3

KINDS = [2, 5, 10, 13]
MARKER = re.compile(rb"marker-\d+-\d{7}-0\.\d{8}")


class Filled:
    """Rows of all lengths, of which many were deleted, and what is left of those."""

    def __init__(self, rows: RowsFile) -> None:
        self.rows = rows
        self.there: dict[str, str] = {}
        self.gone: set[str] = set()

    def change(self, count: int, seed: int) -> None:
        rng = random.Random(seed)
        with self.rows.writing() as connection:
            for number in range(count):
                if rng.random() < 0.55 or not self.there:
                    marker = f"marker-{seed}-{number:07}-{rng.random():.8f}"
                    text = marker + " x" * rng.randint(0, rng.choice([10, 200, 1500, 5000]))
                    self.there[marker] = text
                    connection.execute(
                        "insert into translations values (?, 'de', 'c', 1, ?, '')", [marker, text]
                    )
                else:
                    marker = rng.choice(list(self.there))
                    del self.there[marker]
                    self.gone.add(marker)
                    connection.execute("delete from translations where message_id = ?", [marker])

    def left(self) -> list[str]:
        """Deleted ones that are in the file or its log."""
        # by another process: closing a file would release the locks that this one has on it
        command = ["cat", *self.rows.path.parent.glob("rag.db*")]
        held = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
        found = set(MARKER.findall(held))
        return [marker for marker in self.gone if marker.encode() in found]

    def is_whole(self) -> bool:
        with self.rows.reading() as connection:
            kept = connection.execute("select message_id, text from translations").fetchall()
            checked = connection.execute("pragma integrity_check").fetchall()
        return dict(kept) == self.there and checked == [("ok",)]

    def empty_log(self) -> None:
        with self.rows.erasing():
            pass


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """Closed."""
    with closing(RowsFile(tmp_path_factory.mktemp("first") / "rag.db", 30)) as rows:
        filled = Filled(rows)
        filled.change(8_000, seed=1)
        return filled


@pytest.fixture
def filled(tmp_path: Path, first: Filled) -> Iterator[Filled]:
    """A copy of it."""
    shutil.copy(first.rows.path, tmp_path)
    with closing(RowsFile(tmp_path / "rag.db", 30)) as rows:
        filled = Filled(rows)
        filled.there, filled.gone = dict(first.there), set(first.gone)
        yield filled


def test_copies_are_gone_and_every_row_is_there(filled: Filled) -> None:
    assert filled.left() != []
    filled.rows.erase_copies()
    assert filled.left() == []
    assert filled.is_whole()
    size = filled.rows.path.stat().st_size
    filled.rows.erase_copies()
    assert filled.rows.path.stat().st_size == size


def test_no_connection_brings_them_back_from_its_memory(filled: Filled) -> None:
    other = RowsFile(filled.rows.path, 30)
    with closing(other):
        for rows in (filled.rows, other):
            with rows.reading() as connection:
                connection.execute("select sum(length(text)) from translations").fetchone()
        filled.rows.erase_copies()
        for rows in (filled.rows, other):
            with rows.writing() as connection:
                connection.execute("update translations set text = text || '.'")
    filled.there = {marker: f"{text}.." for marker, text in filled.there.items()}
    filled.empty_log()
    assert filled.left() == []
    assert filled.is_whole()


def test_others_read_and_write_meanwhile(filled: Filled) -> None:
    ended = threading.Event()
    faults: list[bool] = []

    def read() -> None:
        with closing(RowsFile(filled.rows.path, 30)) as rows:
            while not ended.is_set():
                with rows.reading() as connection:
                    found = connection.execute("select message_id, text from translations")
                    faults.extend(not text.startswith(marker) for marker, text in found)

    def write() -> None:
        seed = 2
        while not ended.is_set():
            filled.change(100, seed)
            seed += 1

    others = [threading.Thread(target=work) for work in (read, write)]
    for other in others:
        other.start()
    try:
        for _ in range(2):
            filled.rows.erase_copies()
    finally:
        ended.set()
        for other in others:
            other.join()
    assert not any(faults)
    assert filled.is_whole()
    filled.rows.erase_copies()
    filled.empty_log()
    assert filled.left() == []
    assert filled.is_whole()


def test_a_kill_at_any_moment_leaves_every_row(filled: Filled) -> None:
    command = [*program(free_space.__name__), str(filled.rows.path), "30"]
    before = filled.rows.path.stat().st_mtime_ns
    with subprocess.Popen(command) as child:
        while child.poll() is None and filled.rows.path.stat().st_mtime_ns == before:
            time.sleep(0.0001)
        child.kill()
    assert filled.rows.path.stat().st_mtime_ns != before, "it had begun"
    assert filled.is_whole()
    filled.rows.erase_copies()
    assert filled.left() == []
    assert filled.is_whole()


def test_while_a_reader_holds_the_log_it_is_put_off(filled: Filled) -> None:
    with closing(RowsFile(filled.rows.path, 0.2)) as rows:
        with rows.reading() as connection:
            connection.execute("select count(*) from translations").fetchone()
            filled.change(10, seed=3)
            with pytest.raises(StorageBusy):
                rows.erase_copies()
            assert filled.left() != []
        rows.erase_copies()
    filled.empty_log()
    assert filled.left() == []
    assert filled.is_whole()


def test_a_layout_that_is_not_known_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "rag.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("pragma auto_vacuum = full")
        database.execute("pragma journal_mode = wal")
        database.execute("create table t (x)")
        database.commit()
        with pytest.raises(StorageFailed, match="layout"):
            free_space.erase_copies(path, 1)


pages = st.builds(
    lambda kind, header, rest: bytes([kind]) + header + rest.ljust(1024 - 1 - len(header), b"\0"),
    st.sampled_from([0, 1, *KINDS, 255]),
    st.binary(min_size=7, max_size=7),
    st.binary(max_size=1016),
)


@given(pages)
def test_whatever_a_page_says_no_byte_outside_of_it_is_free(page: bytes) -> None:
    ranges = free_space.free_ranges(page)
    places = [place for both in ranges for place in both]
    assert places == sorted(places)
    assert all(8 <= place <= len(page) for place in places)
    assert page[0] in KINDS or not ranges
