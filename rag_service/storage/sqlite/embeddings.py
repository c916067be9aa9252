"""Vectors as rows, kept by the digest of what was embedded, whichever chunks use them."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from rag_service.access.scope import Scope
from rag_service.documents import Vectors
from rag_service.knowledge.store import Embedded
from rag_service.storage.sqlite.bots import bot_row
from rag_service.storage.sqlite.database import as_json
from rag_service.storage.sqlite.driver import sqlite3


def known_vectors(connection: sqlite3.Connection, digests: Sequence[bytes]) -> dict[bytes, int]:
    """The embedding rows of those digests that are kept with their sentences."""
    known: dict[bytes, int] = {}
    for start in range(0, len(digests), 500):
        some = digests[start : start + 500]
        marks = ", ".join("?" * len(some))
        rows = connection.execute(
            f"""select digest, id from embeddings
            where digest in ({marks}) and sentences is not null""",
            some,
        )
        known.update(rows.fetchall())
    return known


def vectors_in_use(
    connection: sqlite3.Connection, scope: Scope, bot_id: str, rows: Mapping[bytes, int]
) -> set[bytes]:
    """Those that a chunk of this bot has."""
    found = connection.execute(
        """select value from json_each(?) where exists (select 1 from chunks
        where embedding = value and bot = ?)""",
        [as_json(list(rows.values())), bot_row(connection, scope, bot_id)],
    )
    used = {row[0] for row in found}
    return {digest for digest, row in rows.items() if row in used}


def keep_vectors(connection: sqlite3.Connection, embedded: Mapping[bytes, Embedded]) -> None:
    connection.executemany(
        """insert into embeddings (digest, vector, sentences) values (?, ?, ?)
        on conflict (digest) do update set sentences = excluded.sentences
        where sentences is null""",
        [
            (digest, text.vector.astype("<f2").tobytes(), as_bytes(text.sentences))
            for digest, text in embedded.items()
        ],
    )


def vectors_of(connection: sqlite3.Connection, chunks: Iterable[int]) -> dict[int, bytes]:
    """Of those chunks that exist, by row."""
    rows = connection.execute(
        """select chunks.id, vector from chunks join embeddings on embeddings.id = embedding
        where chunks.id in (select value from json_each(?))""",
        [as_json(list(chunks))],
    )
    return dict(rows.fetchall())


def sentences_of(connection: sqlite3.Connection, chunks: Iterable[int]) -> dict[int, bytes]:
    """Of those chunks that exist and have them, by row."""
    rows = connection.execute(
        """select chunks.id, sentences from chunks join embeddings on embeddings.id = embedding
        where chunks.id in (select value from json_each(?)) and sentences is not null""",
        [as_json(list(chunks))],
    )
    return dict(rows.fetchall())


def as_vector(blob: bytes) -> Vectors:
    return np.frombuffer(blob, np.dtype("<f2")).astype(np.float32)


_STEPS = 127
"""A number of a sentence vector is kept as a signed byte, with the vector's largest as its unit."""


def as_bytes(vectors: Vectors) -> bytes:
    """Their units as float16, then a byte for each number."""
    units = (np.abs(vectors).max(axis=1, initial=1e-6, keepdims=True) / _STEPS).astype("<f2")
    units = np.maximum(units, np.float16(1e-4))
    steps = np.clip(np.rint(vectors / units.astype(np.float32)), -_STEPS, _STEPS)
    return bytes(units.tobytes() + steps.astype(np.int8).tobytes())


def from_bytes(blob: bytes, dimension: int) -> Vectors:
    """What `as_bytes` was given, within half a step."""
    count = len(blob) // (dimension + 2)
    units = np.frombuffer(blob, "<f2", count).astype(np.float32)
    steps = np.frombuffer(blob, np.int8, count * dimension, 2 * count).reshape(count, dimension)
    return np.asarray(steps * units[:, None], np.float32)
