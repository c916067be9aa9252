"""What the ledger reads of signals and changes, and what it writes of gaps."""

from collections.abc import Collection, Iterator, Sequence
from functools import cache
from typing import Any

import msgspec
import numpy as np

from rag_service.access.scope import ALL_BOTS
from rag_service.conversations.signals import Judgement
from rag_service.documents import Vectors
from rag_service.gaps.store import GapGroup, LedgerChange, LedgerState, Member, Moved, Place
from rag_service.ids import chunk_id
from rag_service.storage.sqlite.bots import bot_of, bot_row
from rag_service.storage.sqlite.changes import newest_change, pruned_until
from rag_service.storage.sqlite.database import RowsFile, as_json
from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.sqlite.embeddings import as_vector, from_bytes, sentences_of, vectors_of
from rag_service.storage.sqlite.gap_rows import gap_row
from rag_service.storage.sqlite.ledger_changes import apply_change
from rag_service.storage.sqlite.passages import passages
from rag_service.storage.sqlite.signals import read_judgement, read_only
from rag_service.storage.views.terms import terms_read

_OF_BOT = "gap_questions.gap in (select id from gaps where bot = ?)"
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

    def places(self, bot_id: str) -> dict[int, Place]:
        with self._rows.reading() as connection:
            found = connection.execute(
                f"""select signal, gap, answered, seen, confidence from gap_questions
                where {_OF_BOT}""",
                [bot_row(connection, ALL_BOTS, bot_id)],
            )
            return {
                signal: (gap, bool(answered), seen, confidence)
                for signal, gap, answered, seen, confidence in found
            }

    def members(self, bot_id: str, signals: Collection[int] | None = None) -> list[Member]:
        with self._rows.reading() as connection:
            bot = bot_row(connection, ALL_BOTS, bot_id)
            if signals is None:
                return read_members(connection, _OF_BOT, [bot])
            some = f"signal in (select value from json_each(?)) and {_OF_BOT}"
            return read_members(connection, some, [as_json(sorted(signals)), bot])

    def members_of(self, gap_id: str) -> list[Member]:
        with self._rows.reading() as connection:
            row, _, _ = gap_row(connection, ALL_BOTS, gap_id)
            return read_members(connection, "gap_questions.gap = ?", [row])

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
                """select id, kind, question, filter, vector, newest_chunk, judgement from signals
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
                only=read_only(only),
                vector=as_vector(vector),
                newest_chunk=newest,
                now=read_judgement(judgement),
            )
            for signal, kind, question, only, vector, newest, judgement in found
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
            return apply_change(connection, bot, change)


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
        (select 1 from gap_questions where gap = gaps.id and not answered) and
        (select what || (detail ->> 'cause') from gap_history where gap = gaps.id
            order by id desc limit 1) <> 'reopenedperson'"""
    ):
        yield f"the gap {gap_id} is open, and all its questions are answered"


def read_members(connection: sqlite3.Connection, where: str, values: Sequence[Any]) -> list[Member]:
    """Equal vectors are one object, and equal judgements: thousands may have asked the same."""
    vector_of, only_of = cache(as_vector), cache(read_only)
    judgement_of = cache(_judgement)
    found = connection.execute(
        f"""select signals.id, kind, question, filter, newest_chunk, gap, vector, answered,
        confidence, nearest, chunk, score, absent, seen, judgement from gap_questions
        join signals on signals.id = signal where {where} order by signals.id""",
        values,
    )
    return [
        Member(
            signal=signal,
            kind=kind,
            question=question,
            only=only_of(only),
            vector=vector_of(vector),
            newest_chunk=newest,
            gap=gap,
            answered=bool(judged[0]),
            now=judgement_of(*judged),
        )
        for signal, kind, question, only, newest, gap, vector, *judged in found
    ]


def _judgement(
    answered: int,
    confidence: float,
    nearest: float,
    chunk: int | None,
    score: float | None,
    absent: str,
    seen: int,
    first: str,
) -> Judgement:
    """The last one. `first` is that of when it was asked."""
    then = read_judgement(first)
    return Judgement(
        has_rag_context=bool(answered) or then.has_rag_context,
        confidence=confidence,
        chunk_id=None if chunk is None else chunk_id(chunk),
        score=score,
        nearest=nearest,
        readable=then.readable,
        absent=msgspec.json.decode(absent),
        seen=seen,
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
