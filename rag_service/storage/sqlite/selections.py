"""Which chunks each filter leaves, kept from search to search and brought up to the rows.

`filings` notes each document that was written since, so a filter that is known is asked of those
alone. Chunks that were replaced stay in a selection, since a search of an earlier moment may still
need them; views know what is gone.
"""

import threading
from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np

from rag_service.access.scope import Scope
from rag_service.knowledge.filters import Filter
from rag_service.storage.sqlite.changes import newest_change
from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.sqlite.filters import is_found_by_values, matching, matching_each
from rag_service.storage.views.selection import Ids, Selection

MOST_KEPT = 256
MOST_CHUNKS_KEPT = 4_000_000
"""Of all selections together: 32 MB of ids."""
_FEW = 5000
"""Documents that are asked one by one; above, the index of values is faster."""
_SPARE = 1000


class Selections:
    """Thread-safe; of one process, and bounded."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Any, ...], _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def of(
        self, connection: sqlite3.Connection, scope: Scope, bot: int, wanted: Filter
    ) -> Selection:
        """`scope` is of that bot alone. It holds all chunks that the connection's transaction
        sees and the filter leaves."""
        key = (bot, *_key(wanted))
        with self._lock:
            known = self._kept.get(key)
        change = newest_change(connection, bot)
        if known is not None and known.change > change:  # of a moment after this transaction's
            return Selection(_all(connection, scope, bot, wanted))
        written = _written(connection, bot, known.filed if known else 0)
        if known is None or written.documents > _FEW or known.is_worn:
            ids = _all(connection, scope, bot, wanted)
            known = _Kept(written.newest, change, Selection(ids), len(ids))
        elif written.documents:
            known = _brought_up(connection, bot, wanted, known)
            known = known._replace(filed=written.newest, change=change)
        self._keep(key, known)
        return known.selection

    def _keep(self, key: tuple[Any, ...], known: "_Kept") -> None:
        with self._lock:
            former = self._kept.get(key)
            if former is None or former.filed <= known.filed:
                self._kept[key] = known
            self._kept.move_to_end(key)
            while len(self._kept) > MOST_KEPT or self._size() > MOST_CHUNKS_KEPT:
                if len(self._kept) == 1:
                    break
                self._kept.popitem(last=False)

    def _size(self) -> int:
        return sum(len(kept.selection.chunks) for kept in self._kept.values())


class _Kept(NamedTuple):
    """`filed` is the last filing that it knows of, and `change` the last change of chunks."""

    filed: int
    change: int
    selection: Selection
    chunks: int
    """How many it had when it was made."""

    @property
    def is_worn(self) -> bool:
        """Half of it may be gone."""
        return len(self.selection.chunks) > 2 * self.chunks + _SPARE


class _Written(NamedTuple):
    newest: int
    documents: int
    """Since then, at most one more than are few."""


def _written(connection: sqlite3.Connection, bot: int, since: int) -> _Written:
    row = connection.execute(
        """select max(seq), count(*) from
        (select seq from filings where bot = ? and seq > ? order by seq desc limit ?)""",
        [bot, since, _FEW + 1],
    ).fetchone()
    return _Written(int(row[0] or since), int(row[1]))


def _key(wanted: Filter) -> tuple[Any, ...]:
    """The same of filters that leave the same; true is no 1 in it."""
    condition, values = matching_each(wanted)
    return (condition, *values)


def _all(connection: sqlite3.Connection, scope: Scope, bot: int, wanted: Filter) -> Ids:
    if is_found_by_values(wanted):
        condition, values = matching(scope, wanted, "chunks.document")
        rows = connection.execute(f"select id from chunks where {condition}", values)
    else:
        condition, values = matching(scope, wanted)
        rows = connection.execute(
            f"""select chunks.id from documents join chunks on document = documents.id
            where documents.bot = ? and ({condition})""",
            [bot, *values],
        )
    return np.sort(np.fromiter((row[0] for row in rows), np.int64))


def _brought_up(connection: sqlite3.Connection, bot: int, wanted: Filter, known: _Kept) -> _Kept:
    condition, values = matching_each(wanted)
    rows = connection.execute(
        f"""select chunks.id, {condition} from filings
        join documents on documents.id = filings.document
        join chunks on chunks.document = documents.id
        where filings.bot = ? and seq > ?""",
        [*values, bot, known.filed],
    ).fetchall()
    left = np.array([chunk for chunk, is_left in rows if is_left], np.int64)
    out = np.array([chunk for chunk, is_left in rows if not is_left], np.int64)
    chunks = np.union1d(np.setdiff1d(known.selection.chunks, out), left)
    return known._replace(selection=Selection(chunks))
