"""Signals as rows, each written in the transaction of its transcript row."""

import msgspec

from rag_service.conversations.signals import Judgement, Signal
from rag_service.documents import Vectors
from rag_service.knowledge.filters import Filter
from rag_service.storage.sqlite.database import as_json
from rag_service.storage.sqlite.driver import sqlite3


def keep_signal(connection: sqlite3.Connection, message: int, signal: Signal) -> None:
    """Of a question, by its row, unless it has left one already."""
    connection.execute(
        """insert or ignore into signals
        (message, bot, kind, question, filter, vector, judgement, newest_chunk, person, asked_at)
        select id, bot, ?, ?, ?, ?, ?,
            (select coalesce(max(chunks.id), 0) from chunks where chunks.bot = messages.bot),
            coalesce(nullif(sender ->> 'id', ''), 'conversation ' || conversation), created_at
        from messages where id = ?""",
        [
            signal.kind,
            signal.question,
            None if signal.only is None else as_json(signal.only),
            vector_bytes(signal.vector),
            as_json(signal.judgement),
            message,
        ],
    )
    # from the first signal on: an erasure is told by the revision of it
    connection.execute(
        """insert or ignore into ledgers (bot, seq) select bot, coalesce(
            (select max(changes.seq) from changes where changes.bot = messages.bot), 0)
        from messages where id = ?""",
        [message],
    )


def vector_bytes(vector: Vectors) -> bytes:
    return vector.astype("<f2").tobytes()


def read_only(json: str | None) -> Filter | None:
    return None if json is None else msgspec.json.decode(json, type=Filter)


def read_judgement(json: str) -> Judgement:
    return msgspec.json.decode(json, type=Judgement)
