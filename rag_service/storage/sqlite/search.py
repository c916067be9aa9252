"""A search joins what both views find with the rows of the same moment."""

import re
from collections.abc import Sequence

from rag_service.access.scope import Scope
from rag_service.documents import Vectors
from rag_service.knowledge.filters import Filter
from rag_service.knowledge.store import Candidate, Evidence, Hit, Ranking, Scores
from rag_service.storage.sqlite.bots import bot_row
from rag_service.storage.sqlite.calibrations import calibration
from rag_service.storage.sqlite.database import RowsFile
from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.sqlite.embeddings import as_vector, from_bytes, sentences_of, vectors_of
from rag_service.storage.sqlite.indexes import Indexes
from rag_service.storage.sqlite.levels import levels_of
from rag_service.storage.sqlite.passages import passages
from rag_service.storage.sqlite.selections import Selections
from rag_service.storage.views.bot import BotViews
from rag_service.storage.views.spelling import meant
from rag_service.storage.views.terms import terms_asked, terms_of, terms_read

_WORD = re.compile(r"[^\W\d_]+")


class Search:
    """One query against the rows and views of one moment."""

    def __init__(
        self,
        indexes: Indexes,
        selections: Selections,
        rows: RowsFile,
        vector: Vectors,
        query: str,
        probes: Vectors,
        depth: int,
        wanted: Filter | None,
        rank: Ranking,
    ) -> None:
        self._indexes = indexes
        self._selections = selections
        self._rows = rows
        self._vector = vector
        self._query = query
        self._probes = probes
        self._depth = depth
        self._wanted = wanted
        self._rank = rank

    def attempt(self, scope: Scope, bot_id: str) -> list[Hit] | None:
        """None when a write came between the views and the rows: ask again."""
        with self._rows.reading() as connection:
            bot = bot_row(connection, scope, bot_id)
            if bot is None:
                return []
            views = self._indexes.fresh(connection, bot)
            try:
                return self._find(connection, scope.only(bot_id), bot, views)
            except _Moved:
                return None

    def alone(self, scope: Scope, bot_id: str) -> list[Hit]:
        """While nothing else may move the views: what has no row now never had one."""
        while True:
            with self._rows.reading() as connection:
                bot = bot_row(connection, scope, bot_id)
                assert bot is not None
                views = self._indexes.fresh(connection, bot)
            with views.lock, self._rows.reading() as connection:
                if self._indexes.fresh(connection, bot) is views:
                    return self._find(connection, scope.only(bot_id), bot, views, drop=True)

    def _find(
        self,
        connection: sqlite3.Connection,
        scope: Scope,
        bot: int,
        views: BotViews,
        *,
        drop: bool = False,
    ) -> list[Hit]:
        """Raises _Moved when a candidate has no row, unless those are to be dropped."""
        only = None
        if self._wanted is not None:
            only = self._selections.of(connection, scope, bot, self._wanted)
        dense, words, weights = views.find(self._vector, self._query, self._depth, only)
        there = vectors_of(connection, {*dense, *words})
        if drop:
            dense = {chunk: cosine for chunk, cosine in dense.items() if chunk in there}
            words = {chunk: bm25 for chunk, bm25 in words.items() if chunk in there}
        elif len(there) < len({*dense, *words}):
            raise _Moved
        vectors = {chunk: as_vector(blob) for chunk, blob in there.items()}
        for chunk in words.keys() - dense.keys():
            dense[chunk] = float(self._vector[0] @ vectors[chunk])
        candidates = _Candidates(connection, vectors)
        evidence = Evidence(
            scores={chunk: Scores(cos, words.get(chunk, 0.0)) for chunk, cos in dense.items()},
            vector=self._vector,
            terms=terms_asked(self._query),
            idf=weights.idf,
            absent=weights.absent,
            chunks=views.chunks,
            seen=views.watermark,
            levels=levels_of(connection, views, self._probes),
            calibration=calibration(connection, bot),
            cut=terms_read,
            read=candidates.read,
            sentences=candidates.sentences,
        )
        chosen = self._rank(evidence)
        found = candidates.read([chunk for chunk, _ in chosen])
        return [
            Hit(passage=found[chunk].passage, score=score, scores=evidence.scores[chunk])
            for chunk, score in chosen
        ]


def respelled(connection: sqlite3.Connection, views: BotViews, word: str) -> str | None:
    """A word as a chunk has it."""
    terms = terms_of(word)
    if len(terms) != 1:
        return None
    near = views.near(word, terms[0])
    chunks = {chunk for some in near.values() for chunk in some}
    words = {
        other
        for passage in (passages(connection, chunks) if chunks else {}).values()
        for other in _WORD.findall(f"{passage.title} {passage.heading} {passage.text}")
    }
    others = sorted(words, key=lambda other: (other != other.lower(), other))
    return meant(word, (other for other in others if near.keys() & set(terms_of(other))))


class _Moved(Exception):
    """Somebody wrote between the views and the rows."""


class _Candidates:
    """Reads each candidate's row once."""

    def __init__(self, connection: sqlite3.Connection, vectors: dict[int, Vectors]) -> None:
        self._connection = connection
        self._vectors = vectors
        self._read: dict[int, Candidate] = {}

    def read(self, chunks: Sequence[int]) -> dict[int, Candidate]:
        fresh = [chunk for chunk in chunks if chunk not in self._read]
        there = passages(self._connection, fresh) if fresh else {}
        for chunk in fresh:
            if chunk not in there:
                raise _Moved
            self._read[chunk] = Candidate(passage=there[chunk], vector=self._vectors[chunk])
        return {chunk: self._read[chunk] for chunk in chunks}

    def sentences(self, chunks: Sequence[int]) -> dict[int, Vectors]:
        found = sentences_of(self._connection, chunks)
        dimension = len(next(iter(self._vectors.values()), ()))
        return {chunk: from_bytes(blob, dimension) for chunk, blob in found.items()}
