"""What each tool answers: structured content, whose JSON is its text as well.

`results` of `search`, and `id`, `title`, `url`, `text` and `metadata` of `fetch`, are what clients
that connect to a search look for.
"""

from typing import Any

from msgspec import Struct

from rag_service.gaps.gap import Gap
from rag_service.knowledge.upserts import ChunkCounts


class FoundPage(Struct, frozen=True, kw_only=True):
    """A page with its best passage, which is a quotation."""

    id: str
    title: str
    url: str
    text: str
    heading: str
    score: float


class Found(Struct, frozen=True, kw_only=True):
    """Best first. `has_rag_context` tells whether they answer the query, with that confidence."""

    results: list[FoundPage]
    has_rag_context: bool
    confidence: float
    bot_id: str


class FetchedPage(Struct, frozen=True, kw_only=True):
    """`text` is the whole page, as a quotation."""

    id: str
    title: str
    text: str
    url: str
    metadata: dict[str, Any]
    bot_id: str
    content_type: str
    updated_at: str


class AnswerSource(Struct, frozen=True, kw_only=True):
    """[1] in the answer is the first; `text` is a quotation."""

    title: str
    url: str
    text: str
    score: float


class Answer(Struct, frozen=True, kw_only=True):
    answer: str
    has_rag_context: bool
    sources: list[AnswerSource]
    conversation_id: str
    message_id: str


class GapsFound(Struct, frozen=True, kw_only=True):
    total: int
    gaps: list[Gap]


class PushedPage(Struct, frozen=True, kw_only=True):
    """`unchanged`: the same page was there already. `warnings` tell what was left out of it."""

    id: str
    source_url: str
    bot_id: str
    unchanged: bool
    chunks: ChunkCounts
    warnings: list[str]


class AnsweredGap(Struct, frozen=True, kw_only=True):
    """The gap after the push: it is closed if the page answers its questions."""

    gap: Gap
    page: PushedPage


class DeletedPage(Struct, frozen=True, kw_only=True):
    """A page that was not there is no error."""

    source_url: str
    bot_id: str
    deleted: bool
    entries_removed: int
