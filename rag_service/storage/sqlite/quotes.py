"""The passages that contexts quote: each is kept once, however many contexts have it.

A quote goes with the last context that has it (a trigger sees to that).
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from rag_service.conversations.messages import Source
from rag_service.storage.sqlite.driver import sqlite3


def quote(connection: sqlite3.Connection, context: int, sources: Sequence[Source]) -> None:
    """Make these the passages of a context, instead of those that it had."""
    rows = [
        (context, place, _quote_row(connection, source), source.score, source.used)
        for place, source in enumerate(sources)
    ]
    # the former ones go afterwards, so that a quote that stays is not deleted in between
    connection.execute("update context_quotes set place = -1 - place where context = ?", [context])
    connection.executemany("insert into context_quotes values (?, ?, ?, ?, ?)", rows)
    connection.execute("delete from context_quotes where context = ? and place < 0", [context])


def quotes_of(connection: sqlite3.Connection, contexts: Iterable[int]) -> dict[int, list[Source]]:
    """By context; one without passages has none here."""
    found: dict[int, list[Source]] = defaultdict(list)
    for context, source_url, chunk_id, title, text, score, used in connection.execute(
        """select context, source_url, chunk_id, title, text, score, used from context_quotes
        join quotes on quotes.id = quote where context in (select value from json_each(?))
        order by context, place""",
        [msgspec.json.encode(list(contexts)).decode()],
    ):
        found[context].append(
            Source(
                source_url=source_url,
                chunk_id=chunk_id,
                title=title,
                text=text,
                score=score,
                used=None if used is None else bool(used),
            )
        )
    return found


def _quote_row(connection: sqlite3.Connection, source: Source) -> int:
    values = (source.source_url, source.chunk_id, source.title, source.text)
    digest = hashlib.sha256(msgspec.json.encode(values)).digest()
    row = connection.execute("select id from quotes where digest = ?", [digest]).fetchone()
    if row is None:
        row = connection.execute(
            """insert into quotes (digest, source_url, chunk_id, title, text)
            values (?, ?, ?, ?, ?) returning id""",
            [digest, *values],
        ).fetchone()
    return int(row[0])
