"""Conversations, found by the digests of what was said in them."""

from rag_service.access.scope import Scope
from rag_service.conversations.store import TranscriptRow
from rag_service.storage.sqlite.bots import bot_row
from rag_service.storage.sqlite.conversations import find_row, is_owned
from rag_service.storage.sqlite.database import RowsFile
from rag_service.storage.sqlite.messages import read_rows


class SqliteContinuations:
    def __init__(self, rows: RowsFile) -> None:
        self._rows = rows

    def owns(
        self, scope: Scope, bot_id: str, conversation_id: str, owner: bytes, user: str | None
    ) -> bool:
        with self._rows.reading() as connection:
            row = find_row(connection, scope, bot_id, conversation_id)
            return row is None or is_owned(connection, row, owner, user)

    def conversation_after(self, scope: Scope, bot_id: str, said: bytes) -> str | None:
        with self._rows.reading() as connection:
            found = connection.execute(
                """select conversation_id from messages
                join conversations on conversations.id = messages.conversation
                where fingerprint = ? and messages.bot = ? order by exists (
                    select 1 from messages as later
                    where later.conversation = messages.conversation and later.id > messages.id
                ), messages.id desc limit 1""",
                [said, bot_row(connection, scope, bot_id)],
            ).fetchone()
        return None if found is None else str(found[0])

    def repeated(
        self, scope: Scope, bot_id: str, request: bytes, since: str
    ) -> TranscriptRow | None:
        with self._rows.reading() as connection:
            found = connection.execute(
                """select id from messages where fingerprint = ? and bot = ? and created_at >= ?
                order by id desc limit 1""",
                [request, bot_row(connection, scope, bot_id), since],
            ).fetchone()
            return read_rows(connection, found)[0] if found else None
