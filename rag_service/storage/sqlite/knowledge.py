"""Documents, chunks and vectors as rows. The rows are the truth; the views follow them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from rag_service.clock import now
from rag_service.documents import DEFAULT_BOT, LeftOut, Passage, Vectors
from rag_service.errors import Conflict, EmbedderMismatch, NotFound
from rag_service.events.happenings import ChunkChanges, KnowledgeDeleted, KnowledgeUpserted
from rag_service.ids import chunk_id, new_id
from rag_service.knowledge.store import (
    Calibration,
    DocumentFilter,
    DocumentInfo,
    Embedded,
    Known,
    Revision,
    StoredDocument,
    Written,
)
from rag_service.storage.sqlite.database import as_json, insert
from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.sqlite.events import record

_INFO = """document_id, source_url, bots.name as bot_id, content_type, title, metadata, format,
    bytes, chunks, documents.created_at, updated_at"""
_SHORTEST_INDEXED = 3
"""Characters; shorter ones are looked for in every text, without a call into Python."""
_PASSAGE = """document_id, source_url, title, heading, page, chunks.text, ordinal"""


def base(connection: sqlite3.Connection) -> tuple[str, str | None, int | None]:
    """Its id, and the name and dimension of the model that fills it, None until one does."""
    row: tuple[str, str | None, int | None] = connection.execute(
        "select id, model, dimension from base"
    ).fetchone()
    return row


def claim(connection: sqlite3.Connection, model: str, dimension: int) -> None:
    """A base belongs to the embedding model that first fills it. Raises EmbedderMismatch."""
    _, known, _ = base(connection)
    if known is None:
        connection.execute("update base set model = ?, dimension = ?", [model, dimension])
    elif known != model:
        raise EmbedderMismatch(
            f"this knowledge base was filled with the embedding model {known!r}, and the setting "
            f"asks for {model!r}: set RAG_EMBEDDING_MODEL back, or use another RAG_DATA_DIR"
        )


# -- reading -----------------------------------------------------------------------------------


def known(
    connection: sqlite3.Connection, keys: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], Known]:
    rows = connection.execute(
        """select bots.name, source_url, fingerprint, document_id, chunks, left_out
        from json_each(?) as key
        join bots on bots.name = key.value ->> 0
        join documents on documents.bot = bots.id and source_url = key.value ->> 1""",
        [as_json(keys)],
    )
    return {
        (bot, url): Known(
            fingerprint=fingerprint,
            document_id=document_id,
            chunks=chunks,
            left_out=_left_out(left_out),
        )
        for bot, url, fingerprint, document_id, chunks, left_out in rows
    }


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
    connection: sqlite3.Connection, bot_id: str, rows: Mapping[bytes, int]
) -> set[bytes]:
    """Those that a chunk of this bot has."""
    found = connection.execute(
        """select value from json_each(?) where exists (select 1 from chunks
        where embedding = value and bot = (select id from bots where name = ?))""",
        [as_json(list(rows.values())), bot_id],
    )
    used = {row[0] for row in found}
    return {digest for digest, row in rows.items() if row in used}


def passages(connection: sqlite3.Connection, chunks: Iterable[int]) -> dict[int, Passage]:
    """Of those chunks that exist, by row."""
    rows = connection.execute(
        f"""select chunks.id, {_PASSAGE} from chunks
        join documents on documents.id = chunks.document
        where chunks.id in (select value from json_each(?))""",
        [as_json(list(chunks))],
    )
    return {row[0]: _passage(row) for row in rows}


def around(
    connection: sqlite3.Connection, passages: Sequence[Passage]
) -> dict[str, tuple[str, str]]:
    """What stands before and after each passage, but for what is among them."""
    there = {(passage.document_id, passage.ordinal) for passage in passages}
    rows = connection.execute(
        """select document_id, ordinal, chunks.text from json_each(?) as key
        join documents on document_id = key.value ->> 0
        join chunks on document = documents.id and ordinal = key.value ->> 1""",
        [
            as_json(
                [
                    (p.document_id, p.ordinal + step)
                    for p in passages
                    for step in (-1, 1)
                    if (p.document_id, p.ordinal + step) not in there
                ]
            )
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


def chunks_of_type(
    connection: sqlite3.Connection, bot: int, content_type: str
) -> NDArray[np.int64]:
    rows = connection.execute(
        """select chunks.id from documents join chunks on document = documents.id
        where documents.bot = ? and content_type = ?""",
        [bot, content_type],
    )
    return np.fromiter((row[0] for row in rows), np.int64)


def documents(
    connection: sqlite3.Connection, where: DocumentFilter, limit: int, offset: int
) -> tuple[int, list[DocumentInfo]]:
    conditions = ["1"]
    values: list[Any] = []
    if where.bot_ids is not None:
        conditions.append("bots.name in (select value from json_each(?))")
        values.append(as_json(where.bot_ids))
    if where.content_type is not None:
        conditions.append("content_type = ?")
        values.append(where.content_type)
    if where.source_url is not None:
        conditions.append("source_url = ?")
        values.append(where.source_url)
    if where.q is not None:
        condition, more = _containing(where.q.casefold())
        conditions.append(condition)
        values += more
    source = f"from documents join bots on bots.id = bot where {' and '.join(conditions)}"
    total = connection.execute(f"select count(*) {source}", values).fetchone()[0]
    rows = connection.execute(
        f"select {_INFO} {source} order by updated_at desc, documents.id desc limit ? offset ?",
        [*values, limit, offset],
    )
    return total, [_info(row) for row in rows]


def _containing(folded: str) -> tuple[str, list[str]]:
    """Documents with this text in their URL, title or content, whose folded form is indexed."""
    if len(folded) < _SHORTEST_INDEXED or "\0" in folded:
        fields = ("source_url", "title", "text")
        found = " or ".join(f"instr({field}, ?)" for field in fields)
        values = [folded] * len(fields)
    else:
        found = "documents_text match ?"
        values = ['"' + folded.replace('"', '""') + '"']
    return f"documents.id in (select rowid from documents_text where {found})", values


def document(connection: sqlite3.Connection, document_id: str) -> StoredDocument:
    row = connection.execute(
        f"""select {_INFO}, text, left_out, documents.id from documents join bots on bots.id = bot
        where document_id = ?""",
        [document_id],
    ).fetchone()
    if row is None:
        raise NotFound(f"no document {document_id!r}")
    chunks = connection.execute(
        f"""select chunks.id, {_PASSAGE} from chunks
        join documents on documents.id = chunks.document where document = ? order by ordinal""",
        [row[-1]],
    )
    return StoredDocument(
        info=_info(row),
        text=row[-3],
        left_out=_left_out(row[-2]),
        passages=[_passage(r) for r in chunks],
    )


def bots(connection: sqlite3.Connection) -> dict[str, dict[str, Any]]:
    rows = connection.execute(
        """select name, bots.created_at, count(documents.id), coalesce(sum(chunks), 0)
        from bots left join documents on bot = bots.id group by bots.id order by name"""
    )
    return {
        name: {"created_at": created_at, "documents": documents, "chunks": chunks}
        for name, created_at, documents, chunks in rows
    }


def calibration(connection: sqlite3.Connection, bot: int) -> Calibration:
    row = connection.execute(
        "select scale, shift, made_with from calibrations where bot = ?", [bot]
    ).fetchone()
    if row is None:
        return Calibration()
    return Calibration(scale=row[0], shift=row[1], made_with=row[2])


def calibrations(connection: sqlite3.Connection) -> dict[str, Calibration]:
    rows = connection.execute(
        """select name, scale, shift, made_with from calibrations
        join bots on bots.id = calibrations.bot order by name"""
    )
    return {
        name: Calibration(scale=scale, shift=shift, made_with=made_with)
        for name, scale, shift, made_with in rows
    }


def bot_row(connection: sqlite3.Connection, bot_id: str) -> int | None:
    row = connection.execute("select id from bots where name = ?", [bot_id]).fetchone()
    return None if row is None else int(row[0])


# -- writing -----------------------------------------------------------------------------------


def create_bot(connection: sqlite3.Connection, bot_id: str) -> None:
    if bot_id == DEFAULT_BOT or bot_row(connection, bot_id) is not None:
        raise Conflict(f"the bot {bot_id!r} exists already")
    bot_of(connection, bot_id)


def calibrate(connection: sqlite3.Connection, bot: int, found: Calibration | None) -> None:
    connection.execute("delete from calibrations where bot = ?", [bot])
    if found is not None:
        connection.execute(
            """insert into calibrations (bot, scale, shift, made_with, created_at)
            values (?, ?, ?, ?, ?)""",
            [bot, found.scale, found.shift, found.made_with, now()],
        )


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


def replace(
    connection: sqlite3.Connection, revision: Revision, rows: Mapping[bytes, int]
) -> Written:
    """`rows` gives the embedding row of each digest."""
    document = revision.document
    bot = bot_of(connection, document.bot_id)
    row, document_id, former_type = connection.execute(
        """select id, document_id, content_type from documents where bot = ? and source_url = ?""",
        [bot, document.source_url],
    ).fetchone() or (None, new_id("doc"), None)
    moment = now()
    values = {
        "content_type": document.content_type,
        "title": revision.title,
        "metadata": as_json(document.metadata),
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
        # a chunk whose label changed is a new one, since the views filter by it
        keep = document.content_type == former_type
        kept, gone = _match(connection, row, [rows[d] for d in revision.digests] if keep else [])
    connection.executemany("delete from chunks where id = ?", [(chunk,) for chunk in gone])
    _write_chunks(connection, row, bot, revision, rows, kept)
    written = Written(
        document_id=document_id,
        added=len(revision.chunks) - len(kept),
        kept=len(kept),
        removed=len(gone),
    )
    happened = _upserted(revision, written).of(document.bot_id)
    record(connection, happened, f"document {document.bot_id} {document.source_url}")
    return written


def matching_chunks(
    connection: sqlite3.Connection, revision: Revision, rows: Mapping[bytes, int]
) -> Written:
    """What `replace` would do. `rows` lacks the digests that are not known yet."""
    document = revision.document
    found = connection.execute(
        """select documents.id, document_id, content_type from documents
        join bots on bots.id = bot where bots.name = ? and source_url = ?""",
        [document.bot_id, document.source_url],
    ).fetchone()
    if found is None:
        return Written(document_id="", added=len(revision.chunks), kept=0, removed=0)
    row, document_id, former_type = found
    keep = document.content_type == former_type
    wanted = [rows.get(digest, 0) for digest in revision.digests] if keep else []
    kept, gone = _match(connection, row, wanted)
    added = len(revision.chunks) - len(kept)
    return Written(document_id=document_id, added=added, kept=len(kept), removed=len(gone))


def remove(connection: sqlite3.Connection, bot_id: str, urls: Sequence[str]) -> dict[str, int]:
    removed = {}
    for url in urls:
        row = connection.execute(
            """select documents.id, document_id, chunks from documents
            join bots on bots.id = bot where bots.name = ? and source_url = ?""",
            [bot_id, url],
        ).fetchone()
        if row is None:
            continue
        # not by cascade alone: a trigger of a cascaded delete would not see the table it deletes
        connection.execute("delete from chunks where document = ?", [row[0]])
        connection.execute("delete from documents where id = ?", [row[0]])
        removed[url] = row[2]
        gone = KnowledgeDeleted(document_id=row[1], source_url=url, entries_removed=row[2])
        record(connection, gone.of(bot_id), f"document {bot_id} {url}")
    return removed


def _match(
    connection: sqlite3.Connection, document: int, wanted: Sequence[int]
) -> tuple[dict[int, int], list[int]]:
    """Former chunks that stay, by new ordinal, and those that go; equal ones pair in order."""
    former: dict[int, list[int]] = defaultdict(list)
    gone = set()
    for chunk, embedding in connection.execute(
        "select id, embedding from chunks where document = ? order by ordinal desc", [document]
    ):
        former[embedding].append(chunk)
        gone.add(chunk)
    kept = {}
    for ordinal, embedding in enumerate(wanted):
        if stock := former.get(embedding):
            kept[ordinal] = stock.pop()
            gone.discard(kept[ordinal])
    return kept, sorted(gone)


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


def bot_of(connection: sqlite3.Connection, bot_id: str) -> int:
    """Its row, made where there is none."""
    row = bot_row(connection, bot_id)
    if row is not None:
        return row
    inserted = connection.execute(
        "insert into bots (name, created_at) values (?, ?)", [bot_id, now()]
    ).lastrowid
    assert inserted is not None
    return inserted


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


def _info(row: Sequence[Any]) -> DocumentInfo:
    names = DocumentInfo.__struct_fields__
    values = dict(zip(names, row, strict=False))
    values["metadata"] = msgspec.json.decode(values["metadata"])
    return DocumentInfo(**values)


def _left_out(json: str) -> list[LeftOut]:
    return msgspec.json.decode(json, type=list[LeftOut])


def _passage(row: Sequence[Any]) -> Passage:
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
