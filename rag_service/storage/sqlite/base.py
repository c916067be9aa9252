"""The base: which embedding model fills it, and the views of its rows."""

import threading
from collections.abc import Callable
from pathlib import Path

from rag_service.errors import EmbedderMismatch
from rag_service.storage.sqlite.database import RowsFile
from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.sqlite.indexes import Indexes
from rag_service.storage.views.bot import Identity


class Base:
    """`embedder` tells a model's name and dimension; it is asked when knowledge is first used."""

    def __init__(
        self, rows: RowsFile, folder: Path, embedder: Callable[[], tuple[str, int]]
    ) -> None:
        self.folder = folder
        self._rows = rows
        self._embedder = embedder
        self._made: Indexes | None = None
        self._claimed = False
        self._making = threading.Lock()

    @property
    def indexes(self) -> Indexes:
        """The views, once the base is known to belong to the embedding model of the settings.

        Raises EmbedderMismatch.
        """
        with self._making:
            if not self._claimed:
                model, dimension = self._embedder()
                with self._rows.reading() as connection:
                    _, known, _ = _base(connection)
                if known != model:  # otherwise a search would wait for the lock of writers
                    with self._rows.writing() as connection:
                        _claim(connection, model, dimension)
                self._claimed = True
        return self.known_indexes()

    def known_indexes(self) -> Indexes:
        """The views of whatever model filled the base, without loading it."""
        with self._making:
            if self._made is None:
                with self._rows.reading() as connection:
                    base, model, dimension = _base(connection)
                identity = Identity(base=base, model=model or "", dimension=dimension or 1)
                made = Indexes(self._rows, self.folder, identity)
                if model is None:
                    return made
                self._made = made
            return self._made


def _base(connection: sqlite3.Connection) -> tuple[str, str | None, int | None]:
    """Its id, and the name and dimension of the model that fills it, None until one does."""
    row: tuple[str, str | None, int | None] = connection.execute(
        "select id, model, dimension from base"
    ).fetchone()
    return row


def _claim(connection: sqlite3.Connection, model: str, dimension: int) -> None:
    """A base belongs to the embedding model that first fills it. Raises EmbedderMismatch."""
    _, known, _ = _base(connection)
    if known is None:
        connection.execute("update base set model = ?, dimension = ?", [model, dimension])
    elif known != model:
        raise EmbedderMismatch(
            f"this knowledge base was filled with the embedding model {known!r}, and the setting "
            f"asks for {model!r}: set RAG_EMBEDDING_MODEL back, or use another RAG_DATA_DIR"
        )
