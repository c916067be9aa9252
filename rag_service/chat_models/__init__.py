"""Prompt -> text, streamed. The contract, and the one place that picks an implementation."""

from collections.abc import AsyncGenerator
from typing import Protocol, runtime_checkable

from rag_service.conversations import Usage
from rag_service.errors import InvalidSettings
from rag_service.prompting import Prompt
from rag_service.settings import Settings


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


def load_chat_model(settings: Settings) -> ChatModel:
    """What RAG_CHAT_MODEL names, loading nothing yet that is large. Raises InvalidSettings."""
    kind, _, name = settings.chat_model.partition(":")
    match kind:
        case "extractive":
            from rag_service.chat_models.extractive import ExtractiveModel  # noqa: PLC0415

            return ExtractiveModel()
        case "echo":
            from rag_service.chat_models.echo import EchoModel  # noqa: PLC0415

            return EchoModel(seconds_per_word=float(name or 0))
        case "local" if name.lower().endswith(".gguf"):
            from rag_service.chat_models.gguf import GgufModel  # noqa: PLC0415

            return GgufModel(name, context_tokens=settings.chat_context_tokens)
        case "local":
            from rag_service.chat_models.local import LocalModel  # noqa: PLC0415

            return LocalModel(name)
        case "openai":
            from rag_service.chat_models.openai import OpenAiModel  # noqa: PLC0415

            return OpenAiModel(
                name,
                base_url=settings.chat_base_url,
                api_key=settings.chat_api_key,
                timeout_s=settings.chat_timeout_s,
            )
    raise InvalidSettings(
        f"RAG_CHAT_MODEL: {settings.chat_model!r}: use extractive, local:FOLDER, "
        "local:FILE.gguf or openai:NAME"
    )
