"""What is told to be on disk is asked of the drive itself."""

import fcntl
import os
from pathlib import Path

import pytest

from rag_service import disk
from rag_service.background.spool import Spool, SpoolWriter
from rag_service.storage.sqlite.database import RowsFile


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Paths, in the order that the system was asked for them."""
    asked: list[str] = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        asked.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    return asked


def test_a_batch_is_on_disk_with_the_entries_of_its_folders(
    tmp_path: Path, synced: list[str]
) -> None:
    spool = Spool(tmp_path / "data" / "jobs", "job_1")
    writer = SpoolWriter(spool)
    writer.write(b"{}\n")
    assert synced == []
    writer.close()
    writer.release()
    assert synced == [str(path) for path in (spool.lines, *spool.lines.parents[:2])]


def test_a_file_is_whole_before_it_has_its_name(tmp_path: Path, synced: list[str]) -> None:
    partial, path = tmp_path / "f.partial", tmp_path / "f"
    path.write_text("former")
    partial.write_text("new")
    disk.replace(partial, path)
    assert path.read_text() == "new" and not partial.exists()
    assert synced == [str(partial), str(tmp_path)]


def test_on_macos_the_drive_is_asked_to_write_what_it_holds(
    tmp_path: Path, synced: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    full, asked = 51, []

    def refuse(descriptor: int, command: int) -> int:
        asked.append(command)
        if len(asked) > 1:
            raise OSError("this file system cannot")
        return 0

    monkeypatch.setattr(fcntl, "F_FULLFSYNC", full, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", refuse)
    disk.sync(tmp_path)
    assert (asked, synced) == ([full], [])
    disk.sync(tmp_path)
    assert (asked, synced) == ([full, full], [str(tmp_path)])


def test_commits_and_checkpoints_ask_for_it_too(tmp_path: Path) -> None:
    rows = RowsFile(tmp_path / "rag.db", 1)
    try:
        for access in (rows.reading, rows.writing):
            with access() as connection:
                for name in ("fullfsync", "checkpoint_fullfsync"):
                    assert connection.execute(f"pragma {name}").fetchone() == (1,)
    finally:
        rows.close()
