"""Every store over one SQLite file, with FAISS and tantivy as views of its rows."""

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from rag_service.clock import now
from rag_service.documents import DEFAULT_BOT, Passage, Vectors
from rag_service.errors import NotFound, StorageBusy, StorageFailed
from rag_service.knowledge.store import (
    Calibration,
    Candidate,
    DocumentFilter,
    DocumentInfo,
    Embedded,
    Evidence,
    Hit,
    Known,
    Ranking,
    Revision,
    Scores,
    StoredDocument,
    Written,
)
from rag_service.settings import Settings
from rag_service.storage.sqlite import knowledge
from rag_service.storage.sqlite.contacts import SqliteContacts
from rag_service.storage.sqlite.conversations import SqliteConversations
from rag_service.storage.sqlite.database import RowsFile
from rag_service.storage.sqlite.deliveries import SqliteDeliveries
from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.sqlite.events import SqliteEvents
from rag_service.storage.sqlite.indexes import Indexes
from rag_service.storage.sqlite.jobs import SqliteJobs
from rag_service.storage.sqlite.levels import levels_of
from rag_service.storage.sqlite.tokens import SqliteTokens
from rag_service.storage.sqlite.transcripts import SqliteTranscripts
from rag_service.storage.sqlite.upkeep import SqliteUpkeep, owe_views
from rag_service.storage.sqlite.webhooks import SqliteWebhooks
from rag_service.storage.views.bot import BotViews, Identity
from rag_service.storage.views.spelling import meant
from rag_service.storage.views.words import terms_asked, terms_of, terms_read

_TRIES = 4
_WORD = re.compile(r"[^\W\d_]+")


class SqliteStore(
    SqliteTokens,
    SqliteJobs,
    SqliteConversations,
    SqliteTranscripts,
    SqliteEvents,
    SqliteWebhooks,
    SqliteDeliveries,
    SqliteContacts,
    SqliteUpkeep,
):
    """The contracts of `rag_service.storage` over RAG_DATA_DIR and RAG_INDEX_DIR."""

    def __init__(
        self,
        settings: Settings,
        embedder: Callable[[], tuple[str, int]],
        upgrade: Callable[[str], None] | None = None,
    ) -> None:
        path = settings.data_dir / "rag.db"
        self._rows = RowsFile(path, settings.lock_timeout_s, upgrade)
        self._folder = settings.index_dir
        self._embedder = embedder
        self._made: Indexes | None = None
        self._claimed = False
        self._making = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._rows.close()

    @property
    def _indexes(self) -> Indexes:
        """The views, once the base is known to belong to the embedding model of the settings."""
        with self._making:
            if not self._claimed:
                model, dimension = self._embedder()
                with self._rows.reading() as connection:
                    _, known, _ = knowledge.base(connection)
                if known != model:  # otherwise a search would wait for the lock of writers
                    with self._rows.writing() as connection:
                        knowledge.claim(connection, model, dimension)
                self._claimed = True
        return self._known_indexes()

    def _known_indexes(self) -> Indexes:
        """The views of whatever model filled the base, without loading it."""
        with self._making:
            if self._made is None:
                with self._rows.reading() as connection:
                    base, model, dimension = knowledge.base(connection)
                identity = Identity(base=base, model=model or "", dimension=dimension or 1)
                made = Indexes(self._rows, self._folder, identity)
                if model is None:
                    return made
                self._made = made
            return self._made

    # -- writing -------------------------------------------------------------------------------

    def known(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Known]:
        with self._rows.reading() as connection:
            return knowledge.known(connection, keys)

    def known_vectors(self, digests: Sequence[bytes]) -> set[bytes]:
        with self._rows.reading() as connection:
            return set(knowledge.known_vectors(connection, digests))

    def own_vectors(self, bot_id: str, digests: Sequence[bytes]) -> set[bytes]:
        with self._rows.reading() as connection:
            rows = knowledge.known_vectors(connection, digests)
            return knowledge.vectors_in_use(connection, bot_id, rows)

    def replace(
        self, revisions: Sequence[Revision], vectors: Mapping[bytes, Embedded]
    ) -> list[Written]:
        _ = self._indexes  # claims the base for this embedding model
        digests = list({digest for revision in revisions for digest in revision.digests})
        with self._rows.writing() as connection:
            knowledge.keep_vectors(connection, vectors)
            rows = knowledge.known_vectors(connection, digests)
            try:
                return [knowledge.replace(connection, revision, rows) for revision in revisions]
            except KeyError as unknown:  # unused when the push looked, and removed since
                raise StorageBusy("a vector of it was removed meanwhile: try again") from unknown

    def matching_chunks(self, revision: Revision) -> Written:
        with self._rows.reading() as connection:
            rows = knowledge.known_vectors(connection, list(set(revision.digests)))
            return knowledge.matching_chunks(connection, revision, rows)

    def remove(self, bot_id: str, source_urls: Sequence[str]) -> dict[str, int]:
        with self._rows.erasing() as connection:
            removed = knowledge.remove(connection, bot_id, source_urls)
            bot = knowledge.bot_row(connection, bot_id)
            if removed and bot is not None and self._known_indexes().may_hold(bot):
                owe_views(connection, bot, now())
            return removed

    def create_bot(self, bot_id: str) -> None:
        with self._rows.writing() as connection:
            knowledge.create_bot(connection, bot_id)

    # -- reading -------------------------------------------------------------------------------

    def search(
        self,
        bot_id: str,
        *,
        vector: Vectors,
        query: str,
        probes: Vectors,
        depth: int,
        content_type: str | None,
        rank: Ranking,
    ) -> list[Hit]:
        search = _Search(
            self._indexes, self._rows, vector, query, probes, depth, content_type, rank
        )
        for _ in range(_TRIES):
            if (found := search.attempt(bot_id)) is not None:
                return found
        return search.alone(bot_id)

    def around(self, passages: Sequence[Passage]) -> dict[str, tuple[str, str]]:
        with self._rows.reading() as connection:
            return knowledge.around(connection, passages)

    def respell(self, bot_id: str, words: Sequence[str]) -> dict[str, str]:
        with self._rows.reading() as connection:
            bot = knowledge.bot_row(connection, bot_id)
            if bot is None:
                return {}
            views = self._indexes.fresh(connection, bot)
            found = {word: _respelled(connection, views, word) for word in words}
        return {word: other for word, other in found.items() if other is not None}

    def documents(
        self, where: DocumentFilter, *, limit: int, offset: int
    ) -> tuple[int, list[DocumentInfo]]:
        with self._rows.reading() as connection:
            return knowledge.documents(connection, where, limit, offset)

    def document(self, document_id: str) -> StoredDocument:
        with self._rows.reading() as connection:
            return knowledge.document(connection, document_id)

    def calibrate(self, bot_id: str, calibration: Calibration | None) -> None:
        with self._rows.writing() as connection:
            bot = knowledge.bot_row(connection, bot_id)
            if bot is None:
                raise NotFound(f"no bot {bot_id!r}")
            knowledge.calibrate(connection, bot, calibration)

    def calibrations(self) -> dict[str, Calibration]:
        with self._rows.reading() as connection:
            return knowledge.calibrations(connection)

    def has_bot(self, bot_id: str) -> bool:
        with self._rows.reading() as connection:
            return bot_id == DEFAULT_BOT or knowledge.bot_row(connection, bot_id) is not None

    def bots(self) -> dict[str, dict[str, Any]]:
        with self._rows.reading() as connection:
            return knowledge.bots(connection)

    # -- views ---------------------------------------------------------------------------------

    def warm(self) -> None:
        indexes = self._indexes
        for bot in self._bot_rows().values():
            indexes.warm(bot)

    def wants_sealing(self, bot_id: str) -> bool:
        bot = self._bot_rows().get(bot_id)
        return bot is not None and self._known_indexes().wants_sealing(bot)

    def seal(self, bot_id: str, *, share: float | None = None) -> bool:
        bot = self._bot_rows().get(bot_id)
        try:
            return bot is not None and self._known_indexes().seal(bot, share)
        except OSError as error:
            raise StorageFailed(
                f"the views in {self._folder} could not be written: {error}"
            ) from error

    def check(self) -> Iterator[str]:
        indexes = self._known_indexes()
        with self._rows.reading() as connection:
            for table in ("documents_text", "messages_text"):
                # SQLite 3.53 checks a table by what this connection remembers of its structure
                connection.execute(f"select 1 from {table} where {table} match 'aaa'").fetchone()
            found = connection.execute("pragma quick_check").fetchone()[0]
        if found != "ok":
            yield f"rag.db: {found}"
        for name, bot in self._bot_rows().items():
            yield from indexes.check(bot, name)

    def reindex(self, bot_id: str) -> None:
        bot = self._bot_rows().get(bot_id)
        if bot is None:
            raise NotFound(f"no bot {bot_id!r}")
        self._known_indexes().discard(bot)
        self.seal(bot_id, share=0)

    def _bot_rows(self) -> dict[str, int]:
        with self._rows.reading() as connection:
            return dict(connection.execute("select name, id from bots").fetchall())


class _Search:
    """One query against the rows and views of one moment."""

    def __init__(
        self,
        indexes: Indexes,
        rows: RowsFile,
        vector: Vectors,
        query: str,
        probes: Vectors,
        depth: int,
        content_type: str | None,
        rank: Ranking,
    ) -> None:
        self._indexes = indexes
        self._rows = rows
        self._vector = vector
        self._query = query
        self._probes = probes
        self._depth = depth
        self._content_type = content_type
        self._rank = rank

    def attempt(self, bot_id: str) -> list[Hit] | None:
        """None when a write came between the views and the rows: ask again."""
        with self._rows.reading() as connection:
            bot = knowledge.bot_row(connection, bot_id)
            if bot is None:
                return []
            views = self._indexes.fresh(connection, bot)
            try:
                return self._find(connection, bot, views)
            except _Moved:
                return None

    def alone(self, bot_id: str) -> list[Hit]:
        """While nothing else may move the views: what has no row now never had one."""
        while True:
            with self._rows.reading() as connection:
                bot = knowledge.bot_row(connection, bot_id)
                assert bot is not None
                views = self._indexes.fresh(connection, bot)
            with views.lock, self._rows.reading() as connection:
                if self._indexes.fresh(connection, bot) is views:
                    return self._find(connection, bot, views, drop=True)

    def _find(
        self, connection: sqlite3.Connection, bot: int, views: BotViews, *, drop: bool = False
    ) -> list[Hit]:
        """Raises _Moved when a candidate has no row, unless those are to be dropped."""
        only = None
        if self._content_type is not None:
            only = knowledge.chunks_of_type(connection, bot, self._content_type)
        dense, words, weights = views.find(
            self._vector, self._query, self._depth, self._content_type, only
        )
        there = knowledge.vectors_of(connection, {*dense, *words})
        if drop:
            dense = {chunk: cosine for chunk, cosine in dense.items() if chunk in there}
            words = {chunk: bm25 for chunk, bm25 in words.items() if chunk in there}
        elif len(there) < len({*dense, *words}):
            raise _Moved
        vectors = {chunk: knowledge.as_vector(blob) for chunk, blob in there.items()}
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
            levels=levels_of(connection, views, self._probes),
            calibration=knowledge.calibration(connection, bot),
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


def _respelled(connection: sqlite3.Connection, views: BotViews, word: str) -> str | None:
    """A word as a chunk has it."""
    terms = terms_of(word)
    if len(terms) != 1:
        return None
    near = views.near(word, terms[0])
    chunks = {chunk for some in near.values() for chunk in some}
    words = {
        other
        for passage in (knowledge.passages(connection, chunks) if chunks else {}).values()
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
        passages = knowledge.passages(self._connection, fresh) if fresh else {}
        for chunk in fresh:
            if chunk not in passages:
                raise _Moved
            self._read[chunk] = Candidate(passage=passages[chunk], vector=self._vectors[chunk])
        return {chunk: self._read[chunk] for chunk in chunks}

    def sentences(self, chunks: Sequence[int]) -> dict[int, Vectors]:
        found = knowledge.sentences_of(self._connection, chunks)
        dimension = len(next(iter(self._vectors.values()), ()))
        return {chunk: knowledge.from_bytes(blob, dimension) for chunk, blob in found.items()}
