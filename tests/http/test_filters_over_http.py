"""A filter at each door over HTTP: search, chat, lists and deletes."""

import json
import threading

import pytest

BIRDS = {"topic": "birds", "price": 5}


@pytest.fixture
def shelf(client, push):
    push("https://e.com/a", "The heron waits in the reeds.", metadata=BIRDS)
    push("https://e.com/b", "The heron is drawn on the plane.", metadata={"topic": "planes"})
    push("https://e.com/c", "The heron of nobody.", content_type="faq")
    return client


def urls(answer, of="results"):
    assert answer.status_code == 200, answer.text
    return sorted(one["source_url"][-1] for one in answer.json()[of])


def faults(answer):
    assert answer.status_code == 400, answer.text
    return answer.json()["data"]["params"]


def test_a_search_takes_a_filter_in_its_body_and_in_its_query(shelf):
    for asked, expected in (
        ({"topic": "birds"}, ["a"]),
        ({"topic": ["birds", "planes"]}, ["a", "b"]),
        ({"price": {"gte": 5, "lt": 6}}, ["a"]),
        ({"not": {"topic": "birds"}}, ["b", "c"]),
        ({"topic": {"ne": "birds"}}, ["b"]),
        ({"any": [{"price": 5}, {"content_type": "faq"}]}, ["a", "c"]),
        ({"nobody": "has it"}, []),
        ({}, ["a", "b", "c"]),
    ):
        body = {"query": "heron", "filter": asked}
        assert urls(shelf.post("/search", json=body)) == expected
        query = {"query": "heron", "filter": json.dumps(asked)}
        assert urls(shelf.get("/search", params=query)) == expected
        assert urls(shelf.get("/knowledge", params={"filter": json.dumps(asked)}), "items") == (
            expected
        )
    both = {"query": "heron", "content_type": "faq", "filter": {"topic": "birds"}}
    assert urls(shelf.post("/search", json=both)) == []


@pytest.mark.parametrize("nothing", [None, "", {}, []])
def test_a_filter_that_is_left_out_is_none(shelf, nothing):
    assert len(urls(shelf.post("/search", json={"query": "heron", "filter": nothing}))) == 3


@pytest.mark.parametrize(
    "asked",
    [
        5,
        "topic",
        {"a": {"regex": "x"}},
        {"a": {"gte": None}},
        {"any": {}},
        {"a": list(range(20_000))},
    ],
    ids=str,
)
def test_what_is_no_filter_is_told_at_every_door(shelf, asked):
    for method, path, body in (
        ("POST", "/search", {"query": "heron"}),
        ("DELETE", "/knowledge", {}),
        ("DELETE", "/knowledge?dry_run=true", {}),
    ):
        answer = shelf.request(method, path, json={**body, "filter": asked})
        assert set(faults(answer)) == {"filter"}
    text = json.dumps(asked)
    if len(text) < 1000:
        assert set(faults(shelf.get("/search", params={"query": "x", "filter": text}))) == {
            "filter"
        }
        assert set(faults(shelf.get("/knowledge", params={"filter": text}))) == {"filter"}
    chat = shelf.post("/chat/default/message", json={"message": "heron?", "filter": asked})
    assert chat.status_code == 400
    assert chat.json()["error"]["code"] == "INVALID_REQUEST"


def test_an_answer_is_made_of_what_the_filter_leaves(shelf, push):
    for n, topic in enumerate(("birds", "planes")):
        push(f"https://e.com/h{n}", f"The {topic} open at {n + 7}.", metadata={"topic": topic})
    asked = {"message": "When do the planes open?", "filter": {"topic": "birds"}}
    for path in ("/chat/default/message", "/bot/default"):
        told = shelf.post(path, json=asked).json()["data"]
        assert "8" not in told["response"], told
        assert {one["sourceUrl"] for one in told["sources"] + told["related"]} <= {
            "https://e.com/a",
            "https://e.com/h0",
        }
    other = {**asked, "filter": {"topic": "planes"}}
    assert "8" in shelf.post("/chat/default/message", json=other).json()["data"]["response"]
    streamed = shelf.post("/chat/default/stream", json=other)
    assert "https://e.com/h1" in streamed.text and "https://e.com/h0" not in streamed.text


def test_a_delete_by_filter_wants_the_number_of_its_dry_run(shelf):
    def delete(**body):
        path = "/knowledge?dry_run=true" if body.pop("dry", False) else "/knowledge"
        return shelf.request("DELETE", path, json=body)

    asked = {"not": {"topic": "birds"}}
    assert set(faults(delete(filter=asked))) == {"confirm"}
    told = delete(filter=asked, dry=True).json()
    assert (told["urls_deleted"], told["entries_removed"]) == (2, 2)
    assert [one["source_url"][-1] for one in told["results"]] == ["b", "c"]
    assert "gaps" in told
    refused = delete(filter=asked, confirm=3)
    assert refused.status_code == 409
    assert "3 documents were confirmed, and the filter leaves 2" in refused.json()["message"]
    assert shelf.get("/knowledge").json()["total"] == 3
    done = delete(filter=asked, confirm=2).json()
    assert (done["urls_deleted"], done["source_urls_requested"], done["bot_id"]) == (
        2,
        2,
        "default",
    )
    assert urls(shelf.get("/knowledge"), "items") == ["a"]
    assert delete(filter=asked, confirm=2).status_code == 409
    assert delete(filter=asked, confirm=0).json()["urls_deleted"] == 0
    in_query = {"filter": json.dumps({"topic": "birds"}), "confirm": "1"}
    assert shelf.delete("/knowledge", params=in_query).json()["urls_deleted"] == 1


def test_a_delete_takes_urls_or_a_filter_and_never_everything_by_mistake(shelf):
    def refused(**body):
        return set(faults(shelf.request("DELETE", "/knowledge", json=body)))

    assert refused() == {"source_url"}
    for nothing in ({}, [], "", None):
        assert refused(filter=nothing, confirm=3) == {"source_url"}
    assert refused(filter={"a": 1}, source_url="https://e.com/a") == {"filter"}
    assert refused(source_url="https://e.com/a", confirm=1) == {"confirm"}
    assert refused(filter={"a": 1}, confirm=-1) == {"confirm"}
    assert shelf.get("/knowledge").json()["total"] == 3


def test_of_deletes_at_once_one_is_confirmed(shelf):
    answers = []

    def delete():
        body = {"filter": {"topic": {"exists": True}}, "confirm": 2}
        answers.append(shelf.request("DELETE", "/knowledge", json=body).status_code)

    threads = [threading.Thread(target=delete) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 409, 409, 409]


def test_a_filter_deletes_in_one_bot_alone(shelf, push):
    push("https://e.com/d", "Elsewhere.", metadata=BIRDS, bot_id="other")
    body = {"filter": {"topic": "birds"}, "confirm": 1}
    assert shelf.request("DELETE", "/knowledge", json=body).json()["urls_deleted"] == 1
    assert urls(shelf.get("/knowledge", params={"bot_id": "other"}), "items") == ["d"]
