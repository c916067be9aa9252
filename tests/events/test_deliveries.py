"""What webhooks are owed and get: a real store and receiver, and a clock that can be put on."""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest
from receiving import receiving, statuses
from standardwebhooks import WebhookVerificationError

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import assemble
from rag_service.conversations.messages import Sender
from rag_service.conversations.store import NewMessage
from rag_service.documents import Document
from rag_service.errors import NotFound
from rag_service.events.deliveries import AT_ONCE, DISABLED_AFTER_S, RETRY_AFTER_S, Deliverer
from rag_service.events.store import WebhookChanges
from rag_service.events.webhooks import Webhooks, read_webhook
from rag_service.outbound.guarded import GuardedPoster, anywhere
from rag_service.storage.sqlite.driver import sqlite3

SOON = (0.01, 0.01, 0.01, 0.01)


class Clock:
    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead.total_seconds()


def poster():
    return GuardedPoster(refuse=anywhere)


def hook(service, url, **fields):
    webhooks = Webhooks(service.store.webhooks, service.store.deliveries, poster)
    return asyncio.run(webhooks.create(ALL_BOTS, read_webhook({"url": url, **fields})))


def say(service, conversation_id="con_1", text="Hello", bot_id="default"):
    said = NewMessage(role="user", text=text, sender=Sender(type="user"))
    return service.store.messages.add(ALL_BOTS, bot_id, conversation_id, said, create=True)


@contextmanager
def delivering(service, retry_after_s=SOON, clock=None):
    """In a thread of its own, as in the background process."""
    shared = poster()
    deliverer = Deliverer(
        service.store.webhooks,
        service.store.outbox,
        lambda: shared,
        retry_after_s=retry_after_s,
        clock=clock or Clock(),
    )
    thread = threading.Thread(target=lambda: asyncio.run(deliverer.run()))
    thread.start()
    try:
        yield deliverer
    finally:
        deliverer.stop()
        thread.join(30)
        assert not thread.is_alive()


def until(told: Callable[[], bool], seconds: float = 60) -> None:
    end = datetime.now(UTC) + timedelta(seconds=seconds)
    pause = threading.Event()
    while not told():
        assert datetime.now(UTC) < end, "it did not come to that"
        pause.wait(0.02)


def deliveries(service, webhook, state=None):
    """The oldest first."""
    _, found = service.store.deliveries.page(ALL_BOTS, webhook.id, state, limit=10_000, offset=0)
    return found[::-1]


def states(service, webhook):
    return [one.state for one in deliveries(service, webhook)]


def attempts(service, webhook):
    return sum(len(one.attempts) for one in deliveries(service, webhook))


def texts(requests):
    return [one.event["data"]["message"]["text"] for one in requests]


def test_what_happened_since_it_was_made_comes_once_and_signed(service):
    say(service, text="before")
    with receiving() as receiver:
        webhook = hook(service, receiver.url)
        say(service, text="after")
        service.knowledge.upsert(
            ALL_BOTS, [Document(source_url="https://e.com/a", content="Open at nine.")]
        )
        service.knowledge.remove(ALL_BOTS, "default", ["https://e.com/a"])
        with delivering(service):
            until(lambda: states(service, webhook) == ["delivered"] * 3)
    assert sorted(receiver.types()) == [
        "knowledge.deleted",
        "knowledge.upserted",
        "message.created",
    ]
    events = {
        event.id: event
        for event in service.store.events.page(ALL_BOTS, None, types=None, limit=100)[0]
    }
    for one in receiver.requests:
        one.verify(webhook.secrets[0].value)
        event = events[one.id]
        assert one.event == {
            "type": event.type,
            "timestamp": event.created_at,
            "id": event.id,
            "bot_id": "default",
            "data": event.data,
        }
        assert one.headers["content-type"] == "application/json"
        with pytest.raises(WebhookVerificationError):
            one.verify("whsec_" + "A" * 43 + "=")


def test_a_failed_one_comes_exactly_once_more_after_each_failure(service):
    with receiving() as receiver:
        receiver.answers = statuses(503, 503)
        webhook = hook(service, receiver.url)
        service.store.bots.create(ALL_BOTS, "other")
        say(service)
        with delivering(service):
            until(lambda: states(service, webhook) == ["delivered"] * 2)
    again = [one.id for one in receiver.requests]
    assert len(again) == 4
    assert again[0] == again[1] == again[2] != again[3]
    first = deliveries(service, webhook)[0]
    assert [one.status for one in first.attempts] == [503, 503, 200]
    assert first.attempts[0].error == "the receiver answered 503"
    assert (first.attempts[2].error, first.attempts[2].response) == (None, "as told")
    assert service.store.webhooks.get(ALL_BOTS, webhook.id).failures == 0


def test_within_a_conversation_the_order_holds_and_others_do_not_wait(service):
    with receiving() as receiver:
        webhook = hook(service, receiver.url, events=["message.created"])
        mended = threading.Event()
        receiver.answers = lambda one: (
            (500, {}, b"") if texts([one]) == ["a0"] and not mended.is_set() else (200, {}, b"")
        )
        for n in range(5):
            for name in "abc":
                say(service, f"con_{name}", f"{name}{n}")
        with delivering(service, retry_after_s=[0.1] * 100):
            until(lambda: states(service, webhook).count("delivered") == 10)
            assert not [text for text in texts(receiver.requests) if text in ("a1", "a2")]
            mended.set()
            until(lambda: states(service, webhook) == ["delivered"] * 15)
    taken = [one for one in texts(receiver.requests) if one != "a0"]
    for name in "abc":
        numbers = [int(text[1:]) for text in taken if text[0] == name]
        assert numbers == sorted(numbers)
    assert len(taken) == 14


def test_what_was_rolled_back_is_not_sent(service):
    with receiving() as receiver:
        webhook = hook(service, receiver.url)
        said = NewMessage(role="user", text="x", sender=Sender(type="user"), reply_to="msg_nobody")
        with pytest.raises(NotFound):
            service.store.messages.add(ALL_BOTS, "default", "con_new", said, create=True)
        say(service, "con_kept")
        with delivering(service):
            until(lambda: states(service, webhook) == ["delivered"] * 2)
    assert {one.event["data"]["conversation_id"] for one in receiver.requests} == {"con_kept"}


def test_patterns_and_bots_narrow(service):
    with receiving() as all_of_mine, receiving() as conversations, receiving() as knowledge:
        mine = hook(service, all_of_mine.url, botId="mine")
        made = hook(service, conversations.url, events=["conversation.created", "gap.*"])
        pushed = hook(service, knowledge.url, events=["knowledge.*", "knowledge.upserted"])
        say(service, "con_1", bot_id="mine")
        say(service, "con_2")
        service.knowledge.upsert(
            ALL_BOTS, [Document(source_url="https://e.com/a", content="Open at nine.")]
        )
        with delivering(service):
            until(lambda: states(service, mine) == ["delivered"] * 2)
            until(lambda: states(service, made) == ["delivered"] * 2)
            until(lambda: states(service, pushed) == ["delivered"])
    assert all_of_mine.types() == ["conversation.created", "message.created"]
    assert set(conversations.types()) == {"conversation.created"}
    assert knowledge.types() == ["knowledge.upserted"]


def test_a_disabled_one_keeps_what_it_is_owed_and_misses_what_happens_meanwhile(service):
    with receiving() as receiver:
        webhook = hook(service, receiver.url, events=["message.*"])
        say(service, text="owed")
        change = service.store.webhooks.change
        change(ALL_BOTS, webhook.id, WebhookChanges(enabled=False))
        say(service, text="missed")
        with delivering(service) as deliverer:
            until(lambda: not service.store.outbox.fan_out())
            assert not service.store.outbox.owes()
            change(ALL_BOTS, webhook.id, WebhookChanges(enabled=True))
            say(service, text="later")
            deliverer.wake()
            until(lambda: states(service, webhook) == ["delivered"] * 2)
    assert texts(receiver.requests) == ["owed", "later"]


def test_tries_grow_for_a_day_and_then_it_is_disabled_and_says_why(service):
    clock = Clock()
    with receiving() as receiver:
        receiver.answers = lambda one: (500, {}, b"out of order")
        webhook = hook(service, receiver.url, events=["message.*"])
        say(service)
        start = clock.now()
        with delivering(service, RETRY_AFTER_S, clock) as deliverer:
            for tries in range(1, len(RETRY_AFTER_S) + 2):
                until(lambda tries=tries: attempts(service, webhook) == tries)
                later = deliveries(service, webhook)[0].next_attempt_at
                if later is not None:
                    clock.ahead += datetime.fromisoformat(later) - clock.now()
                    deliverer.wake()
            until(lambda: not service.store.webhooks.get(ALL_BOTS, webhook.id).enabled)
    (delivery,) = deliveries(service, webhook)
    assert (delivery.state, delivery.next_attempt_at) == ("failed", None)
    assert len(delivery.attempts) == len(receiver.requests) == 12
    moments = [datetime.fromisoformat(one.at) for one in delivery.attempts]
    waits = [(b - a).total_seconds() for a, b in pairwise(moments)]
    for wait, least in zip(waits, RETRY_AFTER_S, strict=True):
        assert least <= wait <= least * 1.1 + 30
    assert 86_400 == DISABLED_AFTER_S <= (moments[-1] - start).total_seconds()
    kept = service.store.webhooks.get(ALL_BOTS, webhook.id)
    assert kept.reason.startswith("nothing could be delivered since ")
    assert kept.reason.endswith("the last time: the receiver answered 500")


def test_two_failures_around_a_weekend_of_sleep_disable_nothing(service):
    clock = Clock()
    with receiving() as receiver:
        dead = [True]
        receiver.answers = lambda one: (503, {}, b"") if dead[0] else (200, {}, b"")
        webhook = hook(service, receiver.url, events=["message.*"])
        say(service)
        with delivering(service, RETRY_AFTER_S, clock) as deliverer:
            until(lambda: attempts(service, webhook) == 1)
            clock.ahead += timedelta(days=3)
            deliverer.wake()
            until(lambda: attempts(service, webhook) == 2)
            assert service.store.webhooks.get(ALL_BOTS, webhook.id).enabled
            dead[0] = False
            clock.ahead += timedelta(seconds=60)
            deliverer.wake()
            until(lambda: states(service, webhook) == ["delivered"])


def test_what_was_put_off_by_a_clock_that_was_wrong_does_not_wait_for_that_time(service):
    clock = Clock()
    clock.ahead = timedelta(days=365)
    with receiving() as receiver:
        receiver.answers = statuses(503)
        webhook = hook(service, receiver.url, events=["message.*"])
        say(service)
        with delivering(service, RETRY_AFTER_S, clock):
            until(lambda: attempts(service, webhook) == 1)
        clock.ahead = timedelta()
        with delivering(service, RETRY_AFTER_S, clock):
            until(lambda: states(service, webhook) == ["delivered"])


def test_one_that_is_gone_is_disabled_at_once(service):
    with receiving() as receiver:
        receiver.answers = lambda one: (410, {}, b"")
        webhook = hook(service, receiver.url, events=["message.*"])
        say(service)
        say(service)
        with delivering(service):
            until(lambda: not service.store.webhooks.get(ALL_BOTS, webhook.id).enabled)
    assert service.store.webhooks.get(ALL_BOTS, webhook.id).reason == (
        "the receiver answered 410: it wants no more"
    )
    assert len(receiver.requests) == 1


def test_retry_after_is_heeded(service):
    clock = Clock()
    with receiving() as receiver:
        left = [(429, {"Retry-After": "3000"}, b"")]
        receiver.answers = lambda one: left.pop() if left else (200, {}, b"")
        webhook = hook(service, receiver.url, events=["message.*"])
        say(service, "con_1")
        with delivering(service, clock=clock) as deliverer:
            until(lambda: len(receiver.requests) == 1)
            until(lambda: attempts(service, webhook) == 1)
            say(service, "con_2")  # it spares the receiver, not only this delivery
            deliverer.wake()
            threading.Event().wait(0.5)
            assert len(receiver.requests) == 1
            clock.ahead += timedelta(seconds=3001)
            deliverer.wake()
            until(lambda: states(service, webhook) == ["delivered"] * 2)


def test_a_dead_receiver_is_spared_and_gets_all_when_it_is_back(service):
    clock = Clock()
    count = 200
    with receiving() as receiver:
        dead = [True]
        receiver.answers = lambda one: (503, {}, b"") if dead[0] else (200, {}, b"")
        webhook = hook(service, receiver.url, events=["message.*"])
        for n in range(count):
            say(service, f"con_{n}", str(n))
        with delivering(service, RETRY_AFTER_S, clock) as deliverer:
            until(lambda: service.store.webhooks.get(ALL_BOTS, webhook.id).failures >= 5)
            threading.Event().wait(0.5)
            assert len(receiver.requests) <= 5 + AT_ONCE
            for _ in range(10):
                clock.ahead += timedelta(seconds=20)
                deliverer.wake()
                threading.Event().wait(0.15)
            assert len(receiver.requests) <= 5 + AT_ONCE + 10
            assert service.store.webhooks.get(ALL_BOTS, webhook.id).failing_since
            dead[0] = False
            clock.ahead += timedelta(seconds=400)
            deliverer.wake()
            until(lambda: states(service, webhook) == ["delivered"] * count)
    assert service.store.webhooks.get(ALL_BOTS, webhook.id).failing_since is None


def test_a_failure_that_is_told_after_a_change_says_nothing_of_what_it_is_now(service):
    entered, released = threading.Event(), threading.Event()
    with receiving() as receiver:

        def answer(one):
            if released.is_set():
                return 200, {}, b""
            entered.set()
            released.wait(60)
            return 503, {"Retry-After": "3000"}, b""

        receiver.answers = answer
        webhook = hook(service, receiver.url, events=["message.*"])
        for n in range(20):
            say(service, f"con_{n}")
        with delivering(service, RETRY_AFTER_S) as deliverer:
            assert entered.wait(60)
            receiver.wait(AT_ONCE)
            service.store.webhooks.change(ALL_BOTS, webhook.id, WebhookChanges(enabled=True))
            released.set()
            deliverer.wake()
            until(lambda: states(service, webhook) == ["delivered"] * 20)
    assert service.store.webhooks.get(ALL_BOTS, webhook.id).failures == 0


@pytest.mark.parametrize("how", ["enabled", "disabled before", "new url"])
def test_one_that_was_failing_is_tried_at_once_when_it_is_said_to_be_mended(service, how):
    dead = [True]
    with receiving() as receiver:
        later = {"Retry-After": "3000"}
        receiver.answers = lambda one: (503, later, b"") if dead[0] else (200, {}, b"")
        webhook = hook(service, receiver.url, events=["message.*"])
        for n in range(50):
            say(service, f"con_{n}")
        with delivering(service, RETRY_AFTER_S) as deliverer:
            until(lambda: service.store.webhooks.get(ALL_BOTS, webhook.id).failures >= 5)
            dead[0] = False
            if how == "disabled before":
                service.store.webhooks.change(ALL_BOTS, webhook.id, WebhookChanges(enabled=False))
                deliverer.wake()
                threading.Event().wait(0.2)
            url = f"{receiver.url}/new"
            changes = WebhookChanges(url=url) if how == "new url" else WebhookChanges(enabled=True)
            service.store.webhooks.change(ALL_BOTS, webhook.id, changes)
            deliverer.wake()
            until(lambda: states(service, webhook) == ["delivered"] * 50)


def test_a_slow_receiver_delays_no_other(service):
    released = threading.Event()
    with receiving() as slow, receiving() as healthy:
        slow.answers = lambda one: (released.wait(60), (200, {}, b""))[1]
        late = hook(service, slow.url, events=["message.*"])
        quick = hook(service, healthy.url, events=["message.*"])
        for n in range(150):
            say(service, f"con_{n}")
        with delivering(service):
            until(lambda: states(service, quick) == ["delivered"] * 150)
            assert len(slow.wait(AT_ONCE)) == AT_ONCE
            assert states(service, late) == ["pending"] * 150
            released.set()
            until(lambda: states(service, late) == ["delivered"] * 150)


def test_what_a_deleted_conversation_said_is_not_sent_any_more(service):
    with receiving() as receiver:
        webhook = hook(service, receiver.url, events=["message.*"])
        receiver.answers = statuses(503)
        for n in range(3):
            say(service, "con_gone", f"private {n}")
        service.store.outbox.fan_out()
        say(service, "con_kept", "fine")
        service.store.transcripts.delete(ALL_BOTS, ["con_gone"], cascade=True)
        with delivering(service):
            until(lambda: states(service, webhook) == ["delivered"])
        assert texts(receiver.requests) == ["fine", "fine"]
        say(service, "con_gone", "anew")
        with delivering(service):
            until(lambda: states(service, webhook) == ["delivered"] * 2)
    assert texts(receiver.requests)[-1] == "anew"


def test_a_webhook_that_is_deleted_while_it_is_told_leaves_nothing(service):
    entered, released = threading.Event(), threading.Event()
    with receiving() as receiver:
        receiver.answers = lambda one: (entered.set(), released.wait(60), (200, {}, b""))[2]
        webhook = hook(service, receiver.url, events=["message.*"])
        other = hook(service, receiver.url, events=["conversation.*"])
        say(service)
        with delivering(service):
            assert entered.wait(60)
            service.store.webhooks.remove(ALL_BOTS, webhook.id)
            released.set()
            until(lambda: states(service, other) == ["delivered"])
    with pytest.raises(NotFound):
        service.store.webhooks.get(ALL_BOTS, webhook.id)
    with pytest.raises(NotFound):
        service.store.deliveries.page(ALL_BOTS, webhook.id, None, limit=1, offset=0)


def test_what_waits_for_a_slow_receiver_goes_where_it_is_wanted_now(service):
    entered, released = threading.Event(), threading.Event()
    with receiving() as former, receiving() as present:
        former.answers = lambda one: (entered.set(), released.wait(60), (200, {}, b""))[2]
        webhook = hook(service, former.url, events=["message.*"])
        gone = hook(service, former.url, events=["message.*"])
        for n in range(30):
            say(service, f"con_{n}")
        with delivering(service):
            former.wait(2 * AT_ONCE)
            service.store.webhooks.change(ALL_BOTS, webhook.id, WebhookChanges(url=present.url))
            service.store.webhooks.remove(ALL_BOTS, gone.id)
            threading.Event().wait(0.5)
            released.set()
            until(lambda: states(service, webhook) == ["delivered"] * 30)
    assert len(former.requests) == 2 * AT_ONCE
    assert len(present.requests) == 30 - AT_ONCE


def test_failed_ones_are_delivered_again_when_that_is_asked_for(service):
    with receiving() as receiver:
        receiver.answers = statuses(*[500] * 9)
        webhook = hook(service, receiver.url, events=["message.*"])
        for n in range(3):
            say(service, f"con_{n}", str(n))
        clock = Clock()
        with delivering(service, SOON[:2], clock) as deliverer:

            def all_failed() -> bool:
                clock.ahead += timedelta(seconds=30)
                deliverer.wake()
                return states(service, webhook) == ["failed"] * 3

            until(all_failed)
            first = deliveries(service, webhook)[0]
            assert service.store.deliveries.redeliver(ALL_BOTS, webhook.id, first.id) == 1
            deliverer.wake()
            until(lambda: states(service, webhook) == ["delivered", "failed", "failed"])
            assert service.store.deliveries.redeliver(ALL_BOTS, webhook.id, None) == 2
            deliverer.wake()
            until(lambda: states(service, webhook) == ["delivered"] * 3)
            assert service.store.deliveries.redeliver(ALL_BOTS, webhook.id, None) == 0
            # one that was taken, too
            assert service.store.deliveries.redeliver(ALL_BOTS, webhook.id, first.id) == 1
            deliverer.wake()
            until(lambda: len(receiver.requests) == 13)
            until(lambda: states(service, webhook) == ["delivered"] * 3)
    assert [one.status for one in deliveries(service, webhook)[0].attempts] == [500] * 3 + [200] * 2
    with pytest.raises(NotFound):
        service.store.deliveries.redeliver(ALL_BOTS, webhook.id, "dlv_nobody")


def test_both_secrets_sign_while_they_overlap(service):
    webhooks = Webhooks(service.store.webhooks, service.store.deliveries, poster)
    with receiving() as receiver:
        webhook = hook(service, receiver.url, events=["message.*"])
        former = webhook.secrets[0].value
        new = asyncio.run(webhooks.rotate(ALL_BOTS, webhook.id)).secrets[0].value
        newest = asyncio.run(webhooks.rotate(ALL_BOTS, webhook.id)).secrets[0].value
        say(service)
        with delivering(service):
            (one,) = receiver.wait(1)
        assert len({former, new, newest}) == 3
        for secret in (former, new, newest):
            one.verify(secret)
        last = asyncio.run(webhooks.rotate(ALL_BOTS, webhook.id, 0)).secrets
        say(service)
        with delivering(service):
            until(lambda: states(service, webhook) == ["delivered"] * 2)
        two = receiver.requests[1]
    two.verify(last[0].value)
    assert len(last) == 1
    for secret in (former, new, newest):
        with pytest.raises(WebhookVerificationError):
            two.verify(secret)


def test_secrets_that_are_rotated_at_the_same_time_all_sign(service):
    webhook = hook(service, "https://hooks.invalid/")

    async def rotate():
        webhooks = Webhooks(service.store.webhooks, service.store.deliveries, poster)
        return await asyncio.gather(*(webhooks.rotate(ALL_BOTS, webhook.id) for _ in range(8)))

    given = {one.secrets[0].value for one in asyncio.run(rotate())}
    kept = {one.value for one in service.store.webhooks.get(ALL_BOTS, webhook.id).secrets}
    assert len(given) == 8
    assert kept == {*given, webhook.secrets[0].value}


def test_a_base_that_is_locked_for_a_while_costs_nothing_but_time(settings):
    settings = msgspec.structs.replace(settings, lock_timeout_s=0.2)
    with assemble(settings) as service, receiving() as receiver:
        webhook = hook(service, receiver.url, events=["message.*"])
        for n in range(20):
            say(service, f"con_{n}")
        with closing(sqlite3.connect(settings.data_dir / "rag.db", isolation_level=None)) as other:
            entered = threading.Event()
            receiver.answers = lambda one: (entered.set(), (200, {}, b""))[1]
            service.store.outbox.fan_out()
            other.execute("begin immediate")
            with delivering(service):
                assert entered.wait(60)
                threading.Event().wait(1.0)
                other.execute("rollback")
                until(lambda: states(service, webhook) == ["delivered"] * 20)
    assert len({one.id for one in receiver.requests}) == 20


def test_an_address_that_may_not_be_reached_is_refused_at_the_delivery(service):
    with receiving() as receiver:
        webhook = hook(service, receiver.url, events=["message.*"])  # where it was allowed
        say(service)
        guarded = GuardedPoster()
        deliverer = Deliverer(
            service.store.webhooks, service.store.outbox, lambda: guarded, retry_after_s=[]
        )
        thread = threading.Thread(target=lambda: asyncio.run(deliverer.run()))
        thread.start()
        until(lambda: states(service, webhook) == ["failed"])
        deliverer.stop()
        thread.join(30)
    assert receiver.requests == []
    (attempt,) = deliveries(service, webhook)[0].attempts
    assert attempt.status is None
    assert "127.0.0.1 must not be reached" in attempt.error
    assert "RAG_WEBHOOK_ALLOW_PRIVATE" in attempt.error
