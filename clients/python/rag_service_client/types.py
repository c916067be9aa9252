"""What is answered, and what methods take. types_from_openapi.py makes this file."""

from typing import Any, Literal, Required, TypedDict

from msgspec import Struct

Filter = dict[str, Any]
"""Conditions on the metadata of pages: `{"year": {"gte": 2024}}`."""


class Answer(Struct, frozen=True, kw_only=True):
    """Fields of a later service are left out."""


class CamelAnswer(Answer, frozen=True, kw_only=True, rename="camel"):
    """One of the chat dialect."""


class Health(Answer, frozen=True, kw_only=True):
    ok: bool
    plugin_version: str
    token_set: bool
    embedding_model: str
    utils_loaded: bool
    failing: list[str]
    namespace: str


class DocumentInfo(Answer, frozen=True, kw_only=True):
    document_id: str
    source_url: str
    bot_id: str
    content_type: str
    title: str
    metadata: dict[str, Any]
    format: str
    bytes: int
    chunks: int
    created_at: str
    updated_at: str


class DocumentPage(Answer, frozen=True, kw_only=True):
    total: int
    count: int
    limit: int
    offset: int
    items: list[DocumentInfo]


class ChunkCounts(Answer, frozen=True, kw_only=True):
    total: int
    embedded: int
    reused: int
    removed: int


class BestMatch(Answer, frozen=True, kw_only=True):
    source_url: str
    title: str
    text: str
    score: float


class ClosedBy(Answer, frozen=True, kw_only=True):
    reason: str
    source_url: str | None
    document_id: str | None
    chunk_id: str | None
    confidence_before: float | None
    confidence_after: float | None


class Gap(Answer, frozen=True, kw_only=True):
    gap_id: str
    bot_id: str
    state: str
    kind: str
    title: str
    questions: int
    people: int
    first_asked: str
    last_asked: str
    confidence: float
    best_match: BestMatch | None
    opened_at: str
    closed_at: str | None
    reopened: int
    closed_by: ClosedBy | None
    note: str
    merged_into: str | None


class Forecast(Answer, frozen=True, kw_only=True):
    closes: list[Gap]
    reopens: list[Gap]


class Pushed(Answer, frozen=True, kw_only=True):
    success: bool
    source_url: str
    bot_id: str
    content_type: str
    bytes: int
    document_id: str
    unchanged: bool
    chunks: ChunkCounts
    warnings: list[str]
    gaps: Forecast | None = None


class DeletedUrl(Answer, frozen=True, kw_only=True):
    source_url: str
    deleted: bool
    entries_removed: int


class Deleted(Answer, frozen=True, kw_only=True):
    source_urls_requested: int
    urls_deleted: int
    entries_removed: int
    bot_id: str
    results: list[DeletedUrl]
    gaps: Forecast | None = None


class StoredChunk(Answer, frozen=True, kw_only=True):
    chunk_id: str
    ordinal: int
    heading: str
    page: int | None
    text: str


class WholeDocument(Answer, frozen=True, kw_only=True):
    document_id: str
    source_url: str
    bot_id: str
    content_type: str
    title: str
    metadata: dict[str, Any]
    format: str
    bytes: int
    created_at: str
    updated_at: str
    text: str
    warnings: list[str]
    chunks: list[StoredChunk]


class Queued(Answer, frozen=True, kw_only=True):
    job_id: str
    state: str
    total: int
    status_url: str


class BatchResult(Answer, frozen=True, kw_only=True):
    """What came of a line."""

    line: int
    source_url: str | None
    file: str | None = None
    success: bool
    bot_id: str | None = None
    content_type: str | None = None
    bytes: int | None = None
    document_id: str | None = None
    unchanged: bool | None = None
    chunks: ChunkCounts | None = None
    warnings: list[str] | None = None
    error: str | None = None


class Counts(Answer, frozen=True, kw_only=True):
    total: int
    done: int
    embedded: int
    unchanged: int
    failed: int


class FailedLine(Answer, frozen=True, kw_only=True):
    line: int
    source_url: str | None
    error: str


class JobAnswer(Answer, frozen=True, kw_only=True):
    job_id: str
    state: str
    counts: Counts
    failed_lines: list[FailedLine]
    rate: float | None
    eta_s: float | None
    error: str | None
    note: str | None
    created_at: str
    started_at: str | None
    finished_at: str | None


class Scores(Answer, frozen=True, kw_only=True):
    dense: float
    keyword: float


class SearchResult(Answer, frozen=True, kw_only=True):
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


class Signs(Answer, frozen=True, kw_only=True):
    nearest: float
    nearest_of_first: float
    reach: float
    kin: float
    covered: float
    covered_by_passage: float
    readable: float
    unknown_names: list[str]
    lone_names: list[str]
    codes_found: list[str]
    codes_missing: list[str]
    stands_for_others: str | None
    reranked: float | None
    chunks: int


class Calibration(Answer, frozen=True, kw_only=True):
    scale: float
    shift: float
    made_with: str


class Explanation(Answer, frozen=True, kw_only=True):
    signs: Signs
    weights: dict[str, float]
    log_odds: float
    calibration: Calibration | None


class SearchAnswer(Answer, frozen=True, kw_only=True):
    query: str
    bot_id: str
    has_rag_context: bool
    confidence: float
    results: list[SearchResult]
    small_talk: str | None = None
    searched_as: str | None = None
    evidence: Explanation | None = None


class ContextItem(Answer, frozen=True, kw_only=True):
    source_url: str
    chunk_id: str
    score: float
    text: str
    used: bool | None


class Feedback(Answer, frozen=True, kw_only=True):
    rating: str
    comment: str


class TranscriptItem(Answer, frozen=True, kw_only=True):
    id: int
    session_id: str
    bot_id: str
    role: str
    message: str
    timestamp: str
    has_rag_context: bool | None
    rag_context: list[ContextItem] | None
    message_id: str
    user_id: str | None
    user_identifier: str | None
    user_email: str | None
    user_name: str | None
    originating_page_url: str | None
    originating_page_title: str | None
    feedback: Feedback | None
    metadata: dict[str, Any]


class TranscriptsAnswer(Answer, frozen=True, kw_only=True):
    total: int
    count: int
    limit: int
    offset: int
    items: list[TranscriptItem]


class DeleteAnswer(Answer, frozen=True, kw_only=True):
    session_ids_requested: int
    transcripts_deleted: int
    translations_deleted: int
    url_clicks_deleted: int
    cascade: bool
    erasure_pending: bool | None = None


class NoteAnswer(Answer, frozen=True, kw_only=True):
    success: bool


class Lead(Answer, frozen=True, kw_only=True):
    id: str
    email: str | None
    name: str | None
    phone: str | None
    user_id: str | None
    metadata: dict[str, Any]
    status: str
    conversations: int
    created_at: str
    updated_at: str


class LeadsAnswer(Answer, frozen=True, kw_only=True):
    leads: list[Lead]
    page: int
    per_page: int
    total_count: int
    total_pages: int


class Week(Answer, frozen=True, kw_only=True):
    begins: str
    questions: int
    answered: int


class GapReport(Answer, frozen=True, kw_only=True):
    bot_id: str | None
    since: str | None
    made_at: str
    weeks: list[Week]
    asked_most: list[Gap]
    closed: list[Gap]
    reopened: list[Gap]
    open: int
    dismissed: int


class GapActivity(Answer, frozen=True, kw_only=True):
    gap_id: str
    questions: list[int]


class Activity(Answer, frozen=True, kw_only=True):
    weeks: int
    items: list[GapActivity]


class GapPage(Answer, frozen=True, kw_only=True):
    total: int
    count: int
    limit: int
    offset: int
    pending: int
    items: list[Gap]


class GoldenQuestion(Answer, frozen=True, kw_only=True):
    """A question with the pages that answer it."""

    question: str
    source_urls: list[str]


class GapQuestion(Answer, frozen=True, kw_only=True):
    message_id: str
    session_id: str
    text: str
    asked_at: str
    confidence_then: float
    confidence_now: float
    answered: bool


class GapEntry(Answer, frozen=True, kw_only=True):
    at: str
    what: str
    evidence: dict[str, Any]


class GapDetail(Answer, frozen=True, kw_only=True):
    gap_id: str
    bot_id: str
    state: str
    kind: str
    title: str
    questions: int
    people: int
    first_asked: str
    last_asked: str
    confidence: float
    best_match: BestMatch | None
    opened_at: str
    closed_at: str | None
    reopened: int
    closed_by: ClosedBy | None
    note: str
    merged_into: str | None
    total: int
    items: list[GapQuestion]
    history: list[GapEntry]


class GapAnswered(Answer, frozen=True, kw_only=True):
    gap: Gap
    push: Pushed
    gaps: Forecast | None = None


class Models(Answer, frozen=True, kw_only=True):
    embedding: str
    chat: str
    rerank: str


class LoopState(Answer, frozen=True, kw_only=True):
    name: str
    failures: int
    error: str | None


class Status(Answer, frozen=True, kw_only=True):
    version: str
    ready: bool
    models: Models
    loops: list[LoopState]


class JobItem(Answer, frozen=True, kw_only=True):
    job_id: str
    state: str
    total: int
    done: int
    failed: int
    error: str | None
    created_at: str
    finished_at: str | None


class JobPage(Answer, frozen=True, kw_only=True):
    total: int
    count: int
    limit: int
    offset: int
    items: list[JobItem]


class TokenItem(Answer, frozen=True, kw_only=True):
    name: str
    scopes: list[str]
    bot_id: str | None
    rates: dict[str, str]
    created_at: str


class Tokens(Answer, frozen=True, kw_only=True):
    items: list[TokenItem]


class Holder(Answer, frozen=True, kw_only=True):
    name: str
    scopes: list[str]
    bot_id: str | None


class Bot(CamelAnswer, frozen=True, kw_only=True):
    id: str
    created_at: str | None
    documents: int
    chunks: int


class Bots(Answer, frozen=True, kw_only=True):
    bots: list[Bot]


class ChatSource(CamelAnswer, frozen=True, kw_only=True):
    source_url: str
    title: str
    text: str
    score: float


class Reply(CamelAnswer, frozen=True, kw_only=True):
    response: str
    conversation_id: str
    message_id: str
    has_rag_context: bool
    sources: list[ChatSource]
    related: list[ChatSource]


class Sources(CamelAnswer, frozen=True, kw_only=True):
    """What the answer cites, where that is known before it comes; else all that it may cite."""

    conversation_id: str
    has_rag_context: bool
    sources: list[ChatSource]
    related: list[ChatSource]


class Piece(Answer, frozen=True, kw_only=True):
    """The next words of the answer."""

    text: str


class Done(CamelAnswer, frozen=True, kw_only=True):
    conversation_id: str
    message_id: str
    has_rag_context: bool
    sources: list[ChatSource]
    related: list[ChatSource]
    usage: dict[str, int]


class Rated(Answer, frozen=True, kw_only=True):
    message_id: str
    feedback: Feedback | None


class Entry(CamelAnswer, frozen=True, kw_only=True):
    id: str
    title: str | None
    preview: str
    message_count: int
    metadata: dict[str, Any]
    created_at: str
    updated_at: str


class Pagination(CamelAnswer, frozen=True, kw_only=True):
    page: int
    limit: int
    total: int
    has_more: bool


class Entries(Answer, frozen=True, kw_only=True):
    conversations: list[Entry]
    pagination: Pagination


class Made(CamelAnswer, frozen=True, kw_only=True):
    id: str
    conversation_id: str
    title: str | None
    metadata: dict[str, Any]
    message_count: int
    created_at: str
    updated_at: str


class Line(CamelAnswer, frozen=True, kw_only=True):
    id: str
    role: str
    content: str
    timestamp: str
    sender_type: str
    has_rag_context: bool | None
    sources: list[ChatSource]
    related: list[ChatSource]
    feedback: Feedback | None


class History(CamelAnswer, frozen=True, kw_only=True):
    conversation_id: str
    messages: list[Line]
    metadata: dict[str, Any]


class ConversationDeleted(CamelAnswer, frozen=True, kw_only=True):
    conversation_id: str
    deleted: bool
    messages_deleted: int


class Webhook(CamelAnswer, frozen=True, kw_only=True):
    id: str
    url: str
    events: list[str]
    bot_id: str | None
    description: str
    enabled: bool
    disabled_reason: str | None
    failing_since: str | None
    created_at: str
    updated_at: str


class Webhooks(Answer, frozen=True, kw_only=True):
    webhooks: list[Webhook]
    pagination: Pagination


class NewWebhook(CamelAnswer, frozen=True, kw_only=True):
    id: str
    url: str
    events: list[str]
    bot_id: str | None
    description: str
    enabled: bool
    disabled_reason: str | None
    failing_since: str | None
    created_at: str
    updated_at: str
    secret: str


class WebhookDeleted(Answer, frozen=True, kw_only=True):
    id: str
    deleted: bool


class Attempt(CamelAnswer, frozen=True, kw_only=True):
    at: str
    status: int | None
    duration_ms: int
    response: str
    error: str | None


class Delivery(CamelAnswer, frozen=True, kw_only=True):
    id: str
    event_id: str
    event_type: str
    status: str
    attempts: list[Attempt]
    next_attempt_at: str | None
    created_at: str


class Deliveries(Answer, frozen=True, kw_only=True):
    deliveries: list[Delivery]
    pagination: Pagination


class Redelivered(Answer, frozen=True, kw_only=True):
    redelivered: int


class Contact(CamelAnswer, frozen=True, kw_only=True):
    id: str
    email: str | None
    name: str | None
    phone: str | None
    user_id: str | None
    metadata: dict[str, Any]
    conversations: int
    created_at: str
    updated_at: str


class Contacts(Answer, frozen=True, kw_only=True):
    contacts: list[Contact]
    pagination: Pagination


class ContactGone(CamelAnswer, frozen=True, kw_only=True):
    id: str
    deleted: bool
    conversations_deleted: int


class Linked(CamelAnswer, frozen=True, kw_only=True):
    bot_id: str
    id: str
    title: str | None
    preview: str
    message_count: int
    metadata: dict[str, Any]
    created_at: str
    updated_at: str


class LinkedPage(Answer, frozen=True, kw_only=True):
    conversations: list[Linked]
    pagination: Pagination


class LineError(Answer, frozen=True, kw_only=True):
    line: int
    reason: str


class ImportReport(Answer, frozen=True, kw_only=True):
    created: int
    updated: int
    unchanged: int
    failed: int
    errors: list[LineError]


class SentMessage(Answer, frozen=True, kw_only=True):
    id: str
    sender_id: str | None
    sender_type: str
    text: str
    metadata: dict[str, Any]
    reply_to_message_id: str | None
    created_at: str


class Sent(Answer, frozen=True, kw_only=True):
    conversation_id: str
    message: SentMessage
    auto_reply_enqueued: bool


class FeedEvent(Answer, frozen=True, kw_only=True):
    id: str
    type: str
    created_at: str
    bot_id: str
    data: dict[str, Any]


class Feed(Answer, frozen=True, kw_only=True):
    events: list[FeedEvent]
    next: str


class Session(Answer, frozen=True, kw_only=True):
    session: str
    visitor: str
    expires_at: str


class VisitorLine(Answer, frozen=True, kw_only=True):
    id: str
    role: str
    content: str
    timestamp: str
    rating: str | None
    sources: list[ChatSource]


class VisitorHistory(Answer, frozen=True, kw_only=True):
    messages: list[VisitorLine]


class Erased(CamelAnswer, frozen=True, kw_only=True):
    deleted: bool
    messages_deleted: int


class VisitorRated(CamelAnswer, frozen=True, kw_only=True):
    message_id: str
    rating: str | None


class ListPagesArguments(TypedDict, total=False):
    limit: int
    offset: int
    bot_id: str
    content_type: str
    source_url: str
    q: str
    filter: dict[str, Any] | str


class PushPageArguments(TypedDict, total=False):
    dry_run: bool
    gaps: bool
    strict: bool | None
    content: str | None
    content_base64: str | None
    source_url: Required[str]
    bot_id: str | None
    content_type: str | None
    title: str | None
    metadata: dict[str, Any] | None
    format: (
        Literal[
            "auto",
            "text",
            "markdown",
            "html",
            "pdf",
            "docx",
            "pptx",
            "xlsx",
            "ods",
            "odt",
            "odp",
            "csv",
            "json",
            "eml",
            "rtf",
            "picture",
            "epub",
        ]
        | None
    )


class DeletePagesArguments(TypedDict, total=False):
    dry_run: bool
    source_url: str | list[str] | None
    filter: dict[str, Any] | str | None
    confirm: int | None
    bot_id: str | None


class PushBatchArguments(TypedDict, total=False):
    wait: bool
    strict: bool


class GetJobArguments(TypedDict, total=False):
    limit: int
    offset: int


class UploadFilesArguments(TypedDict, total=False):
    wait: bool
    source_url: str
    bot_id: str
    content_type: str
    strict: bool
    attachments: bool
    types: str


class SearchByQueryArguments(TypedDict, total=False):
    query: Required[str]
    bot_id: str
    k: int
    content_type: str
    filter: dict[str, Any] | str
    mode: Literal["hybrid", "dense", "keyword"]
    group: Literal["chunk", "document"]
    explain: bool


class SearchArguments(TypedDict, total=False):
    query: Required[str]
    bot_id: str | None
    k: int | None
    content_type: str | None
    filter: dict[str, Any] | str | None
    mode: Literal["hybrid", "dense", "keyword"] | None
    group: Literal["chunk", "document"] | None
    explain: bool | None


class ListTranscriptsArguments(TypedDict, total=False):
    since: str
    until: str
    session_id: str
    role: Literal["user", "assistant", "system", "all"]
    has_rag_context: Literal["yes", "no", "any"]
    bot_id: str
    q: str
    limit: int
    offset: int
    order: Literal["asc", "desc"]


class DeleteTranscriptsArguments(TypedDict, total=False):
    session_ids: list[str]
    cascade: bool | None


class AddTranslationArguments(TypedDict, total=False):
    message_id: Required[str]
    language: Required[str]
    text: Required[str]


class AddClickArguments(TypedDict, total=False):
    session_id: Required[str]
    message_id: str | None
    url: Required[str]
    bot_id: str | None


class ListLeadsArguments(TypedDict, total=False):
    since: str
    search: str
    status: Literal["all", "orphan", "chat_deleted"]
    page: int
    per_page: int
    order: Literal["asc", "desc"]


class GetGapReportArguments(TypedDict, total=False):
    bot_id: str
    since: str


class GetGapActivityArguments(TypedDict, total=False):
    gap_id: Required[str]
    weeks: int


class ListGapsArguments(TypedDict, total=False):
    bot_id: str
    state: Literal["open", "closed", "dismissed", "all"]
    kind: Literal["none", "rejected", "weak"]
    since: str
    until: str
    q: str
    min_questions: int
    sort: Literal["people", "questions", "last_asked", "first_asked", "confidence"]
    order: Literal["asc", "desc"]
    limit: int
    offset: int


class GoldenQuestionsArguments(TypedDict, total=False):
    bot_id: str


class GetGapArguments(TypedDict, total=False):
    limit: int
    offset: int


class UpdateGapArguments(TypedDict, total=False):
    state: Literal["open", "closed", "dismissed"] | None
    title: str | None
    note: str | None


class MergeGapsArguments(TypedDict, total=False):
    gap_ids: Required[list[str]]


class AnswerGapArguments(TypedDict, total=False):
    dry_run: bool
    answer: Required[str]
    source_url: str | None
    title: str | None
    content_type: str | None
    questions: list[str] | None


class ListJobsArguments(TypedDict, total=False):
    limit: int
    offset: int
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"]


class CreateBotArguments(TypedDict, total=False):
    id: Required[str]


class ChatArguments(TypedDict, total=False):
    message: Required[str]
    conversation_id: str | None
    metadata: dict[str, Any] | None
    filter: dict[str, Any] | str | None


class AskBotArguments(TypedDict, total=False):
    message: Required[str]
    session_id: str | None
    metadata: dict[str, Any] | None
    filter: dict[str, Any] | str | None


class ChatStreamArguments(TypedDict, total=False):
    message: Required[str]
    conversation_id: str | None
    metadata: dict[str, Any] | None
    filter: dict[str, Any] | str | None


class RateAnswerArguments(TypedDict, total=False):
    rating: Required[Literal["up", "down"] | None]
    comment: str | None


class ListConversationsArguments(TypedDict, total=False):
    page: int
    limit: int
    since: str


class CreateConversationArguments(TypedDict, total=False):
    title: str | None
    metadata: dict[str, Any] | None
    conversation_id: str | None


class UpdateConversationArguments(TypedDict, total=False):
    title: str | None
    metadata: dict[str, Any] | None


class ListWebhooksArguments(TypedDict, total=False):
    page: int
    limit: int


class CreateWebhookArguments(TypedDict, total=False):
    url: Required[str]
    events: (
        list[
            Literal[
                "*",
                "contact.*",
                "conversation.*",
                "gap.*",
                "job.*",
                "knowledge.*",
                "message.*",
                "message.created",
                "conversation.created",
                "knowledge.upserted",
                "knowledge.deleted",
                "contact.created",
                "contact.updated",
                "gap.opened",
                "gap.closed",
                "gap.reopened",
                "job.finished",
            ]
        ]
        | None
    )
    bot_id: str | None
    description: str | None
    enabled: bool | None
    secret: str | None


class PutUpdateWebhookArguments(TypedDict, total=False):
    url: str | None
    events: (
        list[
            Literal[
                "*",
                "contact.*",
                "conversation.*",
                "gap.*",
                "job.*",
                "knowledge.*",
                "message.*",
                "message.created",
                "conversation.created",
                "knowledge.upserted",
                "knowledge.deleted",
                "contact.created",
                "contact.updated",
                "gap.opened",
                "gap.closed",
                "gap.reopened",
                "job.finished",
            ]
        ]
        | None
    )
    bot_id: str | None
    description: str | None
    enabled: bool | None
    secret: str | None


class UpdateWebhookArguments(TypedDict, total=False):
    url: str | None
    events: (
        list[
            Literal[
                "*",
                "contact.*",
                "conversation.*",
                "gap.*",
                "job.*",
                "knowledge.*",
                "message.*",
                "message.created",
                "conversation.created",
                "knowledge.upserted",
                "knowledge.deleted",
                "contact.created",
                "contact.updated",
                "gap.opened",
                "gap.closed",
                "gap.reopened",
                "job.finished",
            ]
        ]
        | None
    )
    bot_id: str | None
    description: str | None
    enabled: bool | None
    secret: str | None


class RotateWebhookSecretArguments(TypedDict, total=False):
    overlap_hours: int | None


class ListDeliveriesArguments(TypedDict, total=False):
    page: int
    limit: int
    status: Literal["pending", "delivered", "failed"]


class ListContactsArguments(TypedDict, total=False):
    page: int
    limit: int
    search: str
    order: Literal["asc", "desc"]


class CreateContactArguments(TypedDict, total=False):
    email: str | None
    name: str | None
    user_id: str | None
    metadata: dict[str, Any] | None
    phone: str | None
    region: str | None


class DeleteContactArguments(TypedDict, total=False):
    conversations: bool | None


class UpdateContactArguments(TypedDict, total=False):
    email: str | None
    name: str | None
    user_id: str | None
    metadata: dict[str, Any] | None
    phone: str | None
    region: str | None


class ListContactConversationsArguments(TypedDict, total=False):
    page: int
    limit: int


class ImportContactsArguments(TypedDict, total=False):
    region: str


class SendMessageArguments(TypedDict, total=False):
    sender_id: Required[str]
    sender_type: Required[Literal["user", "agent", "system"]]
    text: Required[str]
    conversation_id: str | None
    metadata: dict[str, Any] | None
    reply_to_message_id: str | None
    auto_reply: bool | None
    bot_id: str | None


class RateMessageArguments(TypedDict, total=False):
    rating: Required[Literal["up", "down"] | None]
    comment: str | None


class ListEventsArguments(TypedDict, total=False):
    after: str
    types: str
    limit: int
    wait: int


class BeginVisitArguments(TypedDict, total=False):
    session: str | None


class AskAsVisitorArguments(TypedDict, total=False):
    message: Required[str]
    page_url: str | None
    page_title: str | None


class RateAsVisitorArguments(TypedDict, total=False):
    rating: Literal["up", "down"] | None
    comment: str | None
    message_id: Required[str]
