"""What was said, by whom, and on what grounds."""

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

Role = Literal["user", "assistant", "system"]
SenderType = Literal["user", "agent", "system", "assistant"]
"""An agent is a person who answers in the assistant's place."""


class Message(Struct, frozen=True):
    """What an answer model reads."""

    role: Role
    text: str
    small_talk: bool = False
    """It asks nothing, or answers what asks nothing."""


class Usage(Struct, frozen=True, kw_only=True):
    """Tokens, as the model's maker counts them, or as the prompt's budget does."""

    prompt_tokens: int
    completion_tokens: int


class Cut(Struct, frozen=True, kw_only=True):
    """What did not fit into the prompt."""

    history: int = 0
    """Messages left out, the oldest first."""
    passages: int = 0
    """Passages left out, the weakest first."""
    shortened: bool = False
    """The last passage that is in has lost its end."""


class Source(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A passage that the model was given."""

    source_url: str
    chunk_id: str
    title: str
    score: float
    text: str
    used: bool | None = None
    """Whether the answer cites it; None before there is one."""


Rating = Literal["up", "down"]


class Feedback(Struct, frozen=True, kw_only=True):
    """What somebody thinks of an answer."""

    rating: Rating
    comment: str


class Sender(Struct, frozen=True, kw_only=True):
    """Who speaks, as far as the client tells."""

    type: SenderType
    id: str | None = None
    email: str | None = None
    name: str | None = None
    page_url: str | None = None
    """Where the person was when they wrote."""
    page_title: str | None = None


def sender(type_: SenderType, id_: str | None, metadata: Mapping[str, Any]) -> Sender:
    """What `metadata` tells of a person, under the names that clients use."""

    def told(*names: str) -> str | None:
        values = (metadata.get(name) for name in names)
        return next((str(v)[:_LONGEST] for v in values if isinstance(v, str | int) and v), None)

    return Sender(
        type=type_,
        id=id_ or told("userId", "user_id", "sender_id"),
        email=told("userEmail", "user_email", "email"),
        name=told("userName", "user_name", "name"),
        page_url=told("pageUrl", "originating_page_url", "page_url"),
        page_title=told("pageTitle", "originating_page_title", "page_title"),
    )


_LONGEST = 2000


def preview(text: str) -> str:
    """How a conversation that begins with this text is shown in a list."""
    return " ".join(text.split())[:_PREVIEW]


def laid_over(former: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The metadata of a conversation after a change, in which null takes a name out."""
    return {name: value for name, value in {**former, **changes}.items() if value is not None}


_PREVIEW = 120
"""Characters."""
