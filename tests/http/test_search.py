"""/search over HTTP."""

import math

import jsonschema
import pytest


def test_results_have_every_field_of_the_contract(client, push):
    pushed = push("https://a/", "# Hours\n\nWe open at nine.", format="markdown")
    answer = client.get("/search", params={"query": "when do you open"}).json()
    assert set(answer) == {"query", "bot_id", "has_rag_context", "confidence", "results"}
    assert (answer["query"], answer["bot_id"]) == ("when do you open", "default")
    assert answer["has_rag_context"] is (answer["confidence"] >= 0.5)
    result = answer["results"][0]
    assert result["document_id"] == pushed["document_id"]
    assert set(result) == {
        *("chunk_id", "document_id", "source_url", "title", "heading", "page", "text"),
        *("score", "scores", "ordinal"),
    }
    assert set(result["scores"]) == {"dense", "keyword"}
    assert 0 <= result["score"] <= 1
    assert result["page"] is None


def test_a_search_explains_itself_when_asked_to(client, push):
    push("https://a/", "We open at nine. Our part QX-7 is a valve.")
    query = {"query": "when does QX-7 open", "explain": True}
    answer = client.post("/search", json=query).json()
    assert client.get("/search", params={**query, "explain": "true"}).json() == answer
    evidence = answer.pop("evidence")
    assert client.post("/search", json={**query, "explain": False}).json() == answer
    assert set(evidence) == {"signs", "weights", "log_odds", "calibration"}
    assert evidence["calibration"] is None
    assert evidence["signs"]["codes_found"] == ["QX-7"]
    assert evidence["signs"]["chunks"] == 1
    assert sum(evidence["weights"].values()) == pytest.approx(evidence["log_odds"], abs=0.001)
    sure = 1 / (1 + math.exp(-evidence["log_odds"]))
    assert answer["confidence"] == pytest.approx(sure, abs=2e-4)
    document = client.get("/schema/openapi.json").json()
    schema = {**document, "$ref": "#/components/schemas/Explanation"}
    jsonschema.validate(evidence, schema)
    bad = client.get("/search", params={"query": "x", "explain": "perhaps"})
    assert set(bad.json()["data"]["params"]) == {"explain"}


def test_an_empty_base_explains_itself_too(client):
    answer = client.get("/search", params={"query": "anything", "explain": "1"}).json()
    assert answer["evidence"]["signs"]["chunks"] == 0
    assert answer["confidence"] == 0


def test_post_and_get_and_both_mounts_answer_alike(client, push):
    push("https://a/", "We open at nine.")
    query = {"query": "open nine", "k": 3, "mode": "hybrid"}
    answers = [
        client.get("/search", params=query).json(),
        client.post("/search", json=query).json(),
        client.get("/wp-json/mxchat/v1/search", params=query).json(),
        client.post("/wp-json/mxchat/v1/search", json=query).json(),
    ]
    assert answers == [answers[0]] * 4


def test_k_limits_and_the_best_come_first(client, push):
    for n in range(12):
        push(f"https://a/{n}", f"lighthouse number {n} " + "stone " * n)
    for mode in ("hybrid", "dense", "keyword"):
        results = client.get(
            "/search", params={"query": "lighthouse", "k": 10, "mode": mode}
        ).json()
        scores = [result["score"] for result in results["results"]]
        assert len(scores) == 10
        assert scores == sorted(scores, reverse=True)
    assert len(client.get("/search", params={"query": "lighthouse"}).json()["results"]) == 5


def test_content_type_narrows_in_every_mode(client, push):
    push("https://a/", "lighthouse one", content_type="faq")
    push("https://b/", "lighthouse two", content_type="page")
    for mode in ("hybrid", "dense", "keyword"):
        query = {"query": "lighthouse", "content_type": "faq", "mode": mode}
        found = client.get("/search", params=query).json()
        assert [result["source_url"] for result in found["results"]] == ["https://a/"]


def test_an_empty_base_has_no_context(client):
    answer = client.get("/search", params={"query": "anything", "bot_id": "nobody"})
    assert answer.status_code == 200
    assert answer.json()["results"] == []
    assert answer.json()["has_rag_context"] is False
    assert answer.json()["confidence"] == 0


@pytest.mark.parametrize(
    ("query", "faults"),
    [
        ({}, {"query"}),
        ({"query": "  "}, {"query"}),
        ({"query": "\u00a0\u200b\0\n"}, {"query"}),
        ({"query": "x" * 20_001}, {"query"}),
        ({"query": "x", "k": 0}, {"k"}),
        ({"query": "x", "k": 101, "mode": "best"}, {"k", "mode"}),
        ({"query": "x", "bot_id": "no such name"}, {"bot_id"}),
    ],
)
def test_every_parameter_at_fault_is_named(client, query, faults):
    by_get = client.get("/search", params=query)
    by_post = client.post("/search", json=query)
    for answer in (by_get, by_post):
        assert answer.status_code == 400
        assert set(answer.json()["data"]["params"]) == faults


def test_types_are_checked_in_a_body(client):
    answer = client.post("/search", json={"query": 5, "k": True, "mode": ["dense"]})
    assert set(answer.json()["data"]["params"]) == {"query", "k", "mode"}


def test_q_is_another_name_for_query(client, push):
    push("https://a/", "We open at nine.")
    by_q = client.get("/search", params={"q": "open nine"})
    assert by_q.json() == client.get("/search", params={"query": "open nine"}).json()


@pytest.mark.parametrize(
    "query", ["a\0b", "%", '"', "(", "a AND", "\ufffd", "日本語", "\N{PILE OF POO}"]
)
def test_any_text_can_be_looked_for(client, push, query):
    push("https://a/", "We open at nine.")
    for mode in ("hybrid", "dense", "keyword"):
        answer = client.post("/search", json={"query": query, "mode": mode})
        assert answer.status_code == 200


def test_grouped_by_document_each_is_there_once(client, push):
    sections = "".join(f"# Part {n}\n\n{'The lighthouse is tall. ' * 20}\n\n" for n in range(4))
    push("https://a/", sections, format="markdown")
    push("https://b/", "A lighthouse.")
    for mode in ("hybrid", "dense", "keyword"):
        query = {"query": "lighthouse", "k": 10, "mode": mode}
        chunks = client.get("/search", params=query).json()["results"]
        assert len(chunks) > 2
        found = client.post("/search", json={**query, "group": "document"}).json()["results"]
        assert sorted(one["source_url"] for one in found) == ["https://a/", "https://b/"]
    bad = client.get("/search", params={"query": "x", "group": "page"})
    assert bad.status_code == 400
    assert set(bad.json()["data"]["params"]) == {"group"}
