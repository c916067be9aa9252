"""/transcripts over HTTP: filters, exports, deletes that leave nothing, translations, clicks."""

import csv
import io
import json
from contextlib import closing
from time import sleep

import pytest

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import assemble
from rag_service.conversations.messages import Sender
from rag_service.conversations.store import NewMessage
from rag_service.storage.sqlite.driver import sqlite3


def say(client, session_id, text, sender_type="user", bot="default", **more):
    """A row without an answer."""
    path = f"/chat/{bot}/conversations"
    client.post(path, json={"conversationId": session_id})  # 409 when it is there
    body = {
        "conversation_id": session_id,
        "sender_id": "u1",
        "sender_type": sender_type,
        "text": text,
        "auto_reply": False,
        "bot_id": bot,
        **more,
    }
    answer = client.post("/messages", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]["message"]


def page(client, **query):
    answer = client.get("/transcripts", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def texts(client, **query):
    return [row["message"] for row in page(client, **{"order": "asc", **query})["items"]]


def faults(answer):
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] == "rest_invalid_param"
    return set(answer.json()["data"]["params"])


@pytest.fixture
def said(client):
    assert client.post("/bots", json={"id": "two"}).status_code == 201
    say(client, "s1", "one")
    say(client, "s1", "two", "agent")
    say(client, "s2", "three", "system")
    say(client, "s2", "four")
    say(client, "s3", "five", bot="two")
    asked = client.post("/bot/default", json={"message": "six", "sessionId": "s1"}).json()
    return asked["response"]


# -- filters ------------------------------------------------------------------------------------


def test_a_row_has_every_field_of_the_contract(client):
    metadata = {
        "userId": "user_789",
        "email": "a@example.com",
        "name": "Ann",
        "pageUrl": "https://example.com/p",
        "pageTitle": "P",
    }
    body = {"message": "What about Mars?", "metadata": metadata}
    asked = client.post("/chat/default/message", json=body).json()["data"]
    answer, question = page(client)["items"]
    assert answer["message_id"] == asked["messageId"]
    assert isinstance(question["id"], int)
    assert question["timestamp"].endswith("Z")
    assert question == {
        "id": question["id"],
        "session_id": asked["conversationId"],
        "bot_id": "default",
        "role": "user",
        "message": "What about Mars?",
        "timestamp": question["timestamp"],
        "has_rag_context": False,
        "rag_context": None,
        "message_id": question["message_id"],
        "user_id": "user_789",
        "user_identifier": "user_789",
        "user_email": "a@example.com",
        "user_name": "Ann",
        "originating_page_url": "https://example.com/p",
        "originating_page_title": "P",
        "feedback": None,
        "metadata": metadata,
    }


def test_both_rows_of_a_turn_carry_what_was_retrieved(client, push):
    push("https://example.com/a", "What are your hours?")
    client.post("/chat/default/message", json={"message": "What are your hours?"})
    rows = page(client)["items"]
    assert [row["has_rag_context"] for row in rows] == [True, True]
    assert rows[0]["rag_context"] == rows[1]["rag_context"]
    (context,) = rows[0]["rag_context"]
    assert set(context) == {"source_url", "chunk_id", "score", "text", "used"}
    assert context["used"] is True
    assert context["text"] == "What are your hours?"


def test_each_filter_alone_and_all_together(client, said):
    everything = ["one", "two", "three", "four", "five", "six", said]
    assert texts(client) == everything
    assert texts(client, role="all", has_rag_context="any") == everything
    assert texts(client, session_id="s1") == ["one", "two", "six", said]
    assert texts(client, role="user") == ["one", "four", "five", "six"]
    assert texts(client, role="assistant") == ["two", said]
    assert texts(client, has_rag_context="no") == ["six", said]
    assert texts(client, has_rag_context="yes") == []
    assert texts(client, bot_id="two") == ["five"]
    assert texts(client, bot_id="nobody") == []
    assert texts(client, session_id="nothing") == []
    assert texts(client, q="O", limit=3, offset=1) == ["two", "four", said]
    together = {
        "session_id": "s1",
        "role": "user",
        "has_rag_context": "no",
        "bot_id": "default",
        "q": "si",
        "since": "yesterday",
        "until": "2099-01-01",
    }
    assert texts(client, **together) == ["six"]
    assert texts(client, **{**together, "bot_id": "two"}) == []


def test_a_page_counts_what_matches_and_the_newest_come_first(client, said):
    got = page(client, limit=2, offset=1)
    assert [got[name] for name in ("total", "count", "limit", "offset")] == [7, 2, 2, 1]
    assert [row["message"] for row in got["items"]] == ["six", "five"]
    got = page(client)
    assert (got["limit"], got["offset"], got["count"]) == (100, 0, 7)
    past = page(client, offset=1000)
    assert (past["total"], past["count"], past["items"]) == (7, 0, [])
    assert page(client, limit=1000)["count"] == 7


def test_pages_joined_are_everything(client, said):
    for order in ("asc", "desc"):
        joined = [
            row
            for offset in range(0, 8, 2)
            for row in page(client, limit=2, offset=offset, order=order)["items"]
        ]
        assert joined == page(client, order=order)["items"]


def test_parameters_out_of_range_are_named(client):
    for query, names in (
        ({"limit": "0"}, {"limit"}),
        ({"limit": "1001"}, {"limit"}),
        ({"limit": "x"}, {"limit"}),
        ({"limit": "1.5"}, {"limit"}),
        ({"offset": "-1"}, {"offset"}),
        ({"order": "up", "role": "bot"}, {"order", "role"}),
        ({"has_rag_context": "maybe"}, {"has_rag_context"}),
        ({"bot_id": "a/b"}, {"bot_id"}),
        ({"since": "rubbish", "until": "the day it rained"}, {"since", "until"}),
        ({"since": "2026-13-01"}, {"since"}),
    ):
        assert faults(client.get("/transcripts", params=query)) == names, query


def test_dates_are_read_as_people_write_them(client, said):
    for since in (
        "yesterday",
        "-1 week",
        "last monday",
        "2026-05-12",
        "@1747008000",
        "2026-05-12T00:00:00Z",
        "2026-05-12T02:00:00+02:00",
        "1 hour ago",
    ):
        assert page(client, since=since)["total"] == 7, since
        assert page(client, until=since)["total"] == 0, since
    for later in ("tomorrow", "+1 week", "2099-01-01"):
        assert page(client, since=later)["total"] == 0, later
        assert page(client, until=later)["total"] == 7, later


def test_since_and_until_hold_their_ends(client, said):
    rows = page(client, order="asc")["items"]
    moment = rows[3]["timestamp"]
    got = {row["id"] for row in page(client, since=moment, until=moment)["items"]}
    assert got == {row["id"] for row in rows if row["timestamp"] == moment}


def test_q_is_a_substring_whatever_its_case(client):
    for text in ('He said "hi" to us', "100% sure_thing", "ÜNÏCODE straße", "a' OR 1=1 --"):
        say(client, "s", text)
    for q, found in (
        ('"hi"', ['He said "hi" to us']),
        ("SAID", ['He said "hi" to us']),
        ("%", ["100% sure_thing"]),
        ("e_t", ["100% sure_thing"]),
        ("ünï", ["ÜNÏCODE straße"]),
        ("or 1=1", ["a' OR 1=1 --"]),
        ("'", ["a' OR 1=1 --"]),
        ("hi", ['He said "hi" to us', "100% sure_thing"]),
        ("said OR sure", []),
        ("said*", []),
    ):
        assert texts(client, q=q) == found, q
        assert texts(client, q=q, session_id="s") == found, q


# -- exports ------------------------------------------------------------------------------------

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx"]


def test_a_csv_export_has_all_rows_and_no_formula(client):
    awkward = [*FORMULAS, 'a "quoted", cell', "two\nlines", "fine"]
    for text in awkward:
        say(client, "s", text, sender_id="=cmd()")
    answer = client.get(
        "/transcripts", params={"order": "asc", "limit": 2}, headers={"Accept": "text/csv"}
    )
    assert answer.headers["content-type"].startswith("text/csv")
    lines = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"), newline="")))
    items = page(client, order="asc")["items"]
    assert list(lines[0]) == list(items[0])
    assert [int(line["id"]) for line in lines] == [item["id"] for item in items]
    assert [line["timestamp"] for line in lines] == [item["timestamp"] for item in items]
    shown = [f"'{item['message']}" for item in items[:4]]
    assert [line["message"] for line in lines[:4]] == shown
    assert [line["message"] for line in lines[5:]] == awkward[5:]
    for line in lines:
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in line.values())


def test_an_ndjson_export_is_all_pages(client, said):
    for query in ({"order": "asc"}, {"role": "user"}, {"q": "nothing of that"}):
        answer = client.get(
            "/transcripts",
            params={**query, "limit": "1"},
            headers={"Accept": "application/x-ndjson"},
        )
        assert answer.headers["content-type"].startswith("application/x-ndjson")
        exported = [json.loads(line) for line in answer.text.splitlines()]
        assert exported == page(client, **query)["items"]


def test_an_export_is_longer_than_any_page(client, settings):
    count = 1100
    with assemble(settings) as service:
        for number in range(count):
            said = NewMessage(role="user", text=f"question {number}", sender=Sender(type="user"))
            service.store.messages.add(ALL_BOTS, "default", "con_long", said, create=True)
    wanted = [f"question {number}" for number in range(count)]
    of_lines = client.get("/transcripts?order=asc", headers={"Accept": "application/x-ndjson"})
    assert [json.loads(line)["message"] for line in of_lines.text.splitlines()] == wanted
    of_cells = client.get("/transcripts?order=asc", headers={"Accept": "text/csv"})
    assert [
        row["message"] for row in csv.DictReader(io.StringIO(of_cells.text.removeprefix("\ufeff")))
    ] == wanted


# -- deletes ------------------------------------------------------------------------------------


def delete(client, session_ids, **more):
    return client.request("DELETE", "/transcripts", json={"session_ids": session_ids, **more})


def left_after_upkeep(settings, word):
    """The traces of a word once what readers kept in the log has been taken out of it."""
    with assemble(settings) as service:
        for _ in range(100):
            if service.store.upkeep.erase_deleted(service.clock.now()) is None:
                break
            sleep(0.1)
    return traces(settings, word)


def traces(settings, word):
    """Tables with a cell that contains the word, and files that do."""
    file = settings.data_dir / "rag.db"
    found = []
    with closing(sqlite3.connect(file)) as database:
        database.text_factory = bytes
        tables = database.execute("select name from sqlite_master where type = 'table'")
        for (name,) in tables.fetchall():
            for row in database.execute(f'select * from "{name.decode()}"'):
                if any(word in cell for cell in row if isinstance(cell, bytes)):
                    found.append(name.decode())
    return found + [path.name for path in file.parent.glob("rag.db*") if word in path.read_bytes()]


def test_a_delete_leaves_nothing_in_any_table(client, settings, push):
    push("https://example.com/hours", "What are your hours?")
    secret = "zanzibar"
    body = {"message": f"What are your hours? {secret}", "metadata": {"note": secret}}
    asked = client.post("/chat/default/message", json=body).json()["data"]
    gone, message_id = asked["conversationId"], asked["messageId"]
    path = f"/chat/default/conversations/{gone}"
    assert client.patch(path, json={"title": secret}).status_code == 200
    say(client, gone, f"{secret} again", "agent")
    say(client, "kept", "Something else")
    note = {"message_id": message_id, "language": "de", "text": secret}
    assert client.post("/transcripts/translations", json=note).status_code == 200
    click = {"session_id": gone, "url": f"https://example.com/{secret}"}
    assert client.post("/transcripts/clicks", json=click).status_code == 200
    tables = traces(settings, secret.encode())
    assert {"conversations", "messages", "events", "translations", "clicks"} <= set(tables)
    assert delete(client, [gone]).json() == {
        "session_ids_requested": 1,
        "transcripts_deleted": 3,
        "translations_deleted": 1,
        "url_clicks_deleted": 1,
        "cascade": True,
    }
    assert left_after_upkeep(settings, secret.encode()) == []
    assert texts(client) == ["Something else"]
    assert texts(client, q=secret) == []
    assert client.get(path).status_code == 404
    assert secret not in client.get("/events", params={"limit": 1000}).text


def test_without_cascade_translations_and_clicks_stay_until_they_are_deleted(client, settings):
    message = say(client, "s1", "Hello")
    note = {"message_id": message["id"], "language": "de", "text": "Hallo"}
    assert client.post("/transcripts/translations", json=note).status_code == 200
    click = {"session_id": "s1", "message_id": message["id"], "url": "https://example.com/"}
    assert client.post("/transcripts/clicks", json=click).status_code == 200
    first = delete(client, ["s1"], cascade=False).json()
    assert (first["transcripts_deleted"], first["cascade"]) == (1, False)
    assert (first["translations_deleted"], first["url_clicks_deleted"]) == (0, 0)
    assert traces(settings, b"Hallo")
    second = delete(client, ["s1"]).json()
    assert second["transcripts_deleted"] == 0
    assert (second["translations_deleted"], second["url_clicks_deleted"]) == (1, 1)
    assert left_after_upkeep(settings, b"Hallo") == []


def test_unknown_sessions_are_counted_as_asked_for_and_delete_nothing(client, said):
    answer = delete(client, ["nothing", "s2", "%", "*"]).json()
    assert (answer["session_ids_requested"], answer["transcripts_deleted"]) == (4, 2)
    assert page(client)["total"] == 5
    thousand = delete(client, [f"s{n}" for n in range(1000)]).json()
    assert (thousand["session_ids_requested"], thousand["transcripts_deleted"]) == (1000, 5)


def test_a_delete_names_one_to_a_thousand_sessions(client, said):
    for ids in ([], [f"s{n}" for n in range(1001)], [1.5], "s1", [None], {}, None, [["s1"]]):
        assert faults(delete(client, ids)) == {"session_ids"}, ids
    assert faults(client.delete("/transcripts")) == {"session_ids"}
    assert faults(delete(client, ["s1"], cascade="perhaps")) == {"cascade"}
    assert page(client)["total"] == 7


# -- translations and clicks --------------------------------------------------------------------


def test_a_translation_replaces_the_former_of_its_language(client):
    message = say(client, "s1", "Hello")
    for language, text in (("de", "Hallo"), ("de", "Guten Tag"), ("fr", "Bonjour")):
        body = {"message_id": message["id"], "language": language, "text": text}
        assert client.post("/transcripts/translations", json=body).json() == {"success": True}
    assert delete(client, ["s1"]).json()["translations_deleted"] == 2


def test_a_translation_may_name_the_row(client):
    say(client, "s1", "Hello")
    (row,) = page(client)["items"]
    for row_id in (row["id"], str(row["id"])):
        body = {"message_id": row_id, "language": "de", "text": "Hallo"}
        assert client.post("/transcripts/translations", json=body).status_code == 200
    assert delete(client, ["s1"]).json()["translations_deleted"] == 1


def test_notes_of_what_is_not_there_are_404_and_wrong_ones_400(client):
    say(client, "s1", "Hello")
    lost = {"message_id": "msg_0", "language": "de", "text": "x"}
    answer = client.post("/transcripts/translations", json=lost)
    assert (answer.status_code, answer.json()["code"]) == (404, "mxchat_rest_not_found")
    for click in (
        {"session_id": "nothing", "url": "https://example.com/"},
        {"session_id": "s1", "message_id": "msg_0", "url": "https://example.com/"},
    ):
        assert client.post("/transcripts/clicks", json=click).status_code == 404
    bad = client.post("/transcripts/translations", json={"message_id": [], "text": " "})
    assert faults(bad) == {"message_id", "language", "text"}
    bad = client.post("/transcripts/clicks", json={"session_id": "s1", "url": "nowhere"})
    assert faults(bad) == {"url"}


# -- access -------------------------------------------------------------------------------------


def test_a_bound_token_sees_and_deletes_only_what_is_its_bots(client, settings, said):
    with assemble(settings) as service:
        token = service.access.create("bound", ["transcripts"], bot_id="two")
    everyone = client.headers["Authorization"]
    message_id = page(client, session_id="s1")["items"][0]["message_id"]
    client.headers["Authorization"] = f"Bearer {token}"
    assert texts(client) == ["five"]
    assert texts(client, session_id="s1") == []
    assert client.get("/transcripts", params={"bot_id": "default"}).status_code == 403
    exported = client.get("/transcripts", headers={"Accept": "application/x-ndjson"})
    assert len(exported.text.splitlines()) == 1
    note = {"message_id": message_id, "language": "de", "text": "x"}
    assert client.post("/transcripts/translations", json=note).status_code in (403, 404)
    click = {"session_id": "s1", "url": "https://example.com/"}
    assert client.post("/transcripts/clicks", json=click).status_code in (403, 404)
    assert delete(client, ["s1", "s3"]).json()["transcripts_deleted"] == 1
    client.headers["Authorization"] = everyone
    assert page(client)["total"] == 6


def test_without_the_scope_transcripts_are_403(client, settings):
    with assemble(settings) as service:
        token = service.access.create("chatter", ["chat"])
    headers = {"Authorization": f"Bearer {token}"}
    for method in ("GET", "DELETE"):
        answer = client.request(method, "/transcripts", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "mxchat_rest_forbidden")
