"""The outbox, given out: from events to deliveries, and from attempts to their outcome."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from rag_service.clock import written
from rag_service.events.happenings import Event
from rag_service.events.store import FAILING_AFTER, Attempt, Due, Outcome
from rag_service.ids import new_id
from rag_service.storage.sqlite.database import RowsFile, as_json, insert, now
from rag_service.storage.sqlite.driver import sqlite3

_AT_ONCE = 1000
_LONGEST_WAIT = timedelta(days=2)
"""No attempt is put off for longer: what seems to be was noted while the clock was wrong."""


class SqliteOutbox:
    def __init__(self, rows: RowsFile) -> None:
        self._rows = rows

    def owes(self) -> bool:
        with self._rows.reading() as connection:
            found = connection.execute(
                """select exists (select 1 from webhooks where enabled) and (
                    (select coalesce(max(seq), 0) from events) > (select seq from outbox)
                    or exists (select 1 from deliveries join webhooks on webhooks.id = webhook
                        where state = 'due' and enabled))"""
            ).fetchone()
            return bool(found[0])

    def fan_out(self) -> bool:
        with self._rows.reading() as connection:
            newest, seen = _places(connection)
        if newest <= seen:
            return False
        with self._rows.writing() as connection:
            return _fan_out(connection)

    def due(
        self, room: Mapping[str, int], at_work: Sequence[int], now: str
    ) -> tuple[list[Due], str | None]:
        found: list[Due] = []
        never = written(datetime.fromisoformat(now) + _LONGEST_WAIT)
        with self._rows.reading() as connection:
            for webhook_id, count in room.items():
                rows = connection.execute(
                    f"""{_DUE} where webhook = (select id from webhooks where webhook_id = ?)
                    and state = 'due' and (next_at <= ? or next_at > ?)
                    and deliveries.id not in (select value from json_each(?))
                    order by next_at, deliveries.id limit ?""",
                    [webhook_id, now, never, as_json(list(at_work)), count],
                )
                found += [_due(webhook_id, row) for row in rows]
            later = connection.execute(
                """select min(next_at) from deliveries join webhooks on webhooks.id = webhook
                where state = 'due' and enabled and next_at > ?""",
                [now],
            ).fetchone()[0]
        return found, later

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        with self._rows.writing() as connection:
            for outcome in outcomes:
                _settle(connection, outcome)


_DUE = """select deliveries.id, attempts, events.id, events.type, bot_id, events.created_at, data
    from deliveries join events on events.seq = event"""


def _due(webhook_id: str, row: tuple[int, int, str, str, str, str, str]) -> Due:
    delivery, attempts, event_id, type_, bot_id, created_at, data = row
    return Due(
        row=delivery,
        webhook_id=webhook_id,
        attempts=attempts,
        event=msgspec.convert(
            {
                "id": event_id,
                "type": type_,
                "bot_id": bot_id,
                "created_at": created_at,
                "data": msgspec.json.decode(data),
            },
            Event,
        ),
    )


def fan_out_all(connection: sqlite3.Connection) -> None:
    """Before the webhooks change: what happened until now is owed to those of now."""
    while _fan_out(connection):
        pass


def _fan_out(connection: sqlite3.Connection) -> bool:
    newest, seen = _places(connection)
    until = min(newest, seen + _AT_ONCE)
    if not connection.execute("select exists (select 1 from webhooks where enabled)").fetchone()[0]:
        until = newest
    last = connection.execute("select coalesce(max(id), 0) from deliveries").fetchone()[0]
    moment = now(connection)
    wanted = connection.execute(
        """select webhooks.id, events.seq, events.id, type, subject
        from events join webhooks on enabled
        and (webhooks.bot_id is null or webhooks.bot_id = events.bot_id)
        and exists (select 1 from json_each(webhooks.events) where events.type glob value)
        where events.seq > ? and events.seq <= ? order by events.seq""",
        [seen, until],
    ).fetchall()
    connection.executemany(
        """insert into deliveries (delivery_id, webhook, event, event_id, type, subject, state,
        created_at) values (?, ?, ?, ?, ?, ?, 'waiting', ?)""",
        [(new_id("dlv"), *row, moment) for row in wanted],
    )
    connection.execute(
        """update deliveries set state = 'due', next_at = ? where id > ? and state = 'waiting'
        and not exists (select 1 from deliveries as former
            where former.webhook = deliveries.webhook and former.subject = deliveries.subject
            and former.state in ('waiting', 'due') and former.id < deliveries.id)""",
        [moment, last],
    )
    connection.execute("update outbox set seq = ?", [until])
    return until < newest


def _places(connection: sqlite3.Connection) -> tuple[int, int]:
    """The newest event, and the last that was given out."""
    found: tuple[int, int] = connection.execute(
        "select (select coalesce(max(seq), 0) from events), seq from outbox"
    ).fetchone()
    return found


def _settle(connection: sqlite3.Connection, outcome: Outcome) -> None:
    found = connection.execute(
        """select webhook, subject, updated_at from deliveries
        join webhooks on webhooks.id = webhook where deliveries.id = ?""",
        [outcome.row],
    ).fetchone()
    if found is None:  # deleted while it was sent
        return
    webhook, subject, updated_at = found
    keep_attempt(connection, outcome.row, outcome.attempt)
    changed = not outcome.delivered and updated_at != outcome.updated_at
    retry_at = now(connection) if changed else outcome.retry_at
    if retry_at is not None:
        connection.execute(
            "update deliveries set attempts = attempts + 1, next_at = ? where id = ?",
            [retry_at, outcome.row],
        )
    else:
        connection.execute(
            """update deliveries set attempts = attempts + 1, state = ?, ended_at = ?,
            next_at = null where id = ?""",
            ["delivered" if outcome.delivered else "failed", now(connection), outcome.row],
        )
        _next_of(connection, webhook, subject)
    if not changed:
        _note(connection, webhook, outcome)


def keep_attempt(connection: sqlite3.Connection, delivery: int, attempt: Attempt) -> None:
    insert(connection, "attempts", {**msgspec.structs.asdict(attempt), "delivery": delivery})


def _next_of(connection: sqlite3.Connection, webhook: int, subject: str) -> None:
    """The first that waits for the others of its subject is due, once none of them is."""
    connection.execute(
        """update deliveries set state = 'due', next_at = ? where id = (
            select id from deliveries where webhook = ? and subject = ?
            and state in ('waiting', 'due') order by state = 'waiting', id limit 1)
        and state = 'waiting'""",
        [now(connection), webhook, subject],
    )


def _note(connection: sqlite3.Connection, webhook: int, outcome: Outcome) -> None:
    """What the attempt says of the webhook itself."""
    if not outcome.delivered:
        connection.execute(
            """update webhooks set failures = failures + 1,
            failing_since = coalesce(failing_since, ?) where id = ?""",
            [outcome.attempt.at, webhook],
        )
        if outcome.disable is not None:
            connection.execute(
                "update webhooks set enabled = 0, reason = ?, updated_at = ? where id = ?",
                [outcome.disable, now(connection), webhook],
            )
        return
    failures = connection.execute(
        "select failures from webhooks where id = ?", [webhook]
    ).fetchone()[0]
    if failures:
        connection.execute(
            "update webhooks set failures = 0, failing_since = null where id = ?", [webhook]
        )
    if failures >= FAILING_AFTER:
        connection.execute(
            "update deliveries set next_at = ? where webhook = ? and state = 'due'",
            [now(connection), webhook],
        )
