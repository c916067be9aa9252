"""Repeats the question, word by word. For tests and dry runs."""

import asyncio
from collections.abc import AsyncGenerator

from rag_service.conversations.messages import Usage
from rag_service.conversations.prompting import Prompt


class EchoModel:
    name = "echo"
    reads_around = False
    context_tokens = None
    quotes = False

    def __init__(self, seconds_per_word: float = 0) -> None:
        self._pause = seconds_per_word

    async def stream(self, prompt: Prompt) -> AsyncGenerator[str | Usage, None]:
        for word in prompt.question.split():
            await asyncio.sleep(self._pause)
            yield f"{word} "

    async def close(self) -> None:
        """Holds nothing."""
