"""/knowledge over HTTP, row by row of its contract."""

import pytest

URL = "https://example.com/page#part"


def test_push_answers_with_every_field_of_the_contract(client, push):
    answer = push(URL, "We open at nine. Ünïcode!", content_type="faq")
    assert answer == {
        "success": True,
        "source_url": URL,
        "bot_id": "default",
        "content_type": "faq",
        "bytes": len("We open at nine. Ünïcode!".encode()),
        "document_id": answer["document_id"],
        "unchanged": False,
        "chunks": {"total": 1, "embedded": 1, "reused": 0, "removed": 0},
        "warnings": [],
    }
    assert answer["document_id"].startswith("doc_")


def test_the_same_body_again_is_unchanged_and_embeds_nothing(push):
    first = push(URL, "We open at nine.")
    again = push(URL, "We open at nine.")
    assert again["unchanged"] is True
    assert again["document_id"] == first["document_id"]
    assert again["chunks"] == {"total": 1, "embedded": 0, "reused": 1, "removed": 0}


def test_a_push_replaces_the_former_content_of_its_url(client, push):
    push(URL, "The lighthouse is red.")
    push(URL, "The harbour is blue.")
    for mode in ("hybrid", "dense", "keyword"):
        found = client.get("/search", params={"query": "lighthouse red", "mode": mode}).json()
        assert all("lighthouse" not in result["text"] for result in found["results"])
    found = client.get("/search", params={"query": "harbour blue"}).json()
    assert found["results"][0]["text"] == "The harbour is blue."


def test_white_space_around_a_url_is_dropped_and_the_fragment_kept(push):
    assert push(f"  {URL}\n", "text")["source_url"] == URL


@pytest.mark.parametrize("url", ["file:///a/b.md", "upload://a.pdf", "mxchat://x", "urn:isbn:12"])
def test_any_absolute_uri_is_taken(push, url):
    assert push(url, "text")["source_url"] == url


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, {"content", "source_url"}),
        ({"content": "x"}, {"source_url"}),
        ({"content": " \n\t\0", "source_url": URL}, {"content"}),
        ({"content": 5, "source_url": ["a"]}, {"content", "source_url"}),
        ({"content": "x", "source_url": "example.com/a"}, {"source_url"}),
        ({"content": "x", "source_url": "/a"}, {"source_url"}),
        ({"content": "x", "source_url": "https://a\0b"}, {"source_url"}),
        ({"content": "x", "source_url": URL, "bot_id": "a b"}, {"bot_id"}),
        ({"content": "x", "source_url": URL, "metadata": [1]}, {"metadata"}),
        ({"content": "x", "source_url": URL, "format": "pdf"}, {"format"}),
        ({"content": "x", "source_url": URL, "content_type": "a\nb"}, {"content_type"}),
        ({"content": "x", "source_url": URL, "title": 1}, {"title"}),
    ],
)
def test_every_parameter_at_fault_is_named(client, body, faults):
    answer = client.post("/knowledge", json=body)
    assert answer.status_code == 400
    assert answer.json()["code"] == "rest_invalid_param"
    assert answer.json()["data"]["status"] == 400
    assert set(answer.json()["data"]["params"]) == faults


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"rubbish",
        b"[]",
        b'"text"',
        b"\xff\xfe{}",
        b'{"content": "\xff"}',
        b"[" * 100_000,
        b'{"metadata":' * 50_000,
        b'{"content": "x", "source_url": "https://a/", "metadata": 1e999}',
    ],
)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/knowledge"), ("DELETE", "/knowledge"), ("POST", "/search")]
)
def test_a_body_that_is_no_json_object_is_400(client, method, path, body):
    answer = client.request(method, path, content=body)
    assert answer.status_code == 400
    # without a body, DELETE takes its parameters from the query, and misses them there
    code = "rest_invalid_json" if body or method == "POST" else "rest_invalid_param"
    assert answer.json()["code"] == code
    assert answer.json()["data"]["status"] == 400


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "x"])
def test_json_is_read_whatever_its_content_type_says(client, content_type):
    body = b'{"content": "x", "source_url": "https://a/"}'
    answer = client.post("/knowledge", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == 200


def test_nul_and_control_characters_in_content_are_dropped(client, push):
    document_id = push(URL, "a\0b\x07c \r\n d")["document_id"]
    assert client.get(f"/knowledge/{document_id}").json()["text"] == "abc \n d"


def test_a_body_over_the_limit_is_413(settings, client):
    big = b'{"source_url": "https://a/", "content": "' + b"x" * settings.max_body_bytes + b'"}'
    announced = client.post("/knowledge", content=big)
    streamed = client.post("/knowledge", content=iter([big[: len(big) // 2], big[len(big) // 2 :]]))
    for answer in (announced, streamed):
        assert answer.status_code == 413
        assert answer.json()["code"] == "rest_content_too_large"


def test_a_million_characters_without_a_space_are_taken(client, push):
    answer = push(URL, "x" * 1_000_000)
    assert answer["bytes"] == 1_000_000
    longest = max(
        len(chunk["text"])
        for chunk in client.get(f"/knowledge/{answer['document_id']}").json()["chunks"]
    )
    assert longest <= 2000


def test_dry_run_tells_and_changes_nothing(client, push):
    push(URL, "one lighthouse")
    told = client.post(
        "/knowledge?dry_run=true", json={"source_url": URL, "content": "two harbours"}
    ).json()
    assert told["unchanged"] is False
    assert told["chunks"] == {"total": 1, "embedded": 1, "reused": 0, "removed": 1}
    listed = client.get("/knowledge").json()
    assert listed["total"] == 1
    found = client.get("/search", params={"query": "lighthouse"}).json()
    assert [result["text"] for result in found["results"]] == ["one lighthouse"]
    new = client.post("/knowledge?dry_run=1", json={"source_url": "https://b/", "content": "b"})
    assert new.json()["document_id"] == ""


@pytest.mark.parametrize("value", ["?dry_run=perhaps", "?dry_run=", "?dry_run"])
def test_an_unclear_dry_run_is_refused_rather_than_written(client, value):
    answer = client.post(f"/knowledge{value}", json={"source_url": URL, "content": "x"})
    assert answer.status_code == 400
    assert set(answer.json()["data"]["params"]) == {"dry_run"}
    assert client.get("/knowledge").json()["total"] == 0


def test_documents_are_listed_newest_first_in_pages(client, push):
    for n in range(5):
        push(f"https://example.com/{n}", f"page {n}", content_type="odd" if n % 2 else "even")
    page = client.get("/knowledge", params={"limit": 2, "offset": 1}).json()
    assert (page["total"], page["count"], page["limit"], page["offset"]) == (5, 2, 2, 1)
    assert [item["source_url"][-1] for item in page["items"]] == ["3", "2"]
    assert "text" not in page["items"][0]
    odd = client.get("/knowledge", params={"content_type": "odd"}).json()
    assert [item["source_url"][-1] for item in odd["items"]] == ["3", "1"]
    one = client.get("/knowledge", params={"source_url": "https://example.com/4"}).json()
    assert one["total"] == 1
    assert client.get("/knowledge", params={"q": "PAGE 2"}).json()["total"] == 1


@pytest.mark.parametrize(
    ("query", "faults"),
    [
        ({"limit": "0"}, {"limit"}),
        ({"limit": "1001", "offset": "-1"}, {"limit", "offset"}),
        ({"limit": "many"}, {"limit"}),
        ({"bot_id": "a/b"}, {"bot_id"}),
    ],
)
def test_list_parameters_have_ranges(client, query, faults):
    answer = client.get("/knowledge", params=query)
    assert answer.status_code == 400
    assert set(answer.json()["data"]["params"]) == faults


def test_a_document_is_read_with_its_text_and_chunks(client, push):
    pushed = push(URL, "# Hours\n\nWe open at nine.", format="markdown", metadata={"a": [1]})
    document = client.get(f"/knowledge/{pushed['document_id']}").json()
    assert document["title"] == "Hours"
    assert document["metadata"] == {"a": [1]}
    assert "We open at nine." in document["text"]
    assert [chunk["ordinal"] for chunk in document["chunks"]] == [0]
    assert document["chunks"][0]["heading"] == "Hours"
    missing = client.get("/knowledge/doc_0")
    assert missing.status_code == 404
    assert missing.json()["code"] == "mxchat_rest_not_found"


def test_delete_is_idempotent_and_answers_for_each_url(client, push):
    push("https://a/", "one lighthouse")
    push("https://b/", "two lighthouses")
    body = {"source_url": ["https://a/", "https://nowhere/"]}
    answer = client.request("DELETE", "/knowledge", json=body)
    assert answer.status_code == 200
    assert answer.json() == {
        "source_urls_requested": 2,
        "urls_deleted": 1,
        "entries_removed": 1,
        "bot_id": "default",
        "results": [
            {"source_url": "https://a/", "deleted": True, "entries_removed": 1},
            {"source_url": "https://nowhere/", "deleted": False, "entries_removed": 0},
        ],
    }
    again = client.request("DELETE", "/knowledge", json=body).json()
    assert again["urls_deleted"] == 0
    for mode in ("hybrid", "dense", "keyword"):
        found = client.get("/search", params={"query": "one lighthouse", "mode": mode}).json()
        assert [result["source_url"] for result in found["results"]] == ["https://b/"]
    by_query = client.delete("/knowledge", params={"source_url": "https://b/"})
    assert by_query.json()["urls_deleted"] == 1


def test_delete_answers_in_the_order_of_the_request_repeated_urls_included(client, push):
    for name in "abc":
        push(f"https://{name}/", name)
    urls = ["https://c/", "https://a/", "https://c/", "https://z/"]
    told = client.delete("/knowledge", params={"source_url": urls}).json()
    assert [result["source_url"] for result in told["results"]] == urls
    assert (told["source_urls_requested"], told["urls_deleted"]) == (4, 2)
    assert client.get("/knowledge").json()["total"] == 1


@pytest.mark.parametrize(
    "body",
    [{}, {"source_url": []}, {"source_url": ["https://a/"] * 51}, {"source_url": [1]}],
)
def test_delete_needs_one_to_fifty_urls(client, body):
    answer = client.request("DELETE", "/knowledge", json=body)
    assert answer.status_code == 400
    assert set(answer.json()["data"]["params"]) == {"source_url"}


def test_bots_are_apart(client, push):
    push(URL, "red lighthouse", bot_id="one")
    push(URL, "blue lighthouse", bot_id="two")
    for bot, text in (("one", "red lighthouse"), ("two", "blue lighthouse")):
        found = client.get("/search", params={"query": "lighthouse", "bot_id": bot}).json()
        assert [result["text"] for result in found["results"]] == [text]
    assert client.get("/search", params={"query": "lighthouse"}).json()["results"] == []
    client.request("DELETE", "/knowledge", json={"source_url": URL, "bot_id": "one"})
    assert client.get("/knowledge").json()["total"] == 1


def test_metadata_that_is_nested_too_deeply_is_named(client):
    metadata = {}
    for _ in range(900):
        metadata = {"a": metadata}
    body = {"source_url": URL, "content": "x", "metadata": metadata}
    answer = client.post("/knowledge", json=body)
    assert answer.status_code == 400
    assert set(answer.json()["data"]["params"]) == {"metadata"}
