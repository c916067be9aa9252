"""What a step of the ledger writes, and what follows of it, in one transaction."""

from collections import Counter, defaultdict

from rag_service.gaps.gap import Cause
from rag_service.gaps.store import LedgerChange
from rag_service.ids import chunk_row
from rag_service.storage.sqlite.database import as_json
from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.sqlite.gap_rows import (
    Judgements,
    closing_evidence,
    enter,
    make_gap,
    settle,
)


def apply_change(connection: sqlite3.Connection, bot: int, change: LedgerChange) -> dict[int, int]:
    """The rows of the gaps that it makes, by their numbers."""
    return _Recorder(connection, bot, change).run()


def touch(connection: sqlite3.Connection, bot: int) -> None:
    """Somebody else than the ledger has changed which signal is of which gap."""
    connection.execute("update ledgers set revision = revision + 1 where bot = ?", [bot])


def forward(connection: sqlite3.Connection, gap: int, target: int, cause: Cause) -> None:
    """A gap goes on as another one, with all its questions; its id leads there from now on."""
    gap_id, questions = connection.execute(
        "select gap_id, questions from gaps where id = ?", [gap]
    ).fetchone()
    connection.execute("update gap_questions set gap = ? where gap = ?", [target, gap])
    connection.execute("update gaps set merged_into = ? where merged_into = ?", [target, gap])
    connection.execute(
        """update gaps set note = trim(note || char(10) || (select note from gaps where id = ?),
        char(10)) where id = ?""",
        [gap, target],
    )
    connection.execute(
        "update gaps set state = 'merged', merged_into = ?, questions = 0, people = 0 where id = ?",
        [target, gap],
    )
    enter(connection, target, "merged", {"cause": cause, "gap_id": gap_id, "questions": questions})


class _Recorder:
    """One change in one transaction."""

    def __init__(self, connection: sqlite3.Connection, bot: int, change: LedgerChange) -> None:
        self._connection = connection
        self._bot = bot
        self._change = change
        self._made: dict[int, int] = {}
        self._judgements: dict[int, Judgements] = defaultdict(Judgements)
        self._affected: dict[int, Cause] = {}
        self._evidence: dict[int, tuple[int | None, float, float]] = {}
        """By gap, the passage that answers the last question that is answered by now, and the
        confidence before and after."""
        self._moves: Counter[tuple[int, int]] = Counter()

    def run(self) -> dict[int, int]:
        self._forward()
        self._place()
        self._judge()
        for gap, signal in self._change.middles.items():
            self._connection.execute(
                """update gaps set middle = ? where id = ?
                and exists (select 1 from signals where id = ?)""",
                [signal, self._row(gap), signal],
            )
            self._affect(self._row(gap))
        for gap, evidence in self._evidence.items():
            self._judgements[gap].answered = closing_evidence(self._connection, *evidence)
        for gap in self._affected:
            settle(self._connection, gap, self._change.cause, self._judgements[gap])
        self._advance()
        return self._made

    def _row(self, gap: int) -> int:
        if gap >= 0:
            return gap
        if gap not in self._made:
            self._made[gap] = make_gap(self._connection, self._bot)
        return self._made[gap]

    def _affect(self, gap: int) -> None:
        self._affected.setdefault(gap, self._change.cause)

    def _forward(self) -> None:
        for gap, target in self._change.forwarded.items():
            forward(self._connection, gap, self._row(target), self._change.cause)
            self._affect(self._row(target))

    def _place(self) -> None:
        for signal, gap in self._change.placed.items():
            row = self._row(gap)
            former = self._connection.execute(
                "select gap from gap_questions where signal = ?", [signal]
            ).fetchone()
            if former is not None and former[0] != row:
                self._connection.execute(
                    "update gap_questions set gap = ? where signal = ?", [row, signal]
                )
                self._affect(former[0])
                self._moves[(former[0], row)] += 1
            elif former is None:
                self._connection.execute(
                    """insert into gap_questions (signal, gap, answered, confidence, nearest,
                    absent, seen) select id, ?, 0, judgement ->> 'confidence',
                    judgement ->> 'nearest', judgement -> 'absent', judgement ->> 'seen'
                    from signals where id = ?""",
                    [row, signal],
                )
                self._judgements[row].lost += 1  # unless it is answered, as is told below
            self._affect(row)

        for (source, target), questions in self._moves.items():
            moved = {"cause": self._change.cause, "questions": questions}
            enter(self._connection, source, "moved", {**moved, "to": self._gap_id(target)})
            enter(self._connection, target, "moved", {**moved, "from": self._gap_id(source)})

    def _gap_id(self, row: int) -> str:
        (gap_id,) = self._connection.execute(
            "select gap_id from gaps where id = ?", [row]
        ).fetchone()
        return str(gap_id)

    def _judge(self) -> None:
        for judged in self._change.judged:
            row = self._connection.execute(
                "select gap, answered, confidence from gap_questions where signal = ?",
                [judged.signal],
            ).fetchone()
            if row is None:  # erased meanwhile
                continue
            gap, was_answered, before = row
            now = judged.now
            chunk = None if now.chunk_id is None else chunk_row(now.chunk_id)
            self._connection.execute(
                """update gap_questions set answered = ?, confidence = ?, nearest = ?, chunk = ?,
                score = ?, absent = ?, seen = ? where signal = ?""",
                [
                    judged.answered,
                    now.confidence,
                    now.nearest,
                    chunk,
                    now.score,
                    as_json(now.absent),
                    now.seen,
                    judged.signal,
                ],
            )
            self._note(gap, judged.signal, bool(was_answered), judged.answered)
            if judged.answered:
                self._evidence[gap] = (chunk, before, now.confidence)
            self._affect(gap)

    def _note(self, gap: int, signal: int, was_answered: bool, is_answered: bool) -> None:
        is_new = signal in self._change.placed
        if was_answered and not is_answered:
            self._judgements[gap].lost += 1
        elif is_answered and is_new and not was_answered:
            self._judgements[gap].lost -= 1

    def _advance(self) -> None:
        change = self._change
        told = {
            "sorted": change.sorted,
            "seq": change.seq,
            "made_with": change.made_with,
            "sweep": change.sweep,
        }
        for name, value in told.items():
            if value is not None:
                self._connection.execute(
                    f"update ledgers set {name} = ? where bot = ?", [value, self._bot]
                )
        if change.is_swept:
            self._connection.execute("update ledgers set sweep = null where bot = ?", [self._bot])
        if self._change.revision is None:  # of somebody else than the ledger
            touch(self._connection, self._bot)
