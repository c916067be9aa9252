"""Transcripts: pages and exports of what was said, notes beside it, and deleting it for good."""

from collections.abc import Iterator, Sequence

import msgspec

from rag_service.access.scope import Scope
from rag_service.conversations.store import Deleted, TranscriptFilter, TranscriptRow
from rag_service.storage.sqlite.bots import bot_row, within
from rag_service.storage.sqlite.conversations import conversation_row, erase_conversations
from rag_service.storage.sqlite.database import RowsFile, as_json, now
from rag_service.storage.sqlite.messages import find_message, read_rows
from rag_service.storage.sqlite.transcript_pages import ids_of, page_of, range_of

_EXPORT = 1000


class SqliteTranscripts:
    def __init__(self, rows: RowsFile) -> None:
        self._rows = rows

    def page(
        self, scope: Scope, where: TranscriptFilter, *, limit: int, offset: int, ascending: bool
    ) -> tuple[int, list[TranscriptRow]]:
        with self._rows.reading() as connection:
            total, ids = page_of(
                connection, range_of(connection, scope, where), limit, offset, ascending
            )
            return total, read_rows(connection, ids)

    def export(
        self, scope: Scope, where: TranscriptFilter, *, ascending: bool
    ) -> Iterator[list[TranscriptRow]]:
        with self._rows.reading() as connection:
            left = range_of(connection, scope, where)
        while True:
            with self._rows.reading() as connection:
                ids = ids_of(connection, left, _EXPORT, 0, ascending)
                rows = read_rows(connection, ids)
            if not ids:
                return
            yield rows
            bound = {"first": ids[-1] + 1} if ascending else {"last": ids[-1] - 1}
            left = msgspec.structs.replace(left, **bound)

    def delete(self, scope: Scope, session_ids: Sequence[str], *, cascade: bool) -> Deleted:
        with self._rows.erasing() as connection:
            seen, of_bots = within(scope)
            where = "in (select value from json_each(?))"
            bound = f"and bot in (select id from bots where {seen})"
            values = [as_json(list(session_ids)), *of_bots]
            gone = {}
            for table in ("translations", "clicks") if cascade else ():
                gone[table] = connection.execute(
                    f"delete from {table} where session_id {where} {bound}", values
                ).rowcount
            rows = connection.execute(
                f"select id from conversations where conversation_id {where} {bound}", values
            )
            messages = erase_conversations(connection, [row for (row,) in rows])
        return Deleted(
            transcripts=messages,
            translations=gone.get("translations", 0),
            clicks=gone.get("clicks", 0),
            erasure_pending=self._rows.owes_log(),
        )

    def add_translation(self, scope: Scope, message_id: str, language: str, text: str) -> None:
        with self._rows.writing() as connection:
            message = find_message(connection, scope, message_id)
            connection.execute(
                """insert or replace into translations
                (message_id, language, session_id, bot, text, created_at)
                select ?, ?, ?, bot, ?, ? from messages where id = ?""",
                [
                    message.message_id,
                    language,
                    message.conversation_id,
                    text,
                    now(connection),
                    message.id,
                ],
            )

    def add_click(
        self, scope: Scope, bot_id: str, session_id: str, message_id: str | None, url: str
    ) -> None:
        with self._rows.writing() as connection:
            if message_id is not None:
                message_id = find_message(connection, scope, message_id).message_id
            conversation_row(connection, scope, bot_id, session_id)
            connection.execute(
                """insert into clicks (session_id, bot, message_id, url, created_at)
                values (?, ?, ?, ?, ?)""",
                [session_id, bot_row(connection, scope, bot_id), message_id, url, now(connection)],
            )
