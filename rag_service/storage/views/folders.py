"""The folders of sealed views, and the lock of whoever seals those of a bot."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def discard(folder: Path) -> bool:
    """Out of sight in one step, then deleted; a name left behind would count as a sealed part."""
    aside = folder.with_name(f"{folder.name}.{os.getpid()}.damaged")
    shutil.rmtree(aside, ignore_errors=True)
    with suppress(FileNotFoundError):  # another process was faster
        try:
            folder.rename(aside)
        except PermissionError:
            return False
    shutil.rmtree(aside, ignore_errors=True)
    return not folder.exists()


def seal_lock(folder: Path, bot: int) -> Path:
    return folder / f"{bot}.lock"


@contextmanager
def sealing_alone(folder: Path, bot: int) -> Iterator[bool]:
    """Among all processes; False when another one is sealing this bot."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / str(bot)).mkdir(mode=0o700, exist_ok=True)
    with seal_lock(folder, bot).open("w") as file:
        os.fchmod(file.fileno(), 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
