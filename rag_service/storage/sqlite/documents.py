"""Documents as rows: what is stored of them, one by one and page by page."""

from collections.abc import Sequence
from typing import Any

import msgspec

from rag_service.access.scope import Scope
from rag_service.documents import LeftOut
from rag_service.errors import NotFound
from rag_service.knowledge.filters import Filter
from rag_service.knowledge.store import DocumentFilter, DocumentInfo, Known, StoredDocument
from rag_service.storage.sqlite.bots import bot_row, within
from rag_service.storage.sqlite.database import as_json
from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.sqlite.filters import matching
from rag_service.storage.sqlite.passages import PASSAGE, passage_of

_INFO = """document_id, source_url, bots.name as bot_id, content_type, title, metadata, format,
    bytes, chunks, documents.created_at, updated_at"""
_SHORTEST_INDEXED = 3
"""Characters; shorter ones are looked for in every text, without a call into Python."""


def known(
    connection: sqlite3.Connection, scope: Scope, keys: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], Known]:
    for bot_id in {bot_id for bot_id, _ in keys}:
        scope.need(bot_id)
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


def documents(
    connection: sqlite3.Connection, scope: Scope, where: DocumentFilter, limit: int, offset: int
) -> tuple[int, list[DocumentInfo]]:
    seen, of_bots = within(scope)
    conditions, values = [seen], list[Any](of_bots)
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
    if where.metadata is not None:
        condition, more = matching(scope, where.metadata)
        conditions.append(f"({condition})")
        values += more
    source = f"from documents join bots on bots.id = bot where {' and '.join(conditions)}"
    total = connection.execute(f"select count(*) {source}", values).fetchone()[0]
    rows = connection.execute(
        f"select {_INFO} {source} order by updated_at desc, documents.id desc limit ? offset ?",
        [*values, limit, offset],
    )
    return total, [_info(row) for row in rows]


def matching_urls(
    connection: sqlite3.Connection, scope: Scope, bot_id: str, only: Filter | None
) -> dict[str, int]:
    bot = bot_row(connection, scope, bot_id)
    condition, values = matching(scope.only(bot_id), only) if only else ("1", [])
    rows = connection.execute(
        f"""select source_url, chunks from documents where bot = ? and ({condition})
        order by documents.id""",
        [bot, *values],
    )
    return dict(rows.fetchall())


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


def document(connection: sqlite3.Connection, scope: Scope, document_id: str) -> StoredDocument:
    seen, of_bots = within(scope)
    row = connection.execute(
        f"""select {_INFO}, text, left_out, documents.id from documents join bots on bots.id = bot
        where document_id = ? and {seen}""",
        [document_id, *of_bots],
    ).fetchone()
    if row is None:
        raise NotFound(f"no document {document_id!r}")
    chunks = connection.execute(
        f"""select chunks.id, {PASSAGE} from chunks
        join documents on documents.id = chunks.document where document = ? order by ordinal""",
        [row[-1]],
    )
    return StoredDocument(
        info=_info(row),
        text=row[-3],
        left_out=_left_out(row[-2]),
        passages=[passage_of(r) for r in chunks],
    )


def _info(row: Sequence[Any]) -> DocumentInfo:
    names = DocumentInfo.__struct_fields__
    values = dict(zip(names, row, strict=False))
    values["metadata"] = msgspec.json.decode(values["metadata"])
    return DocumentInfo(**values)


def _left_out(json: str) -> list[LeftOut]:
    return msgspec.json.decode(json, type=list[LeftOut])
