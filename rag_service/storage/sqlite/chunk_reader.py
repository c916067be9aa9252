"""The chunks of a bot as its views take them over, read in short transactions."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from rag_service.documents import Vectors
from rag_service.storage.sqlite.changes import newest_change
from rag_service.storage.sqlite.database import RowsFile
from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.views.bot import SealReader
from rag_service.storage.views.vectors import Batch, stack
from rag_service.storage.views.words import Entry

CHUNK = "chunks.id, title, heading, chunks.text"
_AT_ONCE = 500
"""Chunks that are read in one transaction: between two of them the log can be truncated."""


class ChunkReader(SealReader):
    """Every chunk that a bot had at `watermark`, read in short transactions.

    What a chunk says never changes. One that is deleted meanwhile is left out, or has a vector of
    zeros; the changes past the watermark take it out of the views.
    """

    def __init__(self, rows: RowsFile, bot: int, dimension: int) -> None:
        self._rows = rows
        self._dimension = dimension
        with rows.reading() as connection:
            self.watermark = newest_change(connection, bot)
            self._ids = [
                row[0]
                for row in connection.execute(
                    "select id from chunks where bot = ? order by id", [bot]
                )
            ]
        self.chunks = len(self._ids)

    def entries(self) -> Iterator[Entry]:
        """Once, and before all else: what is missing here is left out of the vectors too."""
        there: list[int] = []
        for some in pieces(self._ids):
            with self._rows.reading() as connection:
                found = [entry_of(row) for row in chunks_of(connection, CHUNK, some)]
            there += [entry.chunk for entry in found]
            yield from found
        self._ids, self.chunks = there, len(there)

    def everything(self, at_once: int) -> Iterator[Batch]:
        for some in pieces(self._ids, at_once):
            yield stack(some, self._vectors(some), self._dimension)

    def sample(self, count: int) -> Vectors:
        """Spread evenly, so that the same rows give the same index."""
        some = np.random.default_rng(0).permutation(self._ids)[:count].tolist()
        parts = [stack(part, self._vectors(part), self._dimension).vectors for part in pieces(some)]
        return np.concatenate(parts)

    def _vectors(self, ids: Sequence[int]) -> list[bytes]:
        vectors: dict[int, bytes] = {}
        for some in pieces(ids):
            with self._rows.reading() as connection:
                vectors.update(chunks_of(connection, "chunks.id, vector", some))
        nothing = bytes(2 * self._dimension)
        return [vectors.get(chunk, nothing) for chunk in ids]


def pieces(ids: Sequence[int], size: int = _AT_ONCE) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


def chunks_of(
    connection: sqlite3.Connection, columns: str, ids: Sequence[int]
) -> list[tuple[Any, ...]]:
    """Of those that exist, in the order of their ids."""
    return connection.execute(
        f"""select {columns} from chunks join documents on documents.id = document
        join embeddings on embeddings.id = embedding
        where chunks.id in ({", ".join("?" * len(ids))}) order by chunks.id""",
        ids,
    ).fetchall()


def entry_of(row: "tuple[int, str, str, str] | list[int | str]") -> Entry:
    chunk, title, heading, text = row
    return Entry(int(chunk), f"{title}\n{heading}\n{text}")
