"""What could not be answered, over HTTP."""

import csv
import io
import json

import pytest
from open_gaps import considered

from rag_service.assembly import assemble

BIKES = "Where can I park my bicycle near the station?"
BIKE = "Can I park my bicycle near the station somewhere?"
PARKING = "You can park your bicycle near the station, in the racks beside the north entrance."
TRAINS = "Trains leave every hour from platform four."


def ask(client, question, user=None, bot="default", **more):
    metadata = {"userId": user} if user else {}
    answer = client.post(f"/bot/{bot}", json={"message": question, "metadata": metadata, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


@pytest.fixture
def asked(client, push):
    """Two people have asked what no page answers."""
    push("https://e.com/trains", TRAINS)
    ask(client, BIKES, "ana")
    ask(client, BIKE, "ben")
    return client


def only_gap(client):
    (gap,) = considered(client)
    return gap


def test_what_found_nothing_is_a_gap_with_its_people_and_what_is_nearest(asked):
    gap = only_gap(asked)
    assert (gap["state"], gap["kind"], gap["questions"], gap["people"]) == ("open", "none", 2, 2)
    assert gap["title"] in (BIKES, BIKE)
    assert gap["best_match"]["source_url"] == "https://e.com/trains"
    assert gap["confidence"] < 0.5
    detail = asked.get(f"/gaps/{gap['gap_id']}").json()
    assert [item["text"] for item in detail["items"]] == [BIKE, BIKES]
    assert [entry["what"] for entry in detail["history"]] == ["opened"]


def test_a_page_closes_it_with_the_evidence_and_its_end_opens_it_again(asked, push):
    gap_id = only_gap(asked)["gap_id"]
    pushed = push("https://e.com/bicycles", PARKING)
    gap = only_gap(asked)
    assert (gap["gap_id"], gap["state"]) == (gap_id, "closed")
    by = gap["closed_by"]
    assert by["reason"] == "knowledge"
    assert by["source_url"] == "https://e.com/bicycles"
    assert by["document_id"] == pushed["document_id"]
    assert by["confidence_before"] < 0.5 <= by["confidence_after"]
    asked.request("DELETE", "/knowledge", json={"source_url": "https://e.com/bicycles"})
    gap = only_gap(asked)
    assert (gap["state"], gap["reopened"], gap["closed_by"]) == ("open", 1, None)
    history = asked.get(f"/gaps/{gap_id}").json()["history"]
    assert [entry["what"] for entry in history] == ["opened", "closed", "reopened"]
    assert history[-1]["evidence"]["cause"] == "removed"
    assert history[-1]["evidence"]["closed_by"]["source_url"] == "https://e.com/bicycles"


def test_a_question_is_asked_again_with_the_filter_it_was_asked_with(asked, push):
    only_gap(asked)
    ask(asked, BIKES, "cem", filter={"town": "Bern"})
    ask(asked, BIKES, "dan", filter={"town": "Basel"})
    push("https://e.com/basel", PARKING, metadata={"town": "Basel"})
    gap = only_gap(asked)
    assert (gap["state"], gap["questions"]) == ("open", 4)
    items = asked.get(f"/gaps/{gap['gap_id']}").json()["items"]
    assert [item["answered"] for item in items] == [True, False, True, True]
    push("https://e.com/bern", PARKING, metadata={"town": "Bern"})
    assert only_gap(asked)["state"] == "closed"
    asked.request("DELETE", "/knowledge", json={"source_url": "https://e.com/basel"})
    items = asked.get(f"/gaps/{gap['gap_id']}").json()["items"]
    assert only_gap(asked)["state"] == "open"
    items = asked.get(f"/gaps/{gap['gap_id']}").json()["items"]
    assert [item["answered"] for item in items] == [False, True, True, True]


def test_an_edit_that_takes_the_answer_away_opens_it_again(asked, push):
    push("https://e.com/bicycles", PARKING)
    assert only_gap(asked)["state"] == "closed"
    push("https://e.com/bicycles", "The north entrance is closed on Sundays.")
    assert only_gap(asked)["state"] == "open"


def test_an_edit_that_keeps_the_answer_keeps_it_closed(asked, push):
    push("https://e.com/bicycles", PARKING)
    assert only_gap(asked)["state"] == "closed"
    push("https://e.com/bicycles", PARKING + " It is free.")
    gap = only_gap(asked)
    assert (gap["state"], gap["reopened"]) == ("closed", 0)


def test_one_who_asks_often_counts_as_one(client, push):
    push("https://e.com/trains", TRAINS)
    for _ in range(5):
        ask(client, BIKES, "ana")
    gap = only_gap(client)
    assert (gap["questions"], gap["people"]) == (5, 1)


def test_a_session_counts_where_the_sender_is_not_known(client, push):
    push("https://e.com/trains", TRAINS)
    for _ in range(2):
        ask(client, BIKES)
    assert only_gap(client)["people"] == 2


@pytest.mark.parametrize("question", ["hello", "Thanks, that helps", "who are you?"])
def test_small_talk_is_no_gap(client, push, question):
    push("https://e.com/trains", TRAINS)
    ask(client, question)
    assert considered(client) == []


def test_a_question_to_an_empty_knowledge_is_no_gap(client):
    ask(client, BIKES)
    assert considered(client) == []


def test_an_answer_from_the_ledger_closes_the_gap_on_evidence(asked):
    gap_id = only_gap(asked)["gap_id"]
    body = {"answer": "Yes: park your bicycle near the station in the racks by the north entrance."}
    preview = asked.post(f"/gaps/{gap_id}/answer?dry_run=true", json=body).json()
    assert [gap["gap_id"] for gap in preview["gaps"]["closes"]] == [gap_id]
    assert only_gap(asked)["state"] == "open"
    answer = asked.post(f"/gaps/{gap_id}/answer", json=body).json()
    assert answer["gap"]["state"] == "closed"
    assert answer["gap"]["closed_by"]["reason"] == "answer"
    url = f"gap://default/{gap_id}"
    assert answer["push"]["source_url"] == url
    document = asked.get(f"/knowledge/{answer['push']['document_id']}").json()
    assert document["content_type"] == "faq"
    assert document["text"].startswith("Q: ")
    assert ask(asked, BIKE, "cem")["hasRagContext"]
    again = asked.post(f"/gaps/{gap_id}/answer", json={"answer": "It rains."}).json()
    assert again["push"]["source_url"] == url
    assert asked.get("/knowledge", params={"source_url": url}).json()["total"] == 1


def test_an_answer_that_does_not_answer_leaves_the_gap_open(asked):
    gap_id = only_gap(asked)["gap_id"]
    body = {"answer": "Mauve.", "title": "Colours of the year"}
    answer = asked.post(f"/gaps/{gap_id}/answer", json=body).json()
    assert answer["gap"]["state"] == "open"
    items = asked.get(f"/gaps/{gap_id}").json()["items"]
    assert not any(item["answered"] for item in items)


def test_an_answer_may_hold_the_wording_of_questions(asked):
    gap_id = only_gap(asked)["gap_id"]
    items = asked.get(f"/gaps/{gap_id}").json()["items"]
    body = {"answer": "In the racks.", "questions": [item["message_id"] for item in items]}
    answer = asked.post(f"/gaps/{gap_id}/answer", json=body).json()
    text = asked.get(f"/knowledge/{answer['push']['document_id']}").json()["text"]
    assert BIKES in text
    assert BIKE in text
    strange = asked.post(f"/gaps/{gap_id}/answer", json={**body, "questions": ["msg_none"]})
    assert strange.status_code == 400


@pytest.mark.parametrize(
    "body", [{}, {"answer": " "}, {"answer": 3}, {"answer": "x", "source_url": "no url"}]
)
def test_a_bad_answer_is_refused_and_changes_nothing(asked, body):
    gap_id = only_gap(asked)["gap_id"]
    assert asked.post(f"/gaps/{gap_id}/answer", json=body).status_code == 400
    assert asked.get("/knowledge").json()["total"] == 1


def test_a_dry_run_of_a_push_and_of_a_delete_tells_what_would_become_of_gaps(asked, push):
    gap_id = only_gap(asked)["gap_id"]
    page = {"source_url": "https://e.com/bicycles", "content": PARKING}
    told = asked.post("/knowledge?dry_run=true&gaps=true", json=page).json()["gaps"]
    assert ([gap["gap_id"] for gap in told["closes"]], told["reopens"]) == ([gap_id], [])
    assert "gaps" not in asked.post("/knowledge?dry_run=true", json=page).json()
    push("https://e.com/bicycles", PARKING)
    assert only_gap(asked)["state"] == "closed"
    body = {"source_url": page["source_url"]}
    answer = asked.request("DELETE", "/knowledge?dry_run=true", json=body).json()
    assert answer["urls_deleted"] == 1
    assert [gap["gap_id"] for gap in answer["gaps"]["reopens"]] == [gap_id]
    assert asked.get("/knowledge").json()["total"] == 2


def test_a_gap_that_is_dismissed_takes_in_what_is_like_it(asked):
    gap_id = only_gap(asked)["gap_id"]
    answer = asked.patch(f"/gaps/{gap_id}", json={"state": "dismissed", "note": "not ours"})
    assert (answer.json()["state"], answer.json()["note"]) == ("dismissed", "not ours")
    ask(asked, BIKES, "cem")
    gap = only_gap(asked)
    assert (gap["state"], gap["questions"]) == ("dismissed", 3)
    assert asked.get("/gaps").json()["total"] == 0


def test_a_gap_that_was_closed_by_hand_opens_when_it_is_asked_again(asked):
    gap_id = only_gap(asked)["gap_id"]
    closed = asked.patch(f"/gaps/{gap_id}", json={"state": "closed"}).json()
    assert closed["closed_by"]["reason"] == "manual"
    assert only_gap(asked)["state"] == "closed"
    ask(asked, BIKES, "cem")
    gap = only_gap(asked)
    assert (gap["gap_id"], gap["state"], gap["questions"]) == (gap_id, "open", 3)


def test_a_title_is_a_persons_until_it_is_blank_again(asked):
    gap = only_gap(asked)
    path = f"/gaps/{gap['gap_id']}"
    assert asked.patch(path, json={"title": "Bicycles"}).json()["title"] == "Bicycles"
    assert asked.patch(path, json={"note": "x"}).json()["title"] == "Bicycles"
    assert asked.patch(path, json={"title": ""}).json()["title"] == gap["title"]


def two_gaps(client, push):
    push("https://e.com/trains", TRAINS)
    ask(client, BIKES, "ana")
    ask(client, "Which restaurant serves vegetarian breakfast?", "ben")
    first, second = considered(client)
    return first["gap_id"], second["gap_id"]


def test_a_gap_that_was_merged_leads_to_the_one_it_went_into(client, push):
    kept, gone = two_gaps(client, push)
    merged = client.post(f"/gaps/{kept}/merge", json={"gap_ids": [gone]}).json()
    assert (merged["gap_id"], merged["questions"], merged["people"]) == (kept, 2, 2)
    found = client.get(f"/gaps/{gone}").json()
    assert (found["gap_id"], found["merged_into"]) == (kept, kept)
    assert [gap["gap_id"] for gap in considered(client)] == [kept]
    assert client.get(f"/gaps/{kept}").json()["history"][-1]["what"] == "merged"


def test_the_note_of_a_gap_that_was_merged_is_kept(client, push):
    kept, gone = two_gaps(client, push)
    for gap_id in (kept, gone):
        client.patch(f"/gaps/{gap_id}", json={"note": f"about {gap_id}"})
    merged = client.post(f"/gaps/{kept}/merge", json={"gap_ids": [gone]}).json()
    assert merged["note"] == f"about {kept}\nabout {gone}"


def test_a_gap_that_somebody_opened_stays_open_until_it_is_judged_again(asked, push):
    gap_id = only_gap(asked)["gap_id"]
    push("https://e.com/bicycles", PARKING)
    assert only_gap(asked)["state"] == "closed"
    asked.patch(f"/gaps/{gap_id}", json={"state": "open"})
    ask(asked, "Which restaurant serves vegetarian breakfast?", "ben")
    states = {gap["gap_id"]: gap["state"] for gap in considered(asked)}
    assert states[gap_id] == "open"
    push("https://e.com/bicycles", PARKING + " It is free.")
    assert {gap["gap_id"]: gap["state"] for gap in considered(asked)}[gap_id] == "closed"


def test_a_gap_cannot_be_merged_into_itself_nor_with_what_is_not_there(client, push):
    kept, _ = two_gaps(client, push)
    assert client.post(f"/gaps/{kept}/merge", json={"gap_ids": [kept]}).status_code == 409
    assert client.post(f"/gaps/{kept}/merge", json={"gap_ids": ["gap_no"]}).status_code == 404
    assert client.post(f"/gaps/{kept}/merge", json={"gap_ids": []}).status_code == 400


def test_gaps_of_two_bots_are_not_merged(client, push):
    push("https://e.com/trains", TRAINS)
    push("https://e.com/trains", TRAINS, bot_id="other")
    ask(client, BIKES)
    ask(client, BIKES, bot="other")
    first, second = considered(client)
    answer = client.post(f"/gaps/{first['gap_id']}/merge", json={"gap_ids": [second["gap_id"]]})
    assert answer.status_code == 409


def test_a_token_sees_the_gaps_of_its_bot_alone(asked, settings):
    gap_id = only_gap(asked)["gap_id"]
    with assemble(settings) as service:
        token = service.access.create("other", ["admin"], bot_id="other", rates={"data": "off"})
    other = {"Authorization": f"Bearer {token}"}
    assert asked.get("/gaps?state=all", headers=other).json()["total"] == 0
    for method, path in (
        ("GET", f"/gaps/{gap_id}"),
        ("PATCH", f"/gaps/{gap_id}"),
        ("POST", f"/gaps/{gap_id}/merge"),
        ("POST", f"/gaps/{gap_id}/answer"),
    ):
        body = {"gap_ids": ["gap_1"], "answer": "x", "state": "closed"}
        assert asked.request(method, path, json=body, headers=other).status_code == 404
    assert asked.get("/gaps/golden", headers=other).text == ""


def test_to_answer_needs_the_right_to_push(asked, settings):
    gap_id = only_gap(asked)["gap_id"]
    with assemble(settings) as service:
        token = service.access.create("reader", ["transcripts"], rates={"data": "off"})
    reader = {"Authorization": f"Bearer {token}"}
    assert asked.get("/gaps", headers=reader).status_code == 200
    body = {"answer": "In the racks."}
    assert asked.post(f"/gaps/{gap_id}/answer", json=body, headers=reader).status_code == 403


def test_a_rejected_answer_is_a_gap_until_the_rating_is_taken_back(client, push):
    push("https://e.com/trains", TRAINS)
    answer = ask(client, "When do trains leave from platform four?", "ana")
    path = f"/messages/{answer['messageId']}/feedback"
    rated = client.post(path, json={"rating": "down", "comment": "not today"}).json()
    assert rated["data"]["feedback"] == {"rating": "down", "comment": "not today"}
    gap = only_gap(client)
    assert (gap["kind"], gap["state"]) == ("rejected", "open")
    row = client.get("/transcripts?role=assistant").json()["items"][0]
    assert row["feedback"]["rating"] == "down"
    in_chat = client.post(
        f"/chat/default/messages/{answer['messageId']}/feedback", json={"rating": None}
    )
    assert in_chat.json()["data"]["feedback"] is None
    assert considered(client) == []


def test_a_rejected_answer_is_answered_by_a_page_that_came_since(client, push):
    push("https://e.com/trains", TRAINS)
    question = "When do trains leave from platform four?"
    answer = ask(client, question, "ana")
    client.post(f"/messages/{answer['messageId']}/feedback", json={"rating": "down"})
    assert only_gap(client)["state"] == "open"
    push("https://e.com/new", f"When do trains leave from platform four? {TRAINS}")
    gap = only_gap(client)
    assert gap["state"] == "closed"
    assert gap["closed_by"]["source_url"] == "https://e.com/new"


@pytest.mark.parametrize("body", [{}, {"rating": "meh"}, {"rating": 1}])
def test_a_bad_rating_is_refused(client, push, body):
    push("https://e.com/trains", TRAINS)
    answer = ask(client, "When do trains leave?")
    path = f"/messages/{answer['messageId']}/feedback"
    assert client.post(path, json=body).status_code == 400


def test_only_answers_are_rated(asked):
    question = asked.get("/transcripts?role=user").json()["items"][0]
    path = f"/messages/{question['message_id']}/feedback"
    assert asked.post(path, json={"rating": "up"}).status_code == 409
    assert asked.post("/messages/msg_none/feedback", json={"rating": "up"}).status_code == 404


def test_golden_questions_are_those_of_closed_gaps_and_those_rated_up(asked, push):
    push("https://e.com/bicycles", PARKING)
    assert only_gap(asked)["state"] == "closed"
    answer = ask(asked, "When do trains leave from platform four?")
    asked.post(f"/messages/{answer['messageId']}/feedback", json={"rating": "up"})
    lines = [json.loads(line) for line in asked.get("/gaps/golden").text.splitlines()]
    assert {line["question"]: line["source_urls"] for line in lines} == {
        BIKES: ["https://e.com/bicycles"],
        BIKE: ["https://e.com/bicycles"],
        "When do trains leave from platform four?": ["https://e.com/trains"],
    }


def test_deleted_conversations_leave_no_question_in_any_gap(asked):
    session_ids = [row["session_id"] for row in asked.get("/transcripts").json()["items"]]
    gap = only_gap(asked)
    first = {"session_ids": session_ids[:1]}
    asked.request("DELETE", "/transcripts", json=first)
    left = only_gap(asked)
    assert (left["gap_id"], left["questions"], left["people"]) == (gap["gap_id"], 1, 1)
    detail = asked.get(f"/gaps/{gap['gap_id']}").json()
    assert detail["title"] == detail["items"][0]["text"]
    asked.request("DELETE", "/transcripts", json={"session_ids": session_ids})
    assert considered(asked) == []
    assert asked.get(f"/gaps/{gap['gap_id']}").status_code == 404


def test_gaps_are_filtered_sorted_and_exported(client, push):
    push("https://e.com/trains", TRAINS)
    ask(client, BIKES, "ana")
    ask(client, BIKES, "ben")
    ask(client, "Which restaurant serves vegetarian breakfast?", "ben")
    many, one = considered(client)
    assert (many["people"], one["people"]) == (2, 1)

    def ids(**params):
        return [gap["gap_id"] for gap in client.get("/gaps", params=params).json()["items"]]

    assert ids(order="asc") == [one["gap_id"], many["gap_id"]]
    assert ids(min_questions=2) == [many["gap_id"]]
    assert ids(q="VEGETARIAN") == [one["gap_id"]]
    assert ids(q="Gé") == ids(q="zq") == ids(q="no such words") == []
    assert ids(q="WH") == [many["gap_id"], one["gap_id"]]
    client.patch(f"/gaps/{many['gap_id']}", json={"title": 'Vélos "gratuits"'})
    assert ids(q="ÉL") == ids(q='os "GRA') == [many["gap_id"]]
    assert ids(kind="rejected") == []
    assert ids(since="2999-01-01") == []
    assert ids(limit=1, offset=1) == [one["gap_id"]]
    text = client.get("/gaps", headers={"Accept": "text/csv"}).text
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [row["gap_id"] for row in rows] == [many["gap_id"], one["gap_id"]]
    lines = client.get("/gaps", headers={"Accept": "application/x-ndjson"}).text.splitlines()
    assert [json.loads(line)["gap_id"] for line in lines] == [many["gap_id"], one["gap_id"]]


@pytest.mark.parametrize(
    "query", ["state=shut", "sort=colour", "limit=0", "min_questions=0", "kind=x", "since=never"]
)
def test_a_bad_filter_is_refused(client, query):
    assert client.get(f"/gaps?{query}").status_code == 400


def test_a_follow_up_counts_as_the_question_that_was_searched(client, push):
    push("https://e.com/trains", TRAINS)
    first = ask(client, "Which restaurant serves vegetarian breakfast?")
    client.post(
        "/chat/default/stream",
        json={"message": "And for children?", "conversationId": first["conversationId"]},
    )
    assert {gap["state"] for gap in considered(client)} == {"open"}
