"""/knowledge: push, list, read and delete documents."""

from typing import Annotated, Any, Literal

from litestar import Request, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from rag_service.access.scope import Scope
from rag_service.assembly import Service
from rag_service.documents import Document
from rag_service.fields import (
    Field,
    flag,
    is_left_out,
    list_of,
    read_bot_id,
    read_content_type,
    read_source_url,
    read_string,
    text,
)
from rag_service.gaps.forecast import Forecast
from rag_service.http.documenting import errors, json_body, operation
from rag_service.http.guarding import caller_of, need, scope_of
from rag_service.http.pages import Rows
from rag_service.http.parameters import read_json, read_query, read_query_or_body
from rag_service.http.threads import Threads
from rag_service.knowledge.pushes import BOT, STRICT, Push, read_push, read_strict
from rag_service.knowledge.store import DocumentFilter, DocumentInfo
from rag_service.knowledge.upserts import ChunkCounts, Upserted

AnyRequest = Request[Any, Any, Any]
_MOST_URLS = 50


class Pushed(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a push did. `unchanged`: the same body was there already, and nothing was embedded.

    `warnings` are sentences on what was left out of a file, and on what does not suit the embedding
    model; mostly there are none.
    """

    success: Literal[True]
    source_url: str
    bot_id: str
    content_type: str
    bytes: int
    document_id: str
    unchanged: bool
    chunks: ChunkCounts
    warnings: list[str]
    gaps: Forecast | None = None
    """What would close and open again, where a dry run was asked for it."""


class DocumentPage(Struct, frozen=True, kw_only=True):
    total: int
    count: int
    limit: int
    offset: int
    items: list[DocumentInfo]


class StoredChunk(Struct, frozen=True, kw_only=True):
    chunk_id: str
    ordinal: int
    heading: str
    page: int | None
    text: str


class WholeDocument(Struct, frozen=True, kw_only=True):
    """A document with the plain text that was read from it, and its chunks in order."""

    document_id: str
    source_url: str
    bot_id: str
    content_type: str
    title: str
    metadata: dict[str, Any]
    format: str
    bytes: int
    created_at: str
    updated_at: str
    text: str
    warnings: list[str]
    """What was left out of the file that it was read from."""
    chunks: list[StoredChunk]


class DeletedUrl(Struct, frozen=True, kw_only=True):
    source_url: str
    deleted: bool
    entries_removed: int


class Deleted(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`entries_removed` counts chunks. A URL that was not there is no error."""

    source_urls_requested: int
    urls_deleted: int
    entries_removed: int
    bot_id: str
    results: list[DeletedUrl]
    gaps: Forecast | None = None
    """What would open again, where it was a dry run."""


class HowToPush(Struct, frozen=True, kw_only=True):
    dry_run: Annotated[
        bool, Field("Change nothing; answer what would happen.", flag, may_be_blank=False)
    ] = False
    gaps: Annotated[
        bool,
        Field("With a dry run: tell which gaps would close and reopen.", flag, may_be_blank=False),
    ] = False
    strict: Annotated[bool, STRICT] = False


class DocumentsRequest(Rows, frozen=True, kw_only=True):
    bot_id: Annotated[
        str | None, Field("Only this bot's; all that the token may see without it.", read_bot_id)
    ] = None
    content_type: Annotated[str | None, Field("Only with this label.", read_content_type)] = None
    source_url: Annotated[str | None, Field("Only this URL.", read_string)] = None
    q: Annotated[str | None, Field("Only with this text in URL, title or content.", text(1000))] = (
        None
    )


class DeleteRequest(Struct, frozen=True, kw_only=True):
    source_url: Annotated[
        list[str],
        Field(
            f"A URL, or a list of at most {_MOST_URLS}.",
            list_of(read_source_url, _MOST_URLS, or_one=True),
        ),
    ]
    bot_id: Annotated[str | None, BOT] = None


class HowToDelete(Struct, frozen=True, kw_only=True):
    dry_run: Annotated[
        bool,
        Field("Delete nothing; answer what would be, with `gaps`.", flag, may_be_blank=False),
    ] = False


_EXAMPLE = {
    "content": "Q: How do I enable streaming?\nA: Settings, then Streaming.",
    "source_url": "https://example.com/faq/#faq-enable-streaming",
    "content_type": "faq",
}
_DELETE_EXAMPLE = {"source_url": ["https://example.com/a", "https://example.com/b"]}


@post(
    "/knowledge",
    status_code=200,
    guards=[need("knowledge")],
    tags=["knowledge"],
    summary="Push a document",
    operation_class=operation(query=HowToPush, body=json_body(Push, _EXAMPLE)),
    responses=errors(400, 413),
)
async def push_page(
    request: AnyRequest, service: NamedDependency[Service], threads: NamedDependency[Threads]
) -> Pushed:
    """Stores the document in place of the former one of its `source_url`.

    When this answers, the new content is on disk and is found by the next search, and the old one
    is gone from every search.
    """
    scope = scope_of(request)
    how = read_query(request, HowToPush)
    body = await request.body()
    document, strict = await threads.push(len(body), _read, body, scope, how.strict)
    forecast = None
    if how.dry_run:
        report = await threads.push(
            len(body), service.knowledge.preview, scope, document, strict=strict
        )
        if how.gaps:
            caller_of(request).need("transcripts")
            forecast = await threads.push(len(body), service.forecaster.push, scope, [document])
    else:
        report = (
            await threads.push(
                len(body), service.knowledge.upsert, scope, [document], strict=strict
            )
        )[0]
        service.jobs.changed({document.bot_id})
    return pushed(report, forecast)


@get(
    "/knowledge",
    guards=[need("knowledge")],
    tags=["knowledge"],
    summary="List documents",
    operation_class=operation(query=DocumentsRequest),
    responses=errors(400),
)
async def list_pages(
    request: AnyRequest, service: NamedDependency[Service], threads: NamedDependency[Threads]
) -> DocumentPage:
    """Without their bodies, newest first."""
    asked = read_query(request, DocumentsRequest)
    where = DocumentFilter(
        content_type=asked.content_type,
        source_url=asked.source_url and asked.source_url.strip(),
        q=asked.q,
    )
    scope = scope_of(request).only(asked.bot_id)
    listed = threads.read if where.q is None else threads.scan
    total, items = await listed(
        service.store.knowledge.documents, scope, where, limit=asked.limit, offset=asked.offset
    )
    return DocumentPage(
        total=total, count=len(items), limit=asked.limit, offset=asked.offset, items=items
    )


@get(
    "/knowledge/{document_id:str}",
    guards=[need("knowledge")],
    tags=["knowledge"],
    summary="Read a document",
    operation_class=operation(),
    responses=errors(400, 404),
)
async def get_page(
    request: AnyRequest,
    document_id: FromPath[str],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> WholeDocument:
    """With its text and chunks."""
    stored = await threads.read(service.store.knowledge.document, scope_of(request), document_id)
    info = stored.info
    return WholeDocument(
        document_id=info.document_id,
        source_url=info.source_url,
        bot_id=info.bot_id,
        content_type=info.content_type,
        title=info.title,
        metadata=info.metadata,
        format=info.format,
        bytes=info.bytes,
        created_at=info.created_at,
        updated_at=info.updated_at,
        text=stored.text,
        warnings=[kind.sentence for kind in stored.left_out],
        chunks=[
            StoredChunk(
                chunk_id=p.chunk_id, ordinal=p.ordinal, heading=p.heading, page=p.page, text=p.text
            )
            for p in stored.passages
        ],
    )


@delete(
    "/knowledge",
    status_code=200,
    guards=[need("knowledge")],
    tags=["knowledge"],
    summary="Delete documents",
    operation_class=operation(
        query=HowToDelete,
        in_place_of_body=DeleteRequest,
        body=json_body(DeleteRequest, _DELETE_EXAMPLE),
    ),
    responses=errors(400, 413),
)
async def delete_pages(
    request: AnyRequest, service: NamedDependency[Service], threads: NamedDependency[Threads]
) -> Deleted:
    """By URL, in the body or the query. Doing it again does no harm."""
    scope = scope_of(request)
    how = read_query(request, HowToDelete)
    asked = await read_query_or_body(request, DeleteRequest)
    urls, bot_id = asked.source_url, asked.bot_id or scope.default_bot
    urls_once = list(dict.fromkeys(urls))
    forecast = None
    if how.dry_run:
        chunks = await threads.read(service.knowledge.chunks_of, scope, bot_id, urls_once)
        removed = {url: len(passages) for url, passages in chunks.items()}
        if caller_of(request).has("transcripts"):
            forecast = await threads.write(service.forecaster.remove, scope, bot_id, urls_once)
    else:
        removed = await threads.write(service.knowledge.remove, scope, bot_id, urls_once)
        service.jobs.changed({bot_id})
    return Deleted(
        source_urls_requested=len(urls),
        urls_deleted=len(removed),
        entries_removed=sum(removed.values()),
        bot_id=bot_id,
        results=[
            DeletedUrl(source_url=url, deleted=url in removed, entries_removed=removed.get(url, 0))
            for url in urls
        ],
        gaps=forecast,
    )


def pushed(report: Upserted, forecast: Forecast | None = None) -> Pushed:
    return Pushed(
        success=True,
        source_url=report.source_url,
        bot_id=report.bot_id,
        content_type=report.content_type,
        bytes=report.bytes,
        document_id=report.document_id,
        unchanged=report.unchanged,
        chunks=report.chunks,
        warnings=report.warnings,
        gaps=forecast,
    )


def _read(body: bytes, scope: Scope, strict: bool) -> tuple[Document, bool]:
    """A token that is bound to a bot pushes to that one when the body names none."""
    values = read_json(body)
    if is_left_out(values.get("bot_id")):
        values["bot_id"] = scope.default_bot
    return read_push(values), read_strict(values, strict)


handlers = [push_page, list_pages, get_page, delete_pages]
