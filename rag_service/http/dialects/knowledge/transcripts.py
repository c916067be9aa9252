"""/transcripts, in the knowledge dialect: what was asked, and what found nothing."""

from collections.abc import Iterator
from typing import Any

import msgspec
from litestar import MediaType, Request, Response, delete, get, post
from litestar.di import NamedDependency
from msgspec import Struct

from rag_service.assembly import Service
from rag_service.conversations.store import TranscriptFilter, TranscriptRow
from rag_service.conversations.transcripts import DECISIONS, ROLES, TranscriptItem, csv_lines, item
from rag_service.dates import read_moment
from rag_service.fields import flag, integer, one_of, read_bot_id, read_label, read_source_url, text
from rag_service.http.documenting import (
    NDJSON,
    RATE_HEADERS,
    boolean,
    errors,
    json_body,
    operation,
    string,
    strings,
    whole,
)
from rag_service.http.exports import exported
from rag_service.http.guarding import need, scope_of
from rag_service.http.parameters import Parameters, body_of, optional_body_of, query_of
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


_FILTERS = {
    "since": string("Rows from then on: ISO 8601, or what strtotime takes, as `-1 week`."),
    "until": string("Rows up to then."),
    "session_id": string("Only this conversation."),
    "role": string("Who speaks.", enum=["user", "assistant", "system", "all"], default="all"),
    "has_rag_context": string(
        "`no` finds the questions nothing was found for.", enum=list(DECISIONS), default="any"
    ),
    "bot_id": string("Only this bot; otherwise all that the token may see."),
    "q": string("Only texts that contain this, whatever its case."),
    "limit": whole("Rows at most.", 1, 1000, 100),
    "offset": whole("Rows to skip.", 0, None, 0),
    "order": string("By time.", enum=["asc", "desc"], default="desc"),
}
_DELETE = operation(
    body=json_body(
        {
            "session_ids": strings("1 to 1000 conversations."),
            "cascade": boolean("Translations and clicks too.", True),
        },
        ("session_ids",),
        {"session_ids": ["conv_0199"], "cascade": True},
    )
)
_TRANSLATION = operation(
    body=json_body(
        {
            "message_id": string("A message, by its id or its row's."),
            "language": string("For instance `de`."),
            "text": string("The message in that language."),
        },
        ("message_id", "language", "text"),
        {"message_id": "msg_0199", "language": "de", "text": "Wann haben Sie geöffnet?"},
    )
)
_CLICK = operation(
    body=json_body(
        {
            "session_id": string("The conversation."),
            "message_id": string("The message with the link."),
            "url": string("What was clicked."),
            "bot_id": string("The conversation's bot, where several have one of that id."),
        },
        ("session_id", "url"),
        {"session_id": "conv_0199", "url": "https://example.com/hours"},
    )
)


@get(
    "/transcripts",
    guards=[need("transcripts")],
    response_headers=RATE_HEADERS,
    tags=["transcripts"],
    summary="Read transcripts",
    operation_class=operation(query=_FILTERS),
    responses=errors(400),
)
async def read_transcripts(
    request: AnyRequest,
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> Response[Any]:
    """A page; with `Accept: text/csv` or `application/x-ndjson` all matching rows as an export."""
    values = Parameters(query_of(request))
    bot_id = values.take("bot_id", read_bot_id, None)
    where = _filter(values)
    limit = values.take("limit", integer(1, 1000), 100)
    offset = values.take("offset", integer(0), 0)
    ascending = values.take("order", one_of(("asc", "desc")), "desc") == "asc"
    values.done()
    scope = scope_of(request).only(bot_id)
    accept = request.headers.get("accept", "")
    for media_type, lines in (("text/csv", _csv), (NDJSON, _ndjson)):
        if media_type in accept:
            groups = service.store.transcripts.export(scope, where, ascending=ascending)
            name = f"transcripts.{'csv' if lines is _csv else 'ndjson'}"
            return exported(lines(groups), threads, media_type, name)
    total, rows = await threads.read(
        service.store.transcripts.page,
        scope,
        where,
        limit=limit,
        offset=offset,
        ascending=ascending,
    )
    items = [item(row) for row in rows]
    answer = TranscriptsAnswer(
        total=total, count=len(items), limit=limit, offset=offset, items=items
    )
    return Response(answer, media_type=MediaType.JSON)


@delete(
    "/transcripts",
    status_code=200,
    guards=[need("transcripts")],
    response_headers=RATE_HEADERS,
    tags=["transcripts"],
    summary="Delete conversations",
    operation_class=_DELETE,
    responses=errors(400, 413),
)
async def delete_transcripts(
    request: AnyRequest,
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> DeleteAnswer:
    """For good. There is no way to delete all: each session is named."""
    values = Parameters({**query_of(request), **(await optional_body_of(request))})
    session_ids = values.need("session_ids", _sessions)
    cascade = values.take("cascade", flag, True)
    values.done()
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
    response_headers=RATE_HEADERS,
    tags=["transcripts"],
    summary="Keep a translation",
    operation_class=_TRANSLATION,
    responses=errors(400, 404, 413),
)
async def add_translation(
    request: AnyRequest,
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> NoteAnswer:
    """In place of a former one of that message and language."""
    values = Parameters(await body_of(request))
    message_id = values.need("message_id", _message_id)
    language = values.need("language", read_label)
    translation = values.need("text", text(_LONGEST_TRANSLATION))
    values.done()
    await threads.write(
        service.store.transcripts.add_translation,
        scope_of(request),
        message_id,
        language,
        translation,
    )
    return NoteAnswer()


@post(
    "/transcripts/clicks",
    status_code=200,
    guards=[need("transcripts")],
    response_headers=RATE_HEADERS,
    tags=["transcripts"],
    summary="Keep a click",
    operation_class=_CLICK,
    responses=errors(400, 404, 413),
)
async def add_click(
    request: AnyRequest,
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> NoteAnswer:
    """A link of an answer was followed."""
    values = Parameters(await body_of(request))
    session_id = values.need("session_id", read_label)
    message_id = values.take("message_id", _message_id, None)
    url = values.need("url", read_source_url)
    bot_id = values.take("bot_id", read_bot_id, None)
    values.done()
    scope = scope_of(request)
    if bot_id is None:
        bot_id = (await threads.read(service.store.conversations.find, scope, session_id)).bot_id
    await threads.write(
        service.store.transcripts.add_click, scope, bot_id, session_id, message_id, url
    )
    return NoteAnswer()


def _filter(values: Parameters) -> TranscriptFilter:
    role = values.take("role", one_of(tuple(ROLES)), "all")
    return TranscriptFilter(
        since=values.take("since", read_moment, None),
        until=values.take("until", read_moment, None),
        session_id=values.take("session_id", read_label, None),
        role=ROLES[role],
        has_rag_context=DECISIONS[values.take("has_rag_context", one_of(tuple(DECISIONS)), "any")],
        q=values.take("q", text(1000), None),
    )


def _sessions(value: Any) -> list[str]:
    if not isinstance(value, list) or not value:
        raise ValueError("must be a list of session ids that is not empty")
    if len(value) > _MOST_SESSIONS:
        raise ValueError(f"must have at most {_MOST_SESSIONS} ids")
    return [read_label(one) for one in value]


def _message_id(value: Any) -> str:
    return read_label(str(value) if isinstance(value, int) else value)


# -- exports ------------------------------------------------------------------------------------


def _csv(groups: Iterator[list[TranscriptRow]]) -> Iterator[bytes]:
    return (part.encode() for part in csv_lines(groups))


def _ndjson(groups: Iterator[list[TranscriptRow]]) -> Iterator[bytes]:
    encoder = msgspec.json.Encoder()
    for rows in groups:
        yield encoder.encode_lines([item(row) for row in rows])


handlers = [read_transcripts, delete_transcripts, add_translation, add_click]
