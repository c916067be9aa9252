"""/knowledge: push, list, read and delete documents."""

from typing import Any, Literal, get_args

from litestar import Request, delete, get, post
from litestar.di import NamedDependency
from litestar.openapi.spec import OpenAPIType, Schema
from litestar.params import FromPath
from msgspec import Struct

from rag_service.access.scope import Scope
from rag_service.assembly import Service
from rag_service.documents import DEFAULT_BOT, Document, Format
from rag_service.fields import (
    integer,
    is_left_out,
    read_bot_id,
    read_content_type,
    read_source_url,
    text,
)
from rag_service.gaps.forecast import Forecast
from rag_service.http.documenting import (
    RATE_HEADERS,
    boolean,
    errors,
    json_body,
    operation,
    string,
    whole,
)
from rag_service.http.guarding import caller_of, need, scope_of
from rag_service.http.parameters import Parameters, body_of, query_of, read_json
from rag_service.http.threads import Threads
from rag_service.knowledge.pushes import read_push, read_strict
from rag_service.knowledge.store import DocumentFilter, DocumentInfo
from rag_service.knowledge.upserts import ChunkCounts, Upserted

AnyRequest = Request[Any, Any, Any]
MOST_URLS = 50


class Pushed(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a push did. `unchanged`: the same body was there already, and nothing was embedded.

    `warnings` are sentences on what was left out of a file, and on what does not suit the embedding
    model; mostly there are none.
    """

    success: Literal[True] = True
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


_BOT = string("The bot whose knowledge it is.", default=DEFAULT_BOT, examples=[DEFAULT_BOT])
_LABEL = string("A free label such as faq, page or post.", default="manual")
_URL = string("An absolute URI, kept as given; with `bot_id` the key of the document.")
STRICT = boolean("Fail where something of a file would be left out, and store none of it.", False)
PUSH_FIELDS = {
    "content": string("What to store and embed, as text; not blank. This or `content_base64`."),
    "content_base64": string(
        "The same as a file of any of these formats.", content_encoding="base64"
    ),
    "source_url": _URL,
    "bot_id": _BOT,
    "content_type": _LABEL,
    "title": string("Read from the content when left out."),
    "metadata": Schema(type=OpenAPIType.OBJECT, description="Kept with the document."),
    "format": string(
        "How to read the content. `auto` tells files by their first bytes, and text, Markdown and "
        "HTML by how they look.",
        enum=list(get_args(Format)),
        default="auto",
    ),
    "strict": STRICT,
}
PUSH_EXAMPLE = {
    "content": "Q: How do I enable streaming?\nA: Settings, then Streaming.",
    "source_url": "https://example.com/faq/#faq-enable-streaming",
    "content_type": "faq",
}


@post(
    "/knowledge",
    status_code=200,
    guards=[need("knowledge")],
    response_headers=RATE_HEADERS,
    tags=["knowledge"],
    summary="Push a document",
    operation_class=operation(
        query={
            "dry_run": boolean("Change nothing; answer what would happen.", False),
            "gaps": boolean("With a dry run: tell which gaps would close and reopen.", False),
            "strict": STRICT,
        },
        body=json_body(PUSH_FIELDS, ("source_url",), PUSH_EXAMPLE),
    ),
    responses=errors(400, 413),
)
async def push(
    request: AnyRequest, service: NamedDependency[Service], threads: NamedDependency[Threads]
) -> Pushed:
    """Stores the document in place of the former one of its `source_url`.

    When this answers, the new content is on disk and is found by the next search, and the old one
    is gone from every search.
    """
    scope = scope_of(request)
    query = Parameters(query_of(request))
    dry_run = query.take_flag("dry_run")
    wants_gaps = query.take_flag("gaps")
    strict = query.take_flag("strict")
    query.done()
    body = await request.body()
    document, strict = await threads.push(len(body), _read, body, scope, strict)
    forecast = None
    if dry_run:
        report = await threads.push(
            len(body), service.knowledge.preview, scope, document, strict=strict
        )
        if wants_gaps:
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
    response_headers=RATE_HEADERS,
    tags=["knowledge"],
    summary="List documents",
    operation_class=operation(
        query={
            "bot_id": string("Only this bot's; all that the token may see when left out."),
            "content_type": string("Only with this label."),
            "source_url": string("Only this URL."),
            "q": string("Only with this text in URL, title or content."),
            "limit": whole("How many at most.", 1, 1000, 100),
            "offset": whole("How many to skip.", 0, None, 0),
        }
    ),
    responses=errors(400),
)
async def list_documents(
    request: AnyRequest, service: NamedDependency[Service], threads: NamedDependency[Threads]
) -> DocumentPage:
    """Without their bodies, newest first."""
    query = Parameters(query_of(request))
    bot_id = query.take("bot_id", read_bot_id, None)
    where = DocumentFilter(
        content_type=query.take("content_type", read_content_type, None),
        source_url=query.take("source_url", str.strip, None),
        q=query.take("q", text(1000), None),
    )
    limit = query.take("limit", integer(1, 1000), 100)
    offset = query.take("offset", integer(0), 0)
    query.done()
    scope = scope_of(request).only(bot_id)
    listed = threads.read if where.q is None else threads.scan
    total, items = await listed(
        service.store.knowledge.documents, scope, where, limit=limit, offset=offset
    )
    return DocumentPage(total=total, count=len(items), limit=limit, offset=offset, items=items)


@get(
    "/knowledge/{document_id:str}",
    guards=[need("knowledge")],
    response_headers=RATE_HEADERS,
    tags=["knowledge"],
    summary="Read a document",
    responses=errors(400, 404),
)
async def read_document(
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
    response_headers=RATE_HEADERS,
    tags=["knowledge"],
    summary="Delete documents",
    operation_class=operation(
        query={
            "source_url": string("May be repeated."),
            "bot_id": _BOT,
            "dry_run": boolean("Delete nothing; answer what would be, with `gaps`.", False),
        },
        body=json_body(
            {
                "source_url": Schema(
                    description=f"A URL, or a list of at most {MOST_URLS}.",
                    one_of=[
                        string("One URL."),
                        Schema(type=OpenAPIType.ARRAY, items=_URL, max_items=MOST_URLS),
                    ],
                ),
                "bot_id": _BOT,
            },
            (),
            {"source_url": ["https://example.com/a", "https://example.com/b"]},
        ),
    ),
    responses=errors(400, 413),
)
async def delete_documents(
    request: AnyRequest, service: NamedDependency[Service], threads: NamedDependency[Threads]
) -> Deleted:
    """By URL, in the body or the query. Doing it again does no harm."""
    scope = scope_of(request)
    given = query_of(request)
    dry_run = Parameters(given).take_flag("dry_run")
    if repeated := request.query_params.getall("source_url", []):
        given["source_url"] = repeated
    if await request.body():
        given |= await body_of(request)
    values = Parameters(given)
    urls = values.need("source_url", _urls)
    bot_id = values.take("bot_id", read_bot_id, scope.default_bot)
    values.done()
    urls_once = list(dict.fromkeys(urls))
    forecast = None
    if dry_run:
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


def _urls(value: Any) -> list[str]:
    urls = value if isinstance(value, list) else [value]
    if not urls:
        raise ValueError("must not be empty")
    if len(urls) > MOST_URLS:
        raise ValueError(f"must have at most {MOST_URLS} URLs")
    return [read_source_url(url) for url in urls]


handlers = [push, list_documents, read_document, delete_documents]
