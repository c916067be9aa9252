"""Which server owes what: a lock on a file tells whether it is still there."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from rag_service.errors import StorageFailed


class owner_lock:  # noqa: N801  reads as a function
    """Held while a server lives; the system lets go of it however the server ends."""

    def __init__(self, folder: Path, owner: str) -> None:
        self._path = folder / f"{owner}.lock"
        self._file: BinaryIO | None = None

    def __enter__(self) -> None:
        """Raises BlockingIOError when the owner is alive."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = self._path.open("wb")
            self._path.chmod(0o600)
        except OSError as error:
            raise StorageFailed(f"the data folder cannot be written: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BaseException:
            self._file.close()
            raise

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._path.unlink(missing_ok=True)
            self._file.close()


def turn_at(path: Path) -> BinaryIO | None:
    """A file that is locked until it is closed; None while another process has it.

    Raises OSError. The file stays, since whoever opens one that is taken away locks nothing.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = path.open("ab")
    try:
        path.chmod(0o600)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    except BaseException:
        file.close()
        raise
    return file


def hold(file: BinaryIO) -> None:
    """Until it is closed, nobody is alone with it."""
    fcntl.flock(file, fcntl.LOCK_SH)


@contextmanager
def alone_with(path: Path) -> Iterator[bool]:
    """Whether nobody holds the file, and nobody can while this lasts; so it is where there is no
    file."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        yield True
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
