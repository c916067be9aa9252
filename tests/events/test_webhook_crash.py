"""A server that is killed: what was committed is delivered by the next one."""

import random
import threading

import msgspec
import pytest
from receiving import Receiver, receiving
from served import served

from rag_service.assembly import assemble
from rag_service.settings import Settings


@pytest.fixture
def allowed(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, webhook_allow_private=True, rate_chat="off")


@pytest.fixture
def token(allowed: Settings) -> str:
    with assemble(allowed) as service:
        return service.access.create("tests", ["admin"])


def make(client, receiver: Receiver) -> str:
    body = {"url": receiver.url, "events": ["message.*"]}
    return client.post("/webhooks", json=body).json()["data"]["secret"]


def send(client, conversation_id: str, text: str) -> None:
    path = "/chat/default/conversations"
    client.post(path, json={"conversationId": conversation_id})
    sent = {"sender_id": "a", "sender_type": "agent", "text": text}
    answer = client.post("/messages", json={**sent, "conversation_id": conversation_id})
    assert answer.status_code == 200, answer.text


def test_killed_between_the_commit_and_the_delivery_it_is_delivered_after_the_restart(
    allowed, token
):
    with receiving() as receiver:
        with served(allowed) as (client, process):
            client.headers["Authorization"] = f"Bearer {token}"
            secret = make(client, receiver)
            send(client, "con_1", "committed")
            process.kill()  # the process that delivers is not up yet
            process.wait()
        assert receiver.requests == []
        with served(allowed) as (client, _):
            client.headers["Authorization"] = f"Bearer {token}"
            (one,) = receiver.wait(1)
            one.verify(secret)
            assert one.event["data"]["message"]["text"] == "committed"
            send(client, "con_1", "later")
            assert len(receiver.wait(2)) == 2


def test_killed_again_and_again_everything_comes_in_the_order_of_each_conversation(allowed, token):
    rng = random.Random(5)
    sent: dict[str, list[str]] = {f"con_{n}": [] for n in range(4)}
    with receiving() as receiver:
        receiver.answers = lambda one: ((503 if rng.random() < 0.1 else 200), {}, b"")
        for kills in range(4):
            with served(allowed) as (client, process):
                client.headers["Authorization"] = f"Bearer {token}"
                if not kills:
                    make(client, receiver)
                for n in range(15):
                    name = rng.choice(list(sent))
                    send(client, name, f"{kills}.{n}")
                    sent[name].append(f"{kills}.{n}")
                threading.Event().wait(rng.random() * 1.5)
                process.kill()
                process.wait()
        with served(allowed):
            receiver.wait_for_ids(sum(map(len, sent.values())))
    first: dict[str, list[str]] = {name: [] for name in sent}
    for one in receiver.requests:
        data = one.event["data"]
        texts = first[data["conversation_id"]]
        if data["message"]["text"] not in texts:
            texts.append(data["message"]["text"])
    assert first == sent


def test_of_two_servers_one_delivers_and_the_other_takes_over(allowed, token):
    with (
        receiving() as receiver,
        served(allowed) as (first, process),
        served(allowed) as (second, _),
    ):
        for client in (first, second):
            client.headers["Authorization"] = f"Bearer {token}"
        make(first, receiver)
        for n in range(10):
            send(first, f"con_{n}", "from the first")
            send(second, f"con_{n}", "from the second")
        receiver.wait(20)
        process.kill()
        process.wait()
        send(second, "con_1", "later")
        receiver.wait_for_ids(21)
    came = list({one.id: one for one in reversed(receiver.requests)}.values())[::-1]
    assert len(came) == 21
    for name in {one.event["data"]["conversation_id"] for one in came}:
        ours = [one for one in came if one.event["data"]["conversation_id"] == name]
        texts = [one.event["data"]["message"]["text"] for one in ours]
        assert texts[:2] == ["from the first", "from the second"]
