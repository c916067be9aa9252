"""/search: the passages that answer a query."""

from typing import Any

from litestar import Request, get, post
from litestar.di import NamedDependency

from rag_service.access.scope import Scope
from rag_service.assembly import Service
from rag_service.http.documenting import errors, json_body, operation
from rag_service.http.guarding import need, scope_of
from rag_service.http.parameters import read_body, read_query
from rag_service.http.threads import Threads
from rag_service.knowledge.search_request import SearchRequest
from rag_service.knowledge.search_result import SearchAnswer, search_answer

_EXAMPLE = {"query": "How do I enable it?", "k": 3}


@get(
    "/search",
    guards=[need("knowledge")],
    tags=["search"],
    summary="Find passages",
    operation_class=operation(query=SearchRequest),
    responses=errors(400),
)
async def search_by_query(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> SearchAnswer:
    """Best first. `confidence` estimates the probability that the knowledge answers the query."""
    return await _search(read_query(request, SearchRequest), scope_of(request), service, threads)


@post(
    "/search",
    status_code=200,
    guards=[need("knowledge")],
    tags=["search"],
    summary="Find passages",
    operation_class=operation(body=json_body(SearchRequest, _EXAMPLE)),
    responses=errors(400, 413),
)
async def search(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> SearchAnswer:
    """The same with a JSON body."""
    asked = await read_body(request, SearchRequest)
    return await _search(asked, scope_of(request), service, threads)


async def _search(
    asked: SearchRequest, scope: Scope, service: Service, threads: Threads
) -> SearchAnswer:
    bot_id = asked.bot_id or scope.default_bot
    found = await threads.read(
        service.knowledge.search,
        scope,
        asked.query,
        bot_id,
        k=asked.k,
        content_type=asked.content_type,
        mode=asked.mode,
        by_document=asked.group == "document",
    )
    return search_answer(found, explain=asked.explain)


handlers = [search_by_query, search]
