"""Question, passages and history -> what an answer model is given, within a budget. Pure."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from rag_service.conversations import Cut, Message
from rag_service.documents import Passage


class Prompt(Struct, frozen=True, kw_only=True):
    """`messages` is all that a language model reads: instructions, the numbered passages, what was
    said before, the question. `question` and `passages` are the same for a model that reads no
    prose. Passage i is cited as [i + 1].
    """

    question: str
    passages: list[Passage]
    messages: list[Message]
    cut: Cut
    tokens: int


def compose(
    question: str,
    passages: Sequence[Passage],
    history: Sequence[Message],
    *,
    budget: int,
    count: Callable[[str], int],
) -> Prompt:
    """At most `budget` tokens, as `count` counts them, but for a question that is longer alone.

    The question is never cut. Passages get what it leaves, the best first, and the history, the
    newest first, gets the rest, but at least a quarter of it.
    """
    raise NotImplementedError
