"""DELETE /knowledge: documents by their URLs, or those that a filter leaves."""

from typing import Annotated, Any, ClassVar

from litestar import Request, delete
from litestar.di import NamedDependency
from msgspec import Struct

from rag_service.access.scope import Scope
from rag_service.assembly import Service
from rag_service.fields import Field, flag, integer, list_of, raise_faults, read_source_url
from rag_service.gaps.forecast import Forecast
from rag_service.http.documenting import errors, json_body, operation
from rag_service.http.guarding import caller_of, need, scope_of
from rag_service.http.parameters import read_query, read_query_or_body
from rag_service.http.threads import Threads
from rag_service.knowledge.filters import FILTER, Filter
from rag_service.knowledge.pushes import BOT

AnyRequest = Request[Any, Any, Any]
_MOST_URLS = 50
_MOST_TOLD = 1000


class DeletedUrl(Struct, frozen=True, kw_only=True):
    source_url: str
    deleted: bool
    entries_removed: int


class Deleted(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`entries_removed` counts chunks. A URL that was not there is no error. Of more than a
    thousand documents that a filter leaves, `results` has the first."""

    source_urls_requested: int
    urls_deleted: int
    entries_removed: int
    bot_id: str
    results: list[DeletedUrl]
    gaps: Forecast | None = None
    """What would open again, where it was a dry run of at most a thousand documents."""


class DeleteRequest(Struct, frozen=True, kw_only=True):
    source_url: Annotated[
        list[str] | None,
        Field(
            f"A URL, or a list of at most {_MOST_URLS}. This or `filter`.",
            list_of(read_source_url, _MOST_URLS, or_one=True),
            may_be_blank=False,
        ),
    ] = None
    filter: Annotated[Filter | None, FILTER] = None
    confirm: Annotated[
        int | None,
        Field("With `filter`: the `urls_deleted` that a dry run told.", integer(0)),
    ] = None
    bot_id: Annotated[str | None, BOT] = None
    JOINT: ClassVar[dict[str, Any]] = {
        "anyOf": [{"required": ["source_url"]}, {"required": ["filter"]}]
    }


class HowToDelete(Struct, frozen=True, kw_only=True):
    dry_run: Annotated[
        bool,
        Field("Delete nothing; answer what would be, with `gaps`.", flag, may_be_blank=False),
    ] = False


_EXAMPLE = {"source_url": ["https://example.com/a", "https://example.com/b"]}


@delete(
    "/knowledge",
    status_code=200,
    guards=[need("knowledge")],
    tags=["knowledge"],
    summary="Delete documents",
    operation_class=operation(
        query=HowToDelete,
        in_place_of_body=DeleteRequest,
        body=json_body(DeleteRequest, _EXAMPLE),
    ),
    responses=errors(400, 409, 413),
)
async def delete_pages(
    request: AnyRequest, service: NamedDependency[Service], threads: NamedDependency[Threads]
) -> Deleted:
    """By URL, in the body or the query. Doing it again does no harm.

    By `filter` in two steps: a dry run tells `urls_deleted`, and the delete confirms that number.
    Where the filter leaves another number by then, nothing is deleted.
    """
    scope = scope_of(request)
    how = read_query(request, HowToDelete)
    asked = await read_query_or_body(request, DeleteRequest)
    bot_id = asked.bot_id or scope.default_bot
    _refuse(asked, how.dry_run)
    urls = asked.source_url
    if how.dry_run:
        return await _foretold(request, scope, bot_id, asked, service, threads)
    if urls is None:
        removed = await threads.write(
            service.knowledge.remove_matching, scope, bot_id, asked.filter, asked.confirm
        )
        urls = list(removed)
    else:
        once = list(dict.fromkeys(urls))
        removed = await threads.write(service.knowledge.remove, scope, bot_id, once)
    service.jobs.changed({bot_id})
    return _deleted(bot_id, urls, removed)


def _refuse(asked: DeleteRequest, dry_run: bool) -> None:
    faults = {}
    if asked.source_url is None:
        if asked.filter is None:
            faults["source_url"] = "is required"
        elif asked.confirm is None and not dry_run:
            faults["confirm"] = "is required with a filter: the `urls_deleted` that a dry run told"
    elif asked.filter is not None:
        faults["filter"] = "cannot go together with source_url: send one of them"
    elif asked.confirm is not None:
        faults["confirm"] = "goes with a filter only"
    raise_faults(faults)


async def _foretold(
    request: AnyRequest,
    scope: Scope,
    bot_id: str,
    asked: DeleteRequest,
    service: Service,
    threads: Threads,
) -> Deleted:
    if asked.filter is not None:
        removed = await threads.scan(service.knowledge.matching, scope, bot_id, asked.filter)
        urls = list(removed)
    else:
        urls = asked.source_url or []
        chunks = await threads.read(
            service.knowledge.chunks_of, scope, bot_id, list(dict.fromkeys(urls))
        )
        removed = {url: len(passages) for url, passages in chunks.items()}
    forecast = None
    if caller_of(request).has("transcripts") and len(urls) <= _MOST_TOLD:
        once = list(dict.fromkeys(urls))
        forecast = await threads.write(service.forecaster.remove, scope, bot_id, once)
    return _deleted(bot_id, urls, removed, forecast)


def _deleted(
    bot_id: str, urls: list[str], removed: dict[str, int], forecast: Forecast | None = None
) -> Deleted:
    return Deleted(
        source_urls_requested=len(urls),
        urls_deleted=len(removed),
        entries_removed=sum(removed.values()),
        bot_id=bot_id,
        results=[
            DeletedUrl(source_url=url, deleted=url in removed, entries_removed=removed.get(url, 0))
            for url in urls[:_MOST_TOLD]
        ],
        gaps=forecast,
    )


handlers = [delete_pages]
