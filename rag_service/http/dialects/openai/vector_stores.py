"""/v1/vector_stores: the passages of a bot, found as OpenAI's clients search files."""

from typing import Annotated, Any, Literal

from litestar import Request, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from rag_service.assembly import Service
from rag_service.documents import Passage
from rag_service.fields import Field, integer, list_of, takes, text
from rag_service.http.dialects.openai.metadata_filters import translated
from rag_service.http.dialects.openai.models import need_bot_model
from rag_service.http.documenting import json_body, openai_errors, operation
from rag_service.http.guarding import need, scope_of
from rag_service.http.parameters import read_body
from rag_service.http.threads import Threads
from rag_service.knowledge.filters import Filter, read_filter
from rag_service.knowledge.finding.findings import Findings
from rag_service.knowledge.search_request import LONGEST_QUERY

_MOST_QUERIES = 10
_COMPARISON = {
    "type": "object",
    "properties": {"type": {"type": "string"}, "key": {"type": "string"}, "value": {}},
    "required": ["type"],
}


@takes(**_COMPARISON)
def _read_filters(value: Any) -> Filter | None:
    return read_filter(translated(value))


@takes(
    type="object",
    properties={"score_threshold": {"type": "number", "minimum": 0, "maximum": 1}},
)
def _read_ranking(value: Any) -> float:
    """The least confidence."""
    if not isinstance(value, dict):
        raise ValueError("must be an object")
    least = value.get("score_threshold") or 0.0
    if isinstance(least, bool) or not isinstance(least, int | float) or not 0 <= least <= 1:
        raise ValueError("must have a score_threshold from 0 to 1")
    return float(least)


class VectorStoreRequest(Struct, frozen=True, kw_only=True):
    """Other fields, such as `rewrite_query`, are ignored."""

    query: Annotated[
        list[str],
        Field("What to look for.", list_of(text(LONGEST_QUERY), _MOST_QUERIES, or_one=True)),
    ]
    max_num_results: Annotated[int, Field("How many passages.", integer(1, 50))] = 10
    filters: Annotated[Filter | None, Field("On metadata.", _read_filters)] = None
    ranking_options: Annotated[
        float,
        Field("`score_threshold` is the least confidence of a query's answer.", _read_ranking),
    ] = 0.0


class ResultContent(Struct, frozen=True, kw_only=True):
    type: Literal["text"] = "text"
    text: str


class VectorStoreResult(Struct, frozen=True, kw_only=True):
    """`score` in [0, 1] orders the results of a query."""

    file_id: str
    filename: str
    score: float
    attributes: dict[str, str | float | bool]
    content: list[ResultContent]


class VectorStoreResults(Struct, frozen=True, kw_only=True):
    """`confidence` estimates the probability that the knowledge answers the likeliest query."""

    object: Literal["vector_store.search_results.page"] = "vector_store.search_results.page"
    search_query: list[str]
    data: list[VectorStoreResult]
    has_more: bool = False
    next_page: None = None
    confidence: float


_EXAMPLE = {"query": "How do I enable it?", "max_num_results": 3}


@post(
    "/vector_stores/{bot_id:str}/search",
    status_code=200,
    guards=[need("knowledge")],
    tags=["openai"],
    summary="Search a bot's knowledge, as OpenAI's clients do",
    operation_class=operation(body=json_body(VectorStoreRequest, _EXAMPLE)),
    responses=openai_errors(400, 404, 413),
)
async def search_vector_store(
    request: Request[Any, Any, Any],
    bot_id: FromPath[str],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> VectorStoreResults:
    """Best first. Of several queries each passage is told once, at its best."""
    scope = scope_of(request)
    body = await read_body(request, VectorStoreRequest)
    await need_bot_model(scope, bot_id, service, threads)
    found = [
        await threads.read(
            service.knowledge.search,
            scope,
            query,
            bot_id,
            k=body.max_num_results,
            only=body.filters,
        )
        for query in body.query
    ]
    return _results(body, found)


def _results(body: VectorStoreRequest, found: list[Findings]) -> VectorStoreResults:
    sure = [one for one in found if one.confidence >= body.ranking_options]
    best: dict[str, tuple[float, VectorStoreResult]] = {}
    for findings in sure:
        for hit in findings.hits:
            known = best.get(hit.passage.chunk_id)
            if known is None or known[0] < hit.score:
                best[hit.passage.chunk_id] = (hit.score, _result(hit.score, hit.passage))
    ordered = sorted((result for _, result in best.values()), key=lambda one: -one.score)
    return VectorStoreResults(
        search_query=body.query,
        data=ordered[: body.max_num_results],
        confidence=max(one.confidence for one in found),
    )


def _result(score: float, passage: Passage) -> VectorStoreResult:
    attributes: dict[str, str | float | bool] = {
        "source_url": passage.source_url,
        "title": passage.title,
        "heading": passage.heading,
        "chunk_id": passage.chunk_id,
    }
    if passage.page is not None:
        attributes["page"] = float(passage.page)
    return VectorStoreResult(
        file_id=passage.document_id,
        filename=passage.title or passage.source_url,
        score=score,
        attributes=attributes,
        content=[ResultContent(text=passage.text)],
    )


handlers = [search_vector_store]
