"""Keeps every bot's views up to the rows, whoever wrote them.

A search reads the rows and the views from one moment: inside its read transaction it first
applies the changes past the view's watermark. That one step serves read-your-writes, a restart,
a crash between commit and sealing, and other processes that write.
"""

import logging
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rag_service.errors import RagError
from rag_service.ids import new_id
from rag_service.storage.sqlite.changes import changes_since, moved_since, newest_change, some_later
from rag_service.storage.sqlite.chunk_reader import (
    CHUNK,
    ChunkReader,
    chunks_of,
    entry_of,
    pieces,
)
from rag_service.storage.sqlite.database import RowsFile
from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.views.bot import (
    BotViews,
    Change,
    Damaged,
    Identity,
    Sealed,
    seal,
)
from rag_service.storage.views.folders import discard, seal_lock, sealing_alone
from rag_service.storage.views.vectors import stack

SEAL_ABOVE = 2000
"""Changes in the tail; below, a search reads the tail in well under a millisecond."""
SEAL_SHARE = 0.25
"""Of the sealed chunks: the tail grows with them, so that sealing stays linear in the corpus."""

_SLOW = 4
"""Times the limit: a tail that is read faster from a sealed folder, if there is a newer one."""

log = logging.getLogger(__name__)


class Indexes:
    def __init__(self, rows: RowsFile, folder: Path, identity: Identity) -> None:
        self._rows = rows
        self._folder = folder
        self._identity = identity
        self._views: dict[int, BotViews] = {}
        self._lock = threading.Lock()
        self._adopting = threading.Lock()

    def fresh(self, connection: sqlite3.Connection, bot: int) -> BotViews:
        """The bot's views, holding everything the connection's transaction sees."""
        views = self._of(bot)
        newest = newest_change(connection, bot)
        if views.watermark >= newest:
            return views
        pending = self._pending(connection, bot, views)
        if pending > _SLOW * self._limit(views):
            views = self._adopt(bot)
        elif pending > self._limit(views):
            self._adopt_soon(bot)
        with views.lock:
            self._apply(connection, bot, views, newest)
        return views

    def warm(self, bot: int) -> None:
        """Take over what came, in transactions of a moment; the rest is the next search's."""
        while True:
            with self._rows.reading() as connection:
                views = self._of(bot)
                until = some_later(connection, bot, views.watermark)
                if until is None:
                    return
                with views.lock:
                    self._apply(connection, bot, views, until)

    def wants_sealing(self, bot: int) -> bool:
        """Of what is on disk, since nobody may have searched yet for what came."""
        views = self._of(bot)
        with self._rows.reading() as connection:
            changed = changes_since(connection, bot, self._newest_sealed(bot) or 0)
        return changed > self._limit(views)

    def holds_until(self, bot: int) -> int | None:
        """Up to which change the sealed views of a bot are; None where there are none."""
        return self._newest_sealed(bot)

    def may_hold(self, bot: int) -> bool:
        """There are sealed views of a bot, or were, or are about to be."""
        return seal_lock(self._folder, bot).exists() or self._newest_sealed(bot) is not None

    def is_being_sealed(self, bot: int) -> bool:
        """By any process."""
        with sealing_alone(self._folder, bot) as mine:
            return not mine

    def chunks(self, bot: int) -> int:
        with self._rows.reading() as connection:
            row = connection.execute("select count(*) from chunks where bot = ?", [bot]).fetchone()
            return int(row[0])

    def seal(self, bot: int, share: float | None) -> bool:
        with self._rows.reading() as connection:
            watermark = newest_change(connection, bot)
            current = self._newest_sealed(bot)
            if current is not None and current > watermark:  # of rows that were there once
                current = None
            if current == watermark or not self._worth(connection, bot, current, share):
                return False
        folder = self._folder / str(bot)
        with sealing_alone(self._folder, bot) as mine:
            if not mine:
                return False
            token = new_id("seal")
            # a delete comes before all that is read, or finds that it may be in these views
            with self._rows.writing() as connection:
                reader = ChunkReader(self._rows, bot, self._identity.dimension)
                watermark = reader.watermark
                connection.execute("insert into seals values (?, ?, ?)", [token, bot, watermark])
            seal(folder, self._identity, watermark, token, reader)
            for old in folder.iterdir():
                if old.name != f"{watermark:020}":
                    shutil.rmtree(old, ignore_errors=True)
        if bot in self._views:
            self._adopt(bot)
        return True

    def discard(self, bot: int) -> None:
        """Forget the bot's views, on disk too."""
        with self._lock:
            shutil.rmtree(self._folder / str(bot), ignore_errors=True)
            self._views.pop(bot, None)

    def _of(self, bot: int) -> BotViews:
        views = self._views.get(bot)
        if views is not None:
            return views
        with self._lock:
            if bot not in self._views:
                self._views[bot] = BotViews(self._identity.dimension, self._load(bot))
            return self._views[bot]

    def _adopt(self, bot: int) -> BotViews:
        """Take over what was sealed last, if it is newer than what is loaded."""
        views = self._of(bot)
        loaded = views.sealed.manifest.watermark if views.sealed else 0
        if (self._newest_sealed(bot) or 0) <= loaded:
            return views
        sealed = self._load(bot)
        if sealed is None or sealed.manifest.watermark <= loaded:
            return views
        views = BotViews(self._identity.dimension, sealed)
        with self._rows.reading() as connection:
            self._apply(connection, bot, views, newest_change(connection, bot))
        with self._lock:
            self._views[bot] = views
        return views

    def _adopt_soon(self, bot: int) -> None:
        """Somebody else may have sealed meanwhile; searches go on with what is loaded."""
        if self._adopting.acquire(blocking=False):

            def adopt() -> None:
                try:
                    self._adopt(bot)
                except RagError as error:
                    log.warning("a newer view of bot %s could not be loaded: %s", bot, error)
                finally:
                    self._adopting.release()

            threading.Thread(target=adopt, name="adopt", daemon=True).start()

    def _load(self, bot: int) -> Sealed | None:
        """The newest folder that is whole and not ahead of the rows; others are thrown away."""
        with self._rows.reading() as connection:
            newest = newest_change(connection, bot)
        while folders := self._sealed(bot):  # another process may replace them while we read
            folder = max(folders)
            try:
                if int(folder.name) > newest and int(folder.name) > self._committed(bot):
                    raise Damaged(f"{folder.name} is ahead of the rows")
                sealed = Sealed(folder, self._identity)
                if not self._is_of_rows(sealed):
                    raise Damaged(f"{folder.name} is of rows that were replaced by a backup")
                return sealed
            except Damaged as damage:
                log.warning("the view of bot %s will be made again: %s", bot, damage)
                if not discard(folder):
                    break
        return None

    def _committed(self, bot: int) -> int:
        """The newest change of this moment, not of the transaction that is being read."""
        with self._rows.writing() as connection:
            return newest_change(connection, bot)

    def _is_of_rows(self, sealed: Sealed) -> bool:
        """A backup that was put back and written to reaches the same watermarks with other rows."""
        token = sealed.manifest.event
        with self._rows.reading() as connection:
            if _has_seal(connection, token):
                return True
        with self._rows.writing() as connection:  # sealed after the transaction being read began
            return _has_seal(connection, token)

    def _sealed(self, bot: int) -> list[Path]:
        try:
            found = (self._folder / str(bot)).iterdir()
            return [p for p in found if len(p.name) == 20 and p.name.isdecimal() and p.is_dir()]
        except OSError:
            return []

    def _newest_sealed(self, bot: int) -> int | None:
        return max((int(folder.name) for folder in self._sealed(bot)), default=None)

    def _apply(
        self, connection: sqlite3.Connection, bot: int, views: BotViews, newest: int
    ) -> None:
        ids, went = moved_since(connection, bot, views, newest)
        came, vectors = [], []
        for some in pieces(ids):
            for *chunk, vector in chunks_of(connection, f"{CHUNK}, vector", some):
                came.append(Change(entry_of(chunk), vector))
                vectors.append(vector)
        batch = stack([c.entry.chunk for c in came], vectors, self._identity.dimension)
        views.apply(came, batch, went, newest)

    def _pending(self, connection: sqlite3.Connection, bot: int, views: BotViews) -> int:
        return changes_since(connection, bot, views.watermark) + views.unsealed

    def _limit(self, views: BotViews) -> int:
        sealed = views.sealed.manifest.chunks if views.sealed else 0
        return max(SEAL_ABOVE, int(SEAL_SHARE * sealed))

    def _worth(
        self, connection: sqlite3.Connection, bot: int, current: int | None, share: float | None
    ) -> bool:
        if share == 0:
            return True
        changed = changes_since(connection, bot, current or 0)
        chunks = connection.execute("select count(*) from chunks where bot = ?", [bot]).fetchone()[
            0
        ]
        return bool(changed > max(SEAL_ABOVE, (share or SEAL_SHARE) * (chunks - changed)))

    # -- comparing and mending ------------------------------------------------------------------

    def check(self, bot: int, name: str) -> Iterator[str]:
        """What the views of a bot would find against what the rows hold."""
        with self._rows.reading() as connection:
            views = self.fresh(connection, bot)
            rows = connection.execute("select id from chunks where bot = ? order by id", [bot])
            expected = np.fromiter((row[0] for row in rows), np.int64)
            with views.lock:
                found, counted = views.ids(), views.chunks
        missing, extra = np.setdiff1d(expected, found), np.setdiff1d(found, expected)
        if len(missing):
            yield f"bot {name}: {len(missing)} chunks are missing from the vectors"
        if len(extra):
            yield f"bot {name}: the vectors hold {len(extra)} chunks that are not in the rows"
        if counted != len(expected):
            yield f"bot {name}: the words hold {counted} chunks and the rows {len(expected)}"


def _has_seal(connection: sqlite3.Connection, token: str) -> bool:
    """Views of earlier versions have the id of an event instead."""
    found = connection.execute(
        """select exists (select 1 from seals where token = ?)
        or exists (select 1 from events where id = ?)""",
        [token, token],
    ).fetchone()
    return bool(found[0]) or not token
