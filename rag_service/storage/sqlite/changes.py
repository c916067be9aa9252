"""The log of chunks that came and went, which triggers write and views follow.

It is kept from where the sealed views of a bot are; views that are older are compared with all
chunks instead, and a ledger of gaps that is older asks all its questions again.
"""

import numpy as np

from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.views.bot import BotViews

_SOME = 5000


def newest_change(connection: sqlite3.Connection, bot: int) -> int:
    row = connection.execute("select max(seq) from changes where bot = ?", [bot]).fetchone()
    return max(int(row[0] or 0), pruned_until(connection, bot))


def pruned_until(connection: sqlite3.Connection, bot: int) -> int:
    """Up to which change they are gone, since all sealed views have them."""
    row = connection.execute("select seq from pruned where bot = ?", [bot]).fetchone()
    return int(row[0]) if row else 0


def changes_since(connection: sqlite3.Connection, bot: int, after: int) -> int:
    if after < pruned_until(connection, bot):  # all chunks have to be compared
        row = connection.execute("select count(*) from chunks where bot = ?", [bot]).fetchone()
    else:
        row = connection.execute(
            "select count(*) from changes where bot = ? and seq > ?", [bot, after]
        ).fetchone()
    return int(row[0])


def moved_since(
    connection: sqlite3.Connection, bot: int, views: BotViews, newest: int
) -> tuple[list[int], list[int]]:
    """Which chunks came and which went since the watermark of the views."""
    if views.watermark < pruned_until(connection, bot):
        rows = connection.execute("select id from chunks where bot = ? order by id", [bot])
        there, known = np.fromiter((row[0] for row in rows), np.int64), views.ids()
        came, gone = np.setdiff1d(there, known), np.setdiff1d(known, there)
        return came.tolist(), gone.tolist()
    ids: list[int] = []
    went: list[int] = []
    for chunk, exists in connection.execute(
        # what came and went since is nothing to these views
        """select chunk, chunks.id is not null from
        (select chunk, count(*) as times from changes
        where bot = ? and seq > ? and seq <= ? group by chunk)
        left join chunks on chunks.id = chunk where chunks.id is not null or times = 1""",
        [bot, views.watermark, newest],
    ):
        (ids if exists else went).append(chunk)
    return ids, went


def some_later(connection: sqlite3.Connection, bot: int, after: int) -> int | None:
    """A change not far behind this one; None where there is none."""
    if after < pruned_until(connection, bot):
        return newest_change(connection, bot)
    row = connection.execute(
        """select max(seq) from
        (select seq from changes where bot = ? and seq > ? order by seq limit ?)""",
        [bot, after, _SOME],
    ).fetchone()
    return None if row[0] is None else int(row[0])


def prune_changes(connection: sqlite3.Connection, bot: int, until: int, at_once: int) -> bool:
    """Forget some of those up to `until`, which the sealed views have; True when that was all."""
    connection.execute(
        """insert into pruned values (?, ?)
        on conflict do update set seq = max(seq, excluded.seq)""",
        [bot, until],
    )
    gone = connection.execute(
        """delete from changes where seq in
        (select seq from changes where bot = ? and seq <= ? order by seq limit ?)""",
        [bot, until, at_once],
    )
    return gone.rowcount < at_once
