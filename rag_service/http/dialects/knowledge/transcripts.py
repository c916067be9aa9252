"""/transcripts, in the knowledge dialect: what was asked, and what found nothing."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from litestar import MediaType, Request, Response, delete, get, post
from litestar.di import NamedDependency
from msgspec import Struct

from rag_service.assembly import Service
from rag_service.conversations.store import TranscriptRow
from rag_service.conversations.transcripts import (
    TranscriptItem,
    TranscriptsRequest,
    csv_lines,
    item,
)
from rag_service.fields import (
    Field,
    flag,
    list_of,
    read_bot_id,
    read_label,
    read_source_url,
    text,
)
from rag_service.http.documenting import CSV, NDJSON, errors, json_body, operation, streamed
from rag_service.http.exports import exported
from rag_service.http.guarding import need, scope_of
from rag_service.http.parameters import read_body, read_query, read_query_or_body
from rag_service.http.threads import Threads

AnyRequest = Request[Any, Any, Any]
_MOST_SESSIONS = 1000
_LONGEST_TRANSLATION = 100_000


class TranscriptsAnswer(Struct, frozen=True, kw_only=True):
    """`total` rows match; `items` has `count` of them from `offset` on."""

    total: int
    count: int
    limit: int
    offset: int
    items: list[TranscriptItem]


class DeleteAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    session_ids_requested: int
    transcripts_deleted: int
    translations_deleted: int
    url_clicks_deleted: int
    cascade: bool
    erasure_pending: bool = False
    """A reader, such as a backup, keeps the text in a file: it is taken out when that has ended."""


class NoteAnswer(Struct, frozen=True, kw_only=True):
    success: bool = True


class DeleteRequest(Struct, frozen=True, kw_only=True):
    session_ids: Annotated[
        list[str],
        Field(f"1 to {_MOST_SESSIONS} conversations.", list_of(read_label, _MOST_SESSIONS)),
    ]
    cascade: Annotated[bool, Field("Translations and clicks too.", flag)] = True


class TranslationRequest(Struct, frozen=True, kw_only=True):
    message_id: Annotated[str, Field("A message, by its id or its row's.", read_label)]
    language: Annotated[str, Field("For instance `de`.", read_label)]
    text: Annotated[str, Field("The message in that language.", text(_LONGEST_TRANSLATION))]


class ClickRequest(Struct, frozen=True, kw_only=True):
    session_id: Annotated[str, Field("The conversation.", read_label)]
    message_id: Annotated[str | None, Field("The message with the link.", read_label)] = None
    url: Annotated[str, Field("What was clicked.", read_source_url)]
    bot_id: Annotated[
        str | None,
        Field("The conversation's bot, where several have one of that id.", read_bot_id),
    ] = None


_EXPORTS = {
    CSV: streamed(
        "id,session_id,bot_id,role,message\r\n1,conv_0199,default,user,When do you open?\r\n"
    ),
    NDJSON: streamed(
        '{"id": 1, "session_id": "conv_0199", "role": "user", "message": "Hello"}\n', TranscriptItem
    ),
}
_DELETE = {"session_ids": ["conv_0199"], "cascade": True}
_TRANSLATION = {"message_id": "msg_0199", "language": "de", "text": "Wann haben Sie geöffnet?"}
_CLICK = {"session_id": "conv_0199", "url": "https://example.com/hours"}


@get(
    "/transcripts",
    guards=[need("transcripts")],
    tags=["transcripts"],
    summary="Read transcripts",
    operation_class=operation(query=TranscriptsRequest, streams=_EXPORTS),
    responses=errors(400),
)
async def list_transcripts(
    request: AnyRequest,
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> Response[TranscriptsAnswer]:
    """A page; with `Accept: text/csv` or `application/x-ndjson` all matching rows as an export."""
    asked = read_query(request, TranscriptsRequest)
    scope = scope_of(request).only(asked.bot_id)
    where, ascending = asked.filter(), asked.order == "asc"
    accept = request.headers.get("accept", "")
    for media_type, lines in ((CSV, _csv), (NDJSON, _ndjson)):
        if media_type in accept:
            groups = service.store.transcripts.export(scope, where, ascending=ascending)
            name = f"transcripts.{'csv' if lines is _csv else 'ndjson'}"
            return exported(lines(groups), threads, media_type, name)
    total, rows = await threads.read(
        service.store.transcripts.page,
        scope,
        where,
        limit=asked.limit,
        offset=asked.offset,
        ascending=ascending,
    )
    items = [item(row) for row in rows]
    answer = TranscriptsAnswer(
        total=total, count=len(items), limit=asked.limit, offset=asked.offset, items=items
    )
    return Response(answer, media_type=MediaType.JSON)


@delete(
    "/transcripts",
    status_code=200,
    guards=[need("transcripts")],
    tags=["transcripts"],
    summary="Delete conversations",
    operation_class=operation(
        in_place_of_body=DeleteRequest, body=json_body(DeleteRequest, _DELETE)
    ),
    responses=errors(400, 413),
)
async def delete_transcripts(
    request: AnyRequest,
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> DeleteAnswer:
    """For good. There is no way to delete all: each session is named."""
    asked = await read_query_or_body(request, DeleteRequest)
    session_ids, cascade = asked.session_ids, asked.cascade
    gone = await threads.write(
        service.store.transcripts.delete,
        scope_of(request),
        session_ids,
        cascade=cascade,
    )
    return DeleteAnswer(
        session_ids_requested=len(session_ids),
        transcripts_deleted=gone.transcripts,
        translations_deleted=gone.translations,
        url_clicks_deleted=gone.clicks,
        cascade=cascade,
        erasure_pending=gone.erasure_pending,
    )


@post(
    "/transcripts/translations",
    status_code=200,
    guards=[need("transcripts")],
    tags=["transcripts"],
    summary="Keep a translation",
    operation_class=operation(body=json_body(TranslationRequest, _TRANSLATION)),
    responses=errors(400, 404, 413),
)
async def add_translation(
    request: AnyRequest,
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> NoteAnswer:
    """In place of a former one of that message and language."""
    given = await read_body(request, TranslationRequest)
    await threads.write(
        service.store.transcripts.add_translation,
        scope_of(request),
        given.message_id,
        given.language,
        given.text,
    )
    return NoteAnswer()


@post(
    "/transcripts/clicks",
    status_code=200,
    guards=[need("transcripts")],
    tags=["transcripts"],
    summary="Keep a click",
    operation_class=operation(body=json_body(ClickRequest, _CLICK)),
    responses=errors(400, 404, 413),
)
async def add_click(
    request: AnyRequest,
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> NoteAnswer:
    """A link of an answer was followed."""
    given = await read_body(request, ClickRequest)
    scope, bot_id = scope_of(request), given.bot_id
    if bot_id is None:
        found = await threads.read(service.store.conversations.find, scope, given.session_id)
        bot_id = found.bot_id
    await threads.write(
        service.store.transcripts.add_click,
        scope,
        bot_id,
        given.session_id,
        given.message_id,
        given.url,
    )
    return NoteAnswer()


# -- exports ------------------------------------------------------------------------------------


def _csv(groups: Iterator[list[TranscriptRow]]) -> Iterator[bytes]:
    return (part.encode() for part in csv_lines(groups))


def _ndjson(groups: Iterator[list[TranscriptRow]]) -> Iterator[bytes]:
    encoder = msgspec.json.Encoder()
    for rows in groups:
        yield encoder.encode_lines([item(row) for row in rows])


handlers = [list_transcripts, delete_transcripts, add_translation, add_click]
