"""/gaps, in the knowledge dialect: what could not be answered."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from litestar import MediaType, Request, Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from rag_service.assembly import Service
from rag_service.fields import (
    Field,
    Reader,
    flag,
    integer,
    is_left_out,
    list_of,
    one_of,
    read_fields,
    read_label,
    read_object,
    takes,
    text,
)
from rag_service.gaps.answer_request import MOST_IDS, AnswerRequest
from rag_service.gaps.desk import LONGEST_TITLE
from rag_service.gaps.exports import csv_lines, pages
from rag_service.gaps.forecast import Forecast
from rag_service.gaps.gap import GAP_STATES, Gap, GapEntry, GapQuestion, GapState
from rag_service.gaps.gaps_request import GapsRequest, OfBot
from rag_service.http.dialects.knowledge.knowledge import Pushed, pushed
from rag_service.http.documenting import CSV, NDJSON, errors, json_body, operation, streamed
from rag_service.http.exports import exported
from rag_service.http.guarding import caller_of, need, scope_of
from rag_service.http.parameters import read_body, read_query
from rag_service.http.threads import Threads

AnyRequest = Request[Any, Any, Any]
_LONGEST_NOTE = 100_000


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


class GoldenQuestion(Struct, frozen=True, kw_only=True):
    """A question with the pages that answer it."""

    question: str
    source_urls: list[str]


def _none_or(longest: int) -> Reader[str]:
    """A text that is none where it is blank."""
    read = text(longest)

    @takes(type="string", maxLength=longest)
    def read_or_none(value: Any) -> str:
        return "" if is_left_out(value) else read(value)

    return read_or_none


_IDS = list_of(read_label, MOST_IDS)


class QuestionsRequest(Struct, frozen=True, kw_only=True):
    limit: Annotated[int, Field("Questions at most.", integer(1, 1000))] = 100
    offset: Annotated[int, Field("Questions to skip.", integer(0))] = 0


class GapChange(Struct, frozen=True, kw_only=True):
    state: Annotated[GapState | None, Field("What it is from now on.", one_of(GAP_STATES))] = None
    title: Annotated[
        str | None,
        Field(
            "A name for it; blank for the questions' own.",
            _none_or(LONGEST_TITLE),
            may_be_blank=False,
        ),
    ] = None
    note: Annotated[
        str | None,
        Field("Kept with it; blank for none.", _none_or(_LONGEST_NOTE), may_be_blank=False),
    ] = None


class MergeRequest(Struct, frozen=True, kw_only=True):
    gap_ids: Annotated[list[str], Field("The gaps that go into this one.", _IDS)]


class HowToAnswer(Struct, frozen=True, kw_only=True):
    dry_run: Annotated[
        bool, Field("Change nothing; answer what would close.", flag, may_be_blank=False)
    ] = False


_EXPORTS = {
    CSV: streamed(
        "gap_id,bot_id,state,kind,title\r\ngap_0199,default,open,none,Where are bike racks?\r\n"
    ),
    NDJSON: streamed('{"gap_id": "gap_0199", "bot_id": "default", "title": "Bike racks?"}\n', Gap),
}
_GOLDEN = {
    NDJSON: streamed(
        '{"question": "When do you open?", "source_urls": ["https://example.com/hours"]}\n',
        GoldenQuestion,
    )
}


@get(
    "/gaps",
    guards=[need("transcripts")],
    tags=["gaps"],
    summary="List gaps",
    operation_class=operation(query=GapsRequest, streams=_EXPORTS),
    responses=errors(400),
)
async def list_gaps(
    request: AnyRequest, service: NamedDependency[Service], threads: NamedDependency[Threads]
) -> Response[GapPage]:
    """A page; with `Accept: text/csv` or `application/x-ndjson` all matching gaps as an export."""
    asked = read_query(request, GapsRequest)
    scope = scope_of(request).only(asked.bot_id)
    where, sort, descending = asked.filter(), asked.sort, asked.order == "desc"
    gaps = service.store.gaps
    accept = request.headers.get("accept", "")
    for media_type, lines in ((CSV, _csv), (NDJSON, _ndjson)):
        if media_type in accept:
            groups = pages(gaps, scope, where, sort=sort, descending=descending)
            name = f"gaps.{'csv' if lines is _csv else 'ndjson'}"
            return exported(lines(groups), threads, media_type, name)
    pending = await threads.read(gaps.pending, scope)  # before: 0 is of what is listed
    read = threads.read if where.q is None else threads.scan
    total, items = await read(
        gaps.page,
        scope,
        where,
        sort=sort,
        descending=descending,
        limit=asked.limit,
        offset=asked.offset,
    )
    page = GapPage(
        total=total,
        count=len(items),
        limit=asked.limit,
        offset=asked.offset,
        pending=pending,
        items=items,
    )
    return Response(page, media_type=MediaType.JSON)


@get(
    "/gaps/golden",
    guards=[need("transcripts")],
    tags=["gaps"],
    summary="Export golden questions",
    media_type=NDJSON,
    operation_class=operation(query=OfBot, streams=_GOLDEN),
    responses=errors(400),
)
async def golden_questions(
    request: AnyRequest, service: NamedDependency[Service], threads: NamedDependency[Threads]
) -> Response[Any]:
    """The questions of closed gaps and those rated up, a JSON object a line, with the pages that
    answer them: what `rag-service evaluate` reads."""
    scope = scope_of(request).only(read_query(request, OfBot).bot_id)
    encoder = msgspec.json.Encoder()
    lines = (
        encoder.encode(GoldenQuestion(question=question, source_urls=urls)) + b"\n"
        for question, urls in service.store.gaps.golden(scope)
    )
    return exported(lines, threads, NDJSON, "golden.ndjson")


@get(
    "/gaps/{gap_id:str}",
    guards=[need("transcripts")],
    tags=["gaps"],
    summary="Read a gap",
    operation_class=operation(query=QuestionsRequest),
    responses=errors(400, 404),
)
async def get_gap(
    request: AnyRequest,
    gap_id: FromPath[str],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> GapDetail:
    """With its questions and its history. The id of a gap that was merged answers the one it went
    into."""
    asked = read_query(request, QuestionsRequest)
    gaps, scope = service.store.gaps, scope_of(request)
    gap = await threads.read(gaps.get, scope, gap_id)
    total, items = await threads.read(
        gaps.questions, scope, gap_id, limit=asked.limit, offset=asked.offset
    )
    history = await threads.read(gaps.history, scope, gap_id)
    return GapDetail(**msgspec.structs.asdict(gap), total=total, items=items, history=history)


@patch(
    "/gaps/{gap_id:str}",
    guards=[need("transcripts")],
    tags=["gaps"],
    summary="Change a gap",
    operation_class=operation(body=json_body(GapChange, {"state": "dismissed"})),
    responses=errors(400, 404, 413),
)
async def update_gap(
    request: AnyRequest,
    gap_id: FromPath[str],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> Gap:
    """Dismiss, close or open it by hand, give it a name, or keep a note."""
    change = read_fields(GapChange, read_object(await request.body()))
    return await threads.write(
        service.store.gaps.change,
        scope_of(request),
        gap_id,
        state=change.state,
        title=change.title,
        note=change.note,
    )


@post(
    "/gaps/{gap_id:str}/merge",
    status_code=200,
    guards=[need("transcripts")],
    tags=["gaps"],
    summary="Merge gaps",
    operation_class=operation(body=json_body(MergeRequest, {"gap_ids": ["gap_0199"]})),
    responses=errors(400, 404, 409, 413),
)
async def merge_gaps(
    request: AnyRequest,
    gap_id: FromPath[str],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> Gap:
    """Their questions are questions of this one from now on, and their ids lead here."""
    gap_ids = (await read_body(request, MergeRequest)).gap_ids
    return await threads.write(service.store.gaps.merge, scope_of(request), gap_id, gap_ids)


@post(
    "/gaps/{gap_id:str}/answer",
    status_code=200,
    guards=[need("transcripts")],
    tags=["gaps"],
    summary="Answer a gap",
    operation_class=operation(
        query=HowToAnswer,
        body=json_body(AnswerRequest, {"answer": "Yes: the racks are by the entrance."}),
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
    how = read_query(request, HowToAnswer)
    given = await read_body(request, AnswerRequest)
    answer = given.answered
    scope, size = scope_of(request), len(await request.body())
    if how.dry_run:
        answered, forecast = await threads.push(size, service.desk.preview, scope, gap_id, answer)
        return GapAnswered(gap=answered.gap, push=pushed(answered.push), gaps=forecast)
    answered = await threads.push(size, service.desk.answer, scope, gap_id, answer)
    service.jobs.changed({answered.gap.bot_id})
    return GapAnswered(gap=answered.gap, push=pushed(answered.push))


def _csv(groups: Iterator[list[Gap]]) -> Iterator[bytes]:
    return (part.encode() for part in csv_lines(groups))


def _ndjson(groups: Iterator[list[Gap]]) -> Iterator[bytes]:
    encoder = msgspec.json.Encoder()
    for gaps in groups:
        yield encoder.encode_lines(gaps)


handlers = [list_gaps, golden_questions, get_gap, update_gap, merge_gaps, answer_gap]
