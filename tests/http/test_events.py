"""/events over HTTP: pages by cursor, held answers, and the live stream."""

import threading
import time
from itertools import islice

import msgspec
import pytest
from served import served

from rag_service.assembly import assemble


def feed(client, **query):
    answer = client.get("/events", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "success"
    assert set(answer.json()["data"]) == {"events", "next"}
    return answer.json()["data"]["events"], answer.json()["data"]["next"]


def refused(answer, name):
    assert answer.status_code == 400, answer.text
    assert (answer.json()["status"], answer.json()["data"]) == ("error", None)
    assert answer.json()["message"].startswith(f"{name}: ")


def begin(client, conversation_id, bot="default"):
    path = f"/chat/{bot}/conversations"
    answer = client.post(path, json={"conversationId": conversation_id})
    assert answer.status_code == 201, answer.text


def named(events):
    return [event["data"]["conversation_id"] for event in events]


@pytest.mark.parametrize("mount", ["", "/v1"])
def test_an_event_tells_what_happened(client, mount):
    begin(client, "con_1")
    answer = client.get(f"{mount}/events").json()
    (event,) = answer["data"]["events"]
    assert set(event) >= {"id", "type", "created_at", "data"}
    assert event["id"].startswith("evt_")
    assert event["type"] == "conversation.created"
    assert event["created_at"].endswith("Z")
    assert event["data"]["conversation_id"] == "con_1"


def test_pages_by_next_and_by_an_events_id_are_everything_in_order(client):
    names = [f"con_{n}" for n in range(7)]
    for name in names:
        begin(client, name)
    by_next, after = [], None
    for count in (3, 3, 1, 0):
        page, after = feed(client, limit=3, **({"after": after} if after else {}))
        assert len(page) == count
        by_next += page
    assert named(by_next) == names
    begin(client, "con_later")
    assert named(feed(client, after=after)[0]) == ["con_later"]
    assert named(feed(client, after=by_next[3]["id"], limit=2)[0]) == ["con_4", "con_5"]


def test_types_narrow_and_a_cursor_passes_over_the_others(client, push):
    begin(client, "con_1")
    push("https://example.com/a", "text")
    client.request("DELETE", "/knowledge", json={"source_url": "https://example.com/a"})
    kinds = [event["type"] for event in feed(client)[0]]
    assert kinds == ["conversation.created", "knowledge.upserted", "knowledge.deleted"]
    some, after = feed(client, types="knowledge.deleted,conversation.created")
    assert [event["type"] for event in some] == ["conversation.created", "knowledge.deleted"]
    assert feed(client, after=after)[0] == []
    assert feed(client, types="message.created")[0] == []


def test_wrong_parameters_are_named(client):
    for name, value in (
        ("after", "evt_0"),
        ("after", "rubbish"),
        ("types", "message.created,nonsense"),
        ("limit", "0"),
        ("limit", "1001"),
        ("limit", "x"),
        ("wait", "-1"),
        ("wait", "31"),
        ("wait", "x"),
    ):
        refused(client.get("/v1/events", params={name: value}), name)


def test_wait_answers_as_soon_as_something_is_written(client):
    _, after = feed(client)
    timer = threading.Timer(0.3, begin, (client, "con_1"))
    timer.start()
    start = time.monotonic()
    events, _ = feed(client, after=after, wait=25)
    timer.join()
    assert named(events) == ["con_1"]
    assert time.monotonic() - start < 25, "it waited as long as it was allowed to"


def test_wait_answers_at_once_when_there_is_something(client):
    begin(client, "con_1")
    start = time.monotonic()
    assert named(feed(client, wait=25)[0]) == ["con_1"]
    assert time.monotonic() - start < 25, "it waited as long as it was allowed to"


def test_wait_ends_without_events_after_its_time(client):
    start = time.monotonic()
    events, after = feed(client, wait=1)
    assert events == []
    assert time.monotonic() - start > 0.9
    assert feed(client, after=after)[0] == []


def test_a_bound_token_sees_only_its_bots_events(client, settings):
    assert client.post("/bots", json={"id": "mine"}).status_code == 201
    begin(client, "con_theirs")
    begin(client, "con_mine", "mine")
    with assemble(settings) as service:
        bound = service.access.create("bound", ["chat"], bot_id="mine")
        other = service.access.create("other", ["transcripts"])
    client.headers["Authorization"] = f"Bearer {bound}"
    events, after = feed(client)
    assert named(events) == ["con_mine"]
    assert feed(client, after=after)[0] == []
    client.headers["Authorization"] = f"Bearer {other}"
    assert client.get("/events").status_code == 403


def test_events_of_contacts_are_for_admins(client, settings):
    assert client.post("/contacts", json={"email": "ana@example.com"}).status_code == 201
    begin(client, "con_1")
    kinds = [event["type"] for event in feed(client)[0]]
    assert kinds == ["contact.created", "conversation.created"]
    with assemble(settings) as service:
        token = service.access.create("chat", ["chat"])
    client.headers["Authorization"] = f"Bearer {token}"
    events, after = feed(client)
    assert named(events) == ["con_1"]
    assert feed(client, after=after)[0] == []
    assert "ana@example.com" not in client.get("/events").text
    asked = client.get("/events", params={"types": "contact.created,message.created"})
    assert asked.status_code == 403


def test_a_live_stream_goes_on_from_the_last_event(settings):
    settings = msgspec.structs.replace(settings, rate_chat="off")
    with assemble(settings) as service:
        token = service.access.create("tests", ["admin"])
    with served(settings) as (client, _):
        client.headers["Authorization"] = f"Bearer {token}"
        for n in range(3):
            begin(client, f"con_{n}")
        events, _ = feed(client)
        headers = {"Accept": "text/event-stream", "Last-Event-ID": events[0]["id"]}
        with client.stream("GET", "/v1/events", headers=headers) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            ids = (line for line in answer.iter_lines() if line.startswith("id: "))
            former = list(islice(ids, 2))
            begin(client, "con_live")
            live = next(ids)
        assert former == [f"id: {event['id']}" for event in events[1:]]
        assert live == f"id: {feed(client)[0][-1]['id']}"
        from_now = {"Accept": "text/event-stream"}
        with client.stream("GET", "/events", headers=from_now) as answer:
            every = answer.iter_lines()
            next(every)  # it is open
            begin(client, "con_now")
            data = next(line for line in every if line.startswith("data: "))
        assert named([msgspec.json.decode(data.removeprefix("data: "))]) == ["con_now"]
        unknown = client.get("/events", headers={**headers, "Last-Event-ID": "evt_0"})
        assert unknown.status_code == 400
