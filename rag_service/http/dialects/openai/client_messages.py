"""What clients send as messages, or as input: roles, and content as a string or as parts."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from rag_service.conversations.messages import Message
from rag_service.fields import Reader, read_string
from rag_service.http.dialects.chat.chat import LONGEST_QUESTION
from rag_service.readers.text import clean

_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_TEXTS = {"text": "text", "input_text": "text", "output_text": "text", "refusal": "refusal"}
"""Types of parts that are read, with the name of their text."""
_OF_TOOLS = ("function_call", "function_call_output", "reasoning")
"""Items of a conversation that say nothing to us."""

_PART = {
    "type": "object",
    "properties": {"type": {"type": "string", "enum": list(_TEXTS)}, "text": {"type": "string"}},
    "required": ["type"],
}
_CONTENT = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": _PART}, {"type": "null"}],
    "description": "A string, or parts that are text.",
}
MESSAGE_SCHEMA = {
    "type": "object",
    "properties": {"role": {"type": "string", "enum": list(_ROLES)}, "content": _CONTENT},
    "required": ["role"],
}


class Spoken(Struct, frozen=True, kw_only=True):
    """A request in our words: the last message of the user is the question."""

    messages: list[Message]
    """All of it, with what was said before: what tells one request from another."""
    question: str
    history: list[Message]
    instructions: str


def _read_messages(value: Any) -> list[Message]:
    if not isinstance(value, list):
        raise ValueError("must be a list of messages")
    return [one for place, item in enumerate(value) for one in _messages(item, f"[{place}]")]


read_messages = Reader(_read_messages, {"type": "array", "items": MESSAGE_SCHEMA, "minItems": 1})
"""Without those of tools. Raises ValueError for what is not text."""


def spoken(messages: Sequence[Message], history: Sequence[Message] = ()) -> Spoken:
    """`history` was said before them. Raises ValueError where no user asks anything."""
    asked = [place for place, one in enumerate(messages) if one.role == "user"]
    if not asked or not messages[asked[-1]].text.strip():
        raise ValueError("must end with a message of the user that is not blank")
    question = messages[asked[-1]].text
    if len(question) > LONGEST_QUESTION:
        raise ValueError(f"must have at most {LONGEST_QUESTION} characters in the last message")
    before = [*history, *messages[: asked[-1]]]
    return Spoken(
        messages=[*history, *messages],
        question=question,
        history=[one for one in before if one.role != "system" and one.text.strip()],
        instructions="\n\n".join(one.text for one in messages if one.role == "system"),
    )


def _messages(item: Any, place: str) -> list[Message]:
    """None or one."""
    if not isinstance(item, dict):
        raise ValueError(f"{place} must be an object")
    kind = item.get("type", "message")
    if kind in _OF_TOOLS:
        return []
    if kind != "message":
        raise ValueError(f"{place} is a {kind!r}, and only messages are understood")
    role = item.get("role")
    if role not in _ROLES:
        raise ValueError(f"{place}.role must be one of {', '.join(_ROLES)}")
    text = clean(_text(item.get("content"), f"{place}.content"))
    match role:
        case "tool" | "function":
            return []
        case "system" | "developer":
            return [Message("system", text)]
        case "user":
            return [Message("user", text)]
        case _:
            return [Message("assistant", text)]


def _text(content: Any, place: str) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return read_string(content)
    if not isinstance(content, list):
        raise ValueError(f"{place} must be a string or a list of parts")
    return "\n".join(_part(part, f"{place}[{at}]") for at, part in enumerate(content))


def _part(part: Any, place: str) -> str:
    if isinstance(part, str):
        return read_string(part)
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(kind, str) or kind not in _TEXTS:
        raise ValueError(f"{place} is of type {kind!r}, and only text is understood")
    text = part.get(_TEXTS[kind])
    if not isinstance(text, str):
        raise ValueError(f"{place}.{_TEXTS[kind]} must be a string")
    return read_string(text)
