"""What became of the events that a webhook was told: a log, page by page."""

from collections.abc import Sequence
from typing import Any

from rag_service.access.scope import Scope
from rag_service.errors import NotFound
from rag_service.events.store import TEST, Attempt, Delivery, DeliveryState
from rag_service.ids import new_id
from rag_service.storage.sqlite.database import RowsFile, as_json, now
from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.sqlite.outbox import keep_attempt
from rag_service.storage.sqlite.webhooks import webhook_row

_DELIVERY = "id, delivery_id, event_id, type, state, next_at, created_at"
_STATES = {"pending": ["waiting", "due"], "delivered": ["delivered"], "failed": ["failed"]}


class SqliteDeliveries:
    def __init__(self, rows: RowsFile) -> None:
        self._rows = rows

    def page(
        self, scope: Scope, webhook_id: str, state: DeliveryState | None, *, limit: int, offset: int
    ) -> tuple[int, list[Delivery]]:
        with self._rows.reading() as connection:
            row = webhook_row(connection, scope, webhook_id)
            states = None if state is None else as_json(_STATES[state])
            where = """where webhook = ?
                and (? is null or state in (select value from json_each(?)))"""
            values = [row, states, states]
            total = connection.execute(
                f"select count(*) from deliveries {where}", values
            ).fetchone()[0]
            return total, _deliveries(
                connection, f"{where} order by id desc limit ? offset ?", [*values, limit, offset]
            )

    def get(self, scope: Scope, webhook_id: str, delivery_id: str) -> Delivery:
        with self._rows.reading() as connection:
            row = webhook_row(connection, scope, webhook_id)
            found = _deliveries(
                connection, "where webhook = ? and delivery_id = ?", [row, delivery_id]
            )
        if not found:
            raise NotFound(f"no delivery {delivery_id!r} of this webhook")
        return found[0]

    def add_test(
        self, scope: Scope, webhook_id: str, event_id: str, attempt: Attempt, delivered: bool
    ) -> str:
        with self._rows.writing() as connection:
            delivery_id = new_id("dlv")
            row = connection.execute(
                """insert into deliveries (delivery_id, webhook, event_id, type, subject, state,
                attempts, created_at, ended_at) values (?, ?, ?, ?, '', ?, 1, ?, ?)""",
                [
                    delivery_id,
                    webhook_row(connection, scope, webhook_id),
                    event_id,
                    TEST,
                    "delivered" if delivered else "failed",
                    attempt.at,
                    now(connection),
                ],
            ).lastrowid
            assert row is not None
            keep_attempt(connection, row, attempt)
        return delivery_id

    def redeliver(self, scope: Scope, webhook_id: str, delivery_id: str | None) -> int:
        with self._rows.writing() as connection:
            row = webhook_row(connection, scope, webhook_id)
            again = (
                "update deliveries set state = 'due', attempts = 0, next_at = ?, ended_at = null"
            )
            if delivery_id is None:
                return connection.execute(
                    f"{again} where webhook = ? and state = 'failed' and event is not null",
                    [now(connection), row],
                ).rowcount
            found = connection.execute(
                "select state, event from deliveries where webhook = ? and delivery_id = ?",
                [row, delivery_id],
            ).fetchone()
            if found is None:
                raise NotFound(f"no delivery {delivery_id!r} of this webhook")
            if found[0] == "waiting" or found[1] is None:
                return 0
            return connection.execute(
                f"{again} where delivery_id = ?", [now(connection), delivery_id]
            ).rowcount


def _deliveries(connection: sqlite3.Connection, rest: str, values: Sequence[Any]) -> list[Delivery]:
    found = connection.execute(f"select {_DELIVERY} from deliveries {rest}", values).fetchall()
    attempts: dict[int, list[Attempt]] = {row[0]: [] for row in found}
    for delivery, *attempt in connection.execute(
        """select delivery, at, status, duration_ms, response, error from attempts
        where delivery in (select value from json_each(?)) order by id""",
        [as_json(list(attempts))],
    ):
        attempts[delivery].append(Attempt(**dict(zip(_ATTEMPT, attempt, strict=True))))
    return [
        Delivery(
            id=delivery_id,
            event_id=event_id,
            event_type=type_,
            state="pending" if state in _STATES["pending"] else state,
            attempts=attempts[row],
            next_attempt_at=next_at if state == "due" else None,
            created_at=created_at,
        )
        for row, delivery_id, event_id, type_, state, next_at, created_at in found
    ]


_ATTEMPT = Attempt.__struct_fields__
