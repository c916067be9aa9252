"""Files that outlast a power cut: what returned from here is on the disk itself."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path


def sync(path: Path) -> None:
    """A file's bytes, or a folder's entries. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        sync_open(descriptor)
    finally:
        os.close(descriptor)


def sync_open(descriptor: int) -> None:
    """The same of one that is open. Raises OSError.

    On macOS fsync leaves the bytes in the drive's own memory, and F_FULLFSYNC does not.
    """
    full = getattr(fcntl, "F_FULLFSYNC", None)
    if full is not None:
        with suppress(OSError):  # not every file system can
            fcntl.fcntl(descriptor, full)
            return
    os.fsync(descriptor)


def replace(partial: Path, path: Path) -> None:
    """Give a file that is written its final name: a reader sees the former one, or this one whole.

    Raises OSError.
    """
    sync(partial)
    partial.replace(path)
    sync(path.parent)
