"""Brings rag.db to the tables of this version: a copy first, then a step at a time.

Each step is a transaction, which sets `user_version` too. So a crash between two of them leaves a
file that the next upgrade goes on with.
"""

from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from sqlite_utils import Database

from rag_service.disk import replace
from rag_service.errors import OtherVersion, StorageFailed
from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.sqlite.schema import schema


def _names() -> list[str]:
    with closing(sqlite3.connect(":memory:")) as connection:
        return [step.name for step in schema.pending(Database(connection))]


def _number(name: str) -> int:
    """12 of `m012_upkeep`."""
    return int(name.partition("_")[0].removeprefix("m"))


STEPS = _names()
LATEST = max(map(_number, STEPS))


def version(connection: sqlite3.Connection) -> int:
    """The last step that the rows have taken; 0 for a new file, or where none was noted."""
    return int(connection.execute("pragma user_version").fetchone()[0])


def pending(connection: sqlite3.Connection) -> list[str]:
    """Steps that are missing. Raises OtherVersion when the rows are of a later version."""
    database = Database(connection, execute_plugins=False)
    applied = {step.name for step in schema.applied(database)}
    if version(connection) > LATEST or not applied <= set(STEPS):
        raise OtherVersion(
            "this data folder was written by a later version of rag-service: "
            "use that version, or another RAG_DATA_DIR"
        )
    return [name for name in STEPS if name not in applied]


def is_new(connection: sqlite3.Connection) -> bool:
    return len(pending(connection)) == len(STEPS)


def refuse_older(connection: sqlite3.Connection) -> None:
    """Raises OtherVersion where an upgrade is wanted first."""
    if pending(connection):
        raise OtherVersion(
            "this data folder was written by an earlier version of rag-service: "
            "start the server, or run `rag-service upgrade`, which keep a copy of it"
        )


def refuse_changed(connection: sqlite3.Connection) -> None:
    """Raises OtherVersion when somebody has upgraded the rows since they were opened."""
    if version(connection) != LATEST:
        raise OtherVersion(
            "another version of rag-service has upgraded this data folder: restart this one"
        )


def upgrade(connection: sqlite3.Connection, path: Path, tell: Callable[[str], None]) -> None:
    """Take all steps that are missing; `tell` hears of each before it begins.

    Several processes may start at once: the first to hold the lock takes a step, and the others
    find it taken. A new file has all of them at once, or none.
    """
    connection.execute("pragma foreign_keys = off")  # it cannot be turned off in a transaction
    try:
        while missing := pending(connection):
            connection.execute("begin immediate")
            try:
                missing = pending(connection)  # nobody else takes one any more
                if len(missing) == len(STEPS):
                    _take(connection, missing, [])
                elif missing:
                    if not _is_copied(connection, path):
                        tell(f"a copy of rag.db is made: {copy_name(path).name}")
                        _copy(path)
                    tell(f"rag.db: step {_number(missing[0])} of {LATEST} ({missing[0]})")
                    _take(connection, missing[:1], missing[1:])
                connection.execute("commit")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("rollback")
                raise
    finally:
        connection.execute("pragma foreign_keys = on")


def copy_name(path: Path) -> Path:
    """Where the copy is kept that is made before the upgrade to this version."""
    return path.with_name(f"{path.name}.before-{LATEST}")


def copies(path: Path) -> list[Path]:
    """Those that former upgrades, or this one, have made."""
    return [found for found in path.parent.glob(f"{path.name}.before-*") if found.is_file()]


def _take(connection: sqlite3.Connection, steps: list[str], later: list[str]) -> None:
    database = Database(connection, execute_plugins=False)
    schema.apply(database, stop_before=later)
    if broken := connection.execute("pragma foreign_key_check").fetchone():
        raise StorageFailed(
            f"rag.db cannot be upgraded: a row of {broken[0]} refers to one of {broken[2]} that is "
            "not there; nothing was changed"
        )
    connection.execute(f"pragma user_version = {_number(steps[-1]) if later else LATEST}")


def _is_copied(connection: sqlite3.Connection, path: Path) -> bool:
    """An upgrade that goes on keeps the copy from before its first step."""
    try:
        with closing(
            sqlite3.connect(f"{copy_name(path).absolute().as_uri()}?mode=ro", uri=True)
        ) as copy:
            base = "select id from base"
            same = copy.execute(base).fetchone() == connection.execute(base).fetchone()
            return same and version(copy) < version(connection)
    except sqlite3.Error:  # there is none, or none that can be read
        return False


def _copy(path: Path) -> None:
    """By another connection, while this one keeps writers away. One copy is kept."""
    final = copy_name(path)
    partial = final.with_name(f"{final.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600)
        with (
            closing(sqlite3.connect(path)) as rows,
            closing(sqlite3.connect(partial)) as copy,
        ):
            rows.backup(copy)
            # one file, which can be read without a log beside it
            copy.execute("pragma journal_mode = delete")
        replace(partial, final)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):  # why it failed is what the caller has to hear
            partial.unlink(missing_ok=True)
        needed = path.stat().st_size / 1e6
        raise StorageFailed(
            f"no copy of rag.db could be made before its upgrade ({error}): make {needed:.0f} MB "
            f"of room in {path.parent}; nothing was changed"
        ) from error
    for former in copies(path):
        if former != final:
            former.unlink()
