"""What was deleted is taken out of every file, and what has outlived its use is removed."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from rag_service.clock import written
from rag_service.storage.sqlite.base import Base
from rag_service.storage.sqlite.changes import prune_changes
from rag_service.storage.sqlite.database import RowsFile, as_json
from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.sqlite.upgrade import copies

_EVERY = timedelta(days=1)
_AGAIN = timedelta(seconds=1)
"""How soon a log that a reader holds is tried again."""
_LARGE = 20_000
"""Chunks of a bot whose views take seconds to be made anew."""
_GATHERED = timedelta(hours=1)
"""How long deletes of a large bot are gathered before its views are made anew."""
_GRACE = timedelta(days=1)
"""A push may have found a vector known, and use it when its other passages are embedded."""
_COPY_KEPT = timedelta(days=30)
"""The copy from before an upgrade holds what is deleted afterwards, so it has an end as well."""
_DELIVERIES_KEPT = timedelta(days=30)
"""What became of a delivery can be looked at for as long; its event stays with it."""
_REPACKED = 512 * 1024 * 1024
"""Bytes. To write a larger file anew would hold up writers for too long."""
_AT_ONCE = 1000


class SqliteUpkeep:
    def __init__(self, rows: RowsFile, base: Base, most_repacked: int = _REPACKED) -> None:
        self._rows = rows
        self._base = base
        self._most_repacked = most_repacked

    def owes(self, now: datetime) -> bool:
        with self._rows.reading() as connection:
            found = connection.execute(
                """select exists (select 1 from erasures)
                or exists (select 1 from upkeep where ended_at < ?)""",
                [written(now - _EVERY)],
            ).fetchone()
            return bool(found[0])

    def erase_deleted(self, now: datetime) -> datetime | None:
        later = [self._erase_views(bot, seq, since, now) for bot, seq, since in self._owed_views()]
        if not self._rows.erase_log():
            later.append(now + _AGAIN)
        return min((moment for moment in later if moment is not None), default=None)

    def outlived_at(self) -> datetime:
        with self._rows.reading() as connection:
            (ended_at,) = connection.execute("select ended_at from upkeep").fetchone()
            return datetime.fromisoformat(ended_at)

    def remove_outlived(
        self, now: datetime, *, jobs_before: datetime, events_before: datetime
    ) -> int:
        removed = (
            self._in_pieces(_remove_jobs, written(jobs_before))
            + self._in_pieces(_remove_deliveries, written(now - _DELIVERIES_KEPT))
            + self._in_pieces(_remove_events, written(events_before))
            + self._in_pieces(_remove_vectors, written(now - _GRACE))
        )
        for bot in self._bots():
            self._renew_views(bot)
            self._prune(bot)
        for copy in copies(self._rows.path):
            if copy.stat().st_mtime < (now - _COPY_KEPT).timestamp():
                copy.unlink(missing_ok=True)
        with self._rows.erasing():
            pass  # what is removed above may be in the log
        if self._rows.path.stat().st_size <= self._most_repacked:
            self._rows.repack()
        else:
            self._rows.erase_copies()
        with self._rows.writing() as connection:
            connection.execute("update upkeep set ended_at = ?", [written(now)])
        return removed

    def unknown_jobs(self, job_ids: Sequence[str]) -> set[str]:
        with self._rows.reading() as connection:
            found = connection.execute(
                "select id from jobs where id in (select value from json_each(?))",
                [as_json(list(job_ids))],
            )
            return set(job_ids) - {row[0] for row in found}

    def _owed_views(self) -> list[tuple[int, int, datetime]]:
        """Of each bot the newest delete, and when the oldest was."""
        with self._rows.reading() as connection:
            found = connection.execute(
                """select bot, max(seq), min(created_at) from erasures where bot <> 0
                group by bot order by bot"""
            ).fetchall()
        return [(bot, seq, datetime.fromisoformat(since)) for bot, seq, since in found]

    def _erase_views(self, bot: int, seq: int, since: datetime, now: datetime) -> datetime | None:
        """When to come again; None when the views on disk hold nothing of what was deleted."""
        indexes = self._base.known_indexes()
        if indexes.may_hold(bot) and indexes.is_being_sealed(bot):  # what is not named yet
            return now + _AGAIN
        held = indexes.holds_until(bot)
        if held is not None and held < seq:
            due = since if indexes.chunks(bot) <= _LARGE else since + _GATHERED
            if now < due:
                return due
            indexes.seal(bot, 0)
            held = indexes.holds_until(bot)
            if held is not None and held < seq:  # another process is sealing
                return now + _AGAIN
        with self._rows.writing() as connection:
            connection.execute("delete from erasures where bot = ? and seq <= ?", [bot, seq])
        return None

    def _renew_views(self, bot: int) -> None:
        """Where the sealed ones have text that an edit has replaced since."""
        indexes = self._base.known_indexes()
        held = indexes.holds_until(bot)
        if held is None:
            return
        with self._rows.reading() as connection:
            (is_replaced,) = connection.execute(
                """select exists (select 1 from changes where bot = ? and seq > ?
                and not exists (select 1 from chunks where chunks.id = chunk))""",
                [bot, held],
            ).fetchone()
        if is_replaced:
            indexes.seal(bot, 0)

    def _prune(self, bot: int) -> None:
        until = self._base.known_indexes().holds_until(bot)
        done = until is None
        while until is not None and not done:
            with self._rows.writing() as connection:
                done = prune_changes(connection, bot, until, _AT_ONCE)
                connection.execute("delete from seals where bot = ? and seq < ?", [bot, until])

    def _in_pieces(self, remove: Callable[[sqlite3.Connection, str], int], before: str) -> int:
        removed = 0
        while True:
            with self._rows.writing() as connection:
                count = remove(connection, before)
            removed += count
            if count < _AT_ONCE:
                return removed

    def _bots(self) -> list[int]:
        with self._rows.reading() as connection:
            return [row[0] for row in connection.execute("select id from bots order by id")]


def owe_views(connection: sqlite3.Connection, bot: int, now: str) -> None:
    """What was deleted in this transaction is in the sealed views of the bot still."""
    connection.execute(
        """insert into erasures (bot, seq, created_at)
        select bot, max(seq), ? from changes where bot = ? group by bot""",
        [now, bot],
    )


def _remove_jobs(connection: sqlite3.Connection, before: str) -> int:
    return connection.execute(
        "delete from jobs where id in (select id from jobs where finished_at < ? limit ?)",
        [before, _AT_ONCE],
    ).rowcount


def _remove_deliveries(connection: sqlite3.Connection, before: str) -> int:
    return connection.execute(
        """delete from deliveries where id in
        (select id from deliveries where ended_at < ? limit ?)""",
        [before, _AT_ONCE],
    ).rowcount


def _remove_events(connection: sqlite3.Connection, before: str) -> int:
    """But those that are not given out yet, or whose deliveries can be looked at."""
    return connection.execute(
        """delete from events where seq in (select seq from events where created_at < ?
        and (seq <= (select seq from outbox) or not exists (select 1 from webhooks where enabled))
        and not exists (select 1 from deliveries where event = events.seq) limit ?)""",
        [before, _AT_ONCE],
    ).rowcount


def _remove_vectors(connection: sqlite3.Connection, before: str) -> int:
    """Those that a chunk has again stay, and are no more noted as unused."""
    unused = [
        row[0]
        for row in connection.execute(
            "select embedding from unused_embeddings where since < ? limit ?", [before, _AT_ONCE]
        )
    ]
    these = as_json(unused)
    connection.execute(
        "delete from unused_embeddings where embedding in (select value from json_each(?))", [these]
    )
    connection.execute(
        """delete from embeddings where id in (select value from json_each(?))
        and not exists (select 1 from chunks where embedding = embeddings.id)""",
        [these],
    )
    return len(unused)
