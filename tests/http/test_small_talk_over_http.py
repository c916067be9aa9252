"""Small talk over HTTP: friendly replies, no search, and marks that tell it from gaps."""

import json
import re

import pytest
from litestar.testing import TestClient
from msgspec.structs import replace

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import assemble
from rag_service.http.app import create_app
from rag_service.knowledge.store import Calibration

PAGES = {
    "https://e.com/first-program": "Write a file that prints Hello World and run it.",
    "https://e.com/credits": "Thanks to everybody who sent patches.",
    "https://e.com/shipping": "How much is shipping to France? Shipping to France costs 9 euros. "
    "Shipping to Canada costs 24 dollars.",
}
SHIPPING = "How much is shipping to France?"


@pytest.fixture
def pages(push):
    for url, text in PAGES.items():
        push(url, text)


def say(client, message, session="s1"):
    answer = client.post("/bot/default", json={"message": message, "sessionId": session})
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def rows(client, **query):
    answer = client.get("/transcripts", params={"order": "asc", **query})
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


@pytest.mark.parametrize(
    ("remark", "kind"),
    [
        ("hello", "greeting"),
        ("Thanks!", "thanks"),
        ("ok bye", "farewell"),
        ("you are great", "praise"),
        ("who are you?", "about"),
        ("\N{THUMBS UP SIGN}", "reaction"),
        ("???", "signs"),
    ],
)
def test_a_remark_is_answered_friendly_and_marked_on_both_rows(
    client, settings, pages, remark, kind
):
    data = say(client, remark)
    assert (data["hasRagContext"], data["sources"]) == (False, [])
    assert data["response"] not in ("", settings.nothing_found)
    question, answer = rows(client)
    assert (question["message"], answer["message"]) == (remark, data["response"])
    for row in (question, answer):
        assert row["metadata"]["small_talk"] == kind
        assert (row["has_rag_context"], row["rag_context"]) == (False, None)
    assert answer["metadata"]["model"] is None


def test_the_reply_is_in_the_language_of_the_remark(client):
    assert "Hilfe" not in say(client, "Guten Tag")["response"]
    assert say(client, "Guten Tag")["response"].startswith("Hallo")
    assert say(client, "bonjour")["response"].startswith("Bonjour")
    assert say(client, "hi")["response"].startswith("Hello")


def test_a_stream_has_no_sources(client, pages):
    answer = client.post("/chat/default/stream", json={"message": "thanks a lot"})
    events = [
        (event, json.loads(data))
        for event, data in re.findall(r"^event: (\S+)\ndata: (.*)$", answer.text, re.M)
    ]
    assert [event for event, _ in events] == ["sources", "delta", "done"]
    assert (events[0][1]["hasRagContext"], events[0][1]["sources"]) == (False, [])
    assert events[2][1]["hasRagContext"] is False
    assert events[2][1]["usage"]["totalTokens"] == 0


def test_an_automatic_reply_marks_the_message_that_it_answers(client, pages):
    body = {"sender_id": "u", "sender_type": "user", "text": "Thank you!", "metadata": {"a": [1]}}
    assert client.post("/messages", json=body).status_code == 200
    query = {"types": "message.created", "wait": 20}
    after = client.get("/events", params=query).json()["data"]
    while not any(e["data"]["message"]["role"] == "assistant" for e in after["events"]):
        after = client.get("/events", params={**query, "after": after["next"]}).json()["data"]
    question, answer = rows(client)
    assert question["metadata"] == {"a": [1], "small_talk": "thanks"}
    assert answer["metadata"]["small_talk"] == "thanks"
    assert question["has_rag_context"] is answer["has_rag_context"] is False


def test_a_greeting_before_a_question_asks_the_question(client, pages):
    assert say(client, f"Hello, {SHIPPING}")["hasRagContext"] is True
    assert all("small_talk" not in row["metadata"] for row in rows(client))


def test_a_follow_up_goes_on_from_the_question_before_the_thanks(client, pages):
    assert say(client, SHIPPING)["hasRagContext"] is True
    assert say(client, "thanks, that helps a lot")["hasRagContext"] is False
    followed = say(client, "and to Canada?")
    assert followed["hasRagContext"] is True
    assert "24 dollars" in followed["response"]


def test_after_an_answer_a_remark_is_no_follow_up(client, pages):
    assert say(client, SHIPPING)["hasRagContext"] is True
    for remark in (
        "ok, that is all",
        "how are you?",
        "That was not my question",
        "yes",
        "who are you?",
    ):
        assert say(client, remark)["hasRagContext"] is False, remark


def test_unanswered_questions_are_told_from_remarks_by_their_metadata(client, pages):
    for message in ("hello", "Quetzal zephyr plumage", "bye"):
        say(client, message)
    unanswered = rows(client, role="user", has_rag_context="no")
    gaps = [row["message"] for row in unanswered if "small_talk" not in row["metadata"]]
    assert len(unanswered) == 3
    assert gaps == ["Quetzal zephyr plumage"]
    answer = client.get("/transcripts", headers={"Accept": "application/x-ndjson"})
    marks = [json.loads(line)["metadata"].get("small_talk") for line in answer.text.splitlines()]
    assert sorted(filter(None, marks)) == ["farewell", "farewell", "greeting", "greeting"]


def test_a_search_takes_the_same_decision_and_still_lists_what_is_near(client, pages):
    for query, kind in (("hello", "greeting"), ("thanks", "thanks"), ("bye", "farewell")):
        found = client.get("/search", params={"query": query}).json()
        assert (found["has_rag_context"], found["confidence"]) == (False, 0)
        assert found["small_talk"] == kind
        assert found["results"]
    assert "small_talk" not in client.get("/search", params={"query": SHIPPING}).json()


def test_a_page_that_surely_says_who_the_assistant_is_answers_that(client, settings, push):
    push("https://e.com/about", "Who are you? I am Robbie, the robot of the town library.")
    with assemble(settings) as service:
        service.store.knowledge.calibrate(ALL_BOTS, "default", Calibration(shift=20.0))
    for _ in range(2):
        data = say(client, "Who are you?")
    assert data["hasRagContext"] is True
    assert "Robbie" in data["response"]
    assert say(client, "How are you?")["hasRagContext"] is False


def test_recognition_can_be_turned_off_and_the_reply_be_ones_own(settings, token):
    for changes, response, mark in (
        ({"small_talk": False}, settings.nothing_found, None),
        ({"small_talk_reply": "Ask me about shoes."}, "Ask me about shoes.", "greeting"),
    ):
        with TestClient(create_app(replace(settings, **changes))) as client:
            client.headers["Authorization"] = f"Bearer {token}"
            assert say(client, "Guten Morgen", str(mark))["response"] == response
            for row in rows(client, session_id=str(mark)):
                assert row["metadata"].get("small_talk") == mark
