"""What a search answers, over HTTP and on the command line alike."""

from msgspec import Struct

from rag_service.knowledge.finding.explanations import Explanation, explanation
from rag_service.knowledge.finding.findings import Findings
from rag_service.knowledge.store import Scores


class SearchResult(Struct, frozen=True, kw_only=True):
    """A passage. `score` in [0, 1] orders this answer; `scores` are the raw cosine and BM25."""

    chunk_id: str
    document_id: str
    source_url: str
    title: str
    heading: str
    page: int | None
    text: str
    score: float
    scores: Scores
    ordinal: int


class SearchAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Best first. `has_rag_context` is the decision taken on `confidence`.

    `small_talk` is its kind, and is there only when the query is small talk; `searched_as` where
    words of the query were respelled; `evidence` where it was asked to explain.
    """

    query: str
    bot_id: str
    has_rag_context: bool
    confidence: float
    results: list[SearchResult]
    small_talk: str | None = None
    searched_as: str | None = None
    evidence: Explanation | None = None


def search_answer(found: Findings, *, explain: bool = False) -> SearchAnswer:
    return SearchAnswer(
        query=found.query,
        bot_id=found.bot_id,
        has_rag_context=found.has_rag_context,
        confidence=found.confidence,
        small_talk=found.small_talk,
        searched_as=found.searched_as,
        evidence=explanation(found) if explain else None,
        results=[
            SearchResult(
                chunk_id=hit.passage.chunk_id,
                document_id=hit.passage.document_id,
                source_url=hit.passage.source_url,
                title=hit.passage.title,
                heading=hit.passage.heading,
                page=hit.passage.page,
                text=hit.passage.text,
                score=hit.score,
                scores=hit.scores,
                ordinal=hit.passage.ordinal,
            )
            for hit in found.hits
        ],
    )
