"""What a chat completion is asked with."""

from typing import Annotated, Any

from litestar import Request
from msgspec import Struct

from rag_service.conversations.messages import Message
from rag_service.errors import Invalid
from rag_service.fields import Field, flag, label, read_label, read_metadata, takes
from rag_service.http.dialects.openai.answers import Question, sender_of
from rag_service.http.dialects.openai.client_messages import read_messages, spoken
from rag_service.http.dialects.openai.fields import (
    CHAT_HEADER,
    constant,
    named_conversation,
    read_most_tokens,
    read_text_format,
    read_tool_choice,
)

_MODALITIES = {"type": "array", "items": {"type": "string", "const": "text"}}


@takes(type="object", properties={"include_usage": {"type": "boolean"}})
def _read_stream_options(value: Any) -> bool:
    """Whether the usage is to be told."""
    if not isinstance(value, dict):
        raise ValueError("must be an object")
    return flag(value.get("include_usage") or False)


class ChatCompletionRequest(Struct, frozen=True, kw_only=True):
    """Other fields, such as `temperature` and `tools`, are ignored."""

    model: Annotated[str, Field("The bot.", label(100))]
    messages: Annotated[
        list[Message],
        Field(
            "The last of the user is the question, and those before are its history.", read_messages
        ),
    ]
    stream: Annotated[bool, Field("Chunks as server-sent events.", flag)] = False
    stream_options: Annotated[
        bool, Field("`include_usage` adds a chunk with the usage.", _read_stream_options)
    ] = False
    n: Annotated[int, Field("How many answers.", constant(1, {"type": "integer", "const": 1}))] = 1
    max_completion_tokens: Annotated[
        int | None,
        Field("Where the answer is cut off.", read_most_tokens, also=("max_tokens",)),
    ] = None
    user: Annotated[str | None, Field("Who asks.", read_label, also=("safety_identifier",))] = None
    metadata: Annotated[
        dict[str, Any],
        Field("Kept with the question; `conversation_id` names its conversation.", read_metadata),
    ] = {}
    tool_choice: Annotated[str, Field("Tools are not called.", read_tool_choice)] = "auto"
    function_call: Annotated[str, Field("As `tool_choice`.", read_tool_choice)] = "auto"
    response_format: Annotated[str, Field("Text.", read_text_format)] = "text"
    modalities: Annotated[list[str] | None, Field("Text.", constant(["text"], _MODALITIES))] = None
    logprobs: Annotated[
        bool, Field("There are none.", constant(False, {"type": "boolean", "const": False}))
    ] = False


def question_of(request: Request[Any, Any, Any], body: ChatCompletionRequest, bot: str) -> Question:
    """Raises Invalid."""
    try:
        said = spoken(body.messages)
    except ValueError as error:
        raise Invalid("Invalid parameter(s): messages", {"messages": str(error)}) from error
    try:
        named = named_conversation(body.metadata, request.headers.get(CHAT_HEADER))
    except ValueError as error:
        raise Invalid("Invalid parameter(s): metadata", {"metadata": str(error)}) from error
    return Question(
        bot_id=bot,
        spoken=said,
        sender=sender_of(request, body.user, body.metadata),
        metadata=body.metadata,
        named=named,
        most_tokens=body.max_completion_tokens,
    )
