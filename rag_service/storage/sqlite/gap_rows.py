"""The rows of gaps, and what follows when the questions of one have changed."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from msgspec.structs import replace

from rag_service.access.scope import Scope
from rag_service.conversations.signals import SIGNAL_KINDS
from rag_service.errors import NotFound
from rag_service.events.happenings import (
    EventClosing,
    EventGap,
    GapClosed,
    GapOpened,
    GapReopened,
    Happening,
)
from rag_service.gaps.gap import Cause, ClosedBy, GapState, What
from rag_service.gaps.states import Standing, next_state
from rag_service.ids import chunk_id, new_id
from rag_service.storage.sqlite.bots import within
from rag_service.storage.sqlite.database import as_json, insert, now
from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.sqlite.events import record


class Judgements(msgspec.Struct, kw_only=True):
    """What a change did to the questions of one gap."""

    lost: int = 0
    """Questions that are unanswered since it."""
    answered: ClosedBy | None = None
    """The passage that answers the last one that it answered."""


def gap_row(connection: sqlite3.Connection, scope: Scope, gap_id: str) -> tuple[int, int, str]:
    """Row, bot and state of a gap, or of the one it went into. Raises NotFound."""
    seen, values = within(scope)
    found = connection.execute(
        f"""select gaps.id, gaps.bot, gaps.state from gaps join bots on bots.id = gaps.bot
        where gaps.id = (select coalesce(merged_into, id) from gaps where gap_id = ?) and {seen}""",
        [gap_id, *values],
    ).fetchone()
    if found is None:
        raise NotFound(f"no gap {gap_id!r}")
    row, bot, state = found
    return row, bot, state


def asked_by_week(
    connection: sqlite3.Connection, scope: Scope, gap_ids: Sequence[str], weeks: int
) -> dict[str, list[int]]:
    """The oldest first; the last week ends now."""
    seen, values = within(scope)
    found = connection.execute(
        f"""select gaps.gap_id, cast((julianday(?) - julianday(asked_at)) / 7 as integer) as ago,
        count(*) from gaps join bots on bots.id = gaps.bot
        join gap_questions on gap_questions.gap = gaps.id join signals on signals.id = signal
        where gaps.gap_id in (select value from json_each(?)) and {seen} group by 1, 2""",
        [now(connection), as_json(list(gap_ids)), *values],
    )
    counts: dict[str, list[int]] = {}
    for gap_id, ago, count in found:
        of_gap = counts.setdefault(gap_id, [0] * weeks)
        if max(ago, 0) < weeks:
            of_gap[weeks - 1 - max(ago, 0)] += count
    return counts


def make_gap(connection: sqlite3.Connection, bot: int) -> int:
    return insert(
        connection,
        "gaps",
        {"gap_id": new_id("gap"), "bot": bot, "state": "open", "opened_at": now(connection)},
    )


def settle(
    connection: sqlite3.Connection, gap: int, cause: Cause, judgements: Judgements | None = None
) -> None:
    """Count the questions of a gap anew, and open, close or remove it as they stand."""
    judged = judgements or Judgements()
    former = connection.execute(
        """select state, bots.name, first_asked from gaps join bots on bots.id = bot
        where gaps.id = ?""",
        [gap],
    ).fetchone()
    if former is None:
        return
    state, bot_id, is_known = former[0], former[1], former[2] != ""
    if state == "merged":
        return
    questions, people, first, last, unanswered, kinds = connection.execute(
        """select count(*), count(distinct person), min(asked_at), max(asked_at),
        coalesce(sum(not answered), 0), json_group_array(distinct kind)
        from gap_questions join signals on signals.id = signal where gap = ?""",
        [gap],
    ).fetchone()
    if questions == 0:
        connection.execute("delete from gaps where id = ?", [gap])
        return
    kind = min(msgspec.json.decode(kinds), key=SIGNAL_KINDS.index)
    connection.execute(
        """update gaps set questions = ?, people = ?, first_asked = ?, last_asked = ?, kind = ?,
        middle = coalesce(
            (select signal from gap_questions where signal = middle and gap = gaps.id),
            (select min(signal) from gap_questions where gap = gaps.id)) where id = ?""",
        [questions, people, first, last, kind, gap],
    )
    connection.execute(
        """update gaps set confidence = (select confidence from gap_questions where signal = middle)
        where id = ?""",
        [gap],
    )
    if not is_known:
        enter(connection, gap, "opened", {"cause": cause})
        tell(connection, gap, bot_id, "opened")
    is_changed = judgements is not None or cause == "erased"
    standing = Standing(unanswered=unanswered, lost=judged.lost, is_changed=is_changed)
    following, what = next_state(state, standing)
    if what is not None:
        move(connection, gap, following, what, cause, judged.answered)


def move(
    connection: sqlite3.Connection,
    gap: int,
    state: GapState,
    what: What,
    cause: Cause,
    closed_by: ClosedBy | None = None,
) -> None:
    """Into another state, with its history and its event."""
    former, answer_url, bot_id = connection.execute(
        """select closed_by, answer_url, bots.name from gaps join bots on bots.id = bot
        where gaps.id = ?""",
        [gap],
    ).fetchone()
    detail: dict[str, Any] = {"cause": cause}
    if state == "closed":
        by = closed_by or ClosedBy(reason="manual" if cause == "person" else "knowledge")
        if answer_url is not None and by.source_url == answer_url:
            by = replace(by, reason="answer")
        detail |= {"closed_by": msgspec.to_builtins(by)}
        connection.execute(
            "update gaps set state = 'closed', closed_at = ?, closed_by = ? where id = ?",
            [now(connection), as_json(by), gap],
        )
    else:
        if former is not None:
            detail |= {"closed_by": msgspec.json.decode(former)}
        connection.execute(
            """update gaps set state = ?, closed_at = null, closed_by = null,
            reopened = reopened + ? where id = ?""",
            [state, int(what == "reopened"), gap],
        )
    enter(connection, gap, what, detail)
    tell(connection, gap, bot_id, what)


def enter(connection: sqlite3.Connection, gap: int, what: What, detail: Mapping[str, Any]) -> None:
    """Into the history, without the words of any question: those are erased with their rows."""
    connection.execute(
        "insert into gap_history (gap, at, what, detail) values (?, ?, ?, ?)",
        [gap, now(connection), what, as_json(detail)],
    )


def tell(connection: sqlite3.Connection, gap: int, bot_id: str, what: What) -> None:
    """The event of what happened to a gap, where there is one."""
    gap_id, state, of_kind, questions, people, confidence, by = connection.execute(
        """select gap_id, state, kind, questions, people, confidence, closed_by
        from gaps where id = ?""",
        [gap],
    ).fetchone()
    about = EventGap(
        gap_id=gap_id,
        state=state,
        kind=of_kind,
        questions=questions,
        people=people,
        confidence=confidence,
    )
    happening: Happening
    match what:
        case "opened":
            happening = GapOpened(gap=about)
        case "closed":
            closing = msgspec.json.decode(by, type=EventClosing)
            happening = GapClosed(gap=about, closed_by=closing)
        case "reopened":
            happening = GapReopened(gap=about)
        case _:
            return
    record(connection, happening.at(now(connection), bot_id), f"gap {gap_id}", gap=gap)


def closing_evidence(
    connection: sqlite3.Connection, chunk: int | None, before: float, after: float
) -> ClosedBy:
    found = None
    if chunk is not None:
        found = connection.execute(
            """select source_url, document_id from chunks
            join documents on documents.id = document where chunks.id = ?""",
            [chunk],
        ).fetchone()
    return ClosedBy(
        reason="knowledge",
        source_url=found[0] if found else None,
        document_id=found[1] if found else None,
        chunk_id=chunk_id(chunk) if found and chunk is not None else None,
        confidence_before=before,
        confidence_after=after,
    )


@contextmanager
def settling(
    connection: sqlite3.Connection, signals: str, values: Sequence[Any], cause: Cause
) -> Iterator[None]:
    """While these signals, found by a query for their rows, are deleted: their gaps follow."""
    gaps = connection.execute(
        f"select distinct gap from gap_questions where signal in ({signals})", values
    ).fetchall()
    yield
    for (gap,) in gaps:
        settle(connection, gap, cause)
