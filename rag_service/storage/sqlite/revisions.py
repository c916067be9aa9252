"""Documents as they are written: a revision replaces the former one of its URL, or none is left."""

from collections.abc import Mapping, Sequence

from rag_service.access.scope import Scope
from rag_service.events.happenings import ChunkChanges, KnowledgeDeleted, KnowledgeUpserted
from rag_service.ids import new_id
from rag_service.knowledge.store import Revision, Written
from rag_service.knowledge.upserts import pair_chunks
from rag_service.storage.sqlite.bots import bot_of, bot_row
from rag_service.storage.sqlite.database import as_json, insert, now
from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.sqlite.events import record
from rag_service.storage.sqlite.metadata_values import index_metadata


def replace(
    connection: sqlite3.Connection, scope: Scope, revision: Revision, rows: Mapping[bytes, int]
) -> Written:
    """`rows` gives the embedding row of each digest."""
    document = revision.document
    bot = bot_of(connection, scope, document.bot_id)
    row, document_id, former_metadata = connection.execute(
        "select id, document_id, metadata from documents where bot = ? and source_url = ?",
        [bot, document.source_url],
    ).fetchone() or (None, new_id("doc"), as_json({}))
    moment = now(connection)
    metadata = as_json(document.metadata)
    values = {
        "content_type": document.content_type,
        "title": revision.title,
        "metadata": metadata,
        "format": document.format,
        "bytes": len(document.data),
        "chunks": len(revision.chunks),
        "fingerprint": revision.fingerprint,
        "updated_at": moment,
        "text": revision.text,
        "left_out": as_json(revision.left_out),
    }
    if row is None:
        values |= {"document_id": document_id, "bot": bot, "source_url": document.source_url}
        values |= {"created_at": moment}
        row = insert(connection, "documents", values)
        kept: dict[int, int] = {}
        gone: list[int] = []
    else:
        connection.execute(
            f"update documents set {', '.join(f'{name} = ?' for name in values)} where id = ?",
            [*values.values(), row],
        )
        kept, gone = _match(connection, row, [rows[d] for d in revision.digests])
    if metadata != former_metadata:
        index_metadata(connection, row, bot, document.metadata)
    connection.executemany("delete from chunks where id = ?", [(chunk,) for chunk in gone])
    _write_chunks(connection, row, bot, revision, rows, kept)
    written = Written(
        document_id=document_id,
        added=len(revision.chunks) - len(kept),
        kept=len(kept),
        removed=len(gone),
    )
    happened = _upserted(revision, written).at(moment, document.bot_id)
    record(connection, happened, f"document {document.bot_id} {document.source_url}")
    return written


def matching_chunks(
    connection: sqlite3.Connection, scope: Scope, revision: Revision, rows: Mapping[bytes, int]
) -> Written:
    """What `replace` would do. `rows` lacks the digests that are not known yet."""
    document = revision.document
    found = connection.execute(
        "select id, document_id from documents where bot = ? and source_url = ?",
        [bot_row(connection, scope, document.bot_id), document.source_url],
    ).fetchone()
    if found is None:
        return Written(document_id="", added=len(revision.chunks), kept=0, removed=0)
    row, document_id = found
    kept, gone = _match(connection, row, [rows.get(digest, 0) for digest in revision.digests])
    added = len(revision.chunks) - len(kept)
    return Written(document_id=document_id, added=added, kept=len(kept), removed=len(gone))


def remove(
    connection: sqlite3.Connection, scope: Scope, bot_id: str, urls: Sequence[str]
) -> dict[str, int]:
    bot = bot_row(connection, scope, bot_id)
    removed = {}
    for url in urls:
        row = connection.execute(
            "select id, document_id, chunks from documents where bot = ? and source_url = ?",
            [bot, url],
        ).fetchone()
        if row is None:
            continue
        # not by cascade alone: a trigger of a cascaded delete would not see the table it deletes
        connection.execute("delete from chunks where document = ?", [row[0]])
        connection.execute("delete from documents where id = ?", [row[0]])
        removed[url] = row[2]
        gone = KnowledgeDeleted(document_id=row[1], source_url=url, entries_removed=row[2])
        record(connection, gone.at(now(connection), bot_id), f"document {bot_id} {url}")
    return removed


def _match(
    connection: sqlite3.Connection, document: int, wanted: Sequence[int]
) -> tuple[dict[int, int], list[int]]:
    former = connection.execute(
        "select id, embedding from chunks where document = ? order by ordinal", [document]
    )
    return pair_chunks(former.fetchall(), wanted)


def _write_chunks(
    connection: sqlite3.Connection,
    document: int,
    bot: int,
    revision: Revision,
    rows: Mapping[bytes, int],
    kept: Mapping[int, int],
) -> None:
    connection.executemany(
        """update chunks set ordinal = ?, start = ?, "end" = ?, page = ?, heading = ?, text = ?
        where id = ?""",
        [
            (c.ordinal, c.start, c.end, c.page, c.heading, c.text, kept[c.ordinal])
            for c in revision.chunks
            if c.ordinal in kept
        ],
    )
    connection.executemany(
        """insert into chunks (document, bot, ordinal, start, "end", page, heading, text, embedding)
        values (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            (document, bot, c.ordinal, c.start, c.end, c.page, c.heading, c.text, rows[digest])
            for c, digest in zip(revision.chunks, revision.digests, strict=True)
            if c.ordinal not in kept
        ],
    )


def _upserted(revision: Revision, written: Written) -> KnowledgeUpserted:
    document = revision.document
    return KnowledgeUpserted(
        document_id=written.document_id,
        source_url=document.source_url,
        content_type=document.content_type,
        chunks=ChunkChanges(
            total=len(revision.chunks), added=written.added, removed=written.removed
        ),
    )
