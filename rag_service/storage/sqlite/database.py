"""One SQLite file, opened by many threads and processes: WAL, and a commit is on disk.

Writers take a lock of this process first and then SQLite's, so that threads wait for each other
without spinning. Readers have a connection per thread; WAL lets them read while one writes.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from rag_service.clock import Clock, SystemClock, written
from rag_service.errors import StorageBusy, StorageFailed
from rag_service.storage.sqlite.driver import check_version, sqlite3
from rag_service.storage.sqlite.free_space import erase_copies
from rag_service.storage.sqlite.upgrade import (
    is_new,
    pending,
    refuse_changed,
    refuse_older,
    upgrade,
)

_MOMENT = "moment"
"""What a connection calls its clock."""


class RowsFile:
    """`rag.db`. Raises StorageFailed when it cannot be made, opened or read.

    An earlier version's is upgraded where `tell_upgrade` is given, which hears how far that is;
    otherwise it raises OtherVersion, as a later version's always does. What is written is stamped
    with the time of `clock`: see `now`.
    """

    def __init__(
        self,
        path: Path,
        lock_timeout_s: float,
        tell_upgrade: Callable[[str], None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        check_version()
        self._clock = clock or SystemClock()
        self.path = path
        self._timeout = lock_timeout_s
        self._write_lock = threading.Lock()
        self._reading = threading.local()
        self._idle: list[sqlite3.Connection] = []
        self._pool_lock = threading.Lock()
        self._watcher: sqlite3.Connection | None = None
        self._watching = threading.Lock()
        self._closed = False
        self.listeners: list[Callable[[], None]] = []
        """Called after each commit of this process, by the thread that wrote."""
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StorageFailed(
                f"the data folder {path.parent} cannot be made ({error.strerror}): "
                "set RAG_DATA_DIR to a folder that can be written"
            ) from error
        with self._translating():
            _claim(path)
            self._writer = self._connect()
            try:
                pending(self._writer)  # nothing of a later version's file is touched
                self._writer.execute("pragma journal_mode = wal")
                self._writer.execute("pragma synchronous = full")
                # in every write: a row that moves to another page leaves nothing where it was
                self._writer.execute("pragma secure_delete = on")
                self._bring_up_to_date(tell_upgrade)
            except BaseException:
                self._writer.close()
                raise

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, from `begin immediate` to the commit, or to nothing at all."""
        if not self._write_lock.acquire(timeout=self._timeout):
            raise StorageBusy("another write of this process holds the lock: try again")
        try:
            if self._closed:
                raise StorageFailed("the store is closed")
            with self._translating():
                self._writer.execute("begin immediate")
                try:
                    refuse_changed(self._writer)
                    yield self._writer
                    self._writer.execute("commit")
                except BaseException:
                    if self._writer.in_transaction:  # a full disk has rolled it back already
                        self._writer.execute("rollback")
                    raise
        finally:
            self._write_lock.release()
        for tell in self.listeners:
            tell()

    @contextmanager
    def erasing(self) -> Iterator[sqlite3.Connection]:
        """A transaction after which what it deletes is in no file of the rows any more.

        Where a reader holds the log, that is owed, as a row: see `erase_log`.
        """
        with self.writing() as connection:
            yield connection
            connection.execute(
                "insert into erasures (bot, seq, created_at) values (0, 0, ?)", [now(connection)]
            )
        with suppress(StorageBusy):  # it is deleted, and the rest comes later
            self.erase_log()

    def repack(self) -> None:
        """Write every page anew. Takes the lock of writers for about a second per 100 MB.

        Where SQLite moves rows to another page it leaves copies of them in the free space of the
        former one, with secure_delete too: of 10,000 deleted texts, two are still there.
        """
        if not self._write_lock.acquire(timeout=self._timeout):
            raise StorageBusy("another write of this process holds the lock: try again")
        try:
            if self._closed:
                raise StorageFailed("the store is closed")
            with self._translating():
                self._writer.execute("vacuum")
        finally:
            self._write_lock.release()
        with self.erasing():
            pass  # the former pages are in the log

    def erase_copies(self) -> None:
        """Overwrite those copies alone. Holds up writers for milliseconds, and frees no room."""
        erase_copies(self.path, self._timeout)

    def owes_log(self) -> bool:
        """Deleted text is in the write-ahead log still."""
        with self.reading() as connection:
            found = connection.execute("select exists (select 1 from erasures where bot = 0)")
            return bool(found.fetchone()[0])

    def erase_log(self) -> bool:
        """Take deleted text out of the write-ahead log, if that is owed. Waits for nobody.

        False while a reader or a writer is in the way.
        """
        owed = "from erasures where bot = 0"
        with self.reading() as connection:
            newest = connection.execute(f"select max(id) {owed}").fetchone()[0]
        if newest is None:
            return True
        with self._translating(), closing(self._connect()) as connection:
            connection.execute("pragma busy_timeout = 0")
            connection.execute("pragma wal_checkpoint(passive)")  # holds up neither side
            blocked, _, _ = connection.execute("pragma wal_checkpoint(truncate)").fetchone()
        if blocked:
            return False
        with self.writing() as connection:
            connection.execute(f"delete {owed} and id <= ?", [newest])
        return True

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Everything read inside is of one moment; inside another one, of that one's moment."""
        outer: sqlite3.Connection | None = getattr(self._reading, "connection", None)
        if outer is not None:
            yield outer
            return
        with self._translating():
            connection = self._borrow()
            try:
                connection.execute("begin")
                refuse_changed(connection)
                self._reading.connection = connection
                yield connection
            finally:
                self._reading.connection = None
                self._give_back(connection)

    def version(self) -> int:
        """Another number after each commit of any process; costs some microseconds."""
        with self._watching, self._translating():
            if self._closed:
                raise StorageFailed("the store is closed")
            if self._watcher is None:
                self._watcher = self._connect()
            return int(self._watcher.execute("pragma data_version").fetchone()[0])

    def close(self) -> None:
        """Waits for the write at hand; a reader at work closes its connection when it is done."""
        with self._write_lock, self._pool_lock, self._watching:
            self._closed = True
            if self._watcher is not None:
                self._watcher.close()
            self._writer.close()
            for connection in self._idle:
                connection.close()

    def _borrow(self) -> sqlite3.Connection:
        with self._pool_lock:
            if self._closed:
                raise StorageFailed("the store is closed")
            if self._idle:
                return self._idle.pop()
        connection = self._connect()
        connection.execute("pragma query_only = on")
        return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if connection.in_transaction:
            connection.rollback()  # nothing was written: it only ends the moment
        with self._pool_lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=self._timeout, isolation_level=None, check_same_thread=False
        )
        connection.execute("pragma foreign_keys = on")
        connection.execute("pragma cache_size = -8000")
        # macOS: otherwise a commit may still be in the drive's own memory
        connection.execute("pragma fullfsync = on")
        connection.execute("pragma checkpoint_fullfsync = on")
        connection.create_function("fold", 1, str.casefold, deterministic=True)
        connection.create_function(_MOMENT, 0, lambda: written(self._clock.now()))
        return connection

    def _bring_up_to_date(self, tell: Callable[[str], None] | None) -> None:
        if tell is None and is_new(self._writer):
            tell = _nobody
        if tell is not None:
            upgrade(self._writer, self.path, tell)
        refuse_older(self._writer)

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise _translated(error) from error


def now(connection: sqlite3.Connection) -> str:
    """By the clock of the rows' file, as rows are stamped."""
    return str(connection.execute(f"select {_MOMENT}()").fetchone()[0])


def insert(connection: sqlite3.Connection, table: str, values: Mapping[str, Any]) -> int:
    """By column; the new row's id."""
    row = connection.execute(
        f"insert into {table} ({', '.join(values)}) values ({', '.join('?' * len(values))})",
        list(values.values()),
    ).lastrowid
    assert row is not None
    return row


def as_json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _nobody(progress: str) -> None:
    pass


def _claim(path: Path) -> None:
    """What is said, and what webhooks are signed with, is for its owner alone to read.

    SQLite gives the log and its index the mode of the file.
    """
    for one in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        with suppress(OSError):  # SQLite tells what is wrong
            if one == path or one.exists():
                one.touch(mode=0o600)
                one.chmod(0o600)  # of an earlier version, or copied from somewhere


def _translated(error: sqlite3.Error) -> StorageFailed:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    match code:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StorageBusy("another process is writing for too long: try again")
        case sqlite3.SQLITE_FULL:
            return StorageFailed("the disk is full: nothing was written; make room and try again")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return StorageFailed("the data folder cannot be written: check its owner and rights")
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return StorageFailed("rag.db is damaged: restore it from a backup")
        case sqlite3.SQLITE_IOERR:
            return StorageFailed("the disk failed while rag.db was used: nothing was written")
        case sqlite3.SQLITE_TOOBIG:
            return StorageFailed("the document is larger than SQLite can hold: nothing was written")
    return StorageFailed(f"the database failed ({type(error).__name__}): nothing was written")
