"""/knowledge/batch and /jobs: many documents as NDJSON, done in the background."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any, Literal

from litestar import Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream
from msgspec import UNSET, Struct, UnsetType

from rag_service.assembly import Service
from rag_service.background.job_status import JobStatus
from rag_service.fields import Field, flag, integer
from rag_service.http.documenting import NDJSON, errors, operation, streamed, text_body
from rag_service.http.envelopes import without_paths
from rag_service.http.guarding import need, scope_of
from rag_service.http.parameters import read_query
from rag_service.knowledge.jobs import FailedLine, Job, JobState
from rag_service.knowledge.pushes import STRICT
from rag_service.knowledge.upserts import ChunkCounts

AnyRequest = Request[Any, Any, Any]


class Queued(Struct, frozen=True, kw_only=True):
    """The lines are on disk and will be worked on, over a restart too."""

    job_id: str
    state: JobState
    total: int
    status_url: str


class StoredLine(Struct, frozen=True, kw_only=True):
    """What a push of a batch did, as `POST /knowledge` tells it."""

    line: int
    source_url: str
    file: str | UnsetType = UNSET
    """The name of the file that it came in."""
    success: Literal[True]
    bot_id: str
    content_type: str
    bytes: int
    document_id: str
    unchanged: bool
    chunks: ChunkCounts
    warnings: list[str]


class RefusedLine(Struct, frozen=True, kw_only=True):
    """Why nothing was stored."""

    line: int
    source_url: str | None
    file: str | UnsetType = UNSET
    success: Literal[False]
    error: str


class Counts(Struct, frozen=True, kw_only=True):
    """Lines: `done` have a result, of which `embedded` were written and `failed` were refused."""

    total: int
    done: int
    embedded: int
    unchanged: int
    failed: int


class JobAnswer(Struct, frozen=True, kw_only=True):
    """`rate` is in lines a second, `eta_s` is the estimated time left, `note` is why it waits."""

    job_id: str
    state: JobState
    counts: Counts
    failed_lines: list[FailedLine]
    rate: float | None
    eta_s: float | None
    error: str | None
    note: str | None
    created_at: str
    started_at: str | None
    finished_at: str | None


WAIT = Field("Answer 200 with one NDJSON result a line as it goes on.", flag)


class HowToBatch(Struct, frozen=True, kw_only=True):
    wait: Annotated[bool, WAIT] = False
    strict: Annotated[bool, STRICT] = False


class JobRequest(Struct, frozen=True, kw_only=True):
    limit: Annotated[int, Field("How many failed lines at most.", integer(0, 1000))] = 1000
    offset: Annotated[int, Field("How many failed lines to skip.", integer(0))] = 0


RESULTS = streamed(
    '{"line": 1, "source_url": "https://example.com/a", "success": true}\n'
    '{"line": 2, "source_url": null, "success": false, "error": "the body is not a JSON object"}\n',
    StoredLine,
    RefusedLine,
)


@post(
    "/knowledge/batch",
    status_code=202,
    guards=[need("knowledge")],
    request_max_body_size=None,
    tags=["batch"],
    summary="Push many documents",
    operation_class=operation(
        query=HowToBatch,
        body=text_body(
            NDJSON,
            "One POST /knowledge body a line; any number of lines, each within RAG_MAX_BODY_MB.",
            '{"source_url": "https://example.com/a", "content": "We open at 9."}\n',
        ),
        streams={NDJSON: RESULTS},
    ),
    responses=errors(400),
)
async def push_batch(request: AnyRequest, service: NamedDependency[Service]) -> Response[Queued]:
    """A bad line is reported with its number and reason, and does not stop the others."""
    how = read_query(request, HowToBatch)
    job = await service.jobs.submit(scope_of(request), request.stream(), strict=how.strict)
    return answer_batch(request, service, job, how.wait)


def answer_batch(request: AnyRequest, service: Service, job: Job, wait: bool) -> Response[Any]:
    """202 and where to look, or 200 and the results as they come."""
    if wait:
        results: AsyncIterator[bytes] = service.jobs.follow(
            job.id, partial(without_paths, service=service)
        )
        headers = {"X-Job-Id": job.id}
        return Stream(results, status_code=200, media_type=NDJSON, headers=headers)
    url = f"{service.settings.prefix}{request.url.path.partition('/knowledge/')[0]}/jobs/{job.id}"
    queued = Queued(job_id=job.id, state=job.state, total=job.total, status_url=url)
    return Response(queued, status_code=202, headers={"Location": url})


@get(
    "/jobs/{job_id:str}",
    guards=[need("knowledge")],
    tags=["batch"],
    summary="How far a batch is",
    operation_class=operation(query=JobRequest),
    responses=errors(400, 404),
)
async def get_job(
    request: AnyRequest, job_id: FromPath[str], service: NamedDependency[Service]
) -> JobAnswer:
    """Its state, counts, failed lines, rate and the time left."""
    asked = read_query(request, JobRequest)
    status = await service.jobs.status(
        scope_of(request), job_id, limit=asked.limit, offset=asked.offset
    )
    return _answer(status, service)


@delete(
    "/jobs/{job_id:str}",
    status_code=200,
    guards=[need("knowledge")],
    tags=["batch"],
    summary="Cancel a batch",
    operation_class=operation(),
    responses=errors(400, 404),
)
async def cancel_job(
    request: AnyRequest, job_id: FromPath[str], service: NamedDependency[Service]
) -> JobAnswer:
    """What has been written stays; a batch that is over is left as it is."""
    await service.jobs.cancel(scope_of(request), job_id)
    return _answer(await service.jobs.status(scope_of(request), job_id), service)


def _answer(status: JobStatus, service: Service) -> JobAnswer:
    job = status.job
    return JobAnswer(
        job_id=job.id,
        state=job.state,
        counts=Counts(
            total=job.total,
            done=job.counts.done,
            embedded=job.counts.embedded,
            unchanged=job.counts.unchanged,
            failed=job.counts.failed,
        ),
        failed_lines=status.failed_lines,
        rate=status.rate,
        eta_s=status.eta_s,
        error=None if job.error is None else without_paths(job.error, service),
        note=None if status.note is None else without_paths(status.note, service),
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
    )


handlers = [push_batch, get_job, cancel_job]
