"""Knowledge over rows and views: what is pushed, and what is found in it."""

from collections.abc import Mapping, Sequence

from rag_service.access.scope import Scope
from rag_service.documents import Passage, Vectors
from rag_service.errors import Conflict, NotFound, StorageBusy
from rag_service.knowledge.filters import Filter
from rag_service.knowledge.store import (
    Calibration,
    DocumentFilter,
    DocumentInfo,
    Embedded,
    Hit,
    Known,
    Ranking,
    Revision,
    StoredDocument,
    Written,
)
from rag_service.storage.sqlite import calibrations, documents, embeddings, revisions
from rag_service.storage.sqlite import passages as passage_rows
from rag_service.storage.sqlite.base import Base
from rag_service.storage.sqlite.bots import bot_row
from rag_service.storage.sqlite.database import RowsFile, now
from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.sqlite.search import Search, respelled
from rag_service.storage.sqlite.selections import Selections
from rag_service.storage.sqlite.upkeep import owe_views

_TRIES = 4


class SqliteKnowledge:
    def __init__(self, rows: RowsFile, base: Base) -> None:
        self._rows = rows
        self._base = base
        self._selections = Selections()

    def known(self, scope: Scope, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Known]:
        with self._rows.reading() as connection:
            return documents.known(connection, scope, keys)

    def known_vectors(self, digests: Sequence[bytes]) -> set[bytes]:
        with self._rows.reading() as connection:
            return set(embeddings.known_vectors(connection, digests))

    def own_vectors(self, scope: Scope, bot_id: str, digests: Sequence[bytes]) -> set[bytes]:
        with self._rows.reading() as connection:
            rows = embeddings.known_vectors(connection, digests)
            return embeddings.vectors_in_use(connection, scope, bot_id, rows)

    def replace(
        self, scope: Scope, group: Sequence[Revision], vectors: Mapping[bytes, Embedded]
    ) -> list[Written]:
        _ = self._base.indexes  # claims the base for this embedding model
        digests = list({digest for revision in group for digest in revision.digests})
        with self._rows.writing() as connection:
            embeddings.keep_vectors(connection, vectors)
            rows = embeddings.known_vectors(connection, digests)
            try:
                return [revisions.replace(connection, scope, revision, rows) for revision in group]
            except KeyError as unknown:  # unused when the push looked, and removed since
                raise StorageBusy("a vector of it was removed meanwhile: try again") from unknown

    def matching_chunks(self, scope: Scope, revision: Revision) -> Written:
        with self._rows.reading() as connection:
            rows = embeddings.known_vectors(connection, list(set(revision.digests)))
            return revisions.matching_chunks(connection, scope, revision, rows)

    def remove(self, scope: Scope, bot_id: str, source_urls: Sequence[str]) -> dict[str, int]:
        with self._rows.erasing() as connection:
            return self._remove(connection, scope, bot_id, source_urls)

    def matching(self, scope: Scope, bot_id: str, only: Filter | None) -> dict[str, int]:
        with self._rows.reading() as connection:
            return documents.matching_urls(connection, scope, bot_id, only)

    def remove_matching(
        self, scope: Scope, bot_id: str, only: Filter | None, confirm: int | None
    ) -> dict[str, int]:
        with self._rows.erasing() as connection:
            found = documents.matching_urls(connection, scope, bot_id, only)
            if len(found) != confirm:
                raise Conflict(
                    f"{confirm} documents were confirmed, and the filter leaves {len(found)}: "
                    "nothing was deleted; ask again by a dry run"
                )
            return self._remove(connection, scope, bot_id, list(found))

    def _remove(
        self, connection: sqlite3.Connection, scope: Scope, bot_id: str, source_urls: Sequence[str]
    ) -> dict[str, int]:
        removed = revisions.remove(connection, scope, bot_id, source_urls)
        bot = bot_row(connection, scope, bot_id)
        if removed and bot is not None and self._base.known_indexes().may_hold(bot):
            owe_views(connection, bot, now(connection))
        return removed

    def search(
        self,
        scope: Scope,
        bot_id: str,
        *,
        vector: Vectors,
        query: str,
        probes: Vectors,
        depth: int,
        only: Filter | None,
        rank: Ranking,
    ) -> list[Hit]:
        search = Search(
            self._base.indexes,
            self._selections,
            self._rows,
            vector,
            query,
            probes,
            depth,
            only,
            rank,
        )
        for _ in range(_TRIES):
            if (found := search.attempt(scope, bot_id)) is not None:
                return found
        return search.alone(scope, bot_id)

    def around(self, scope: Scope, passages: Sequence[Passage]) -> dict[str, tuple[str, str]]:
        with self._rows.reading() as connection:
            return passage_rows.around(connection, scope, passages)

    def respell(self, scope: Scope, bot_id: str, words: Sequence[str]) -> dict[str, str]:
        with self._rows.reading() as connection:
            bot = bot_row(connection, scope, bot_id)
            if bot is None:
                return {}
            views = self._base.indexes.fresh(connection, bot)
            found = {word: respelled(connection, views, word) for word in words}
        return {word: other for word, other in found.items() if other is not None}

    def documents(
        self, scope: Scope, where: DocumentFilter, *, limit: int, offset: int
    ) -> tuple[int, list[DocumentInfo]]:
        with self._rows.reading() as connection:
            return documents.documents(connection, scope, where, limit, offset)

    def document(self, scope: Scope, document_id: str) -> StoredDocument:
        with self._rows.reading() as connection:
            return documents.document(connection, scope, document_id)

    def calibrate(self, scope: Scope, bot_id: str, calibration: Calibration | None) -> None:
        with self._rows.writing() as connection:
            bot = bot_row(connection, scope, bot_id)
            if bot is None:
                raise NotFound(f"no bot {bot_id!r}")
            calibrations.calibrate(connection, bot, calibration)

    def calibrations(self, scope: Scope) -> dict[str, Calibration]:
        with self._rows.reading() as connection:
            return calibrations.calibrations(connection, scope)
