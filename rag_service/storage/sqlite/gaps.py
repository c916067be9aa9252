"""Gaps as people see them, and what they say of them."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from rag_service.access.scope import Scope
from rag_service.errors import Conflict
from rag_service.gaps.gap import (
    BestMatch,
    ClosedBy,
    Gap,
    GapEntry,
    GapFilter,
    GapQuestion,
    GapSort,
    GapState,
    What,
)
from rag_service.gaps.store import Week
from rag_service.storage.sqlite.bots import within
from rag_service.storage.sqlite.changes import changes_since
from rag_service.storage.sqlite.database import RowsFile, as_json
from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.sqlite.gap_rows import (
    asked_by_week,
    gap_row,
    move,
    settle,
)
from rag_service.storage.sqlite.ledger_changes import forward, touch
from rag_service.storage.sqlite.messages import kind_of
from rag_service.storage.sqlite.transcript_pages import SHORTEST_INDEXED

_GAP = """gap_id, bots.name, state, gaps.kind,
    coalesce(gaps.title, substr(middle_signal.question, 1, 300)), questions, people, first_asked,
    last_asked, gaps.confidence, opened_at, closed_at, reopened, closed_by, note,
    documents.source_url, documents.title, chunks.text, gap_questions.score"""
_GAPS = """from gaps join bots on bots.id = gaps.bot
    left join signals as middle_signal on middle_signal.id = middle
    left join gap_questions on gap_questions.signal = middle
    left join chunks on chunks.id = gap_questions.chunk
    left join documents on documents.id = chunks.document"""
_SORTS: dict[GapSort, str] = {
    "people": "people",
    "questions": "questions",
    "last_asked": "last_asked",
    "first_asked": "first_asked",
    "confidence": "gaps.confidence",
}
_EXPORT = 500


class SqliteGaps:
    def __init__(self, rows: RowsFile) -> None:
        self._rows = rows

    def page(
        self,
        scope: Scope,
        where: GapFilter,
        *,
        sort: GapSort,
        descending: bool,
        limit: int,
        offset: int,
    ) -> tuple[int, list[Gap]]:
        condition, values = _where(scope, where)
        direction = "desc" if descending else "asc"
        with self._rows.reading() as connection:
            (total,) = connection.execute(
                f"select count(*) from gaps join bots on bots.id = gaps.bot where {condition}",
                values,
            ).fetchone()
            order = f"order by {_SORTS[sort]} {direction}, gaps.id {direction}"
            found = connection.execute(  # what is shown is read of one page alone
                f"""select {_GAP} {_GAPS} where gaps.id in (select gaps.id from gaps
                join bots on bots.id = gaps.bot where {condition} {order} limit ? offset ?)
                {order}""",
                [*values, limit, offset],
            )
            return total, [_gap(row) for row in found]

    def pending(self, scope: Scope) -> int:
        seen, values = within(scope)
        with self._rows.reading() as connection:
            found = connection.execute(
                f"""select bots.id, coalesce(sorted, 0), ledgers.seq from bots
                left join ledgers on ledgers.bot = bots.id where {seen}""",
                values,
            ).fetchall()
            pending = 0
            for bot, until, seq in found:
                pending += connection.execute(
                    "select count(*) from signals where bot = ? and id > ?", [bot, until]
                ).fetchone()[0]
                if seq is not None:
                    pending += changes_since(connection, bot, seq)
            return pending

    def of_rows(self, scope: Scope, rows: Sequence[int]) -> list[Gap]:
        seen, values = within(scope)
        with self._rows.reading() as connection:
            found = connection.execute(
                f"""select gaps.id, {_GAP} {_GAPS}
                where gaps.id in (select value from json_each(?)) and {seen}""",
                [as_json(list(rows)), *values],
            )
            gaps = {row[0]: _gap(row[1:]) for row in found}
            return [gaps[row] for row in rows if row in gaps]

    def get(self, scope: Scope, gap_id: str) -> Gap:
        with self._rows.reading() as connection:
            return _read(connection, scope, gap_id)

    def questions(
        self, scope: Scope, gap_id: str, *, limit: int, offset: int
    ) -> tuple[int, list[GapQuestion]]:
        with self._rows.reading() as connection:
            row, _, _ = gap_row(connection, scope, gap_id)
            (total,) = connection.execute(
                "select count(*) from gap_questions where gap = ?", [row]
            ).fetchone()
            found = connection.execute(
                """select message_id, conversation_id, messages.text, asked_at,
                judgement ->> 'confidence', gap_questions.confidence, answered
                from gap_questions join signals on signals.id = signal
                join messages on messages.id = message
                join conversations on conversations.id = conversation
                where gap = ? order by signals.id desc limit ? offset ?""",
                [row, limit, offset],
            )
            names = GapQuestion.__struct_fields__
            return total, [
                GapQuestion(**{**dict(zip(names, row, strict=True)), "answered": bool(row[-1])})
                for row in found
            ]

    def activity(self, scope: Scope, gap_ids: Sequence[str], weeks: int) -> dict[str, list[int]]:
        with self._rows.reading() as connection:
            return asked_by_week(connection, scope, gap_ids, weeks)

    def history(self, scope: Scope, gap_id: str) -> list[GapEntry]:
        with self._rows.reading() as connection:
            row, _, _ = gap_row(connection, scope, gap_id)
            found = connection.execute(
                "select at, what, detail from gap_history where gap = ? order by id", [row]
            )
            return [
                GapEntry(at=at, what=what, evidence=msgspec.json.decode(detail))
                for at, what, detail in found
            ]

    def change(
        self,
        scope: Scope,
        gap_id: str,
        *,
        state: GapState | None,
        title: str | None,
        note: str | None,
    ) -> Gap:
        with self._rows.writing() as connection:
            row, bot, former = gap_row(connection, scope, gap_id)
            if title is not None:
                connection.execute(
                    "update gaps set title = ?, is_pinned = 1 where id = ?", [title or None, row]
                )
            if note is not None:
                connection.execute("update gaps set note = ? where id = ?", [note, row])
            if state is not None and state != former:
                move(connection, row, state, _CALLED[state], "person")
            touch(connection, bot)
            return _read(connection, scope, gap_id)

    def merge(self, scope: Scope, gap_id: str, gap_ids: Sequence[str]) -> Gap:
        with self._rows.writing() as connection:
            target, bot, _ = gap_row(connection, scope, gap_id)
            for other_id in dict.fromkeys(gap_ids):
                other, other_bot, _ = gap_row(connection, scope, other_id)
                if other == target:
                    if other_id == gap_id:
                        raise Conflict(f"the gap {gap_id!r} cannot be merged into itself")
                    continue  # it is part of it already
                if other_bot != bot:
                    raise Conflict(f"the gap {other_id!r} is of another bot")
                forward(connection, other, target, "person")
            connection.execute("update gaps set is_pinned = 1 where id = ?", [target])
            (unanswered,) = connection.execute(
                "select count(*) from gap_questions where gap = ? and not answered", [target]
            ).fetchone()
            (state,) = connection.execute(
                "select state from gaps where id = ?", [target]
            ).fetchone()
            if state == "closed" and unanswered:
                move(connection, target, "open", "reopened", "person")
            settle(connection, target, "person")
            touch(connection, bot)
            return _read(connection, scope, gap_id)

    def note_answer(self, scope: Scope, gap_id: str, source_url: str) -> None:
        with self._rows.writing() as connection:
            row, bot, _ = gap_row(connection, scope, gap_id)
            connection.execute("update gaps set answer_url = ? where id = ?", [source_url, row])
            touch(connection, bot)

    def golden(self, scope: Scope) -> Iterator[tuple[str, list[str]]]:
        seen, values = within(scope)
        with self._rows.reading() as connection:
            found = connection.execute(
                f"""select distinct question, source_url from gap_questions
                join signals on signals.id = signal join gaps on gaps.id = gap
                join bots on bots.id = gaps.bot join chunks on chunks.id = gap_questions.chunk
                join documents on documents.id = chunks.document
                where answered and state = 'closed' and {seen}
                union
                select question.text, quotes.source_url from feedback
                join messages as answer on answer.id = feedback.message
                join messages as question on question.message_id = answer.reply_to
                join bots on bots.id = answer.bot
                join context_quotes on context_quotes.context = answer.context and used
                join quotes on quotes.id = quote
                where rating = 'up' and {seen}
                order by 1, 2""",
                [*values, *values],
            ).fetchall()
        by_question: dict[str, list[str]] = {}
        for question, source_url in found:
            by_question.setdefault(question, []).append(source_url)
        yield from by_question.items()

    def weeks(self, scope: Scope, since: str | None) -> list[Week]:
        seen, values = within(scope)
        with self._rows.reading() as connection:
            found = connection.execute(
                f"""select date(messages.created_at, 'weekday 0', '-6 days') as begins, count(*),
                sum(kind = ?) from messages join bots on bots.id = messages.bot
                where kind in (?, ?) and messages.metadata ->> 'small_talk' is null
                and messages.created_at >= ? and {seen}
                group by begins order by begins""",
                [_ANSWERED, _ANSWERED, _UNANSWERED, since or "", *values],
            )
            return [
                Week(begins=begins, questions=questions, answered=answered)
                for begins, questions, answered in found
            ]


_ANSWERED, _UNANSWERED = kind_of("user", True), kind_of("user", False)
_CALLED: dict[GapState, What] = {
    "open": "reopened",
    "closed": "closed",
    "dismissed": "dismissed",
}


def _read(connection: sqlite3.Connection, scope: Scope, gap_id: str) -> Gap:
    row, _, _ = gap_row(connection, scope, gap_id)
    gap = _gap(connection.execute(f"select {_GAP} {_GAPS} where gaps.id = ?", [row]).fetchone())
    if gap.gap_id != gap_id:
        return msgspec.structs.replace(gap, merged_into=gap.gap_id)
    return gap


def _where(scope: Scope, where: GapFilter) -> tuple[str, list[Any]]:
    seen, of_scope = within(scope)
    conditions = ["state <> 'merged'", "questions >= ?", seen]
    values: list[Any] = [where.min_questions, *of_scope]
    told = {
        "gaps.state = ?": where.state,
        "gaps.kind = ?": where.kind,
        "last_asked >= ?": where.since,
        "last_asked <= ?": where.until,
    }
    for condition, value in told.items():
        if value is not None:
            conditions.append(condition)
            values.append(value)
    if where.q is not None:
        condition, of_condition = _mentions(where.q)
        conditions.append(condition)
        values += of_condition
    return " and ".join(conditions), values


def _mentions(q: str) -> tuple[str, list[str]]:
    """In the title, or in a question: by the index of transcripts, unless it is too short."""
    shown = "coalesce(gaps.title, (select question from signals where id = middle), '')"
    title, folded = f"instr(fold({shown}), ?)", q.casefold()
    if len(q) >= SHORTEST_INDEXED:
        indexed = """gaps.id in (select gap from messages_text
            join signals on signals.message = messages_text.rowid
            join gap_questions on signal = signals.id where messages_text match ?)"""
        return f"({title} or {indexed})", [folded, '"' + q.replace('"', '""') + '"']
    # SQLite's own `lower` is quick, and right for ASCII alone
    asked = """exists (select 1 from gap_questions
        join signals on signals.id = signal join messages on messages.id = message
        where gap = gaps.id
        and case when length(messages.text) = length(cast(messages.text as blob))
        then instr(lower(messages.text), ?) else instr(fold(messages.text), ?) end)"""
    return f"({title} or {asked})", [folded, folded, folded]


def _gap(row: Sequence[Any]) -> Gap:
    *of_gap, source_url, title, text, score = row
    names = [
        "gap_id", "bot_id", "state", "kind", "title", "questions", "people", "first_asked",
        "last_asked", "confidence", "opened_at", "closed_at", "reopened", "closed_by", "note",
    ]  # fmt: skip
    values = dict(zip(names, of_gap, strict=True))
    by = values.pop("closed_by")
    return Gap(
        **values,
        closed_by=None if by is None else msgspec.json.decode(by, type=ClosedBy),
        best_match=None
        if source_url is None
        else BestMatch(source_url=source_url, title=title, text=text, score=score),
    )
