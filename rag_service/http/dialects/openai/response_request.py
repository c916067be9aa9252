"""What a response is asked with."""

from typing import Annotated, Any

from litestar import Request
from msgspec import Struct

from rag_service.conversations.assistant import REMEMBERED
from rag_service.conversations.continuations import owner_of
from rag_service.conversations.lookup import SMALL_TALK
from rag_service.conversations.messages import Message
from rag_service.errors import Invalid, NotFound
from rag_service.fields import Field, flag, label, read_label, read_metadata, read_string, takes
from rag_service.http.dialects.openai.answers import Question, sender_of
from rag_service.http.dialects.openai.client_messages import (
    MESSAGE_SCHEMA,
    read_messages,
    spoken,
)
from rag_service.http.dialects.openai.fields import (
    CHAT_HEADER,
    constant,
    named_conversation,
    read_most_tokens,
    read_text_format,
    read_tool_choice,
)
from rag_service.http.guarding import caller_of
from rag_service.http.threads import Threads
from rag_service.storage import Store


@takes(
    anyOf=[
        {"type": "string", "minLength": 1},
        {"type": "array", "items": MESSAGE_SCHEMA, "minItems": 1},
    ]
)
def _read_input(value: Any) -> list[Message]:
    if isinstance(value, str):
        return read_messages([{"role": "user", "content": value}])
    return read_messages(value)


@takes(type="object", properties={"format": read_text_format.schema})
def _read_text(value: Any) -> str:
    if not isinstance(value, dict):
        raise ValueError("must be an object")
    found: str = read_text_format(value.get("format") or {})
    return found


@takes(anyOf=[{"type": "string"}, {"type": "object", "properties": {"id": {"type": "string"}}}])
def _read_conversation(value: Any) -> str:
    return read_label(value.get("id") if isinstance(value, dict) else value)


class ResponseRequest(Struct, frozen=True, kw_only=True):
    """Other fields, such as `temperature` and `tools`, are ignored."""

    model: Annotated[str, Field("The bot.", label(100))]
    input: Annotated[list[Message], Field("The question, or messages.", _read_input)]
    instructions: Annotated[
        str, Field("For a language model: how to answer, never whether it may.", read_string)
    ] = ""
    previous_response_id: Annotated[
        str | None,
        Field("The answer that this goes on from.", read_label),
    ] = None
    conversation: Annotated[
        str | None, Field("The conversation, by its id.", _read_conversation)
    ] = None
    stream: Annotated[bool, Field("Events as it goes on.", flag)] = False
    store: Annotated[
        bool, Field("Accepted and told again; transcripts are kept as all are.", flag)
    ] = True
    max_output_tokens: Annotated[
        int | None, Field("Where the answer is cut off.", read_most_tokens)
    ] = None
    user: Annotated[str | None, Field("Who asks.", read_label, also=("safety_identifier",))] = None
    metadata: Annotated[
        dict[str, Any],
        Field("Kept with the question; `conversation_id` names its conversation.", read_metadata),
    ] = {}
    tool_choice: Annotated[str, Field("Tools are not called.", read_tool_choice)] = "auto"
    text: Annotated[str, Field("The format `text` alone.", _read_text)] = "text"
    background: Annotated[
        bool, Field("Never.", constant(False, {"type": "boolean", "const": False}))
    ] = False


async def question_of_response(
    request: Request[Any, Any, Any],
    body: ResponseRequest,
    bot_id: str,
    store: Store,
    threads: Threads,
) -> Question:
    """Raises Invalid."""
    continues, history = None, list[Message]()
    if body.previous_response_id is not None:
        continues, history = await threads.read(_before, request, body, bot_id, store)
    system = [Message("system", body.instructions)] if body.instructions else []
    try:
        said = spoken([*system, *body.input], history)
    except ValueError as error:
        raise Invalid("Invalid parameter(s): input", {"input": str(error)}) from error
    try:
        named = named_conversation(body.metadata, request.headers.get(CHAT_HEADER))
    except ValueError as error:
        raise Invalid("Invalid parameter(s): metadata", {"metadata": str(error)}) from error
    return Question(
        bot_id=bot_id,
        spoken=said,
        sender=sender_of(request, body.user, body.metadata),
        metadata=body.metadata,
        named=body.conversation or named,
        continues=continues,
        most_tokens=body.max_output_tokens,
    )


def _before(
    request: Request[Any, Any, Any], body: ResponseRequest, bot_id: str, store: Store
) -> tuple[str, list[Message]]:
    """The conversation, and what was said in it up to that answer; another's is unknown."""
    caller, scope = caller_of(request), caller_of(request).scope
    given = body.previous_response_id or ""
    user = sender_of(request, body.user, body.metadata).id
    try:
        row = store.messages.get(scope, given.replace("resp_", "msg_", 1))
        conversation, owner = row.conversation_id, owner_of(caller.name, user)
        is_theirs = row.bot_id == bot_id and store.continuations.owns(
            scope, bot_id, conversation, owner, user
        )
        if not (given.startswith("resp_") and row.role == "assistant" and is_theirs):
            raise NotFound(given)
        before = store.messages.last(
            scope, bot_id, conversation, limit=REMEMBERED, before=row.message_id
        )
    except NotFound:
        reason = f"there is no response {given!r}"
        raise Invalid(reason, {"previous_response_id": reason}) from None
    return conversation, [
        Message(one.role, one.text, small_talk=SMALL_TALK in one.metadata)
        for one in (*before, row)
        if one.role != "system"
    ]
