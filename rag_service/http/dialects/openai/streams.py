"""Streams as OpenAI's clients read them."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeVar

import msgspec

from rag_service.http.dialects.openai.answers import AnswerStep

T = TypeVar("T")
DONE = b"data: [DONE]\n\n"


def data_frame(data: Any) -> bytes:
    return b"data: " + msgspec.json.encode(data) + b"\n\n"


async def while_allowed(
    steps: AsyncGenerator[AnswerStep, None], holds: Callable[[], Awaitable[bool]]
) -> AsyncGenerator[AnswerStep, None]:
    """Ends when the token of the request is revoked."""
    async with aclosing(steps):
        async for step in steps:
            if not await holds():
                return
            yield step
