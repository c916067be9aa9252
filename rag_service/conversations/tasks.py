"""What a front end asks for itself is answered by the model alone, and nothing of it is kept."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from rag_service.conversations.budgets import count_tokens
from rag_service.conversations.chat_model import ChatModel
from rag_service.conversations.messages import Cut, Message, Usage
from rag_service.conversations.prompting import MESSAGE_TOKENS, Prompt
from rag_service.conversations.task_prompts import Task
from rag_service.conversations.task_replies import short_reply


class Tasks:
    """A language model is given the request as it is; without one a short reply is made of it."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model

    async def perform(
        self, task: Task, messages: Sequence[Message]
    ) -> AsyncGenerator[str | Usage, None]:
        """As `ChatModel.stream`."""
        if not self._model.reads_around:
            yield short_reply(task)
            return
        prompt = Prompt(
            question=messages[-1].text,
            passages=[],
            messages=list(messages),
            cut=Cut(),
            tokens=sum(MESSAGE_TOKENS + count_tokens(message.text) for message in messages),
        )
        async with aclosing(self._model.stream(prompt)) as pieces:
            async for piece in pieces:
                yield piece
