"""Conversations as rows, without what is said in them."""

from collections.abc import Sequence
from typing import Any

import msgspec

from rag_service.access.scope import Scope
from rag_service.conversations.messages import laid_over
from rag_service.conversations.store import Conversation
from rag_service.errors import Conflict, ConversationNotFound
from rag_service.events.happenings import ConversationCreated
from rag_service.storage.sqlite.bots import bot_of, bot_row, within
from rag_service.storage.sqlite.database import RowsFile, as_json, now
from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.sqlite.events import record
from rag_service.storage.sqlite.gap_rows import settling

CONVERSATION = """conversation_id, bots.name, title, conversations.metadata, preview,
    conversations.messages, conversations.created_at, updated_at"""
CONVERSATIONS = "from conversations join bots on bots.id = conversations.bot"


class SqliteConversations:
    def __init__(self, rows: RowsFile) -> None:
        self._rows = rows

    def create(
        self,
        scope: Scope,
        bot_id: str,
        conversation_id: str,
        *,
        title: str | None,
        metadata: dict[str, Any],
    ) -> Conversation:
        with self._rows.writing() as connection:
            if find_row(connection, scope, bot_id, conversation_id) is not None:
                raise Conflict(f"the conversation {conversation_id!r} exists already")
            begin(connection, scope, bot_id, conversation_id, title, metadata)
            return _conversation(connection, scope, bot_id, conversation_id)

    def get(self, scope: Scope, bot_id: str, conversation_id: str) -> Conversation:
        with self._rows.reading() as connection:
            return _conversation(connection, scope, bot_id, conversation_id)

    def find(self, scope: Scope, conversation_id: str) -> Conversation:
        with self._rows.reading() as connection:
            seen, of_bots = within(scope)
            found = connection.execute(
                f"""select {CONVERSATION} {CONVERSATIONS} where conversation_id = ? and {seen}
                order by conversations.id desc limit 1""",
                [conversation_id, *of_bots],
            ).fetchone()
            if found is None:
                raise ConversationNotFound(conversation_id)
            return read_conversation(found)

    def page(
        self, scope: Scope, bot_id: str, *, since: str | None, limit: int, offset: int
    ) -> tuple[int, list[Conversation]]:
        with self._rows.reading() as connection:
            bot = bot_row(connection, scope, bot_id)
            where = f"{CONVERSATIONS} where bot = ? and updated_at >= ?"
            values = [bot, since or ""]
            total = connection.execute(f"select count(*) {where}", values).fetchone()[0]
            found = connection.execute(
                f"""select {CONVERSATION} {where}
                order by updated_at desc, conversations.id desc limit ? offset ?""",
                [*values, limit, offset],
            )
            return total, [read_conversation(row) for row in found]

    def change(
        self,
        scope: Scope,
        bot_id: str,
        conversation_id: str,
        *,
        title: str | None,
        metadata: dict[str, Any],
    ) -> Conversation:
        with self._rows.writing() as connection:
            row = conversation_row(connection, scope, bot_id, conversation_id)
            former = _conversation(connection, scope, bot_id, conversation_id).metadata
            merged = laid_over(former, metadata)
            connection.execute(
                """update conversations set title = coalesce(?, title), metadata = ?,
                updated_at = ? where id = ?""",
                [title, as_json(merged), now(connection), row],
            )
            return _conversation(connection, scope, bot_id, conversation_id)


def begin(
    connection: sqlite3.Connection,
    scope: Scope,
    bot_id: str,
    conversation_id: str,
    title: str | None,
    metadata: dict[str, Any],
    owner: bytes | None = None,
) -> int:
    moment = now(connection)
    row = connection.execute(
        """insert into conversations
        (conversation_id, bot, title, metadata, owner, created_at, updated_at)
        values (?, ?, ?, ?, ?, ?, ?)""",
        [
            conversation_id,
            bot_of(connection, scope, bot_id),
            title,
            as_json(metadata),
            owner,
            moment,
            moment,
        ],
    ).lastrowid
    assert row is not None
    begun = ConversationCreated(conversation_id=conversation_id, title=title, metadata=metadata)
    record(connection, begun.at(moment, bot_id), subject_of(row), conversation=row)
    return row


def subject_of(conversation: int) -> str:
    """By its row: another one may be given the same id later."""
    return f"conversation {conversation}"


def find_row(
    connection: sqlite3.Connection, scope: Scope, bot_id: str, conversation_id: str
) -> int | None:
    row = connection.execute(
        "select id from conversations where bot = ? and conversation_id = ?",
        [bot_row(connection, scope, bot_id), conversation_id],
    ).fetchone()
    return None if row is None else int(row[0])


def conversation_row(
    connection: sqlite3.Connection, scope: Scope, bot_id: str, conversation_id: str
) -> int:
    row = find_row(connection, scope, bot_id, conversation_id)
    if row is None:
        raise ConversationNotFound(conversation_id)
    return row


def is_owned(
    connection: sqlite3.Connection, conversation: int, owner: bytes, user: str | None
) -> bool:
    (theirs,) = connection.execute(
        "select owner from conversations where id = ?", [conversation]
    ).fetchone()
    if theirs is not None:
        return bool(theirs == owner)
    users = connection.execute(
        "select user_id from conversation_users where conversation = ?", [conversation]
    ).fetchall()
    return not users or (user,) in users


def _conversation(
    connection: sqlite3.Connection, scope: Scope, bot_id: str, conversation_id: str
) -> Conversation:
    return read_conversation(
        connection.execute(
            f"select {CONVERSATION} {CONVERSATIONS} where conversations.id = ?",
            [conversation_row(connection, scope, bot_id, conversation_id)],
        ).fetchone()
    )


def read_conversation(row: Sequence[Any]) -> Conversation:
    values = dict(zip(Conversation.__struct_fields__, row, strict=True))
    values["metadata"] = msgspec.json.decode(values["metadata"])
    return Conversation(**values)


def erase_conversations(connection: sqlite3.Connection, rows: Sequence[int]) -> int:
    """With contexts, events, what is owed, and what they left in gaps; how many messages that
    were."""
    these = "in (select value from json_each(?))"
    signals = f"""select signals.id from signals join messages on messages.id = message
        where conversation {these}"""
    with settling(connection, signals, [as_json(rows)], "erased"):
        messages = connection.execute(
            f"delete from messages where conversation {these}", [as_json(rows)]
        ).rowcount
        connection.execute(f"delete from conversations where id {these}", [as_json(rows)])
    return messages


def erase_notes(connection: sqlite3.Connection, rows: Sequence[int]) -> None:
    """Translations and clicks of these conversations."""
    for table in ("translations", "clicks"):
        connection.execute(
            f"""delete from {table} where (session_id, bot) in (select conversation_id, bot
            from conversations where id in (select value from json_each(?)))""",
            [as_json(rows)],
        )
