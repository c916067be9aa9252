"""/gaps/report and /gaps/activity, in the knowledge dialect: what is asked most, and when."""

from typing import Annotated, Any

from litestar import MediaType, Request, Response, get
from litestar.di import NamedDependency
from msgspec import Struct

from rag_service.assembly import Service
from rag_service.clock import written as as_text
from rag_service.fields import Field, integer, list_of, read_label, read_moment, takes
from rag_service.gaps.gaps_request import OfBot
from rag_service.gaps.report import GapReport, as_html, as_markdown, make_report
from rag_service.http.documenting import errors, operation, streamed
from rag_service.http.guarding import need, scope_of
from rag_service.http.parameters import read_query
from rag_service.http.threads import Threads

_MOST_GAPS = 100
_MOST_WEEKS = 104
_IDS = list_of(read_label, _MOST_GAPS)
_MARKDOWN, _HTML = "text/markdown", "text/html"
_EXAMPLES = {
    _MARKDOWN: streamed("# Questions without an answer\n\nOf all times. 3 open, 0 dismissed.\n"),
    _HTML: streamed("<!doctype html><title>Questions without an answer</title>"),
}


class ReportRequest(OfBot, frozen=True, kw_only=True):
    since: Annotated[
        str | None,
        Field("Asked from then on: ISO 8601, or what strtotime takes, as `-1 week`.", read_moment),
    ] = None


@takes(type="string", examples=["gap_0199,gap_0200"])
def _gap_ids(value: Any) -> list[str]:
    return _IDS(str(value).split(","))


class ActivityRequest(Struct, frozen=True, kw_only=True):
    gap_id: Annotated[
        list[str],
        Field(f"1 to {_MOST_GAPS} gaps, with commas between them.", _gap_ids),
    ]
    weeks: Annotated[int, Field("How many, up to now.", integer(1, _MOST_WEEKS))] = 12


class GapActivity(Struct, frozen=True, kw_only=True):
    """`questions` has one count a week, the oldest first; the last one ends now."""

    gap_id: str
    questions: list[int]


class Activity(Struct, frozen=True, kw_only=True):
    weeks: int
    items: list[GapActivity]


@get(
    "/gaps/activity",
    guards=[need("transcripts")],
    tags=["gaps"],
    summary="When gaps were asked",
    operation_class=operation(query=ActivityRequest),
    responses=errors(400),
)
async def get_gap_activity(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> Activity:
    """Questions by week. A gap that is not there is left out."""
    asked = read_query(request, ActivityRequest)
    counts = await threads.read(
        service.store.gaps.activity, scope_of(request), asked.gap_id, asked.weeks
    )
    items = [
        GapActivity(gap_id=gap_id, questions=counts[gap_id])
        for gap_id in dict.fromkeys(asked.gap_id)
        if gap_id in counts
    ]
    return Activity(weeks=asked.weeks, items=items)


@get(
    "/gaps/report",
    guards=[need("transcripts")],
    tags=["gaps"],
    summary="Report on gaps",
    operation_class=operation(query=ReportRequest, streams=_EXAMPLES),
    responses=errors(400),
)
async def get_gap_report(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> Response[GapReport]:
    """JSON; with `Accept: text/markdown` or `text/html` a page to hand on."""
    asked = read_query(request, ReportRequest)
    scope = scope_of(request).only(asked.bot_id)
    moment = as_text(service.clock.now())
    report = await threads.scan(
        make_report, service.store.gaps, asked.bot_id, asked.since, moment, scope
    )
    accept = request.headers.get("accept", "")
    page: Response[Any]
    for media_type, written in ((_MARKDOWN, as_markdown), (_HTML, as_html)):
        if media_type in accept:
            name = f"gaps.{'md' if media_type == _MARKDOWN else 'html'}"
            headers = {"Content-Disposition": f'attachment; filename="{name}"'}
            page = Response(written(report).encode(), media_type=media_type, headers=headers)
            return page
    return Response(report, media_type=MediaType.JSON)


handlers = [get_gap_report, get_gap_activity]
