"""/gaps, in the knowledge dialect: what could not be answered."""

from collections.abc import Iterator
from typing import Any

import msgspec
from litestar import MediaType, Request, Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from rag_service.access.scope import Scope
from rag_service.assembly import Service
from rag_service.conversations.signals import SIGNAL_KINDS
from rag_service.dates import read_moment
from rag_service.fields import (
    integer,
    one_of,
    read_bot_id,
    read_content_type,
    read_label,
    read_object,
    read_source_url,
    read_string,
    text,
)
from rag_service.gaps.desk import LONGEST_TITLE, GapAnswer
from rag_service.gaps.exports import csv_lines, pages
from rag_service.gaps.forecast import Forecast
from rag_service.gaps.gap import (
    GAP_SORTS,
    GAP_STATES,
    Gap,
    GapEntry,
    GapFilter,
    GapQuestion,
    GapState,
)
from rag_service.http.dialects.knowledge.knowledge import Pushed, pushed
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
from rag_service.http.guarding import caller_of, need, scope_of
from rag_service.http.parameters import Parameters, body_of, query_of
from rag_service.http.threads import Threads

AnyRequest = Request[Any, Any, Any]
LONGEST_ANSWER = 1_000_000
"""Characters."""
_MOST_MERGED = 1000


class GapPage(Struct, frozen=True, kw_only=True):
    """`pending` counts questions and changes that the ledger has not considered yet."""

    total: int
    count: int
    limit: int
    offset: int
    pending: int
    items: list[Gap]


class GapDetail(Gap, frozen=True, kw_only=True):
    """A gap with a page of its questions, the newest first, and with what happened to it."""

    total: int
    items: list[GapQuestion]
    history: list[GapEntry]


class GapAnswered(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The gap after the push; `gaps` tells what would close, where it was a dry run."""

    gap: Gap
    push: Pushed
    gaps: Forecast | None = None


_STATES: dict[str, GapState | None] = {**{state: state for state in GAP_STATES}, "all": None}
_FILTERS = {
    "bot_id": string("Only this bot; otherwise all that the token may see."),
    "state": string("Which gaps.", enum=[*GAP_STATES, "all"], default="open"),
    "kind": string("Why they are gaps.", enum=list(SIGNAL_KINDS)),
    "since": string("Asked from then on: ISO 8601, or what strtotime takes, as `-1 week`."),
    "until": string("Asked up to then."),
    "q": string("Only with this text in a question or the title."),
    "min_questions": whole("Only with so many questions or more.", 1, None, 1),
    "sort": string("By what.", enum=list(GAP_SORTS), default="people"),
    "order": string("Which first.", enum=["asc", "desc"], default="desc"),
    "limit": whole("Gaps at most.", 1, 1000, 100),
    "offset": whole("Gaps to skip.", 0, None, 0),
}
_CHANGES = {
    "state": string("What it is from now on.", enum=list(GAP_STATES)),
    "title": string("A name for it; blank for the questions' own."),
    "note": string("Kept with it; blank for none."),
}
_ANSWER = {
    "answer": string("The answer, as a visitor shall read it."),
    "source_url": string("The key of the page; `gap://BOT/GAP_ID` when left out."),
    "title": string("The question it answers; the gap's title when left out."),
    "content_type": string("The label of the page.", default="faq"),
    "questions": strings("Messages of the gap whose wording the page holds as well."),
}


@get(
    "/gaps",
    guards=[need("transcripts")],
    response_headers=RATE_HEADERS,
    tags=["gaps"],
    summary="List gaps",
    operation_class=operation(query=_FILTERS),
    responses=errors(400),
)
async def list_gaps(
    request: AnyRequest, service: NamedDependency[Service], threads: NamedDependency[Threads]
) -> Response[Any]:
    """A page; with `Accept: text/csv` or `application/x-ndjson` all matching gaps as an export."""
    values = Parameters(query_of(request))
    scope = _scope(values, request)
    where = _filter(values)
    sort = values.take("sort", one_of(GAP_SORTS), GAP_SORTS[0])
    descending = values.take("order", one_of(("asc", "desc")), "desc") == "desc"
    limit = values.take("limit", integer(1, 1000), 100)
    offset = values.take("offset", integer(0), 0)
    values.done()
    gaps = service.store.gaps
    accept = request.headers.get("accept", "")
    for media_type, lines in (("text/csv", _csv), (NDJSON, _ndjson)):
        if media_type in accept:
            groups = pages(gaps, scope, where, sort=sort, descending=descending)
            name = f"gaps.{'csv' if lines is _csv else 'ndjson'}"
            return exported(lines(groups), threads, media_type, name)
    pending = await threads.read(gaps.pending, scope)  # before: 0 is of what is listed
    read = threads.read if where.q is None else threads.scan
    total, items = await read(
        gaps.page, scope, where, sort=sort, descending=descending, limit=limit, offset=offset
    )
    page = GapPage(
        total=total, count=len(items), limit=limit, offset=offset, pending=pending, items=items
    )
    return Response(page, media_type=MediaType.JSON)


@get(
    "/gaps/golden",
    guards=[need("transcripts")],
    response_headers=RATE_HEADERS,
    tags=["gaps"],
    summary="Export golden questions",
    operation_class=operation(query={"bot_id": _FILTERS["bot_id"]}),
    responses=errors(400),
)
async def golden(
    request: AnyRequest, service: NamedDependency[Service], threads: NamedDependency[Threads]
) -> Response[Any]:
    """The questions of closed gaps and those rated up, a JSON object a line, with the pages that
    answer them: what `rag-service evaluate` reads."""
    values = Parameters(query_of(request))
    scope = _scope(values, request)
    values.done()
    encoder = msgspec.json.Encoder()
    lines = (
        encoder.encode({"question": question, "source_urls": urls}) + b"\n"
        for question, urls in service.store.gaps.golden(scope)
    )
    return exported(lines, threads, NDJSON, "golden.ndjson")


@get(
    "/gaps/{gap_id:str}",
    guards=[need("transcripts")],
    response_headers=RATE_HEADERS,
    tags=["gaps"],
    summary="Read a gap",
    operation_class=operation(
        query={"limit": whole("Questions at most.", 1, 1000, 100), "offset": _FILTERS["offset"]}
    ),
    responses=errors(400, 404),
)
async def read_gap(
    request: AnyRequest,
    gap_id: FromPath[str],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> GapDetail:
    """With its questions and its history. The id of a gap that was merged answers the one it went
    into."""
    values = Parameters(query_of(request))
    limit = values.take("limit", integer(1, 1000), 100)
    offset = values.take("offset", integer(0), 0)
    values.done()
    gaps, scope = service.store.gaps, scope_of(request)
    gap = await threads.read(gaps.get, scope, gap_id)
    total, items = await threads.read(gaps.questions, scope, gap_id, limit=limit, offset=offset)
    history = await threads.read(gaps.history, scope, gap_id)
    return GapDetail(**msgspec.structs.asdict(gap), total=total, items=items, history=history)


@patch(
    "/gaps/{gap_id:str}",
    guards=[need("transcripts")],
    response_headers=RATE_HEADERS,
    tags=["gaps"],
    summary="Change a gap",
    operation_class=operation(body=json_body(_CHANGES, (), {"state": "dismissed"})),
    responses=errors(400, 404, 413),
)
async def change_gap(
    request: AnyRequest,
    gap_id: FromPath[str],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> Gap:
    """Dismiss, close or open it by hand, give it a name, or keep a note."""
    values = Parameters(await body_of(request))
    state = values.take("state", one_of(GAP_STATES), None)
    title = values.take("title", text(LONGEST_TITLE), None)
    note = values.take("note", text(100_000), None)
    values.done()
    given = read_object(await request.body())
    blank = {name for name in ("title", "note") if isinstance(given.get(name), str)}
    return await threads.write(
        service.store.gaps.change,
        scope_of(request),
        gap_id,
        state=state,
        title="" if title is None and "title" in blank else title,
        note="" if note is None and "note" in blank else note,
    )


@post(
    "/gaps/{gap_id:str}/merge",
    status_code=200,
    guards=[need("transcripts")],
    response_headers=RATE_HEADERS,
    tags=["gaps"],
    summary="Merge gaps",
    operation_class=operation(
        body=json_body(
            {"gap_ids": strings("The gaps that go into this one.")},
            ("gap_ids",),
            {"gap_ids": ["gap_0199"]},
        )
    ),
    responses=errors(400, 404, 409, 413),
)
async def merge_gaps(
    request: AnyRequest,
    gap_id: FromPath[str],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> Gap:
    """Their questions are questions of this one from now on, and their ids lead here."""
    values = Parameters(await body_of(request))
    gap_ids = values.need("gap_ids", _labels)
    values.done()
    return await threads.write(service.store.gaps.merge, scope_of(request), gap_id, gap_ids)


@post(
    "/gaps/{gap_id:str}/answer",
    status_code=200,
    guards=[need("transcripts")],
    response_headers=RATE_HEADERS,
    tags=["gaps"],
    summary="Answer a gap",
    operation_class=operation(
        query={"dry_run": boolean("Change nothing; answer what would close.", False)},
        body=json_body(_ANSWER, ("answer",), {"answer": "Yes: the racks are by the entrance."}),
    ),
    responses=errors(400, 404, 413),
)
async def answer_gap(
    request: AnyRequest,
    gap_id: FromPath[str],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> GapAnswered:
    """Pushes a question-and-answer page and asks the gap's questions again. The gap closes when the
    page answers them."""
    caller_of(request).need("knowledge")
    query = Parameters(query_of(request))
    dry_run = query.take_flag("dry_run")
    query.done()
    values = Parameters(await body_of(request))
    answer = GapAnswer(
        text=values.need("answer", text(LONGEST_ANSWER)),
        source_url=values.take("source_url", read_source_url, None),
        title=values.take("title", text(LONGEST_TITLE), None),
        content_type=values.take("content_type", read_content_type, "faq"),
        questions=values.take("questions", _labels, []),
    )
    values.done()
    scope, size = scope_of(request), len(await request.body())
    if dry_run:
        answered, forecast = await threads.push(size, service.desk.preview, scope, gap_id, answer)
        return GapAnswered(gap=answered.gap, push=pushed(answered.push), gaps=forecast)
    answered = await threads.push(size, service.desk.answer, scope, gap_id, answer)
    service.jobs.changed({answered.gap.bot_id})
    return GapAnswered(gap=answered.gap, push=pushed(answered.push))


def _filter(values: Parameters) -> GapFilter:
    state = values.take("state", one_of(tuple(_STATES)), "open")
    return GapFilter(
        state=_STATES[state],
        kind=values.take("kind", one_of(SIGNAL_KINDS), None),
        since=values.take("since", read_moment, None),
        until=values.take("until", read_moment, None),
        q=values.take("q", text(1000), None),
        min_questions=values.take("min_questions", integer(1), 1),
    )


def _scope(values: Parameters, request: AnyRequest) -> Scope:
    return scope_of(request).only(values.take("bot_id", read_bot_id, None))


def _labels(value: Any) -> list[str]:
    if not isinstance(value, list) or not value:
        raise ValueError("must be a list of ids that is not empty")
    if len(value) > _MOST_MERGED:
        raise ValueError(f"must have at most {_MOST_MERGED} ids")
    return [read_label(read_string(one)) for one in value]


def _csv(groups: Iterator[list[Gap]]) -> Iterator[bytes]:
    return (part.encode() for part in csv_lines(groups))


def _ndjson(groups: Iterator[list[Gap]]) -> Iterator[bytes]:
    encoder = msgspec.json.Encoder()
    for gaps in groups:
        yield encoder.encode_lines(gaps)


handlers = [list_gaps, golden, read_gap, change_gap, merge_gaps, answer_gap]
