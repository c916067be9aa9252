"""A model in this process: a thread of its own works, and the event loop only waits.

One answer at a time; others wait for it. What reads and writes tokens is a `Network`, which is
loaded when it first answers.
"""

import asyncio
import logging
import re
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from rag_service.conversations.messages import Message, Role, Usage
from rag_service.conversations.prompting import Prompt
from rag_service.errors import AnswerFailed

MAX_NEW_TOKENS = 512
NEXT_QUESTION = "\nUser:"
"""Where a model without a chat template begins to make up what is said to it."""

_SPEAKERS = {"system": "", "user": "User: ", "assistant": "Assistant: "}

log = logging.getLogger(__name__)


class Network(Protocol):
    """Tokenizer and weights. One thread at a time."""

    def answer(
        self,
        messages: Sequence[Message],
        tell: Callable[[str | Usage], None],
        stop: Callable[[], bool],
    ) -> None:
        """Tells pieces of whole characters, and the usage. Asks `stop` at least at each token.

        Raises AnswerFailed.
        """
        ...


class InProcessModel:
    """`path` is where `load` reads the network from, `context_tokens` what it reads if known."""

    reads_around = True
    quotes = False

    def __init__(
        self, path: Path, load: Callable[[], Network], context_tokens: int | None = None
    ) -> None:
        self.name = f"local:{path.name}"
        self.context_tokens = context_tokens
        self._path = path
        self._load = load
        self._worker = ThreadPoolExecutor(1, "answer-model")
        self._network: Network | None = None  # the worker's
        self._closed = threading.Event()

    async def stream(self, prompt: Prompt) -> AsyncGenerator[str | Usage, None]:
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[str | Usage | AnswerFailed | None] = asyncio.Queue()
        left = threading.Event()

        def tell(piece: str | Usage | AnswerFailed | None) -> None:
            try:
                loop.call_soon_threadsafe(pieces.put_nowait, piece)
            except RuntimeError:  # the loop is closed, and so nobody reads
                left.set()

        waiting = self._worker.submit(self._answer, prompt.messages, tell, left)
        try:
            while (piece := await pieces.get()) is not None:
                if isinstance(piece, AnswerFailed):
                    raise piece
                yield piece
        finally:
            left.set()
            waiting.cancel()

    async def close(self) -> None:
        """Answers under way end with AnswerFailed."""
        self._closed.set()
        await asyncio.to_thread(self._shut_down)

    def _shut_down(self) -> None:
        self._worker.shutdown()
        self._network = None

    def _answer(
        self,
        messages: Sequence[Message],
        tell: Callable[[str | Usage | AnswerFailed | None], None],
        left: threading.Event,
    ) -> None:
        try:
            if not self._closed.is_set():
                self._network = self._network or self._load()
                self._network.answer(messages, tell, lambda: left.is_set() or self._closed.is_set())
            tell(AnswerFailed("the service is stopping") if self._closed.is_set() else None)
        except AnswerFailed as error:
            tell(error)
        except Exception as error:  # the answer ends here, the thread goes on
            log.exception("%s", self._path)
            failure = AnswerFailed(
                "the answer model cannot be loaded, or failed: see the log, and check the path "
                "in RAG_CHAT_MODEL"
            )
            failure.__cause__ = error
            tell(failure)


def too_long(tokens: int, context: int) -> AnswerFailed:
    return AnswerFailed(
        f"the prompt has {tokens} tokens and the answer model reads {context}: "
        "lower RAG_CHAT_CONTEXT_TOKENS"
    )


def controls_in(tokens: Sequence[str]) -> re.Pattern[str]:
    """A pattern for the tokens that would begin a turn of their own."""
    return re.compile("|".join(map(re.escape, sorted(tokens, key=len, reverse=True))) or "(?!)")


def as_text(controls: re.Pattern[str], message: Message) -> Message:
    """What reads as a control token is taken apart, and what cannot be encoded replaced."""
    sound = message.text.encode("utf-8", "replace").decode()
    text = controls.sub(lambda control: f"{control[0][:1]} {control[0][1:]}", sound)
    return Message(message.role, text)


def as_dialogue(messages: Sequence[Message]) -> str:
    """For a model without a chat template. It ends at NEXT_QUESTION."""
    said = [_SPEAKERS[message.role] + message.text for message in messages]
    return "\n\n".join([*said, "Assistant:"])


def alternating(messages: Sequence[Message]) -> list[Message]:
    """The user and the assistant by turns, the user first: some templates take nothing else."""
    turns: list[Message] = []
    for message in messages:
        role: Role = "assistant" if message.role == "assistant" else "user"
        if turns and turns[-1].role == role:
            turns[-1] = Message(role, f"{turns[-1].text}\n\n{message.text}")
        elif turns or role == "user":
            turns.append(Message(role, message.text))
    return turns
