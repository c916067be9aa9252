"""Readers of fields that several of OpenAI's requests have."""

from typing import Any

from rag_service.fields import Reader, read_label, takes

CHAT_HEADER = "x-openwebui-chat-id"
_LARGEST = 2**31 - 1
_HARMLESS_CHOICES = ("auto", "none")


def constant(value: Any, schema: dict[str, Any]) -> Reader[Any]:
    """Of a field that has one value with us."""

    @takes(**schema)
    def read(given: Any) -> Any:
        if given != value:
            raise ValueError(f"must be {value!r} here")
        return value

    return read


@takes(type="integer", minimum=1, maximum=_LARGEST)
def read_most_tokens(value: Any) -> int | None:
    """-1 is how some clients write that there is no limit."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("must be a whole number")
    if value == -1:
        return None
    if not 0 < value <= _LARGEST:
        raise ValueError(f"must be from 1 to {_LARGEST}")
    return value


@takes(anyOf=[{"type": "string", "enum": list(_HARMLESS_CHOICES)}])
def read_tool_choice(value: Any) -> str:
    """Tools are never called, so nothing may insist on one."""
    if value not in _HARMLESS_CHOICES:
        raise ValueError("must be 'auto' or 'none': this model calls no tools")
    return str(value)


@takes(type="object", properties={"type": {"type": "string", "const": "text"}})
def read_text_format(value: Any) -> str:
    if not isinstance(value, dict) or value.get("type", "text") != "text":
        raise ValueError("must be of type 'text': answers are text")
    return "text"


def named_conversation(metadata: dict[str, Any], header: str | None) -> str | None:
    """By the metadata, else by the header. Raises ValueError."""
    named = metadata.get("conversation_id") or header
    if not named:
        return None
    try:
        return read_label(named)
    except ValueError as error:
        raise ValueError(f"has a conversation_id that {error}") from error
