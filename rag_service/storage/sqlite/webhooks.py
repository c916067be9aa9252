"""Webhooks as rows."""

from typing import Any

import msgspec
from msgspec import UNSET

from rag_service.access.scope import Scope
from rag_service.errors import NotFound
from rag_service.events.store import Secret, Webhook, WebhookChanges, rotated
from rag_service.storage.sqlite.bots import within
from rag_service.storage.sqlite.database import RowsFile, as_json, insert, now
from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.sqlite.outbox import fan_out_all

_COLUMNS = """webhook_id, url, events, bot_id, description, secrets, enabled, reason, failures,
    failing_since, created_at, updated_at"""


class SqliteWebhooks:
    def __init__(self, rows: RowsFile) -> None:
        self._rows = rows

    def add(self, scope: Scope, webhook: Webhook) -> None:
        scope.need(webhook.bot_id)
        with self._rows.writing() as connection:
            fan_out_all(connection)  # it is owed what happens from now on
            insert(connection, "webhooks", _values(webhook))

    def get(self, scope: Scope, webhook_id: str) -> Webhook:
        with self._rows.reading() as connection:
            webhook_row(connection, scope, webhook_id)
            return _webhooks(connection, "where webhook_id = ?", webhook_id)[0]

    def all(self, scope: Scope) -> list[Webhook]:
        with self._rows.reading() as connection:
            seen, of_bots = within(scope, "bot_id")
            return _webhooks(connection, f"where {seen} order by id desc", *of_bots)

    def change(self, scope: Scope, webhook_id: str, changes: WebhookChanges) -> Webhook:
        if changes.bot_id is not UNSET:
            scope.need(changes.bot_id)
        with self._rows.writing() as connection:
            row = webhook_row(connection, scope, webhook_id)
            given = _changed(changes, now(connection))
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
                    [now(connection), row],
                )
            return _webhooks(connection, "where webhook_id = ?", webhook_id)[0]

    def rotate_secret(
        self, scope: Scope, webhook_id: str, secret: str, until: str | None
    ) -> Webhook:
        with self._rows.writing() as connection:
            row = webhook_row(connection, scope, webhook_id)
            (webhook,) = _webhooks(connection, "where webhook_id = ?", webhook_id)
            connection.execute(
                "update webhooks set secrets = ?, updated_at = ? where id = ?",
                [
                    as_json(rotated(webhook.secrets, secret, until, now(connection))),
                    now(connection),
                    row,
                ],
            )
            return _webhooks(connection, "where webhook_id = ?", webhook_id)[0]

    def remove(self, scope: Scope, webhook_id: str) -> None:
        with self._rows.writing() as connection:
            row = webhook_row(connection, scope, webhook_id)
            connection.execute("delete from webhooks where id = ?", [row])


def webhook_row(connection: sqlite3.Connection, scope: Scope, webhook_id: str) -> int:
    seen, of_bots = within(scope, "bot_id")
    row = connection.execute(
        f"select id from webhooks where webhook_id = ? and {seen}", [webhook_id, *of_bots]
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


def _changed(changes: WebhookChanges, moment: str) -> dict[str, Any]:
    """By column; what is not given is missing."""
    given = {**msgspec.structs.asdict(changes), "updated_at": moment}
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
