"""Pages of what was said, as fast at the end of a million rows as at the beginning.

Rows are in the order of their ids. Triggers count those of each block of 1,024 ids by bot, role and
decision, and note the earliest and the latest time. A total is a sum over blocks, and a page begins
in the block where the sum reaches its offset. Times may step back from one row to the next, as the
clock that gave them did: a block that is partly of a time is counted anew.
"""

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

import msgspec
from msgspec import Struct

from rag_service.access.scope import Scope
from rag_service.conversations.store import TranscriptFilter
from rag_service.storage.sqlite.bots import within
from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.sqlite.messages import DECISIONS, ROLES, kind_of

_BLOCK = 10  # bits
_EVER_SINCE, _FOR_EVER = "", "~"
"""Before and after every time, as text."""
SHORTEST_INDEXED = 3
"""Characters; a shorter substring is looked for in every text."""


class Range(Struct, frozen=True, kw_only=True):
    """A filter in terms of the rows."""

    first: int
    last: int
    kinds: list[int]
    bots: list[int] | None
    conversations: list[int] | None
    q: str | None
    since: str
    until: str
    """Both inclusive."""

    @property
    def is_timed(self) -> bool:
        return (self.since, self.until) != (_EVER_SINCE, _FOR_EVER)

    @property
    def is_counted(self) -> bool:
        """Whether the counts of the blocks answer it."""
        return self.conversations is None and self.q is None


def range_of(connection: sqlite3.Connection, scope: Scope, where: TranscriptFilter) -> Range:
    roles = ROLES if where.role is None else (where.role,)
    decisions = DECISIONS if where.has_rag_context is None else (where.has_rag_context,)
    bots = None
    if scope.bot_ids is not None:
        seen, of_bots = within(scope)
        found = connection.execute(f"select id from bots where {seen}", of_bots)
        bots = [row[0] for row in found]
    conversations = None
    if where.session_id is not None:
        rows = connection.execute(
            "select id, bot from conversations where conversation_id = ?", [where.session_id]
        )
        conversations = [row for row, bot in rows if bots is None or bot in bots]
    since, until = where.since or _EVER_SINCE, where.until or _FOR_EVER
    first, last = 1, _highest(connection)
    if where.since or where.until:
        first, last = _ids_of_time(connection, since, until)
    return Range(
        first=first,
        last=last,
        since=since,
        until=until,
        kinds=[kind_of(role, decision) for role, decision in product(roles, decisions)],
        bots=bots,
        conversations=conversations,
        q=where.q,
    )


def _ids_of_time(connection: sqlite3.Connection, since: str, until: str) -> tuple[int, int]:
    """Between which ids the rows of a time are, to the block; others are among them too."""
    first, last = connection.execute(
        "select min(block), max(block) from message_times where last >= ? and first <= ?",
        [since, until],
    ).fetchone()
    return (1, 0) if first is None else (first << _BLOCK, ((last + 1) << _BLOCK) - 1)


def _highest(connection: sqlite3.Connection) -> int:
    return int(connection.execute("select coalesce(max(id), 0) from messages").fetchone()[0])


def page_of(
    connection: sqlite3.Connection, within: Range, limit: int, offset: int, ascending: bool
) -> tuple[int, list[int]]:
    if not within.is_counted:
        return _count(connection, within), ids_of(connection, within, limit, offset, ascending)
    blocks = _blocks(connection, within)
    total = sum(count for _, count in blocks)
    for block, count in blocks if ascending else reversed(blocks):
        if offset < count:
            first, last = within.first, within.last
            if ascending:
                first = max(first, block << _BLOCK)
            else:
                last = min(last, ((block + 1) << _BLOCK) - 1)
            rest = msgspec.structs.replace(within, first=first, last=last)
            return total, ids_of(connection, rest, limit, offset, ascending)
        offset -= count
    return total, []


def _blocks(connection: sqlite3.Connection, within: Range) -> list[tuple[int, int]]:
    """Ascending: each block with rows in it, and how many; those at the borders counted anew."""
    first, last = within.first >> _BLOCK, within.last >> _BLOCK
    bots, values = _among("bot", within.bots)
    kinds, more = _among("kind", within.kinds)
    counted = dict(
        connection.execute(
            f"""select block, sum(messages) from message_counts
            where block between ? and ? and {bots} and {kinds} group by block""",
            [first, last, *values, *more],
        ).fetchall()
    )
    for block in _to_be_counted(connection, within, counted):
        begin, end = block << _BLOCK, ((block + 1) << _BLOCK) - 1
        part = msgspec.structs.replace(
            within, first=max(begin, within.first), last=min(end, within.last)
        )
        counted[block] = _count(connection, part)
    return sorted((block, count) for block, count in counted.items() if count)


def _to_be_counted(
    connection: sqlite3.Connection, within: Range, blocks: Iterable[int]
) -> list[int]:
    """Those of which the ids or the times reach beyond the range."""
    times: dict[int, tuple[str, str]] = {}
    if within.is_timed:
        found = connection.execute(
            "select block, first, last from message_times where block between ? and ?",
            [within.first >> _BLOCK, within.last >> _BLOCK],
        )
        times = {block: (first, last) for block, first, last in found}

    def reaches_beyond(block: int) -> bool:
        begin, end = block << _BLOCK, ((block + 1) << _BLOCK) - 1
        if within.first > begin or within.last < end:
            return True
        first, last = times.get(block, (within.since, within.until))
        return first < within.since or last > within.until

    return [block for block in blocks if reaches_beyond(block)]


def _count(connection: sqlite3.Connection, within: Range) -> int:
    source, values = _source(within)
    return int(connection.execute(f"select count(*) {source}", values).fetchone()[0])


def ids_of(
    connection: sqlite3.Connection, within: Range, limit: int, offset: int, ascending: bool
) -> list[int]:
    order = f"order by id {'asc' if ascending else 'desc'} limit ?"
    if not within.is_counted:
        source, values = _source(within)
        query = f"select messages.id as id {source} {order} offset ?"
        return [row[0] for row in connection.execute(query, [*values, limit, offset])]
    timed, of_time = _timed(within)
    # an index each: SQLite then reads no more than it shows
    parts = []
    values = []
    for bot, kind in product(within.bots if within.bots is not None else [None], within.kinds):
        which = "kind = ? and" if bot is None else "kind = ? and bot = ? and"
        parts.append(
            f"select * from (select id from messages where {which} id between ? and ?"
            f" {timed} {order})"
        )
        values += [kind, *([] if bot is None else [bot]), within.first, within.last]
        values += [*of_time, limit + offset]
    if not parts:
        return []
    query = f"{' union all '.join(parts)} {order} offset ?"
    return [row[0] for row in connection.execute(query, [*values, limit, offset])]


def _source(within: Range) -> tuple[str, list[Any]]:
    """`from ... where ...` that finds the rows by whatever narrows most."""
    # the plus keeps SQLite from walking all rows of a bot or a kind
    bots, of_bots = _among("+bot", within.bots)
    kinds, of_kinds = _among("+kind", within.kinds if len(within.kinds) < _ALL_KINDS else None)
    rows, of_rows = _among("conversation", within.conversations)
    timed, of_time = _timed(within)
    where = f"messages.id between ? and ? and {bots} and {kinds} and {rows} {timed}"
    values = [within.first, within.last, *of_bots, *of_kinds, *of_rows, *of_time]
    if within.q is None:
        return f"from messages where {where}", values
    if len(within.q) < SHORTEST_INDEXED or within.conversations is not None:
        found = "instr(fold(text), ?)"
        return f"from messages where {where} and {found}", [*values, within.q.casefold()]
    phrase = '"' + within.q.replace('"', '""') + '"'
    if bots == kinds == rows == "1" and not timed:
        return (
            """from (select rowid as id from messages_text where messages_text match ?
            and rowid between ? and ?) as messages""",
            [phrase, within.first, within.last],
        )
    return (
        f"""from messages_text join messages on messages.id = messages_text.rowid
        where messages_text match ? and {where}""",
        [phrase, *values],
    )


_ALL_KINDS = len(ROLES) * len(DECISIONS)


def _timed(within: Range) -> tuple[str, list[str]]:
    if not within.is_timed:
        return "", []
    # the plus: ids narrow more than times do, and rows come in their order
    return "and +created_at between ? and ?", [within.since, within.until]


def _among(column: str, values: Sequence[int] | None) -> tuple[str, list[Any]]:
    if values is None:
        return "1", []
    return f"{column} in (select value from json_each(?))", [msgspec.json.encode(values).decode()]
