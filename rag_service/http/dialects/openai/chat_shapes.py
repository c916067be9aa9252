"""What a chat completion looks like, whole and in chunks."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from rag_service.conversations.messages import Usage
from rag_service.http.dialects.openai.answers import Outcome, Rag
from rag_service.http.dialects.openai.citations import Annotation

FinishReason = Literal["stop", "length"]


class CompletionUsage(Struct, frozen=True, kw_only=True):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class CompletionMessage(Struct, frozen=True, kw_only=True):
    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None
    annotations: list[Annotation]


class Choice(Struct, frozen=True, kw_only=True):
    index: int = 0
    message: CompletionMessage
    logprobs: None = None
    finish_reason: FinishReason


class ChatCompletion(Struct, frozen=True, kw_only=True):
    """`rag` is missing where a front end asked something for itself, such as a title."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: CompletionUsage
    rag: Rag | UnsetType = UNSET


class Piece(Struct, frozen=True, kw_only=True):
    """What a chunk adds; nothing in the last one."""

    role: Literal["assistant"] | UnsetType = UNSET
    content: str | UnsetType = UNSET
    annotations: list[Annotation] | UnsetType = UNSET


class ChunkChoice(Struct, frozen=True, kw_only=True):
    index: int = 0
    delta: Piece
    logprobs: None = None
    finish_reason: FinishReason | None = None


class Chunk(Struct, frozen=True, kw_only=True):
    """`usage` is there where it was asked for: null but in the last chunk, which has no choices."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: CompletionUsage | UnsetType | None = UNSET
    rag: Rag | UnsetType = UNSET


def completion_usage(usage: Usage) -> CompletionUsage:
    read, written = usage.prompt_tokens, usage.completion_tokens
    return CompletionUsage(
        prompt_tokens=read, completion_tokens=written, total_tokens=read + written
    )


def finish_of(outcome: Outcome) -> FinishReason:
    return "length" if outcome.is_cut_off else "stop"
