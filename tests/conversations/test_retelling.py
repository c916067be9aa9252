"""Repeats of a request: at the same time, after it, when its reader has left."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import Service
from rag_service.conversations.assistant import Assistant
from rag_service.conversations.budgets import count_tokens
from rag_service.conversations.continuations import Retold
from rag_service.conversations.messages import Sender, Usage
from rag_service.conversations.prompting import Prompt
from rag_service.conversations.retelling import REPEAT_S, Retelling
from rag_service.conversations.store import NewMessage, TranscriptFilter, TranscriptRow
from rag_service.conversations.turns import Answered, AnswerEvent, Asked, Delta
from rag_service.documents import Document
from rag_service.errors import AnswerFailed

HOURS = "Our shop in Bern opens at nine in the morning."
OPENS = "When does our shop in Bern open in the morning?"


class Counting:
    """Says a word at a time, each time it is asked another one, and may fail at first."""

    name = "counting"
    reads_around = False
    context_tokens = None
    quotes = False

    def __init__(self, *, failures: int = 0) -> None:
        self.asked = 0
        self.failures = failures

    async def stream(self, prompt: Prompt) -> AsyncGenerator[str | Usage, None]:
        self.asked += 1
        if self.asked <= self.failures:
            raise AnswerFailed("no model")
        for word in ("answer", " number", f" {self.asked}"):
            yield word
            await asyncio.sleep(0.01)

    async def close(self) -> None:
        """Holds nothing."""


class SetClock:
    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed


@pytest.fixture
def filled(service: Service) -> Service:
    service.knowledge.upsert(ALL_BOTS, [Document(source_url="https://e.com/", content=HOURS)])
    return service


def retelling(service: Service, model: Counting, clock: SetClock | None = None) -> Retelling:
    assistant = Assistant(
        service.knowledge,
        service.store.messages,
        model,
        count=count_tokens,
        context_tokens=4096,
        nothing_found="Nothing.",
    )
    return Retelling(assistant, service.store.continuations, clock)


def asks(request: bytes = b"r") -> Asked:
    said = NewMessage(
        role="user", text=OPENS, sender=Sender(type="user"), fingerprint=request, owner=b"o"
    )
    retold = Retold(owner=b"o", request=request, said=b"s")
    return Asked(scope=ALL_BOTS, bot_id="default", said=said, history=[], retold=retold)


async def whole(of: Retelling, asked: Asked) -> list[AnswerEvent]:
    return [event async for event in of.answer(asked)]


async def beginning(of: Retelling, asked: Asked) -> None:
    """Until the first word, and then its reader leaves."""
    async with aclosing(of.answer(asked)) as events:
        async for event in events:
            if isinstance(event, Delta):
                return


def rows(service: Service) -> list[TranscriptRow]:
    return service.store.transcripts.page(
        ALL_BOTS, TranscriptFilter(), limit=99, offset=0, ascending=True
    )[1]


def texts(events: list[AnswerEvent]) -> str:
    assert isinstance(events[-1], Answered)
    return events[-1].row.text


def test_repeats_at_the_same_time_share_an_answer_from_its_beginning(filled):
    async def several() -> list[list[AnswerEvent]]:
        of = retelling(filled, Counting())
        first = asyncio.create_task(whole(of, asks()))
        await asyncio.sleep(0.015)
        return list(await asyncio.gather(first, whole(of, asks()), whole(of, asks())))

    one, *others = asyncio.run(several())
    assert others == [one, one]
    assert [row.text for row in rows(filled)] == [OPENS, "answer number 1"]


def test_a_reader_who_leaves_takes_nothing_from_another(filled):
    async def both() -> str:
        of = retelling(filled, Counting())
        staying = asyncio.create_task(whole(of, asks()))
        await beginning(of, asks())
        return texts(await staying)

    assert asyncio.run(both()) == "answer number 1"
    assert len(rows(filled)) == 2


def test_when_the_last_reader_leaves_what_was_said_is_kept_and_a_repeat_is_answered(filled):
    async def twice() -> str:
        of = retelling(filled, Counting())
        await beginning(of, asks())
        assert [row.metadata["complete"] for row in rows(filled)[1:]] == [False]
        return texts(await whole(of, asks()))

    assert asyncio.run(twice()) == "answer number 2"
    question, cut, answer = rows(filled)
    assert (question.text, answer.text) == (OPENS, "answer number 2")
    assert cut.text.startswith("answer") and cut.text != answer.text
    assert cut.reply_to == answer.reply_to == question.message_id


def test_a_failure_is_told_to_all_who_wait_and_a_repeat_tries_again(filled):
    async def tried() -> str:
        of = retelling(filled, Counting(failures=1))
        failed = await asyncio.gather(whole(of, asks()), whole(of, asks()), return_exceptions=True)
        assert [type(one) for one in failed] == [AnswerFailed, AnswerFailed]
        return texts(await whole(of, asks()))

    assert asyncio.run(tried()) == "answer number 2"
    assert [row.role for row in rows(filled)] == ["user", "assistant"]


def test_after_a_minute_the_same_words_are_a_new_question(filled):
    clock = SetClock()

    async def asked() -> list[str]:
        of = retelling(filled, Counting(), clock)
        answers = []
        for passed in (0, REPEAT_S - 1, REPEAT_S + 1):
            clock.passed = passed
            answers.append(texts(await whole(of, asks())))
        return answers

    first, again, later = asyncio.run(asked())
    assert first == again != later
    assert [row.role for row in rows(filled)] == ["user", "assistant"] * 2
