"""A turn of a conversation as it goes: a question, what was found for it, and its answer."""

from collections.abc import Sequence

from msgspec import Struct

from rag_service.access.scope import Scope
from rag_service.conversations.continuations import Retold
from rag_service.conversations.messages import Message, Source, Usage
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
    history: Sequence[Message] | None = None
    """What was said before, where the client tells it; otherwise it is what was kept."""
    instructions: str = ""
    """The client's, for a language model: they change how it answers, never whether it may."""
    most_tokens: int | None = None
    """The answer ends there, and its metadata say `cut_off`."""
    retold: Retold | None = None
    question_id: str | None = None
    """A message that is kept already, and is answered once more."""


class Retrieved(Struct, frozen=True, kw_only=True):
    """The question is kept. `sources` is what the answer will cite, where the model quotes; else
    all that the model is given."""

    conversation_id: str
    has_rag_context: bool
    sources: list[Source]
    related: list[Source]
    answer_id: str
    """What the answer's message will be called."""


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
