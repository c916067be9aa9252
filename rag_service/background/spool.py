"""A batch on disk while it is worked on: the lines that came in, and the results that go out."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

from rag_service.disk import sync
from rag_service.errors import Invalid, StorageFailed
from rag_service.locks import hold


class Spool:
    """Two NDJSON files below RAG_DATA_DIR/jobs, named after the job."""

    def __init__(self, folder: Path, job_id: str) -> None:
        self.lines = folder / f"{job_id}.ndjson"
        self.results = folder / f"{job_id}.results.ndjson"

    def size(self) -> int:
        """Bytes of the lines; 0 when they are gone."""
        try:
            return self.lines.stat().st_size
        except OSError:
            return 0

    def remove(self) -> None:
        self.lines.unlink(missing_ok=True)
        self.results.unlink(missing_ok=True)


class SpoolWriter:
    """Takes the bytes of a batch as they come. Raises StorageFailed when the disk is full."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._file: BinaryIO | None = None
        self._blank = True
        self.total = 0

    def write(self, data: bytes) -> None:
        try:
            if self._file is None:
                self._file = open_private(self._spool.lines, "wb")
                hold(self._file)  # it is swept with what has no job otherwise
            self._file.write(data)
        except OSError as error:
            raise StorageFailed(f"the batch could not be written: {error.strerror}") from error
        self._count(data)

    def close(self) -> None:
        """After this the lines are on disk. Raises Invalid when there are none.

        They are held until `release`, when there is a job to which they belong.
        """
        if self._file is None or not (self.total or not self._blank):
            self.abandon()
            raise Invalid("the batch is empty: send one JSON object a line")
        self.total += not self._blank
        try:
            self._file.flush()
            folder = self._spool.lines.parent
            for path in (self._spool.lines, folder, folder.parent):
                sync(path)  # without the entries of the folders the lines would be lost
        except OSError as error:
            raise StorageFailed(f"the batch could not be written: {error.strerror}") from error

    def release(self) -> None:
        if self._file is not None:
            self._file.close()

    def abandon(self) -> None:
        with suppress(OSError):  # why it is given up is what the caller has to hear
            if self._file is not None:
                self._file.close()
        with suppress(OSError):
            self._spool.remove()

    def _count(self, data: bytes) -> None:
        """Lines that are not blank."""
        *ended, rest = data.split(b"\n")
        for line in ended:
            self.total += not (self._blank and not line.strip())
            self._blank = True
        self._blank = self._blank and not rest.strip()


def read_lines(
    path: Path, longest: int, *, offset: int = 0
) -> Iterator[tuple[int, int, bytes | None]]:
    """(line number, where the next begins, the line) for each that is not blank.

    A line of more than `longest` bytes is None, and never held in memory.
    """
    with path.open("rb") as file:
        number = _count_lines(file, offset)
        while True:
            line = file.readline(longest + 1)
            if not line:
                return
            number += 1
            blank = not line.strip()
            is_long = len(line) > longest and not line.endswith(b"\n")
            while is_long and not line.endswith(b"\n") and (line := file.readline(1 << 20)):
                blank = blank and not line.strip()
            if not blank:
                yield number, file.tell(), None if is_long else line


def open_private(path: Path, mode: str) -> BinaryIO:
    """For its owner alone, its folder as well, whatever the umask."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return cast(BinaryIO, open(path, mode, opener=_for_owner))


def _for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _count_lines(file: BinaryIO, offset: int) -> int:
    """How many lines end before `offset`; leaves the file there."""
    count = 0
    while file.tell() < offset:
        part = file.read(min(1 << 20, offset - file.tell()))
        if not part:
            break
        count += part.count(b"\n")
    return count
