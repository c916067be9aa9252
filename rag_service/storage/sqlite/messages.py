"""What is said in conversations, as rows."""

from collections.abc import Sequence
from typing import Any

import msgspec

from rag_service.access.scope import Scope
from rag_service.conversations.messages import Feedback, Role, Sender, Source, preview
from rag_service.conversations.store import NewMessage, TranscriptRow
from rag_service.errors import Conflict, ConversationNotFound, NotFound
from rag_service.events.happenings import EventMessage, MessageCreated
from rag_service.ids import new_id
from rag_service.storage.sqlite.bots import within
from rag_service.storage.sqlite.conversations import (
    begin,
    conversation_row,
    find_row,
    is_owned,
    subject_of,
)
from rag_service.storage.sqlite.database import RowsFile, as_json, insert, now
from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.sqlite.events import record
from rag_service.storage.sqlite.quotes import quote, quotes_of
from rag_service.storage.sqlite.signals import keep_signal

ROLES: tuple[Role, ...] = ("user", "assistant", "system")
DECISIONS = (None, False, True)
_ROW = """messages.id, message_id, conversation_id, bots.name, kind, messages.text,
    messages.created_at, sender, messages.metadata, reply_to, rating, comment, context"""
_ROWS = f"""select {_ROW} from messages left join feedback on feedback.message = messages.id
    join conversations on conversations.id = messages.conversation
    join bots on bots.id = messages.bot"""


def kind_of(role: Role, decision: bool | None) -> int:
    """Role and decision as one number, so that one index serves both filters."""
    return ROLES.index(role) * len(DECISIONS) + DECISIONS.index(decision)


class SqliteMessages:
    def __init__(self, rows: RowsFile) -> None:
        self._rows = rows

    def last(
        self,
        scope: Scope,
        bot_id: str,
        conversation_id: str,
        *,
        limit: int,
        before: str | None = None,
    ) -> list[TranscriptRow]:
        with self._rows.reading() as connection:
            found = _read(
                connection,
                """where messages.conversation = ? and messages.id < coalesce(
                    (select id from messages where message_id = ?), 9223372036854775807)
                order by messages.id desc limit ?""",
                [conversation_row(connection, scope, bot_id, conversation_id), before, limit],
            )
        return found[::-1]

    def get(self, scope: Scope, message_id: str) -> TranscriptRow:
        with self._rows.reading() as connection:
            return find_message(connection, scope, message_id)

    def add(
        self,
        scope: Scope,
        bot_id: str,
        conversation_id: str,
        said: NewMessage,
        *,
        create: bool = False,
    ) -> TranscriptRow:
        with self._rows.writing() as connection:
            row = find_row(connection, scope, bot_id, conversation_id)
            if row is None:
                if not create:
                    raise ConversationNotFound(conversation_id)
                row = begin(connection, scope, bot_id, conversation_id, None, {}, said.owner)
            elif said.owner and not is_owned(connection, row, said.owner, said.sender.id):
                raise ConversationNotFound(conversation_id)
            return _say(connection, row, said)


def find_message(connection: sqlite3.Connection, scope: Scope, message_id: str) -> TranscriptRow:
    """By its message id or its row id. Raises NotFound."""
    seen, of_bots = within(scope)
    found = _read(
        connection,
        f"where messages.id = (select id from messages where message_id = ?) and {seen}",
        [message_id, *of_bots],
    )
    if not found and message_id.isascii() and message_id.isdecimal():
        which = f"where messages.id = cast(? as integer) and {seen}"
        found = _read(connection, which, [message_id, *of_bots])
    if not found:
        raise NotFound(f"no message {message_id!r}")
    return found[0]


def _say(connection: sqlite3.Connection, conversation: int, said: NewMessage) -> TranscriptRow:
    (bot,) = connection.execute(
        "select bot from conversations where id = ?", [conversation]
    ).fetchone()
    decision, context = said.has_rag_context, None
    if said.reply_to is not None:
        _message_in(connection, conversation, said.reply_to)
    if said.context and (said.answers is None or said.has_rag_context is not None):
        context = insert(connection, "contexts", {"conversation": conversation})
        quote(connection, context, said.context)
    if said.answers is not None:
        decision, context = _answered(connection, conversation, said, context)
    moment = now(connection)
    message_id = said.message_id or new_id("msg")
    row = connection.execute(
        """insert into messages (message_id, conversation, bot, kind, text, created_at, context,
        sender, metadata, reply_to, fingerprint) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            message_id,
            conversation,
            bot,
            kind_of(said.role, decision),
            said.text,
            moment,
            context,
            as_json(said.sender),
            as_json(said.metadata),
            said.reply_to,
            said.fingerprint,
        ],
    ).lastrowid
    connection.execute(
        """update conversations set messages = messages + 1, updated_at = ?,
        preview = case preview when '' then ? else preview end where id = ?""",
        [moment, preview(said.text), conversation],
    )
    if said.sender.type == "user" and said.sender.id:
        connection.execute(
            "insert or ignore into conversation_users values (?, ?)",
            [said.sender.id, conversation],
        )
    if said.wants_reply is not None:
        connection.execute(
            "insert into owed (message, owner, tries) values (?, ?, 0)", [row, said.wants_reply]
        )
    if said.signal is not None:
        (question,) = connection.execute(
            "select id from messages where message_id = ?", [said.answers or message_id]
        ).fetchone()
        keep_signal(connection, question, said.signal)
    (kept,) = _read(connection, "where messages.id = ?", [row])
    happened = _created(kept).at(moment, kept.bot_id)
    record(connection, happened, subject_of(conversation), conversation=conversation)
    return kept


def _answered(
    connection: sqlite3.Connection, conversation: int, said: NewMessage, context: int | None
) -> tuple[bool | None, int | None]:
    """Decision and context of both rows; the answer is owed no more."""
    question, kind, former = _message_in(connection, conversation, said.answers or "")
    role, decision = ROLES[kind // len(DECISIONS)], DECISIONS[kind % len(DECISIONS)]
    if said.has_rag_context is not None:
        decision, former = said.has_rag_context, context
        connection.execute(
            "update messages set kind = ?, context = ? where id = ?",
            [kind_of(role, decision), context, question],
        )
        for name, value in said.question_metadata.items():
            connection.execute(
                "update messages set metadata = json_set(metadata, '$.' || ?, ?) where id = ?",
                [as_json(name), value, question],
            )
        done = connection.execute("delete from owed where message = ?", [question])
        if not done.rowcount:
            raise Conflict(f"the message {said.answers!r} has its answer already")
    elif said.context and former is not None:
        quote(connection, former, said.context)
    return decision, former


def _message_in(
    connection: sqlite3.Connection, conversation: int, message_id: str
) -> tuple[int, int, int | None]:
    found: tuple[int, int, int | None] | None = connection.execute(
        "select id, kind, context from messages where message_id = ? and conversation = ?",
        [message_id, conversation],
    ).fetchone()
    if found is None:
        raise NotFound(f"no message {message_id!r} in this conversation")
    return found


def _created(row: TranscriptRow) -> MessageCreated:
    message = EventMessage(
        id=row.message_id,
        role=row.role,
        sender_id=row.sender.id,
        sender_type=row.sender.type,
        text=row.text,
        metadata=row.metadata,
        reply_to_message_id=row.reply_to,
        has_rag_context=row.has_rag_context,
        created_at=row.created_at,
    )
    return MessageCreated(conversation_id=row.conversation_id, message=message)


def read_rows(connection: sqlite3.Connection, ids: Sequence[int]) -> list[TranscriptRow]:
    """In the order of `ids`."""
    which = "where messages.id in (select value from json_each(?))"
    rows = {row.id: row for row in _read(connection, which, [as_json(list(ids))])}
    return [rows[row] for row in ids]


def _read(connection: sqlite3.Connection, which: str, values: Sequence[Any]) -> list[TranscriptRow]:
    found = connection.execute(f"{_ROWS} {which}", values).fetchall()
    contexts = quotes_of(connection, {row[-1] for row in found if row[-1] is not None})
    return [_transcript_row(row, contexts.get(row[-1])) for row in found]


def _transcript_row(row: Sequence[Any], context: list[Source] | None) -> TranscriptRow:
    kind = row[4]
    return TranscriptRow(
        id=row[0],
        message_id=row[1],
        conversation_id=row[2],
        bot_id=row[3],
        role=ROLES[kind // len(DECISIONS)],
        text=row[5],
        created_at=row[6],
        sender=msgspec.json.decode(row[7], type=Sender),
        metadata=msgspec.json.decode(row[8]),
        reply_to=row[9],
        feedback=None if row[10] is None else Feedback(rating=row[10], comment=row[11]),
        has_rag_context=DECISIONS[kind % len(DECISIONS)],
        context=context,
    )
