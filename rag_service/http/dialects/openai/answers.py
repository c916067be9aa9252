"""An answer on its way to a client of OpenAI's: what begins it, its pieces, and what came of it."""

from asyncio import to_thread
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from litestar import Request
from msgspec import Struct

from rag_service.assembly import Service
from rag_service.conversations.budgets import beginning
from rag_service.conversations.continuations import (
    Retold,
    digest_after,
    digest_of_request,
    digest_of_said,
    owner_of,
)
from rag_service.conversations.messages import Message, Sender, Source, Usage, sender
from rag_service.conversations.store import NewMessage
from rag_service.conversations.task_prompts import Task, recognise_task
from rag_service.conversations.turns import Answered, AnswerEvent, Asked, Delta, Retrieved
from rag_service.errors import RagError
from rag_service.http.dialects.openai.client_messages import Spoken
from rag_service.http.dialects.openai.vocabulary import count
from rag_service.http.guarding import caller_of
from rag_service.http.threads import Threads
from rag_service.ids import new_id

AnyRequest = Request[Any, Any, Any]


class RagSource(Struct, frozen=True, kw_only=True):
    source_url: str
    title: str
    text: str
    score: float


class Rag(Struct, frozen=True, kw_only=True):
    """What OpenAI's API has no place for. [1] in the text is the first of `sources`."""

    has_rag_context: bool
    confidence: float | None
    """The probability that the knowledge answers the question; null where nothing was looked up."""
    conversation_id: str
    message_id: str
    sources: list[RagSource]


class Begun(Struct, frozen=True):
    """The question is kept. `answer_id` is `msg_` and what ids of the answer are made of."""

    answer_id: str


class Outcome(Struct, frozen=True, kw_only=True):
    """The answer is kept, or it is of a kind that is not."""

    text: str
    sources: list[Source]
    usage: Usage | None
    """None where no model was asked."""
    is_cut_off: bool
    """It has reached the number of tokens that the client allows."""
    rag: Rag | None


AnswerStep = Begun | str | Outcome


class Question(Struct, frozen=True, kw_only=True):
    """What a request asks, of whom, for whom."""

    bot_id: str
    spoken: Spoken
    sender: Sender
    metadata: dict[str, Any]
    named: str | None
    """The conversation, where the client names one."""
    continues: str | None = None
    """The conversation, where it is known to be the client's."""
    most_tokens: int | None


async def answer(
    request: AnyRequest, question: Question, service: Service, threads: Threads
) -> AsyncGenerator[AnswerStep, None]:
    """Begun, then the pieces of the text, then the Outcome. A reader that leaves stops it.

    Nothing is looked up or kept where a front end asks for itself.
    """
    task = recognise_task(question.spoken.messages)
    if task is not None:
        async with aclosing(_perform(task, question, service)) as steps:
            async for step in steps:
                yield step
        return
    asked = await _asked(request, question, service, threads)
    pieces: list[str] = []
    async with aclosing(service.retelling.answer(asked)) as events:
        async for event in events:
            yield _step(event, pieces)


async def _perform(
    task: Task, question: Question, service: Service
) -> AsyncGenerator[AnswerStep, None]:
    reply, usage, is_cut_off = "", None, False
    async with aclosing(service.tasks.perform(task, question.spoken.messages)) as pieces:
        first = await anext(pieces, "")
        yield Begun(new_id("msg"))
        async for piece in _all(first, pieces):
            if isinstance(piece, Usage):
                usage = piece
                continue
            room = question.most_tokens
            text = beginning(reply + piece, room)[len(reply) :] if room else piece
            reply += text
            if text:
                yield text
            if is_cut_off := text != piece:
                break
    yield Outcome(text=reply, sources=[], usage=usage, is_cut_off=is_cut_off, rag=None)


async def _all(
    first: str | Usage, rest: AsyncGenerator[str | Usage, None]
) -> AsyncGenerator[str | Usage, None]:
    yield first
    async for piece in rest:
        yield piece


async def first_of(steps: AsyncGenerator[AnswerStep, None]) -> Begun:
    first: AnswerStep = await anext(steps)
    assert isinstance(first, Begun)
    return first


async def outcome_of(steps: AsyncGenerator[AnswerStep, None]) -> tuple[Begun, Outcome]:
    """When it is whole."""
    async with aclosing(steps):
        begun = await first_of(steps)
        async for step in steps:
            if isinstance(step, Outcome):
                return begun, step
    raise RagError("the answer did not end")


async def usage_of(question: Question, outcome: Outcome) -> Usage:
    """As the model counts, or of what was sent and said, in tokens of cl100k_base."""
    if outcome.usage is not None:
        return outcome.usage
    sent = "\n".join(message.text for message in question.spoken.messages)
    return Usage(
        prompt_tokens=await to_thread(count, sent),
        completion_tokens=await to_thread(count, outcome.text),
    )


def sender_of(request: AnyRequest, user: str | None, metadata: dict[str, Any]) -> Sender:
    """Who asks: `user`, else what a front end tells of the person in headers or metadata."""
    told = {
        name: value for name, header in _HEADERS.items() if (value := request.headers.get(header))
    }
    return sender("user", user, {**told, **metadata})


_HEADERS = {
    "userId": "x-openwebui-user-id",
    "userEmail": "x-openwebui-user-email",
    "userName": "x-openwebui-user-name",
}


async def _asked(
    request: AnyRequest, question: Question, service: Service, threads: Threads
) -> Asked:
    caller, spoken, user = caller_of(request), question.spoken, question.sender.id
    owner = owner_of(caller.name, user)
    before = digest_of_said(owner, spoken.history)
    where = f"{question.continues or question.named or ''} {question.most_tokens}"
    retold = Retold(
        owner=owner,
        request=digest_of_request(owner, where, spoken.messages),
        said=digest_after(before, Message("user", spoken.question)),
    )
    if question.continues is not None:
        conversation_id = question.continues
    elif question.named is not None:
        conversation_id = await threads.read(
            service.retelling.conversation_named,
            caller.scope,
            question.bot_id,
            question.named,
            owner,
            user,
        )
    elif spoken.history:
        conversation_id = await threads.read(
            service.retelling.conversation_after, caller.scope, question.bot_id, before
        )
    else:
        conversation_id = new_id("conv")
    said = NewMessage(
        role="user",
        text=spoken.question,
        sender=question.sender,
        metadata=question.metadata,
        fingerprint=retold.request,
        owner=owner,
    )
    return Asked(
        scope=caller.scope,
        bot_id=question.bot_id,
        said=said,
        conversation_id=conversation_id,
        create=True,
        history=spoken.history,
        instructions=spoken.instructions,
        most_tokens=question.most_tokens,
        retold=retold,
    )


def _step(event: AnswerEvent, pieces: list[str]) -> AnswerStep:
    match event:
        case Retrieved():
            return Begun(event.answer_id)
        case Delta():
            pieces.append(event.text)
            return event.text
        case Answered():
            row = event.row
            rag = Rag(
                has_rag_context=event.has_rag_context,
                confidence=row.metadata.get("confidence"),
                conversation_id=row.conversation_id,
                message_id=row.message_id,
                sources=[
                    RagSource(
                        source_url=one.source_url, title=one.title, text=one.text, score=one.score
                    )
                    for one in event.sources
                ],
            )
            return Outcome(
                text="".join(pieces),
                sources=event.sources,
                usage=event.usage if event.usage.prompt_tokens else None,
                is_cut_off="cut_off" in row.metadata,
                rag=rag,
            )
