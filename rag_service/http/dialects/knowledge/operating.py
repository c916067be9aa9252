"""/status, /jobs and /tokens, in the knowledge dialect: what whoever runs the service looks at."""

from typing import Annotated, Any, get_args

from litestar import Request, get
from litestar.di import NamedDependency
from msgspec import Struct

from rag_service import __version__
from rag_service.assembly import Service
from rag_service.fields import Field, one_of
from rag_service.http.documenting import errors, operation
from rag_service.http.envelopes import without_paths
from rag_service.http.guarding import caller_of, need, scope_of
from rag_service.http.pages import Rows
from rag_service.http.parameters import read_query
from rag_service.http.threads import Threads
from rag_service.knowledge.jobs import Job, JobState

AnyRequest = Request[Any, Any, Any]
_STATES: tuple[JobState, ...] = get_args(JobState)


class LoopState(Struct, frozen=True, kw_only=True):
    """`failures` counts those in a row; `error` is why it failed the last time, if it did."""

    name: str
    failures: int
    error: str | None


class Models(Struct, frozen=True, kw_only=True):
    """By their settings, without the folders that they are in. `rerank` is empty for none."""

    embedding: str
    chat: str
    rerank: str


class Status(Struct, frozen=True, kw_only=True):
    """`ready` turns true when the embedding model and the indexes are loaded."""

    version: str
    ready: bool
    models: Models
    loops: list[LoopState]


class JobItem(Struct, frozen=True, kw_only=True):
    """Of its lines, `done` have a result, of which `failed` were refused."""

    job_id: str
    state: JobState
    total: int
    done: int
    failed: int
    error: str | None
    created_at: str
    finished_at: str | None


class JobPage(Struct, frozen=True, kw_only=True):
    total: int
    count: int
    limit: int
    offset: int
    items: list[JobItem]


class TokenItem(Struct, frozen=True, kw_only=True):
    """Never the token itself. `bot_id` is null for all bots; `rates` are those of its own."""

    name: str
    scopes: list[str]
    bot_id: str | None
    rates: dict[str, str]
    created_at: str


class Tokens(Struct, frozen=True, kw_only=True):
    items: list[TokenItem]


class Holder(Struct, frozen=True, kw_only=True):
    """What the token of this request is called, and what it may do."""

    name: str
    scopes: list[str]
    bot_id: str | None


class JobsRequest(Rows, frozen=True, kw_only=True):
    state: Annotated[JobState | None, Field("Only these.", one_of(_STATES))] = None


@get(
    "/status",
    guards=[need("admin")],
    tags=["health"],
    summary="Models and background loops",
    operation_class=operation(),
    responses=errors(),
)
async def get_status(service: NamedDependency[Service]) -> Status:
    """More than `/health` tells everybody."""
    settings = service.settings
    return Status(
        version=__version__,
        ready=service.ready(),
        models=Models(
            embedding=service.embedding_model(),
            chat=_without_folder(settings.chat_model),
            rerank=_without_folder(settings.rerank_model),
        ),
        loops=[
            LoopState(
                name=loop.name,
                failures=loop.failures,
                error=None if loop.error is None else without_paths(loop.error, service),
            )
            for loop in service.supervisor.loops()
        ],
    )


@get(
    "/jobs",
    guards=[need("knowledge")],
    tags=["batch"],
    summary="List batches",
    operation_class=operation(query=JobsRequest),
    responses=errors(400),
)
async def list_jobs(
    request: AnyRequest, service: NamedDependency[Service], threads: NamedDependency[Threads]
) -> JobPage:
    """The newest first; those that ended are kept for RAG_KEEP_JOBS_DAYS."""
    asked = read_query(request, JobsRequest)
    total, jobs = await threads.read(
        service.store.jobs.page,
        scope_of(request),
        asked.state,
        limit=asked.limit,
        offset=asked.offset,
    )
    items = [_item(job, service) for job in jobs]
    return JobPage(
        total=total, count=len(items), limit=asked.limit, offset=asked.offset, items=items
    )


@get(
    "/tokens",
    guards=[need("admin")],
    tags=["tokens"],
    summary="List tokens",
    operation_class=operation(),
    responses=errors(),
)
async def list_tokens(
    request: AnyRequest, service: NamedDependency[Service], threads: NamedDependency[Threads]
) -> Tokens:
    """Names, scopes and rates, the oldest first; one that is bound to a bot sees those of it."""
    scope = scope_of(request)
    tokens = await threads.read(service.access.tokens)
    shown = [
        TokenItem(
            name=token.name,
            scopes=token.scopes,
            bot_id=token.bot_id,
            rates=token.rates,
            created_at=token.created_at,
        )
        for token in tokens
        if scope.admits(token.bot_id)
    ]
    return Tokens(items=shown)


@get(
    "/tokens/self",
    guards=[need(None)],
    tags=["tokens"],
    summary="Who am I?",
    operation_class=operation(),
    responses=errors(),
)
async def get_own_token(request: AnyRequest) -> Holder:
    """The name and the scopes of the token that asks."""
    caller = caller_of(request)
    return Holder(name=caller.name, scopes=caller.permissions, bot_id=caller.scope.one_bot)


def _item(job: Job, service: Service) -> JobItem:
    return JobItem(
        job_id=job.id,
        state=job.state,
        total=job.total,
        done=job.counts.done,
        failed=job.counts.failed,
        error=None if job.error is None else without_paths(job.error, service),
        created_at=job.created_at,
        finished_at=job.finished_at,
    )


def _without_folder(model: str) -> str:
    """`local:/models/x.gguf` -> `local:x.gguf`."""
    kind, colon, name = model.rpartition(":")
    return f"{kind}{colon}{name.rstrip('/').rpartition('/')[2]}"


handlers = [get_status, list_jobs, list_tokens, get_own_token]
