"""/v1/responses: a bot answers, whole or as a stream of events."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from msgspec import UNSET
from msgspec.structs import replace

from rag_service.assembly import Service
from rag_service.clock import SystemClock
from rag_service.conversations.messages import Usage
from rag_service.http.dialects.openai.answers import (
    AnswerStep,
    Outcome,
    Question,
    answer,
    first_of,
    outcome_of,
    usage_of,
)
from rag_service.http.dialects.openai.models import need_bot_model
from rag_service.http.dialects.openai.response_request import (
    ResponseRequest,
    question_of_response,
)
from rag_service.http.dialects.openai.response_shapes import (
    ConversationName,
    IncompleteDetails,
    OutputMessage,
    OutputText,
    ResponseFault,
    ResponseObject,
    Status,
    begun_response,
    output_of,
    response_usage,
)
from rag_service.http.dialects.openai.streams import DONE, while_allowed
from rag_service.http.documenting import EVENTS, json_body, openai_errors, operation, streamed
from rag_service.http.envelopes import openai_error_of
from rag_service.http.guarding import need, scope_of, still_holds
from rag_service.http.parameters import read_body
from rag_service.http.sse import event_stream, frame
from rag_service.http.threads import Threads

AnyRequest = Request[Any, Any, Any]

_EXAMPLE = {"model": "default", "input": "What are your business hours?"}
_STREAM = streamed(
    'event: response.output_text.delta\ndata: {"type":"response.output_text.delta",'
    '"sequence_number":4,"item_id":"msg_0199","output_index":0,"content_index":0,'
    '"delta":"We open at 9. [1]","logprobs":[]}\n\n'
)


@post(
    "/responses",
    status_code=200,
    guards=[need("chat", "chat")],
    tags=["openai"],
    summary="Ask, as OpenAI's newer clients do",
    operation_class=operation(body=json_body(ResponseRequest, _EXAMPLE), streams={EVENTS: _STREAM}),
    responses=openai_errors(400, 404, 413, 502, 504),
)
async def respond(
    request: AnyRequest, service: NamedDependency[Service], threads: NamedDependency[Threads]
) -> Response[ResponseObject]:
    """Text in and text out, in a conversation that `previous_response_id` goes on with.

    With `stream`, the events of the Open Responses specification, and `data: [DONE]` at the end.
    """
    body = await read_body(request, ResponseRequest)
    bot_id = await need_bot_model(scope_of(request), body.model, service, threads)
    question = await question_of_response(request, body, bot_id, service.store, threads)
    steps = answer(request, question, service, threads)
    if not body.stream:
        whole, outcome = await outcome_of(steps)
        begun = begun_response(body, whole.answer_id, _now())
        usage = await usage_of(question, outcome)
        return Response(_ended(begun, outcome.text.strip(), outcome, usage))
    first = await first_of(steps)  # what is wrong with the question is a status, not an event
    begun = begun_response(body, first.answer_id, _now())
    held = while_allowed(steps, still_holds(request, service, threads, "chat"))
    return event_stream(_frames(_Events(begun), question, held, service))


class _Events:
    """Numbered in their order. There is one output, of one part."""

    def __init__(self, begun: ResponseObject) -> None:
        self.begun = begun
        self._item = begun.id.replace("resp_", "msg_", 1)
        self._number = -1

    def begin(self) -> bytes:
        return b"".join(
            [
                self._of_response("created", self.begun),
                self._of_response("in_progress", self.begun),
                self._event("output_item.added", output_index=0, item=self._message("in_progress")),
                self._of_part("content_part.added", part=OutputText(text="")),
            ]
        )

    def delta(self, text: str) -> bytes:
        return self._of_part("output_text.delta", delta=text, logprobs=[])

    def end(self, outcome: Outcome, usage: Usage) -> bytes:
        part = output_of(outcome.text, outcome)
        cited = [
            self._of_part("output_text.annotation.added", annotation_index=place, annotation=one)
            for place, one in enumerate(part.annotations)
        ]
        response = _ended(self.begun, outcome.text, outcome, usage)
        return b"".join(
            [
                *cited,
                self._of_part("output_text.done", text=part.text, logprobs=[]),
                self._of_part("content_part.done", part=part),
                self._event("output_item.done", output_index=0, item=response.output[0]),
                self._of_response(response.status, response),
            ]
        )

    def fail(self, fault: ResponseFault) -> bytes:
        return self._of_response("failed", replace(self.begun, status="failed", error=fault))

    def _message(self, status: Status) -> OutputMessage:
        return OutputMessage(id=self._item, status=status, content=[])

    def _of_response(self, kind: str, response: ResponseObject) -> bytes:
        return self._event(kind, response=response)

    def _of_part(self, kind: str, **more: Any) -> bytes:
        return self._event(kind, item_id=self._item, output_index=0, content_index=0, **more)

    def _event(self, kind: str, **more: Any) -> bytes:
        self._number += 1
        name = f"response.{kind}"
        return frame(name, {"type": name, "sequence_number": self._number, **more})


async def _frames(
    events: _Events,
    question: Question,
    steps: AsyncGenerator[AnswerStep, None],
    service: Service,
) -> AsyncGenerator[bytes, None]:
    yield events.begin()
    try:
        async with aclosing(steps):
            async for step in steps:
                if isinstance(step, str):
                    yield events.delta(step)
                elif isinstance(step, Outcome):
                    yield events.end(step, await usage_of(question, step))
                    yield DONE
    except Exception as error:  # noqa: BLE001  the status is sent: this is where the request ends
        fault = openai_error_of(error, service).error
        yield events.fail(ResponseFault(code=fault.code or fault.type, message=fault.message))
        yield DONE


def _ended(begun: ResponseObject, text: str, outcome: Outcome, usage: Usage) -> ResponseObject:
    status: Status = "incomplete" if outcome.is_cut_off else "completed"
    message = OutputMessage(
        id=begun.id.replace("resp_", "msg_", 1), status=status, content=[output_of(text, outcome)]
    )
    return replace(
        begun,
        status=status,
        completed_at=None if outcome.is_cut_off else _now(),
        incomplete_details=IncompleteDetails() if outcome.is_cut_off else None,
        output=[message],
        usage=response_usage(usage),
        conversation=ConversationName(id=outcome.rag.conversation_id) if outcome.rag else None,
        rag=outcome.rag or UNSET,
    )


def _now() -> int:
    return int(SystemClock().now().timestamp())


handlers = [respond]
