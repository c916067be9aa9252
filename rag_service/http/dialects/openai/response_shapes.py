"""What a response looks like, as the Open Responses specification has it."""

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from rag_service.conversations.messages import Usage
from rag_service.http.dialects.openai.answers import Outcome, Rag
from rag_service.http.dialects.openai.citations import citations
from rag_service.http.dialects.openai.response_request import ResponseRequest

Status = Literal["in_progress", "completed", "incomplete", "failed"]


class OutputAnnotation(Struct, frozen=True, kw_only=True):
    type: Literal["url_citation"] = "url_citation"
    start_index: int
    end_index: int
    url: str
    title: str


class OutputText(Struct, frozen=True, kw_only=True):
    type: Literal["output_text"] = "output_text"
    text: str
    annotations: list[OutputAnnotation] = []
    logprobs: list[dict[str, Any]] = []


class OutputMessage(Struct, frozen=True, kw_only=True):
    type: Literal["message"] = "message"
    id: str
    status: Status
    role: Literal["assistant"] = "assistant"
    content: list[OutputText]


class CachedTokens(Struct, frozen=True, kw_only=True):
    cached_tokens: int = 0
    cache_write_tokens: int = 0


class ReasoningTokens(Struct, frozen=True, kw_only=True):
    reasoning_tokens: int = 0


class ResponseUsage(Struct, frozen=True, kw_only=True):
    input_tokens: int
    input_tokens_details: CachedTokens = CachedTokens()
    output_tokens: int
    output_tokens_details: ReasoningTokens = ReasoningTokens()
    total_tokens: int


class ResponseFault(Struct, frozen=True, kw_only=True):
    code: str
    message: str


class IncompleteDetails(Struct, frozen=True, kw_only=True):
    reason: Literal["max_output_tokens"] = "max_output_tokens"


class TextFormat(Struct, frozen=True, kw_only=True):
    type: Literal["text"] = "text"


class TextOptions(Struct, frozen=True, kw_only=True):
    format: TextFormat = TextFormat()


class ConversationName(Struct, frozen=True, kw_only=True):
    id: str


class ResponseObject(Struct, frozen=True, kw_only=True):
    """`rag` is missing until it is over, and where a front end asks something for itself."""

    id: str
    object: Literal["response"] = "response"
    created_at: int
    completed_at: int | None = None
    status: Status
    error: ResponseFault | None = None
    incomplete_details: IncompleteDetails | None = None
    model: str
    instructions: str | None
    previous_response_id: str | None
    output: list[OutputMessage] = []
    usage: ResponseUsage | None = None
    tools: list[dict[str, Any]] = []
    tool_choice: str
    parallel_tool_calls: bool = True
    max_tool_calls: int | None = None
    max_output_tokens: int | None
    text: TextOptions = TextOptions()
    temperature: float = 1.0
    top_p: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    top_logprobs: int = 0
    truncation: Literal["disabled"] = "disabled"
    reasoning: None = None
    store: bool
    background: bool = False
    service_tier: Literal["default"] = "default"
    metadata: dict[str, Any]
    user: str | None
    safety_identifier: None = None
    prompt_cache_key: None = None
    conversation: ConversationName | None = None
    rag: Rag | UnsetType = UNSET


def begun_response(
    body: ResponseRequest, answer_id: str, moment: int, status: Status = "in_progress"
) -> ResponseObject:
    return ResponseObject(
        id=answer_id.replace("msg_", "resp_", 1),
        created_at=moment,
        status=status,
        model=body.model,
        instructions=body.instructions or None,
        previous_response_id=body.previous_response_id,
        tool_choice=body.tool_choice,
        max_output_tokens=body.max_output_tokens,
        store=body.store,
        metadata=body.metadata,
        user=body.user,
    )


def output_of(text: str, outcome: Outcome) -> OutputText:
    return OutputText(
        text=text,
        annotations=[
            OutputAnnotation(
                start_index=one.start_index,
                end_index=one.end_index,
                url=one.url,
                title=one.title,
            )
            for one in citations(text, outcome.sources)
        ],
    )


def response_usage(usage: Usage) -> ResponseUsage:
    read, written = usage.prompt_tokens, usage.completion_tokens
    return ResponseUsage(input_tokens=read, output_tokens=written, total_tokens=read + written)
