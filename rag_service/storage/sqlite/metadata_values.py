"""The values of each document's metadata as rows, for filters.

A value is kept as what SQLite tells apart by itself: a number, a text, or a blob for what is
neither. Numbers come before texts there, and texts before blobs, so every comparison of a filter is
a range of one index.
"""

from itertools import islice
from typing import Any

from rag_service.knowledge.filters import MOST_KEPT, Scalar, values_of
from rag_service.storage.sqlite.driver import sqlite3

LEAST_TEXT = ""
LEAST_BLOB = b""
_BLOBS: dict[object, bytes] = {None: b"null", True: b"true", False: b"false", object: b"{}"}


def index_metadata(
    connection: sqlite3.Connection, document: int, bot: int, metadata: dict[str, Any]
) -> None:
    """In place of what was there of the document."""
    connection.execute("delete from metadata_values where document = ?", [document])
    connection.executemany(
        "insert or ignore into metadata_values (document, bot, key, value) values (?, ?, ?, ?)",
        (
            (document, bot, key, stored_value(value))
            for key, value in islice(values_of(metadata), MOST_KEPT)
        ),
    )


def stored_value(value: Scalar | type[object]) -> Any:
    is_blob = value is None or isinstance(value, bool | type)
    return _BLOBS[value] if is_blob else value
