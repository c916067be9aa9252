"""Bots as rows. A bot is made by the first thing that is written to it, or by name."""

from rag_service.access.scope import Scope
from rag_service.documents import DEFAULT_BOT
from rag_service.errors import Conflict
from rag_service.knowledge.bots import Bot
from rag_service.storage.sqlite.database import RowsFile, as_json, now
from rag_service.storage.sqlite.driver import sqlite3


class SqliteBots:
    def __init__(self, rows: RowsFile) -> None:
        self._rows = rows

    def create(self, scope: Scope, bot_id: str) -> None:
        with self._rows.writing() as connection:
            if bot_row(connection, scope, bot_id) is not None or bot_id == DEFAULT_BOT:
                raise Conflict(f"the bot {bot_id!r} exists already")
            bot_of(connection, scope, bot_id)

    def has(self, scope: Scope, bot_id: str) -> bool:
        with self._rows.reading() as connection:
            return bot_row(connection, scope, bot_id) is not None or bot_id == DEFAULT_BOT

    def all(self, scope: Scope) -> dict[str, Bot]:
        with self._rows.reading() as connection:
            seen, values = within(scope)
            rows = connection.execute(
                f"""select name, bots.created_at, count(documents.id), coalesce(sum(chunks), 0)
                from bots left join documents on bot = bots.id where {seen}
                group by bots.id order by name""",
                values,
            )
            return {row[0]: Bot(*row) for row in rows}


def within(scope: Scope, bot_name: str = "bots.name") -> tuple[str, list[str]]:
    """The condition, with its values, that a row is of a bot that the scope admits."""
    if scope.bot_ids is None:
        return "1", []
    return f"{bot_name} in (select value from json_each(?))", [as_json(sorted(scope.bot_ids))]


def bot_row(connection: sqlite3.Connection, scope: Scope, bot_id: str) -> int | None:
    """Of a bot that is named; None where there is none. Raises Forbidden outside the scope."""
    scope.need(bot_id)
    row = connection.execute("select id from bots where name = ?", [bot_id]).fetchone()
    return None if row is None else int(row[0])


def bot_of(connection: sqlite3.Connection, scope: Scope, bot_id: str) -> int:
    """Its row, made where there is none."""
    row = bot_row(connection, scope, bot_id)
    if row is not None:
        return row
    inserted = connection.execute(
        "insert into bots (name, created_at) values (?, ?)", [bot_id, now(connection)]
    ).lastrowid
    assert inserted is not None
    return inserted
