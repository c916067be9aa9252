"""/search: the passages that answer a query."""

from typing import Any, get_args

from litestar import Request, get, post
from litestar.di import NamedDependency

from rag_service.access.scope import Scope
from rag_service.assembly import Service
from rag_service.documents import DEFAULT_BOT
from rag_service.fields import (
    flag,
    integer,
    is_left_out,
    one_of,
    read_bot_id,
    read_content_type,
    text,
)
from rag_service.http.documenting import (
    RATE_HEADERS,
    boolean,
    errors,
    json_body,
    operation,
    string,
    whole,
)
from rag_service.http.guarding import need, scope_of
from rag_service.http.parameters import Parameters, body_of, query_of
from rag_service.http.threads import Threads
from rag_service.knowledge.search_result import SearchAnswer, search_answer
from rag_service.knowledge.store import Mode

LONGEST_QUERY = 20_000

_FIELDS = {
    "query": string("What to look for."),
    "bot_id": string("The bot whose knowledge is searched.", default=DEFAULT_BOT),
    "k": whole("How many passages.", 1, 100, 5),
    "content_type": string("Only documents with this label."),
    "mode": string("What finds them.", enum=list(get_args(Mode)), default="hybrid"),
    "group": string(
        "`document` shows each document once, with its best passage.",
        enum=["chunk", "document"],
        default="chunk",
    ),
    "explain": boolean("Adds `evidence`: what the confidence rests on.", default=False),
}
_GET = operation(query=_FIELDS, required=("query",))
_POST = operation(body=json_body(_FIELDS, ("query",), {"query": "How do I enable it?", "k": 3}))


@get(
    "/search",
    guards=[need("knowledge")],
    response_headers=RATE_HEADERS,
    tags=["search"],
    summary="Find passages",
    operation_class=_GET,
    responses=errors(400),
)
async def search(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> SearchAnswer:
    """Best first. `confidence` estimates the probability that the knowledge answers the query."""
    return await _search(query_of(request), scope_of(request), service, threads)


@post(
    "/search",
    status_code=200,
    guards=[need("knowledge")],
    response_headers=RATE_HEADERS,
    tags=["search"],
    summary="Find passages",
    operation_class=_POST,
    responses=errors(400, 413),
)
async def search_by_body(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> SearchAnswer:
    """The same with a JSON body."""
    return await _search(await body_of(request), scope_of(request), service, threads)


async def _search(
    given: dict[str, Any], scope: Scope, service: Service, threads: Threads
) -> SearchAnswer:
    if is_left_out(given.get("query")):
        given["query"] = given.get("q")
    values = Parameters(given)
    query = values.need("query", text(LONGEST_QUERY))
    bot_id = values.take("bot_id", read_bot_id, scope.default_bot)
    k = values.take("k", integer(1, 100), 5)
    content_type = values.take("content_type", read_content_type, None)
    modes: tuple[Mode, ...] = get_args(Mode)
    mode: Mode = values.take("mode", one_of(modes), "hybrid")
    group = values.take("group", one_of(("chunk", "document")), "chunk")
    explain = values.take("explain", flag, False)
    values.done()
    found = await threads.read(
        service.knowledge.search,
        scope,
        query,
        bot_id,
        k=k,
        content_type=content_type,
        mode=mode,
        by_document=group == "document",
    )
    return search_answer(found, explain=explain)


handlers = [search, search_by_body]
