"""Webhooks as rows, and the page of what became of their deliveries."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from rag_service.clock import now
from rag_service.errors import NotFound
from rag_service.events.store import (
    TEST,
    Attempt,
    Delivery,
    DeliveryState,
    Secret,
    Webhook,
    WebhookChanges,
)
from rag_service.ids import new_id
from rag_service.storage.sqlite.database import RowsFile, as_json, insert
from rag_service.storage.sqlite.deliveries import fan_out_all, keep_attempt
from rag_service.storage.sqlite.driver import sqlite3

_COLUMNS = """webhook_id, url, events, bot_id, description, secrets, enabled, reason, failures,
    failing_since, created_at, updated_at"""
_DELIVERY = "id, delivery_id, event_id, type, state, next_at, created_at"
_STATES = {"pending": ["waiting", "due"], "delivered": ["delivered"], "failed": ["failed"]}


class SqliteWebhooks:
    _rows: RowsFile

    def add_webhook(self, webhook: Webhook) -> None:
        with self._rows.writing() as connection:
            fan_out_all(connection)  # it is owed what happens from now on
            insert(connection, "webhooks", _values(webhook))

    def webhook(self, webhook_id: str) -> Webhook:
        with self._rows.reading() as connection:
            _need(connection, webhook_id)
            return _webhooks(connection, "where webhook_id = ?", webhook_id)[0]

    def webhooks(self) -> list[Webhook]:
        with self._rows.reading() as connection:
            return _webhooks(connection, "order by id desc")

    def change_webhook(self, webhook_id: str, changes: WebhookChanges) -> Webhook:
        given = _changed(changes)
        with self._rows.writing() as connection:
            row = _need(connection, webhook_id)
            fan_out_all(connection)  # what happened so far is owed under the former terms
            connection.execute(
                f"update webhooks set {', '.join(f'{name} = ?' for name in given)} where id = ?",
                [*given.values(), row],
            )
            if changes.url is not UNSET or changes.enabled is True:
                connection.execute(
                    "update webhooks set failures = 0, failing_since = null where id = ?", [row]
                )
                connection.execute(
                    "update deliveries set next_at = ? where webhook = ? and state = 'due'",
                    [now(), row],
                )
            return _webhooks(connection, "where webhook_id = ?", webhook_id)[0]

    def rotate_secret(self, webhook_id: str, secret: str, until: str | None) -> Webhook:
        with self._rows.writing() as connection:
            row = _need(connection, webhook_id)
            (webhook,) = _webhooks(connection, "where webhook_id = ?", webhook_id)
            former = [
                Secret(value=one.value, until=min(one.until or until, until))
                for one in webhook.secrets
                if until is not None and (one.until is None or one.until > now())
            ]
            connection.execute(
                "update webhooks set secrets = ?, updated_at = ? where id = ?",
                [as_json([Secret(value=secret), *former]), now(), row],
            )
            return _webhooks(connection, "where webhook_id = ?", webhook_id)[0]

    def remove_webhook(self, webhook_id: str) -> None:
        with self._rows.writing() as connection:
            row = _need(connection, webhook_id)
            connection.execute("delete from webhooks where id = ?", [row])

    def deliveries(
        self, webhook_id: str, state: DeliveryState | None, *, limit: int, offset: int
    ) -> tuple[int, list[Delivery]]:
        with self._rows.reading() as connection:
            row = _need(connection, webhook_id)
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

    def delivery(self, webhook_id: str, delivery_id: str) -> Delivery:
        with self._rows.reading() as connection:
            row = _need(connection, webhook_id)
            found = _deliveries(
                connection, "where webhook = ? and delivery_id = ?", [row, delivery_id]
            )
        if not found:
            raise NotFound(f"no delivery {delivery_id!r} of this webhook")
        return found[0]

    def add_test(self, webhook_id: str, event_id: str, attempt: Attempt, delivered: bool) -> str:
        with self._rows.writing() as connection:
            delivery_id = new_id("dlv")
            row = connection.execute(
                """insert into deliveries (delivery_id, webhook, event_id, type, subject, state,
                attempts, created_at, ended_at) values (?, ?, ?, ?, '', ?, 1, ?, ?)""",
                [
                    delivery_id,
                    _need(connection, webhook_id),
                    event_id,
                    TEST,
                    "delivered" if delivered else "failed",
                    attempt.at,
                    now(),
                ],
            ).lastrowid
            assert row is not None
            keep_attempt(connection, row, attempt)
        return delivery_id

    def redeliver(self, webhook_id: str, delivery_id: str | None) -> int:
        with self._rows.writing() as connection:
            row = _need(connection, webhook_id)
            again = (
                "update deliveries set state = 'due', attempts = 0, next_at = ?, ended_at = null"
            )
            if delivery_id is None:
                return connection.execute(
                    f"{again} where webhook = ? and state = 'failed' and event is not null",
                    [now(), row],
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
                f"{again} where delivery_id = ?", [now(), delivery_id]
            ).rowcount


def _need(connection: sqlite3.Connection, webhook_id: str) -> int:
    row = connection.execute(
        "select id from webhooks where webhook_id = ?", [webhook_id]
    ).fetchone()
    if row is None:
        raise NotFound(f"no webhook {webhook_id!r}")
    return int(row[0])


def _values(webhook: Webhook) -> dict[str, Any]:
    values = msgspec.structs.asdict(webhook)
    values["webhook_id"] = values.pop("id")
    values["events"] = as_json(webhook.events)
    values["secrets"] = as_json(webhook.secrets)
    return values


def _changed(changes: WebhookChanges) -> dict[str, Any]:
    """By column; what is not given is missing."""
    given = {**msgspec.structs.asdict(changes), "updated_at": now()}
    if changes.enabled is not UNSET:
        given["reason"] = None
    return {
        name: as_json(value) if name in ("events", "secrets") else value
        for name, value in given.items()
        if value is not UNSET
    }


def _webhooks(connection: sqlite3.Connection, rest: str, *values: str) -> list[Webhook]:
    found = connection.execute(f"select {_COLUMNS} from webhooks {rest}", values).fetchall()
    names = ["id", *(name.strip() for name in _COLUMNS.split(",")[1:])]
    return [_webhook(dict(zip(names, row, strict=True))) for row in found]


def _webhook(values: dict[str, Any]) -> Webhook:
    values["events"] = msgspec.json.decode(values["events"])
    values["secrets"] = msgspec.json.decode(values["secrets"], type=list[Secret])
    values["enabled"] = bool(values["enabled"])
    return Webhook(**values)


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
