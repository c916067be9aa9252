"""Answers that were promised, as rows: which server owes them, and how often it has tried."""

from collections.abc import Sequence

from rag_service.conversations.store import PendingReply
from rag_service.storage.sqlite.database import RowsFile, as_json

_OWED = ("message_id", "conversation_id", "bot_id", "tries")


class SqliteReplies:
    def __init__(self, rows: RowsFile) -> None:
        self._rows = rows

    def claim(self, owner: str, busy: Sequence[str]) -> PendingReply | None:
        with self._rows.reading() as connection:
            found = connection.execute(
                """select message_id, conversation_id, bots.name, tries from owed
                join messages on messages.id = owed.message
                join conversations on conversations.id = conversation
                join bots on bots.id = messages.bot
                where owed.owner = ? and error is null
                and conversation_id not in (select value from json_each(?))
                order by owed.message limit 1""",
                [owner, as_json(list(busy))],
            ).fetchone()
        return None if found is None else PendingReply(**dict(zip(_OWED, found, strict=True)))

    def give_up(self, message_id: str, error: str, *, final: bool) -> None:
        with self._rows.writing() as connection:
            connection.execute(
                """update owed set tries = tries + 1, error = ?
                where message = (select id from messages where message_id = ?)""",
                [error if final else None, message_id],
            )

    def inherit(self, former: str, owner: str) -> int:
        with self._rows.writing() as connection:
            return connection.execute(
                "update owed set owner = ? where owner = ? and error is null", [owner, former]
            ).rowcount

    def debtors(self) -> list[str]:
        with self._rows.reading() as connection:
            found = connection.execute("select distinct owner from owed where error is null")
            return [row[0] for row in found]
