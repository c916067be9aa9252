"""A turn of a conversation as it goes: a question, what was found for it, and its answer."""

from msgspec import Struct

from rag_service.access.scope import Scope
from rag_service.conversations.messages import Source, Usage
from rag_service.conversations.store import NewMessage, TranscriptRow
from rag_service.knowledge.filters import Filter


class Asked(Struct, frozen=True, kw_only=True):
    """A question as it comes in. Without a `conversation_id` it begins a conversation.

    `create` makes one of that id where there is none.
    """

    scope: Scope
    bot_id: str
    said: NewMessage
    conversation_id: str | None = None
    create: bool = False
    only: Filter | None = None
    """The documents that may answer."""


class Retrieved(Struct, frozen=True, kw_only=True):
    """The question is kept. `sources` is what the answer will cite, where the model quotes; else
    all that the model is given."""

    conversation_id: str
    has_rag_context: bool
    sources: list[Source]
    related: list[Source]


class Delta(Struct, frozen=True):
    """The answer goes on."""

    text: str


class Answered(Struct, frozen=True, kw_only=True):
    """The answer is kept. [1] in its text is the first of `sources`; `related` is not cited.

    There are no sources when the model says that they do not hold the answer.
    """

    row: TranscriptRow
    has_rag_context: bool
    sources: list[Source]
    related: list[Source]
    usage: Usage


AnswerEvent = Retrieved | Delta | Answered
