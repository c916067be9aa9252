"""/messages over HTTP: what is sent, what is refused, and the replies that come afterwards."""

import re

import pytest
from litestar.testing import TestClient

from rag_service.assembly import assemble
from rag_service.http.app import create_app

MESSAGE = {"sender_id": "usr_1", "sender_type": "user", "text": "Hello", "auto_reply": False}
MOUNTS = ["", "/v1"]


def send(client, mount="", **more):
    body = {name: value for name, value in {**MESSAGE, **more}.items() if value != "LEFT OUT"}
    return client.post(f"{mount}/messages", json=body)


def sent(client, **more):
    answer = send(client, **more)
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "success"
    return answer.json()["data"]


def refused(answer, status, message):
    assert answer.status_code == status, answer.text
    assert answer.json() == {"status": "error", "message": message, "data": None}


def lines(client, conversation_id, bot="default"):
    answer = client.get(f"/chat/{bot}/conversations/{conversation_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]["messages"]


def events(client, after=None, *, wait=0, types="message.created"):
    """New events and the cursor behind them."""
    query = {"types": types, "wait": wait, **({"after": after} if after else {})}
    answer = client.get("/events", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]["events"], answer.json()["data"]["next"]


def replies(client, count):
    """Messages of the assistant, as their events come."""
    found, after = [], None
    while len(found) < count:
        new, after = events(client, after, wait=20)
        assert new, f"only {len(found)} replies came"
        messages = [event["data"]["message"] for event in new]
        found += [message for message in messages if message["sender_type"] == "assistant"]
    return found


@pytest.mark.parametrize("mount", MOUNTS)
def test_a_message_is_answered_with_all_its_fields(client, mount):
    first = sent(client)
    answer = send(
        client,
        mount,
        conversation_id=first["conversation_id"],
        sender_type="agent",
        text="  Two\nlines ",
        reply_to_message_id=first["message"]["id"],
        metadata={"channel": "web", "tags": ["a", {"b": None}]},
    )
    assert answer.json()["message"] == "Message sent successfully."
    data = answer.json()["data"]
    assert data["conversation_id"] == first["conversation_id"]
    assert data["auto_reply_enqueued"] is False
    message = data["message"]
    assert (message["sender_id"], message["sender_type"]) == ("usr_1", "agent")
    assert message["text"].strip() == "Two\nlines"
    assert message["reply_to_message_id"] == first["message"]["id"]
    assert message["metadata"] == {"channel": "web", "tags": ["a", {"b": None}]}
    assert message["created_at"].endswith("Z")
    assert re.fullmatch(r"msg_\w+", message["id"])


@pytest.mark.parametrize("name", ["sender_id", "sender_type", "text"])
def test_a_field_that_is_missing_is_named_as_in_the_seed(client, name):
    for value in ("LEFT OUT", None):
        refused(send(client, **{name: value}), 400, f"Field '{name}' is required.")


def test_a_field_that_is_wrong_is_named(client):
    nested = {}
    for _ in range(150):
        nested = {"a": nested}
    for name, value in (
        ("text", ""),
        ("text", " \n"),
        ("text", "\0"),
        ("text", 5),
        ("text", "x" * 20_001),
        ("sender_id", ""),
        ("sender_id", [5]),
        ("sender_type", "robot"),
        ("sender_type", "assistant"),
        ("sender_type", ["user"]),
        ("sender_type", {}),
        ("metadata", [1]),
        ("metadata", "x"),
        ("metadata", nested),
        ("auto_reply", "perhaps"),
        ("auto_reply", 2),
        ("conversation_id", 5.5),
        ("reply_to_message_id", [5]),
        ("bot_id", "a b"),
    ):
        answer = send(client, **{name: value})
        assert answer.status_code == 400, (name, value)
        assert answer.json()["message"].startswith(f"Field '{name}' "), answer.text
        assert (answer.json()["status"], answer.json()["data"]) == ("error", None)
    for content in (b"", b"rubbish", b"[]"):
        answer = client.post("/v1/messages", content=content)
        assert (answer.status_code, answer.json()["status"]) == (400, "error")
    assert client.get("/transcripts").json()["total"] == 0


def test_an_unknown_conversation_is_told_in_the_words_of_the_seed(client):
    answer = send(client, conversation_id="con_9s2kd81")
    refused(answer, 404, "Conversation not found: con_9s2kd81.")


def test_an_unknown_bot_is_404(client):
    refused(send(client, bot_id="nobody"), 404, "Bot not found: nobody.")


def test_a_reply_is_to_a_message_of_that_conversation(client):
    here, there = sent(client), sent(client)
    for message_id in (there["message"]["id"], "msg_0"):
        answer = send(
            client, conversation_id=here["conversation_id"], reply_to_message_id=message_id
        )
        assert answer.status_code in (400, 404)
        assert message_id in answer.json()["message"]
    assert len(lines(client, here["conversation_id"])) == 1


def test_a_first_message_cannot_be_a_reply_and_leaves_no_conversation(client):
    there = sent(client)
    answer = send(client, reply_to_message_id=there["message"]["id"])
    assert answer.status_code in (400, 404)
    listed = client.get("/chat/default/conversations").json()["data"]
    assert listed["pagination"]["total"] == 1


def test_who_sends_shows_in_the_history_and_the_transcripts(client):
    conversation_id = sent(client, text="from a user")["conversation_id"]
    for sender_type in ("agent", "system"):
        data = sent(
            client,
            conversation_id=conversation_id,
            sender_type=sender_type,
            text=f"from {sender_type}",
            auto_reply=True,
        )
        assert data["auto_reply_enqueued"] is False
    said = [
        (one["role"], one["senderType"], one["content"]) for one in lines(client, conversation_id)
    ]
    assert said == [
        ("user", "user", "from a user"),
        ("assistant", "agent", "from agent"),
        ("system", "system", "from system"),
    ]
    rows = client.get("/transcripts", params={"order": "asc"}).json()["items"]
    assert [(row["role"], row["message"]) for row in rows] == [(one[0], one[2]) for one in said]
    assert {row["user_identifier"] for row in rows} == {"usr_1"}
    assert {row["has_rag_context"] for row in rows} == {None}


@pytest.mark.parametrize("auto_reply", [True, "LEFT OUT", None])
def test_a_reply_comes_as_an_event_and_in_the_conversation(client, push, auto_reply):
    push("https://example.com/hours", "What are your business hours?")
    question = "What are your business hours?"
    data = sent(client, text=question, auto_reply=auto_reply, metadata={"userId": "someone"})
    assert data["auto_reply_enqueued"] is True
    (reply,) = replies(client, 1)
    assert reply["reply_to_message_id"] == data["message"]["id"]
    assert reply["role"] == "assistant"
    said = lines(client, data["conversation_id"])
    assert [line["id"] for line in said] == [data["message"]["id"], reply["id"]]
    assert said[1]["content"] == reply["text"] != ""
    assert [line["hasRagContext"] for line in said] == [True, True]
    assert reply["has_rag_context"] is True


def test_without_auto_reply_nothing_is_answered(client):
    quiet = sent(client, text="quiet", auto_reply=False)
    assert quiet["auto_reply_enqueued"] is False
    loud = sent(client, text="loud", auto_reply=True)
    (reply,) = replies(client, 1)  # the queue is in order: the quiet one was passed over
    assert reply["reply_to_message_id"] == loud["message"]["id"]
    assert len(lines(client, quiet["conversation_id"])) == 1


def test_replies_of_a_conversation_come_in_the_order_of_its_messages(client):
    first = sent(client, text="Q0", auto_reply=True)
    asked = [first["message"]["id"]]
    for n in range(1, 5):
        more = sent(client, text=f"Q{n}", auto_reply=True, conversation_id=first["conversation_id"])
        asked.append(more["message"]["id"])
    assert [reply["reply_to_message_id"] for reply in replies(client, 5)] == asked


def test_a_reply_that_is_owed_is_given_after_a_restart(settings, token):
    headers = {"Authorization": f"Bearer {token}"}
    with TestClient(create_app(settings)) as client:
        client.headers.update(headers)
        ids = {sent(client, text=f"Q{n}", auto_reply=True)["message"]["id"] for n in range(8)}
    with TestClient(create_app(settings)) as client:
        client.headers.update(headers)
        assert {reply["reply_to_message_id"] for reply in replies(client, 8)} == ids


def test_a_bound_token_writes_to_its_own_bot_only(client, settings):
    theirs = sent(client)["conversation_id"]
    assert client.post("/bots", json={"id": "mine"}).status_code == 201
    with assemble(settings) as service:
        bound = service.access.create("bound", ["chat"], bot_id="mine")
        other = service.access.create("other", ["knowledge"])
    admin = client.headers["Authorization"]
    client.headers["Authorization"] = f"Bearer {bound}"
    mine = sent(client)["conversation_id"]
    assert send(client, bot_id="default").status_code == 403
    refused(send(client, conversation_id=theirs), 404, f"Conversation not found: {theirs}.")
    client.headers["Authorization"] = f"Bearer {other}"
    assert send(client).status_code == 403
    client.headers["Authorization"] = admin
    assert len(lines(client, mine, "mine")) == 1


def test_messages_count_as_chat_and_429_above_its_rate(client, settings):
    with assemble(settings) as service:
        slow = service.access.create("slow", ["chat"], rates={"chat": "1/minute"})
    client.headers["Authorization"] = f"Bearer {slow}"
    assert send(client).headers["x-ratelimit-remaining"] == "0"
    over = send(client)
    assert over.status_code == 429
    assert (over.json()["status"], over.json()["data"]) == ("error", None)
    assert int(over.headers["retry-after"]) >= 1
