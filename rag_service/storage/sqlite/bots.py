"""Bots as rows. A bot is made by the first thing that is written to it, or by name."""

from rag_service.clock import now
from rag_service.documents import DEFAULT_BOT
from rag_service.errors import Conflict
from rag_service.knowledge.bots import Bot
from rag_service.storage.sqlite.database import RowsFile
from rag_service.storage.sqlite.driver import sqlite3


class SqliteBots:
    def __init__(self, rows: RowsFile) -> None:
        self._rows = rows

    def create(self, bot_id: str) -> None:
        with self._rows.writing() as connection:
            if bot_id == DEFAULT_BOT or bot_row(connection, bot_id) is not None:
                raise Conflict(f"the bot {bot_id!r} exists already")
            bot_of(connection, bot_id)

    def has(self, bot_id: str) -> bool:
        with self._rows.reading() as connection:
            return bot_id == DEFAULT_BOT or bot_row(connection, bot_id) is not None

    def all(self) -> dict[str, Bot]:
        with self._rows.reading() as connection:
            rows = connection.execute(
                """select name, bots.created_at, count(documents.id), coalesce(sum(chunks), 0)
                from bots left join documents on bot = bots.id group by bots.id order by name"""
            )
            return {row[0]: Bot(*row) for row in rows}


def bot_row(connection: sqlite3.Connection, bot_id: str) -> int | None:
    row = connection.execute("select id from bots where name = ?", [bot_id]).fetchone()
    return None if row is None else int(row[0])


def bot_of(connection: sqlite3.Connection, bot_id: str) -> int:
    """Its row, made where there is none."""
    row = bot_row(connection, bot_id)
    if row is not None:
        return row
    inserted = connection.execute(
        "insert into bots (name, created_at) values (?, ?)", [bot_id, now()]
    ).lastrowid
    assert inserted is not None
    return inserted
