"""/v1/chat/completions: a bot answers, whole or as a stream of chunks."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from msgspec import UNSET, UnsetType

from rag_service.assembly import Service
from rag_service.clock import SystemClock
from rag_service.conversations.messages import Usage
from rag_service.http.dialects.openai.answers import (
    AnswerStep,
    Begun,
    Outcome,
    Question,
    Rag,
    answer,
    first_of,
    outcome_of,
    usage_of,
)
from rag_service.http.dialects.openai.chat_request import ChatCompletionRequest, question_of
from rag_service.http.dialects.openai.chat_shapes import (
    ChatCompletion,
    Choice,
    Chunk,
    ChunkChoice,
    CompletionMessage,
    CompletionUsage,
    FinishReason,
    Piece,
    completion_usage,
    finish_of,
)
from rag_service.http.dialects.openai.citations import annotations
from rag_service.http.dialects.openai.models import need_bot_model
from rag_service.http.dialects.openai.streams import DONE, data_frame, while_allowed
from rag_service.http.documenting import EVENTS, json_body, openai_errors, operation, streamed
from rag_service.http.envelopes import openai_error_of
from rag_service.http.guarding import need, scope_of, still_holds
from rag_service.http.parameters import read_body
from rag_service.http.sse import event_stream
from rag_service.http.threads import Threads

AnyRequest = Request[Any, Any, Any]

_EXAMPLE = {
    "model": "default",
    "messages": [{"role": "user", "content": "What are your business hours?"}],
}
_STREAM = streamed(
    'data: {"id":"chatcmpl-0199","object":"chat.completion.chunk","created":1790000000,'
    '"model":"default","choices":[{"index":0,"delta":{"role":"assistant","content":""},'
    '"logprobs":null,"finish_reason":null}]}\n\n'
    'data: {"id":"chatcmpl-0199","object":"chat.completion.chunk","created":1790000000,'
    '"model":"default","choices":[{"index":0,"delta":{"content":"We open at 9. [1]"},'
    '"logprobs":null,"finish_reason":null}]}\n\n'
    'data: {"id":"chatcmpl-0199","object":"chat.completion.chunk","created":1790000000,'
    '"model":"default","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}'
    "\n\ndata: [DONE]\n\n"
)


@post(
    "/chat/completions",
    status_code=200,
    guards=[need("chat", "chat")],
    tags=["openai"],
    summary="Ask, as OpenAI's clients do",
    operation_class=operation(
        body=json_body(ChatCompletionRequest, _EXAMPLE), streams={EVENTS: _STREAM}
    ),
    responses=openai_errors(400, 404, 413, 502, 504),
)
async def complete(
    request: AnyRequest, service: NamedDependency[Service], threads: NamedDependency[Threads]
) -> Response[ChatCompletion]:
    """The answer with its sources as `annotations` and in `rag`.

    The turn is kept in the conversation that `metadata.conversation_id` or the header
    X-OpenWebUI-Chat-Id names, else in the one that begins with these messages. The same request
    within a minute asks nothing new. What a front end asks for itself, such as a title, is not
    kept. With `stream`, chunks: one that carries `annotations` and `rag` comes before the last.
    """
    body = await read_body(request, ChatCompletionRequest)
    bot_id = await need_bot_model(scope_of(request), body.model, service, threads)
    question = question_of(request, body, bot_id)
    steps = answer(request, question, service, threads)
    if not body.stream:
        whole, outcome = await outcome_of(steps)
        usage = await usage_of(question, outcome)
        return Response(_whole(bot_id, whole, outcome, usage))
    # what is wrong with the question is a status, not an event
    begun = await first_of(steps)
    maker = _Chunks(bot_id, begun, tells_usage=body.stream_options)
    held = while_allowed(steps, still_holds(request, service, threads, "chat"))
    return event_stream(_frames(maker, question, held, service))


def _whole(bot_id: str, begun: Begun, outcome: Outcome, usage: Usage) -> ChatCompletion:
    text = outcome.text.strip()
    message = CompletionMessage(content=text, annotations=annotations(text, outcome.sources))
    return ChatCompletion(
        id=_id(begun),
        created=int(SystemClock().now().timestamp()),
        model=bot_id,
        choices=[Choice(message=message, finish_reason=finish_of(outcome))],
        usage=completion_usage(usage),
        rag=outcome.rag or UNSET,
    )


async def _frames(
    chunks: "_Chunks",
    question: Question,
    steps: AsyncGenerator[AnswerStep, None],
    service: Service,
) -> AsyncGenerator[bytes, None]:
    yield chunks.frame(Piece(role="assistant", content=""))
    try:
        async with aclosing(steps):
            async for step in steps:
                if isinstance(step, str):
                    yield chunks.frame(Piece(content=step))
                elif isinstance(step, Outcome):
                    cited = annotations(step.text, step.sources)
                    yield chunks.frame(Piece(annotations=cited), rag=step.rag or UNSET)
                    yield chunks.frame(Piece(), finish_of(step))
                    if chunks.tells_usage:
                        yield chunks.usage(await usage_of(question, step))
                    yield DONE
    except Exception as error:  # noqa: BLE001  the status is sent: this is where the request ends
        yield data_frame(openai_error_of(error, service))


class _Chunks:
    """What all chunks of an answer have in common."""

    def __init__(self, bot_id: str, begun: Begun, *, tells_usage: bool) -> None:
        self.tells_usage = tells_usage
        self._bot_id = bot_id
        self._id = _id(begun)
        self._created = int(SystemClock().now().timestamp())

    def frame(
        self,
        delta: Piece,
        finish_reason: FinishReason | None = None,
        rag: Rag | UnsetType = UNSET,
    ) -> bytes:
        choice = ChunkChoice(delta=delta, finish_reason=finish_reason)
        return self._frame([choice], None if self.tells_usage else UNSET, rag)

    def usage(self, usage: Usage) -> bytes:
        return self._frame([], completion_usage(usage), UNSET)

    def _frame(
        self,
        choices: list[ChunkChoice],
        usage: CompletionUsage | UnsetType | None,
        rag: Rag | UnsetType,
    ) -> bytes:
        return data_frame(
            Chunk(
                id=self._id,
                created=self._created,
                model=self._bot_id,
                choices=choices,
                usage=usage,
                rag=rag,
            )
        )


def _id(begun: Begun) -> str:
    return "chatcmpl-" + begun.answer_id.removeprefix("msg_")


handlers = [complete]
