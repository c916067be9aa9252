"""Prompt -> text, streamed. The contract, and the one place that picks an implementation."""

from rag_service.conversations.chat_model import ChatModel, Nearness
from rag_service.errors import InvalidSettings
from rag_service.settings import Settings


def load_chat_model(settings: Settings, nearness: Nearness | None = None) -> ChatModel:
    """What RAG_CHAT_MODEL names, loading nothing yet that is large. Raises InvalidSettings.

    `nearness` is for a model that picks sentences.
    """
    kind, _, name = settings.chat_model.partition(":")
    match kind:
        case "extractive":
            from rag_service.models.chat.extractive import ExtractiveModel  # noqa: PLC0415

            return ExtractiveModel(nearness=nearness)
        case "echo":
            from rag_service.models.chat.echo import EchoModel  # noqa: PLC0415

            return EchoModel(seconds_per_word=float(name or 0))
        case "local" if name.lower().endswith(".gguf"):
            from rag_service.models.chat.gguf import GgufModel  # noqa: PLC0415

            return GgufModel(name, context_tokens=settings.chat_context_tokens)
        case "local":
            from rag_service.models.chat.local import LocalModel  # noqa: PLC0415

            return LocalModel(name)
        case "openai":
            from rag_service.models.chat.openai import OpenAiModel  # noqa: PLC0415

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
