"""Copies of deleted text in the free space of pages, overwritten where they stand, in portions.

Where SQLite moves rows to another page it leaves copies of them in the free space of the former
one, with `secure_delete` too. VACUUM takes them out and holds up writers for a second per 100 MB;
this holds them up for some milliseconds a portion, however large the file is.

The file is written without SQLite, so all depends on nobody else writing it meanwhile. Nobody does
while this process holds the lock of writers and the log is empty: no writer can begin, and there is
nothing that a checkpoint could move. Only bytes that the page itself calls unallocated are changed
(SQLite, "Database File Format", section 1.6), so a reader at the same moment reads the same rows,
and a crash in the middle leaves the page as valid as it was. Each portion ends with a commit, which
makes all others drop the pages that they hold in memory.

It runs in a process of its own, since closing a file releases the locks that its process has on it.
"""

import os
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from io import FileIO
from pathlib import Path

from rag_service.disk import sync_open
from rag_service.errors import StorageBusy, StorageFailed
from rag_service.programs import program
from rag_service.storage.sqlite.driver import sqlite3

LARGEST_PAGE = 2 << 24
"""From this number on (128 GiB), the first byte of an overflow page may be that of a tree's."""
_PORTION = 500
"""Pages that are overwritten under one lock."""
_READ_AT_ONCE = 256
_HELD_UP_MS = 250
"""How long writers wait at most for those who read the log; who begins to read needs it no more."""
_PAUSE_S = 0.01
_BUSY = 75
"""Exit code, of sysexits.h: try again."""
_HEADERS = {2: 12, 5: 12, 10: 8, 13: 8}
"""Of the pages of trees by their kind, in bytes."""


def erase_copies(path: Path, timeout_s: float) -> None:
    """Returns when no page up to LARGEST_PAGE has anything in its free space that was there before.

    Raises StorageBusy when writers or readers leave no moment for it, and StorageFailed.
    """
    done = subprocess.run(
        [*program(__name__), str(path), str(timeout_s)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == _BUSY:
        raise StorageBusy("the log of rag.db is never empty: copies are erased another time")
    if done.returncode:
        raise StorageFailed(f"copies of deleted text are not erased: {done.stderr[-500:]}")


def free_ranges(page: bytes) -> list[tuple[int, int]]:
    """Where a page of a tree is unallocated, from and to; nothing for any other page."""
    header = _HEADERS.get(page[0])
    if header is None:
        return []
    size = len(page)
    block, cells, content = struct.unpack_from(">HHH", page, 1)
    content = content or 65_536
    start = header + 2 * cells
    if not start <= content <= size:
        return []
    if cells and not content <= min(struct.unpack_from(f">{cells}H", page, header)):
        return []
    ranges = [(start, content)]
    while block:
        if not content <= block <= size - 4:
            return []
        following, length = struct.unpack_from(">HH", page, block)
        end = block + length
        if length < 4 or end > size or 0 < following < end:
            return []
        ranges.append((block + 4, end))  # after the block's own header
        block = following
    return ranges


def _overwrite(path: Path, timeout_s: float) -> None:
    """Raises StorageBusy, OSError and sqlite3.Error."""
    with (
        path.open("r+b", buffering=0) as file,  # closed after the connection: see above
        closing(sqlite3.connect(path, isolation_level=None)) as rows,
    ):
        rows.execute("pragma fullfsync = on")
        page_size = _page_size(file)
        _hold(rows, path, timeout_s)
        rows.execute("rollback")  # all that is in the log by now is in the file as well
        dirty = list(_dirty(file, page_size))
        for start in range(0, len(dirty), _PORTION):
            _hold(rows, path, timeout_s)
            for number in dirty[start : start + _PORTION]:
                place = (number - 1) * page_size
                page = os.pread(file.fileno(), page_size, place)
                # a file may have become shorter meanwhile
                for begin, end in free_ranges(page) if len(page) == page_size else ():
                    os.pwrite(file.fileno(), bytes(end - begin), place + begin)
            sync_open(file.fileno())
            _commit(rows)


def _page_size(file: FileIO) -> int:
    """Raises StorageFailed where pages have anything but rows: checksums at their end, or places
    of other pages (auto_vacuum).
    """
    header = os.pread(file.fileno(), 100, 0)
    (page_size,) = struct.unpack_from(">H", header, 16)
    (auto_vacuum,) = struct.unpack_from(">I", header, 52)
    if not header.startswith(b"SQLite format 3\0") or header[20] or auto_vacuum:
        raise StorageFailed("rag.db has a layout that is not known")
    return 65_536 if page_size == 1 else int(page_size)


def _hold(rows: sqlite3.Connection, path: Path, timeout_s: float) -> None:
    """Hold the lock of writers, at a moment when the log is empty. Raises StorageBusy."""
    log = path.with_name(f"{path.name}-wal")
    until = time.monotonic() + timeout_s
    while True:
        rows.execute(f"pragma busy_timeout = {_HELD_UP_MS}")
        rows.execute("pragma wal_checkpoint(passive)")  # holds up neither readers nor writers
        rows.execute("pragma wal_checkpoint(truncate)")
        rows.execute(f"pragma busy_timeout = {int(timeout_s * 1000)}")
        rows.execute("begin immediate")
        if log.stat().st_size == 0:
            return
        rows.execute("rollback")
        if time.monotonic() > until:
            raise StorageBusy("the log of rag.db is never empty")
        time.sleep(_PAUSE_S)  # SQLite tells nobody when a reader has ended


def _dirty(file: FileIO, page_size: int) -> Iterator[int]:
    """Numbers of the pages with anything in their free space; the first holds no rows of ours.

    They are read without a lock: each is looked at again before it is written.
    """
    count = os.fstat(file.fileno()).st_size // page_size
    if count >= LARGEST_PAGE:
        return
    for start in range(1, count, _READ_AT_ONCE):
        read = os.pread(file.fileno(), _READ_AT_ONCE * page_size, start * page_size)
        for at in range(0, len(read) - page_size + 1, page_size):
            page = read[at : at + page_size]
            if any(page.count(0, *free) < free[1] - free[0] for free in free_ranges(page)):
                yield start + at // page_size + 1


def _commit(rows: sqlite3.Connection) -> None:
    """A commit that changes nothing: others read all pages anew."""
    (version,) = rows.execute("pragma user_version").fetchone()
    rows.execute(f"pragma user_version = {version}")
    rows.execute("commit")


def main() -> None:
    try:
        _overwrite(Path(sys.argv[1]), float(sys.argv[2]))
    except StorageBusy:
        sys.exit(_BUSY)
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
            sys.exit(_BUSY)
        raise


if __name__ == "__main__":
    main()
