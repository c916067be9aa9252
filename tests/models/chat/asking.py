"""Prompts, and whole answers."""

import contextlib

from rag_service.conversations.budgets import count_tokens
from rag_service.conversations.chat_model import ChatModel
from rag_service.conversations.messages import Message, Usage
from rag_service.conversations.prompting import Prompt, compose
from rag_service.documents import Passage

HISTORY = [Message("user", "Hello!"), Message("assistant", "How can I help?")]
PASSAGES = [
    Passage(
        chunk_id=f"c{number}",
        document_id=f"d{number}",
        source_url=f"https://example.com/{number}",
        title="Opening hours",
        heading="",
        page=None,
        text=text,
        ordinal=0,
    )
    for number, text in enumerate(["We open at nine.", "We close at five."])
]


def prompt(question: str = "When do you open?", *, history=HISTORY, passages=PASSAGES) -> Prompt:
    return compose(question, passages, history, budget=4096, count=count_tokens)


async def answer(model: ChatModel, prompt: Prompt) -> tuple[list[str], list[Usage]]:
    """The pieces, and what came in between or after that is none."""
    pieces: list[str] = []
    usages: list[Usage] = []
    async for piece in model.stream(prompt):
        if isinstance(piece, str):
            assert not usages, "a piece after the usage"
            pieces.append(piece)
        else:
            usages.append(piece)
    return pieces, usages


async def beginning(model: ChatModel, prompt: Prompt, pieces: int = 1) -> list[str | Usage]:
    """Reads some pieces and leaves."""
    read = []
    async with contextlib.aclosing(model.stream(prompt)) as stream:
        async for piece in stream:
            read.append(piece)
            if len(read) == pieces:
                break
    return read
