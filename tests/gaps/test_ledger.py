"""What goes wrong beside the ledger does not end it."""

import asyncio
import logging
from typing import Any

import pytest
from open_gaps import gaps_of
from shelf import page, push

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import Service
from rag_service.conversations.assistant import Asked
from rag_service.conversations.messages import Sender
from rag_service.conversations.store import NewMessage
from rag_service.documents import DEFAULT_BOT
from rag_service.errors import StorageFailed
from rag_service.gaps.ledger import Ledger

DOGS, CATS = "Are dogs let into the reading room?", "Who feeds hungry cats downstairs?"
PAGE = page("dogs", "Yes, dogs are let into the reading room on a lead.")


def ask(service: Service, question: str, conversation: str) -> None:
    said = NewMessage(role="user", text=question, sender=Sender(type="user"))

    async def run() -> None:
        asked = Asked(
            scope=ALL_BOTS,
            bot_id=DEFAULT_BOT,
            said=said,
            conversation_id=conversation,
            create=True,
        )
        async for _ in service.assistant.answer(asked):
            pass

    asyncio.run(run())


@pytest.fixture
def asked(service: Service) -> Service:
    push(service, page("hours", "The museum opens at nine."))
    ask(service, DOGS, "c1")
    ask(service, CATS, "c2")
    return service


class Failing:
    """A knowledge base, or a store, of which one method fails as it is told."""

    def __init__(self, real: Any, method: str, fail: Any) -> None:
        self._real = real
        self._method = method
        self._fail = fail

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        if name != self._method:
            return real

        def call(*args: Any, **kwargs: Any) -> Any:
            self._fail(*args)
            return real(*args, **kwargs)

        return call


def test_a_question_that_cannot_be_searched_holds_up_no_other(
    asked: Service, caplog: pytest.LogCaptureFixture
) -> None:
    def poisoned(scope: object, question: str, *_: object) -> None:
        if question == CATS:
            raise ValueError("nobody foresaw this")

    knowledge: Any = Failing(asked.knowledge, "search", poisoned)
    ledger = Ledger(asked.store.ledger, knowledge, weak_below=None)
    push(asked, PAGE)
    with caplog.at_level(logging.ERROR):
        ledger.follow()
    states = {gap.title: gap.state for gap in gaps_of(asked)}
    assert states == {DOGS: "closed", CATS: "open"}
    assert CATS not in caplog.text


def test_what_could_not_be_written_is_done_again(asked: Service) -> None:
    failures = [StorageFailed("the disk is full")] * 3

    def full(*_: object) -> None:
        if failures:
            raise failures.pop()

    store: Any = Failing(asked.store.ledger, "record", full)
    ledger = Ledger(store, asked.knowledge, weak_below=None)
    for _ in range(3):
        with pytest.raises(StorageFailed):
            ledger.consider(DEFAULT_BOT)
    ledger.follow()
    assert {gap.title for gap in gaps_of(asked)} == {DOGS, CATS}
    assert list(asked.store.views.check()) == []


def test_a_question_that_is_erased_while_it_is_sorted_leaves_nothing(asked: Service) -> None:
    erased: list[int] = []

    def erase(*_: object) -> None:
        if not erased:
            erased.append(1)
            asked.store.transcripts.delete(ALL_BOTS, ["c1"], cascade=True)

    store: Any = Failing(asked.store.ledger, "record", erase)
    Ledger(store, asked.knowledge, weak_below=None).follow()
    ask(asked, DOGS, "c3")  # like the one that is gone
    assert {gap.title: gap.questions for gap in gaps_of(asked)} == {DOGS: 1, CATS: 1}
    assert list(asked.store.views.check()) == []


def test_a_question_that_many_asked_in_the_same_words_is_searched_once(asked: Service) -> None:
    for number in range(10):
        ask(asked, DOGS, f"visitor {number}")
    asked.ledger.follow()
    searches: list[object] = []
    knowledge: Any = Failing(
        asked.knowledge, "search", lambda scope, question, *_: searches.append(question)
    )
    ledger = Ledger(asked.store.ledger, knowledge, weak_below=None)
    push(asked, PAGE)
    ledger.follow()
    (gap,) = [gap for gap in gaps_of(asked) if gap.title == DOGS]
    assert (gap.state, gap.questions) == ("closed", 11)
    assert searches.count(DOGS) <= 2  # once to learn how near a sentence has to come


def test_after_what_others_changed_only_that_is_read_again(asked: Service) -> None:
    reads: list[object] = []
    store: Any = Failing(asked.store.ledger, "members", lambda _, *some: reads.append(*some or [0]))
    ledger = Ledger(store, asked.knowledge, weak_below=None)
    ledger.follow()
    first, second = gaps_of(asked)
    asked.store.gaps.merge(ALL_BOTS, first.gap_id, [second.gap_id])
    ask(asked, second.title.upper(), "c3")
    ledger.follow()
    asked.store.transcripts.delete(ALL_BOTS, ["c3"], cascade=True)
    ask(asked, first.title, "c4")
    ledger.follow()
    (gap,) = gaps_of(asked)
    assert (gap.gap_id, gap.questions) == (first.gap_id, 3)
    assert [len(some) for some in reads[1:] if isinstance(some, set)] == [1, 1]
    assert len(reads) == 3
    assert list(asked.store.views.check()) == []
