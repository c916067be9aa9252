"""Chunks as they are read: as passages, with their neighbours, and by document."""

from collections.abc import Iterable, Sequence
from typing import Any

from rag_service.access.scope import Scope
from rag_service.documents import Passage
from rag_service.ids import chunk_id
from rag_service.storage.sqlite.bots import within
from rag_service.storage.sqlite.database import as_json
from rag_service.storage.sqlite.driver import sqlite3

PASSAGE = """document_id, source_url, title, heading, page, chunks.text, ordinal"""


def passages(connection: sqlite3.Connection, chunks: Iterable[int]) -> dict[int, Passage]:
    """Of those chunks that exist, by row."""
    rows = connection.execute(
        f"""select chunks.id, {PASSAGE} from chunks
        join documents on documents.id = chunks.document
        where chunks.id in (select value from json_each(?))""",
        [as_json(list(chunks))],
    )
    return {row[0]: passage_of(row) for row in rows}


def around(
    connection: sqlite3.Connection, scope: Scope, passages: Sequence[Passage]
) -> dict[str, tuple[str, str]]:
    """What stands before and after each passage, but for what is among them."""
    there = {(passage.document_id, passage.ordinal) for passage in passages}
    seen, of_bots = within(scope)
    rows = connection.execute(
        f"""select document_id, ordinal, chunks.text from json_each(?) as key
        join documents on document_id = key.value ->> 0 join bots on bots.id = documents.bot
        join chunks on document = documents.id and ordinal = key.value ->> 1 where {seen}""",
        [
            as_json(
                [
                    (p.document_id, p.ordinal + step)
                    for p in passages
                    for step in (-1, 1)
                    if (p.document_id, p.ordinal + step) not in there
                ]
            ),
            *of_bots,
        ],
    )
    found = {(document_id, ordinal): text for document_id, ordinal, text in rows}
    return {
        p.chunk_id: (
            found.get((p.document_id, p.ordinal - 1), ""),
            found.get((p.document_id, p.ordinal + 1), ""),
        )
        for p in passages
    }


def documents_of(
    connection: sqlite3.Connection, chunks: Iterable[int]
) -> list[tuple[int, int, bytes]]:
    """Chunk, document and vector of those chunks that exist."""
    return connection.execute(
        """select chunks.id, document, vector from chunks
        join embeddings on embeddings.id = embedding
        where chunks.id in (select value from json_each(?)) order by chunks.id""",
        [as_json(list(chunks))],
    ).fetchall()


def passage_of(row: Sequence[Any]) -> Passage:
    _, document_id, source_url, title, heading, page, text, ordinal = row
    return Passage(
        chunk_id=chunk_id(row[0]),
        document_id=document_id,
        source_url=source_url,
        title=title,
        heading=heading,
        page=page,
        text=text,
        ordinal=ordinal,
    )
