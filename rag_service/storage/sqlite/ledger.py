"""What the ledger reads of signals and changes, and what it writes of gaps."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np

from rag_service.access.scope import ALL_BOTS
from rag_service.conversations.signals import Judgement
from rag_service.documents import Vectors
from rag_service.gaps.gap import Cause
from rag_service.gaps.store import GapGroup, LedgerChange, LedgerState, Member, Moved
from rag_service.ids import chunk_id, chunk_row
from rag_service.storage.sqlite.bots import bot_of, bot_row
from rag_service.storage.sqlite.changes import newest_change, pruned_until
from rag_service.storage.sqlite.database import RowsFile, as_json
from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.sqlite.embeddings import as_vector, from_bytes, sentences_of, vectors_of
from rag_service.storage.sqlite.gap_rows import (
    Judgements,
    closing_evidence,
    enter,
    gap_row,
    make_gap,
    settle,
)
from rag_service.storage.sqlite.passages import passages
from rag_service.storage.sqlite.signals import read_judgement
from rag_service.storage.views.terms import terms_read

_LEDGER = "sorted, seq, sweep, made_with, revision"


class SqliteLedger:
    def __init__(self, rows: RowsFile) -> None:
        self._rows = rows

    def waiting(self) -> list[str]:
        with self._rows.reading() as connection:
            found = connection.execute(
                """select name from bots where exists (select 1 from signals where bot = bots.id and
                    signals.id > coalesce((select sorted from ledgers where bot = bots.id), 0))
                or exists (select 1 from ledgers where bot = bots.id and (sweep is not null
                    or seq < (select max(changes.seq) from changes where changes.bot = bots.id)
                    or seq < (select seq from pruned where pruned.bot = bots.id)))
                order by id"""
            )
            return [name for (name,) in found]

    def bots(self) -> list[str]:
        with self._rows.reading() as connection:
            found = connection.execute(
                "select name from ledgers join bots on bots.id = bot order by bots.id"
            )
            return [name for (name,) in found]

    def state(self, bot_id: str) -> LedgerState:
        with self._rows.reading() as connection:
            bot = bot_row(connection, ALL_BOTS, bot_id)
            row = connection.execute(
                f"select {_LEDGER} from ledgers where bot = ?", [bot]
            ).fetchone()
            newest = 0 if bot is None else newest_change(connection, bot)
        sorted_, seq, sweep, made_with, revision = row or (0, newest, None, "", 0)
        return LedgerState(
            sorted=sorted_,
            seq=seq,
            newest=newest,
            sweep=sweep,
            made_with=made_with,
            revision=revision,
        )

    def members(self, bot_id: str) -> list[Member]:
        with self._rows.reading() as connection:
            return read_members(
                connection, "gap_questions.gap in (select id from gaps where bot = ?)", bot_id
            )

    def members_of(self, gap_id: str) -> list[Member]:
        with self._rows.reading() as connection:
            row, _, _ = gap_row(connection, ALL_BOTS, gap_id)
            return read_members(connection, "gap_questions.gap = ?", row)

    def groups(self, bot_id: str) -> list[GapGroup]:
        with self._rows.reading() as connection:
            found = connection.execute(
                """select id, state, is_pinned from gaps where state <> 'merged'
                and bot = (select id from bots where name = ?)""",
                [bot_id],
            )
            return [
                GapGroup(gap=gap, state=state, is_pinned=bool(pinned))
                for gap, state, pinned in found
            ]

    def unsorted(self, bot_id: str, limit: int) -> list[Member]:
        with self._rows.reading() as connection:
            found = connection.execute(
                """select id, kind, question, vector, newest_chunk, judgement from signals
                where bot = (select id from bots where name = ?) and id > coalesce(
                    (select sorted from ledgers where ledgers.bot = signals.bot), 0)
                order by id limit ?""",
                [bot_id, limit],
            ).fetchall()
        return [
            Member(
                signal=signal,
                kind=kind,
                question=question,
                vector=as_vector(vector),
                newest_chunk=newest,
                now=read_judgement(judgement),
            )
            for signal, kind, question, vector, newest, judgement in found
        ]

    def moved(self, bot_id: str, after: int, limit: int) -> Moved:
        with self._rows.reading() as connection:
            bot = bot_row(connection, ALL_BOTS, bot_id)
            newest = newest_change(connection, bot) if bot is not None else 0
            if bot is None or after < pruned_until(connection, bot):
                return _moved(newest, [], set(), everything=bot is not None)
            rows = connection.execute(
                """select changes.seq, chunk, chunks.id is not null from changes
                left join chunks on chunks.id = chunk
                where changes.bot = ? and changes.seq > ? order by changes.seq limit ?""",
                [bot, after, limit],
            ).fetchall()
            if not rows:
                return _moved(newest, [], set())
            came = sorted({chunk for _, chunk, exists in rows if exists})
            gone = {chunk for _, chunk, exists in rows if not exists}
            (dimension,) = connection.execute("select dimension from base").fetchone()
            return _moved(
                rows[-1][0],
                came,
                gone,
                vectors=_vectors_of(connection, came, dimension or 1),
                terms={
                    term
                    for passage in passages(connection, came).values()
                    for term in terms_read(passage.embedded_text)
                },
            )

    def record(self, change: LedgerChange) -> dict[int, int] | None:
        with self._rows.writing() as connection:
            bot = bot_of(connection, ALL_BOTS, change.bot_id)
            connection.execute(
                "insert or ignore into ledgers (bot, seq) values (?, ?)",
                [bot, newest_change(connection, bot) if change.seq is None else change.seq],
            )
            (revision,) = connection.execute(
                "select revision from ledgers where bot = ?", [bot]
            ).fetchone()
            if change.revision is not None and change.revision != revision:
                return None
            return _Recorder(connection, bot, change).run()


def check_ledger(connection: sqlite3.Connection) -> Iterator[str]:
    """Yields what is wrong with the gaps, a sentence each."""
    for (signal,) in connection.execute(
        """select signals.id from signals join ledgers on ledgers.bot = signals.bot
        where signals.id <= sorted and signals.id not in (select signal from gap_questions)"""
    ):
        yield f"the question of signal {signal} is of no gap"
    for (gap_id,) in connection.execute(
        """select gap_id from gaps where state <> 'merged' and (questions, people) <>
        (select count(*), count(distinct person) from gap_questions
        join signals on signals.id = signal where gap = gaps.id)"""
    ):
        yield f"the gap {gap_id} has not as many questions or people as it says"
    for (gap_id,) in connection.execute(
        """select gap_id from gaps where state = 'open' and not exists
        (select 1 from gap_questions where gap = gaps.id and not answered)"""
    ):
        yield f"the gap {gap_id} is open, and all its questions are answered"


def touch(connection: sqlite3.Connection, bot: int) -> None:
    """Somebody else than the ledger has changed which signal is of which gap."""
    connection.execute("update ledgers set revision = revision + 1 where bot = ?", [bot])


def read_members(connection: sqlite3.Connection, where: str, bot_id: str | int) -> list[Member]:
    if isinstance(bot_id, str):
        bot_id = bot_row(connection, ALL_BOTS, bot_id) or 0
    found = connection.execute(
        f"""select signals.id, kind, question, vector, newest_chunk, gap, answered, confidence,
        nearest, chunk, score, absent, seen, judgement from gap_questions
        join signals on signals.id = signal where {where} order by signals.id""",
        [bot_id],
    )
    return [_member(row) for row in found]


def _member(row: Sequence[Any]) -> Member:
    (signal, kind, question, vector, newest, gap, answered) = row[:7]
    confidence, nearest, chunk, score, absent, seen, judgement = row[7:]
    then = read_judgement(judgement)
    return Member(
        signal=signal,
        kind=kind,
        question=question,
        vector=as_vector(vector),
        newest_chunk=newest,
        gap=gap,
        answered=bool(answered),
        now=Judgement(
            has_rag_context=bool(answered) or then.has_rag_context,
            confidence=confidence,
            chunk_id=None if chunk is None else chunk_id(chunk),
            score=score,
            nearest=nearest,
            readable=then.readable,
            absent=msgspec.json.decode(absent),
            seen=seen,
        ),
    )


def _moved(
    until: int,
    came: list[int],
    gone: set[int],
    *,
    vectors: Vectors | None = None,
    terms: set[str] | None = None,
    everything: bool = False,
) -> Moved:
    return Moved(
        until=until,
        came=came,
        gone=gone,
        vectors=np.zeros((0, 1), np.float32) if vectors is None else vectors,
        terms=terms or set(),
        everything=everything,
    )


def _vectors_of(connection: sqlite3.Connection, chunks: Sequence[int], dimension: int) -> Vectors:
    """Of passages and of their sentences."""
    found = [as_vector(blob)[None] for blob in vectors_of(connection, chunks).values()]
    found += [from_bytes(blob, dimension) for blob in sentences_of(connection, chunks).values()]
    return np.concatenate(found) if found else np.zeros((0, dimension), np.float32)


class _Recorder:
    """One change in one transaction."""

    def __init__(self, connection: sqlite3.Connection, bot: int, change: LedgerChange) -> None:
        self._connection = connection
        self._bot = bot
        self._change = change
        self._made: dict[int, int] = {}
        self._judgements: dict[int, Judgements] = defaultdict(Judgements)
        self._affected: dict[int, Cause] = {}
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
        for gap in self._affected:
            settle(self._connection, gap, self._change.cause, self._judgements.get(gap))
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
                self._judgements[gap].answered = closing_evidence(
                    self._connection, chunk, before, now.confidence
                )
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


def forward(connection: sqlite3.Connection, gap: int, target: int, cause: Cause) -> None:
    """A gap goes on as another one, with all its questions; its id leads there from now on."""
    gap_id, questions = connection.execute(
        "select gap_id, questions from gaps where id = ?", [gap]
    ).fetchone()
    connection.execute("update gap_questions set gap = ? where gap = ?", [target, gap])
    connection.execute("update gaps set merged_into = ? where merged_into = ?", [target, gap])
    connection.execute(
        "update gaps set state = 'merged', merged_into = ?, questions = 0, people = 0 where id = ?",
        [target, gap],
    )
    enter(connection, target, "merged", {"cause": cause, "gap_id": gap_id, "questions": questions})
