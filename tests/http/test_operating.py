"""What whoever runs the service looks at: models, loops, batches and tokens."""

import json

import pytest
from open_gaps import considered

from rag_service.assembly import assemble


def holder_of(settings, name, scopes, bot_id=None):
    with assemble(settings) as service:
        return {"Authorization": f"Bearer {service.access.create(name, scopes, bot_id)}"}


def test_the_status_names_models_and_loops(client):
    status = client.get("/status").json()
    assert status["models"] == {"embedding": "hashing:1024", "chat": "extractive", "rerank": ""}
    assert {"warm-up", "sealing orders"} <= {loop["name"] for loop in status["loops"]}
    assert all(loop["failures"] == 0 and loop["error"] is None for loop in status["loops"])


def test_batches_are_listed_newest_first_by_state(client):
    line = json.dumps({"source_url": "https://e.com/a", "content": "One."})
    first = client.post("/knowledge/batch?wait=1", content=line).headers["x-job-id"]
    second = client.post("/knowledge/batch?wait=1", content="no json\n").headers["x-job-id"]
    page = client.get("/jobs").json()
    assert [job["job_id"] for job in page["items"]] == [second, first]
    assert (page["total"], page["items"][0]["failed"]) == (2, 1)
    state = page["items"][1]["state"]
    assert first in [job["job_id"] for job in client.get(f"/jobs?state={state}").json()["items"]]
    assert client.get("/jobs?limit=1&offset=1").json()["items"][0]["job_id"] == first
    assert client.get("/jobs?state=asleep").status_code == 400


def test_tokens_are_listed_without_what_opens_the_door(client, settings):
    holder_of(settings, "shop", ["chat"], "shop")
    items = client.get("/tokens").json()["items"]
    assert [(one["name"], one["scopes"], one["bot_id"]) for one in items] == [
        ("tests", ["admin"], None),
        ("shop", ["chat"], "shop"),
    ]
    token = client.headers["Authorization"].removeprefix("Bearer ")
    assert token not in client.get("/tokens").text


def test_a_token_that_is_bound_to_a_bot_sees_the_tokens_of_that_bot(client, settings):
    bound = holder_of(settings, "bound", ["admin"], "shop")
    names = [one["name"] for one in client.get("/tokens", headers=bound).json()["items"]]
    assert names == ["bound"]


def test_every_token_may_ask_what_it_may_do(client, settings):
    bound = holder_of(settings, "reader", ["chat"], "shop")
    own = {"name": "reader", "scopes": ["chat"], "bot_id": "shop"}
    assert client.get("/tokens/self", headers=bound).json() == own


@pytest.mark.parametrize("path", ["/status", "/tokens"])
def test_only_an_admin_looks_into_the_service(client, settings, path):
    reader = holder_of(settings, "reader", ["chat", "knowledge", "transcripts"])
    assert client.get(path, headers=reader).status_code == 403


@pytest.mark.parametrize(
    ("accept", "begins"),
    [("text/markdown", "# Questions without"), ("text/html", "<!doctype html>")],
)
def test_the_report_on_gaps_is_a_page_to_hand_on(client, accept, begins):
    answer = client.get("/gaps/report?since=-1+week", headers={"Accept": accept})
    assert answer.text.startswith(begins)
    assert answer.headers["content-type"].startswith(accept)


def test_the_questions_of_a_gap_are_counted_by_week(client, push, settings):
    push("https://e.com/hours", "We open at nine.")
    for _ in range(2):
        client.post("/bot/default", json={"message": "Where are the bike racks?"})
    (gap,) = considered(client)
    both = {"gap_id": f"{gap['gap_id']},gap_none", "weeks": 3}
    answer = client.get("/gaps/activity", params=both).json()
    counted = {"gap_id": gap["gap_id"], "questions": [0, 0, 2]}
    assert answer == {"weeks": 3, "items": [counted]}
    for bad in ("", "?gap_id=,", "?gap_id=a&weeks=0", f"?gap_id={',a' * 101}"):
        assert client.get(f"/gaps/activity{bad}").status_code == 400
    bound = holder_of(settings, "other", ["transcripts"], "other")
    assert client.get("/gaps/activity", params=both, headers=bound).json()["items"] == []


def test_the_report_counts_the_questions_of_each_week(client, push, settings):
    push("https://e.com/hours", "We open at nine.")
    client.post("/bot/default", json={"message": "Where are the bike racks?"})
    week = client.get("/gaps/report?bot_id=default").json()["weeks"][0]
    assert (week["questions"], week["answered"]) == (1, 0)
    bound = holder_of(settings, "other", ["transcripts"], "other")
    assert client.get("/gaps/report?bot_id=default", headers=bound).status_code == 403
    assert client.get("/gaps/report", headers=bound).json()["weeks"] == []
