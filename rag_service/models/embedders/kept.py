"""Folders that are made once from a model and kept beside the rows, whole or not at all."""

import fcntl
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from rag_service.errors import ModelUnavailable

_END = 1 << 20
_MANIFEST = "manifest.json"


def keep(target: Path, make: Callable[[Path], None]) -> None:
    """See to it that `target` is there; `make` fills a new folder where it is missing or damaged.

    Of several processes one makes it and the others wait. Raises ModelUnavailable when it cannot
    be kept, and what `make` raises.
    """
    cache = target.parent
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / f"{target.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _is_whole(target):
                _replace(target, make)
    except OSError as error:
        raise ModelUnavailable(
            f"the model {target.name} cannot be kept in {cache}: {error}"
        ) from error


def _replace(target: Path, make: Callable[[Path], None]) -> None:
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    make(partial)
    files = [path for path in partial.rglob("*") if path.is_file()]
    manifest = {str(path.relative_to(partial)): _seen(path) for path in files}
    (partial / _MANIFEST).write_bytes(msgspec.json.encode(manifest))
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)


def _is_whole(target: Path) -> bool:
    try:
        manifest = msgspec.json.decode(
            (target / _MANIFEST).read_bytes(), type=dict[str, tuple[int, str]]
        )
        return bool(manifest) and all(_seen(target / n) == seen for n, seen in manifest.items())
    except (OSError, msgspec.DecodeError):
        return False


def _seen(path: Path) -> tuple[int, str]:
    """Size and digest; of a file in the tens of megabytes, its first and last part."""
    size = path.stat().st_size
    digest = hashlib.sha256()
    with path.open("rb") as file:
        digest.update(file.read(_END))
        file.seek(max(0, size - _END))
        digest.update(file.read())
    return size, digest.hexdigest()
