"""Conversations and what is said in them, as rows."""

from collections.abc import Sequence
from typing import Any

import msgspec

from rag_service.clock import now
from rag_service.conversations.messages import Role, Sender, Source
from rag_service.conversations.store import Conversation, Deleted, Owed, Said, TranscriptRow
from rag_service.errors import Conflict, ConversationNotFound, NotFound
from rag_service.events.happenings import ConversationCreated, EventMessage, MessageCreated
from rag_service.ids import new_id
from rag_service.storage.sqlite.database import RowsFile, as_json, insert
from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.sqlite.events import record
from rag_service.storage.sqlite.knowledge import bot_of, bot_row
from rag_service.storage.sqlite.quotes import quote, quotes_of

ROLES: tuple[Role, ...] = ("user", "assistant", "system")
DECISIONS = (None, False, True)
_PREVIEW = 120

CONVERSATION = """conversation_id, bots.name, title, conversations.metadata, preview,
    conversations.messages, conversations.created_at, updated_at"""
CONVERSATIONS = "from conversations join bots on bots.id = conversations.bot"
_ROW = """messages.id, message_id, conversation_id, bots.name, kind, messages.text,
    messages.created_at, sender, messages.metadata, reply_to, context"""
_ROWS = f"""select {_ROW} from messages
    join conversations on conversations.id = messages.conversation
    join bots on bots.id = messages.bot"""


def kind_of(role: Role, decision: bool | None) -> int:
    """Role and decision as one number, so that one index serves both filters."""
    return ROLES.index(role) * len(DECISIONS) + DECISIONS.index(decision)


class SqliteConversations:
    _rows: RowsFile

    def create_conversation(
        self, bot_id: str, conversation_id: str, *, title: str | None, metadata: dict[str, Any]
    ) -> Conversation:
        with self._rows.writing() as connection:
            if _find(connection, bot_id, conversation_id) is not None:
                raise Conflict(f"the conversation {conversation_id!r} exists already")
            _create(connection, bot_id, conversation_id, title, metadata)
            return _conversation(connection, bot_id, conversation_id)

    def conversation(self, bot_id: str, conversation_id: str) -> Conversation:
        with self._rows.reading() as connection:
            return _conversation(connection, bot_id, conversation_id)

    def find_conversation(self, conversation_id: str, bot_ids: list[str] | None) -> Conversation:
        with self._rows.reading() as connection:
            found = connection.execute(
                f"""select {CONVERSATION} {CONVERSATIONS} where conversation_id = ?
                and (? is null or bots.name in (select value from json_each(?)))
                order by conversations.id desc limit 1""",
                [conversation_id, *[None if bot_ids is None else as_json(bot_ids)] * 2],
            ).fetchone()
            if found is None:
                raise ConversationNotFound(conversation_id)
            return read_conversation(found)

    def conversations(
        self, bot_id: str, *, since: str | None, limit: int, offset: int
    ) -> tuple[int, list[Conversation]]:
        with self._rows.reading() as connection:
            bot = bot_row(connection, bot_id)
            where = f"{CONVERSATIONS} where bot = ? and updated_at >= ?"
            values = [bot, since or ""]
            total = connection.execute(f"select count(*) {where}", values).fetchone()[0]
            found = connection.execute(
                f"""select {CONVERSATION} {where}
                order by updated_at desc, conversations.id desc limit ? offset ?""",
                [*values, limit, offset],
            )
            return total, [read_conversation(row) for row in found]

    def change_conversation(
        self, bot_id: str, conversation_id: str, *, title: str | None, metadata: dict[str, Any]
    ) -> Conversation:
        with self._rows.writing() as connection:
            row = _need(connection, bot_id, conversation_id)
            former = _conversation(connection, bot_id, conversation_id).metadata
            merged = {k: v for k, v in {**former, **metadata}.items() if v is not None}
            connection.execute(
                """update conversations set title = coalesce(?, title), metadata = ?,
                updated_at = ? where id = ?""",
                [title, as_json(merged), now(), row],
            )
            return _conversation(connection, bot_id, conversation_id)

    def said(
        self, bot_id: str, conversation_id: str, *, limit: int, before: str | None = None
    ) -> list[TranscriptRow]:
        with self._rows.reading() as connection:
            found = _read(
                connection,
                """where messages.conversation = ? and messages.id < coalesce(
                    (select id from messages where message_id = ?), 9223372036854775807)
                order by messages.id desc limit ?""",
                [_need(connection, bot_id, conversation_id), before, limit],
            )
        return found[::-1]

    def message(self, message_id: str) -> TranscriptRow:
        with self._rows.reading() as connection:
            found = _read(
                connection,
                "where messages.id = (select id from messages where message_id = ?)",
                [message_id],
            )
            if not found and message_id.isascii() and message_id.isdecimal():
                found = _read(connection, "where messages.id = cast(? as integer)", [message_id])
        if not found:
            raise NotFound(f"no message {message_id!r}")
        return found[0]

    def say(
        self, bot_id: str, conversation_id: str, said: Said, *, create: bool = False
    ) -> TranscriptRow:
        with self._rows.writing() as connection:
            row = _find(connection, bot_id, conversation_id)
            if row is None:
                if not create:
                    raise ConversationNotFound(conversation_id)
                row = _create(connection, bot_id, conversation_id, None, {})
            return _say(connection, row, said)

    # -- deleting --------------------------------------------------------------------------------

    def delete_sessions(
        self, session_ids: Sequence[str], bot_ids: list[str] | None, *, cascade: bool
    ) -> Deleted:
        with self._rows.erasing() as connection:
            bots = [bot_row(connection, bot_id) for bot_id in bot_ids or []]
            where = "in (select value from json_each(?))"
            bound = f"and bot {where}" if bot_ids is not None else ""
            values = [as_json(list(session_ids)), *([as_json(bots)] if bot_ids is not None else [])]
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

    def add_translation(self, message: TranscriptRow, language: str, text: str) -> None:
        with self._rows.writing() as connection:
            connection.execute(
                """insert or replace into translations
                (message_id, language, session_id, bot, text, created_at)
                select ?, ?, ?, bot, ?, ? from messages where id = ?""",
                [message.message_id, language, message.conversation_id, text, now(), message.id],
            )

    def add_click(self, bot_id: str, session_id: str, message_id: str | None, url: str) -> None:
        with self._rows.writing() as connection:
            _need(connection, bot_id, session_id)
            connection.execute(
                """insert into clicks (session_id, bot, message_id, url, created_at)
                values (?, ?, ?, ?, ?)""",
                [session_id, bot_row(connection, bot_id), message_id, url, now()],
            )

    # -- answers that are owed -------------------------------------------------------------------

    def claim_owed(self, owner: str, busy: Sequence[str]) -> Owed | None:
        with self._rows.reading() as connection:
            found = connection.execute(
                """select message_id, conversation_id, bots.name, tries from owed
                join messages on messages.id = owed.message
                join conversations on conversations.id = conversation
                join bots on bots.id = messages.bot
                where owner = ? and error is null
                and conversation_id not in (select value from json_each(?))
                order by owed.message limit 1""",
                [owner, as_json(list(busy))],
            ).fetchone()
        return None if found is None else Owed(**dict(zip(_OWED, found, strict=True)))

    def give_up(self, message_id: str, error: str, *, final: bool) -> None:
        with self._rows.writing() as connection:
            connection.execute(
                """update owed set tries = tries + 1, error = ?
                where message = (select id from messages where message_id = ?)""",
                [error if final else None, message_id],
            )

    def inherit_owed(self, former: str, owner: str) -> int:
        with self._rows.writing() as connection:
            return connection.execute(
                "update owed set owner = ? where owner = ? and error is null", [owner, former]
            ).rowcount

    def debtors(self) -> list[str]:
        with self._rows.reading() as connection:
            found = connection.execute("select distinct owner from owed where error is null")
            return [row[0] for row in found]


def erase_conversations(connection: sqlite3.Connection, rows: Sequence[int]) -> int:
    """With contexts, events and what is owed; how many messages that were."""
    these = "in (select value from json_each(?))"
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


_OWED = ("message_id", "conversation_id", "bot_id", "tries")


def _say(connection: sqlite3.Connection, conversation: int, said: Said) -> TranscriptRow:
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
    moment = now()
    message_id = new_id("msg")
    row = connection.execute(
        """insert into messages (message_id, conversation, bot, kind, text, created_at, context,
        sender, metadata, reply_to) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
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
        ],
    ).lastrowid
    connection.execute(
        """update conversations set messages = messages + 1, updated_at = ?,
        preview = case preview when '' then ? else preview end where id = ?""",
        [moment, " ".join(said.text.split())[:_PREVIEW], conversation],
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
    (kept,) = _read(connection, "where messages.id = ?", [row])
    happened = _created(kept).of(kept.bot_id)
    record(connection, happened, _subject(conversation), conversation=conversation)
    return kept


def _answered(
    connection: sqlite3.Connection, conversation: int, said: Said, context: int | None
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


def _create(
    connection: sqlite3.Connection,
    bot_id: str,
    conversation_id: str,
    title: str | None,
    metadata: dict[str, Any],
) -> int:
    moment = now()
    row = connection.execute(
        """insert into conversations (conversation_id, bot, title, metadata, created_at, updated_at)
        values (?, ?, ?, ?, ?, ?)""",
        [conversation_id, bot_of(connection, bot_id), title, as_json(metadata), moment, moment],
    ).lastrowid
    assert row is not None
    begun = ConversationCreated(conversation_id=conversation_id, title=title, metadata=metadata)
    record(connection, begun.of(bot_id), _subject(row), conversation=row)
    return row


def _subject(conversation: int) -> str:
    """By its row: another one may be given the same id later."""
    return f"conversation {conversation}"


def _find(connection: sqlite3.Connection, bot_id: str, conversation_id: str) -> int | None:
    row = connection.execute(
        f"select conversations.id {CONVERSATIONS} where bots.name = ? and conversation_id = ?",
        [bot_id, conversation_id],
    ).fetchone()
    return None if row is None else int(row[0])


def _need(connection: sqlite3.Connection, bot_id: str, conversation_id: str) -> int:
    row = _find(connection, bot_id, conversation_id)
    if row is None:
        raise ConversationNotFound(conversation_id)
    return row


def _conversation(
    connection: sqlite3.Connection, bot_id: str, conversation_id: str
) -> Conversation:
    return read_conversation(
        connection.execute(
            f"select {CONVERSATION} {CONVERSATIONS} where conversations.id = ?",
            [_need(connection, bot_id, conversation_id)],
        ).fetchone()
    )


def read_conversation(row: Sequence[Any]) -> Conversation:
    values = dict(zip(Conversation.__struct_fields__, row, strict=True))
    values["metadata"] = msgspec.json.decode(values["metadata"])
    return Conversation(**values)


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
        has_rag_context=DECISIONS[kind % len(DECISIONS)],
        context=context,
    )
