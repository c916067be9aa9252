"""The outbox as a feed: what happened, in order, from any point on."""

import re
from collections.abc import Callable

from msgspec.json import decode

from rag_service.access.scope import Scope
from rag_service.errors import Invalid
from rag_service.events.feed import cursor
from rag_service.events.happenings import Event
from rag_service.storage.sqlite.bots import within
from rag_service.storage.sqlite.database import RowsFile, as_json
from rag_service.storage.sqlite.driver import sqlite3


class SqliteEvents:
    def __init__(self, rows: RowsFile) -> None:
        self._rows = rows

    def page(
        self, scope: Scope, after: str | None, *, types: list[str] | None, limit: int
    ) -> tuple[list[Event], str]:
        with self._rows.reading() as connection:
            start = 0
            if after is not None:
                start = self._place(after)
            newest = connection.execute("select coalesce(max(seq), 0) from events").fetchone()[0]
            seen, of_bots = within(scope, "bot_id")
            found = connection.execute(
                f"""select seq, id, type, bot_id, created_at, data from events where seq > ?
                and (? is null or type in (select value from json_each(?))) and {seen}
                order by seq limit ?""",
                [start, *[_list(types)] * 2, *of_bots, limit],
            ).fetchall()
        events = [
            Event(id=id_, type=type_, bot_id=bot, created_at=at, data=decode(data))
            for _, id_, type_, bot, at, data in found
        ]
        seen = found[-1][0] if found and len(found) == limit else max(newest, start)
        return events, cursor(seen)

    def after(self, place: int | None, limit: int) -> tuple[list[tuple[int, Event]], int]:
        with self._rows.reading() as connection:
            newest = connection.execute("select coalesce(max(seq), 0) from events").fetchone()[0]
            if place is None:
                return [], newest
            found = connection.execute(
                """select seq, id, type, bot_id, created_at, data from events where seq > ?
                order by seq limit ?""",
                [place, limit],
            ).fetchall()
        events = [
            (seq, Event(id=id_, type=type_, bot_id=bot, created_at=at, data=decode(data)))
            for seq, id_, type_, bot, at, data in found
        ]
        return events, events[-1][0] if len(events) == limit else max(newest, place)

    def on_write(self, tell: Callable[[], None]) -> None:
        self._rows.listeners.append(tell)

    def _place(self, after: str) -> int:
        if given := _CURSOR.fullmatch(after):
            return int(given[1])
        if not _ID.fullmatch(after):
            raise Invalid(f"no event {after!r}", {"after": "is no event and no cursor"})
        with self._rows.reading() as connection:
            row = connection.execute("select seq from events where id = ?", [after]).fetchone()
            if row is not None:
                return int(row[0])
            # it is erased: ids sort by time, so what comes after it is known all the same
            row = connection.execute(
                "select seq - 1 from events where id > ? order by id limit 1", [after]
            ).fetchone()
            if row is None:
                row = connection.execute("select coalesce(max(seq), 0) from events").fetchone()
        return int(row[0])


def record(
    connection: sqlite3.Connection,
    event: Event,
    subject: str,
    *,
    conversation: int | None = None,
    contact: int | None = None,
    gap: int | None = None,
) -> None:
    """Into the outbox, in the transaction of the change; it goes with its conversation, contact or
    gap.

    Events of one `subject` are delivered in their order.
    """
    connection.execute(
        """insert into events (id, type, bot_id, created_at, data, subject, conversation,
        contact, gap) values (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            event.id,
            event.type,
            event.bot_id,
            event.created_at,
            as_json(event.data),
            subject,
            conversation,
            contact,
            gap,
        ],
    )


_ID = re.compile("evt_[0-9a-f]{32}")
_CURSOR = re.compile("cur_([0-9]{1,18})")


def _list(values: list[str] | None) -> str | None:
    return None if values is None else as_json(values)
