"""The contract of what answers a prompt."""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Protocol, runtime_checkable

from rag_service.conversations.messages import Usage
from rag_service.conversations.prompting import Prompt
from rag_service.documents import Vectors

Nearness = Callable[[Vectors, Sequence[str]], Sequence[float]]
"""How near each of a few texts comes to the vector of a question: 0 for chance, 1 for what answers
typically have."""


@runtime_checkable
class ChatModel(Protocol):
    """Async only: an answer is something we wait for."""

    @property
    def name(self) -> str: ...

    @property
    def reads_around(self) -> bool:
        """Whether it is a language model. That wants what stands around a passage as well, while a
        model that picks sentences has more to pick the wrong one from. What it writes is shown as
        `ReplyText` gives it."""
        ...

    @property
    def context_tokens(self) -> int | None:
        """What it reads at most, prompt and answer together, where that is known unasked."""
        ...

    @property
    def quotes(self) -> bool:
        """Whether its answer is quotations that are there at once: what it cites can then be told
        before its first word."""
        ...

    def stream(self, prompt: Prompt) -> AsyncGenerator[str | Usage, None]:
        """Pieces of the answer as they come, and its usage at the end, where the model tells.

        A reader that stops early stops the work. Raises AnswerFailed or AnswerTimedOut, also
        after some pieces.
        """
        ...

    async def close(self) -> None:
        """Lets go of connections and threads."""
        ...
