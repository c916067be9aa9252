"""What clients and proxies write differently: HEAD, codings, slashes, origins, prefixes, blanks."""

import gzip
import json
import socket
import zlib
from urllib.parse import quote

import pytest
from litestar.testing import TestClient
from msgspec.structs import replace
from served import served

from rag_service.access.scope import ALL_BOTS
from rag_service.http.app import create_app

PAGE = {"source_url": "https://a/1", "content": "We open at nine."}


@pytest.mark.parametrize("path", ["/", "/health", "/wp-json/mxchat/v1/health", "/search?query=x"])
def test_head_is_answered_as_get_without_the_body(client, path):
    head, get = client.head(path), client.get(path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    lengths = [int(answer.headers["content-length"]) for answer in (head, get)]
    # the time that it is up may have a digit more
    assert abs(lengths[0] - lengths[1]) <= (1 if path.endswith("health") else 0)


def test_head_of_a_live_stream_ends(client):
    answer = client.head("/events", headers={"Accept": "text/event-stream"})
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(
    ("coding", "pack"),
    [("gzip", gzip.compress), ("GZIP", gzip.compress), ("deflate", zlib.compress)],
)
def test_a_compressed_body_is_read(client, coding, pack):
    headers = {"Content-Encoding": coding}
    answer = client.post("/knowledge", content=pack(json.dumps(PAGE).encode()), headers=headers)
    assert answer.json()["success"] is True
    lines = b"".join(json.dumps({**PAGE, "source_url": f"x:{n}"}).encode() + b"\n" for n in "ab")
    answer = client.post("/knowledge/batch?wait=true", content=pack(lines), headers=headers)
    assert [json.loads(line)["success"] for line in answer.text.splitlines()] == [True, True]


def test_a_gzip_body_of_several_members_is_read_whole(client):
    body = json.dumps(PAGE).encode()
    parts = gzip.compress(body[:20]) + gzip.compress(body[20:])
    answer = client.post("/knowledge", content=parts, headers={"Content-Encoding": "gzip"})
    assert answer.json()["success"] is True


def test_a_coding_that_is_not_understood_is_415_in_each_dialect(client):
    headers = {"Content-Encoding": "br"}
    answer = client.post("/knowledge", content=b"x", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "rest_unsupported_media_type")
    answer = client.post("/bot/default", content=b"x", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_body_that_is_not_in_its_coding_or_is_cut_off_is_400(client):
    packed = gzip.compress(json.dumps(PAGE).encode())
    for body in (b"no gzip", packed[:-9], packed[: len(packed) // 2]):
        answer = client.post("/knowledge", content=body, headers={"Content-Encoding": "gzip"})
        assert answer.status_code == 400, body
        assert "Content-Encoding" in answer.json()["message"]


def test_a_bomb_meets_the_limit_of_bodies(settings, token):
    with TestClient(create_app(replace(settings, max_body_mb=1))) as client:
        client.headers.update({"Authorization": f"Bearer {token}", "Content-Encoding": "gzip"})
        body = gzip.compress(b'{"content": "' + b"a" * (64 << 20))
        assert client.post("/knowledge", content=body).status_code == 413


@pytest.mark.parametrize("session", ["team/42", "https://shop.test/v/7", "a b", "a?b", "é"])
def test_a_session_id_that_is_taken_can_be_named_in_a_path(client, push, session):
    push("https://a/1", "We open at nine.")
    asked = client.post("/bot/default", json={"message": "When do you open?", "sessionId": session})
    assert asked.status_code == 200
    path = f"/api/v1/chat/default/conversations/{quote(session, safe='')}"
    assert client.get(path).json()["data"]["conversationId"] == session
    assert client.patch(path, json={"title": "x"}).status_code == 200
    assert client.delete(path).status_code == 200
    assert client.get(path).status_code == 404


def test_no_origin_may_ask_unless_it_is_set(client):
    asks = {
        "Origin": "https://shop.test",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    assert "access-control-allow-origin" not in client.options("/search", headers=asks).headers


def test_the_origins_that_are_set_may_ask(settings, token):
    origins = replace(settings, cors_origins="https://shop.test, https://b.test")
    asks = {
        "Origin": "https://shop.test",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    with TestClient(create_app(origins)) as client:
        allowed = client.options("/search", headers=asks).headers
        assert allowed["access-control-allow-origin"] == "https://shop.test"
        assert "authorization" in allowed["access-control-allow-headers"].lower()
        headers = {"Authorization": f"Bearer {token}", "Origin": "https://b.test"}
        found = client.get("/search?query=x", headers=headers)
        assert found.headers["access-control-allow-origin"] == "https://b.test"
        other = client.options("/search", headers={**asks, "Origin": "https://evil.test"})
        assert other.headers.get("access-control-allow-origin") != "https://evil.test"


def test_behind_a_prefix_everything_is_found_and_told_below_it(settings, token):
    with TestClient(create_app(replace(settings, path_prefix="/rag/"))) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        page = client.get("/schema").text
        assert '"/rag/schema/assets/' in page
        assert '"/schema/assets/' not in page
        assert client.get("/rag/health").status_code == client.get("/health").status_code == 200
        queued = client.post("/knowledge/batch", content=json.dumps(PAGE))
        assert queued.headers["location"] == f"/rag/jobs/{queued.json()['job_id']}"


def test_a_list_is_read_as_php_writes_it(client, push):
    for n in range(3):
        push(f"https://a/{n}", f"Page number {n}.")
    query = {"source_url[0]": "https://a/0", "source_url[1]": "https://a/2"}
    assert client.delete("/knowledge", params=query).json()["urls_deleted"] == 2


def test_blank_and_null_are_as_if_left_out(client):
    for blank in ("", " \n", None):
        body = {**PAGE, "bot_id": blank, "content_type": blank, "title": blank, "metadata": blank}
        assert client.post("/knowledge", json=body).status_code == 200
        asked = {"message": "When?", "sessionId": blank, "metadata": blank}
        assert client.post("/bot/default", json=asked).status_code == 200
    filters = dict.fromkeys(("since", "until", "session_id", "role", "limit", "q"), "")
    assert client.get("/transcripts", params=filters).status_code == 200
    assert client.get("/search", params={"query": "x", "k": "", "mode": ""}).status_code == 200


def test_a_blank_dry_run_does_not_write(client):
    assert client.post("/knowledge?dry_run=", json=PAGE).status_code == 400
    assert client.get("/knowledge").json()["total"] == 0


def test_a_blank_bot_is_the_one_of_the_token(settings, service):
    service.store.bots.create(ALL_BOTS, "shop")
    token = service.access.create("shop", bot_id="shop")
    with TestClient(create_app(settings)) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        answer = client.post("/knowledge", json={**PAGE, "bot_id": ""})
        assert answer.json()["bot_id"] == "shop"


def test_a_number_is_taken_for_an_id(client):
    assert client.post("/bot/default", json={"message": "Hi", "sessionId": 7}).status_code == 200
    body = {"sender_id": 7, "sender_type": "user", "text": "Hi"}
    assert client.post("/messages", json=body).json()["data"]["message"]["sender_id"] == "7"


def test_text_is_found_however_its_accents_are_composed(client):
    client.post("/bot/default", json={"message": "Où est le cafe\u0301 ?", "sessionId": "s"})
    found = client.get("/transcripts", params={"q": "caf\u00e9"}).json()
    assert found["total"] == client.get("/transcripts", params={"q": "cafe\u0301"}).json()["total"]
    assert found["total"] >= 1


def test_files_of_one_name_are_documents_of_their_own(client):
    names = ["north/readme.txt", "south/readme.txt", "south/readme.txt", "alone.txt"]
    files = [("f", (name, f"The office of {n} opens.".encode())) for n, name in enumerate(names)]
    answer = client.post("/knowledge/upload?wait=true", files=files)
    assert [json.loads(line)["source_url"] for line in answer.text.splitlines()] == [
        "upload://north/readme.txt",
        "upload://south/readme.txt",
        "upload://south/readme.txt#2",
        "upload://alone.txt",
    ]
    assert client.get("/knowledge").json()["total"] == 4


@pytest.mark.parametrize(
    "search", ["+49 30 5411244", "+49 (0)30 541-1244", "030 5411244", "00493054"]
)
def test_a_contact_is_found_by_its_phone_as_people_write_it(client, search):
    for n, phone in enumerate(("+49 30 5411244", "+49 40 999000")):
        client.post("/contacts", json={"email": f"a{n}@example.com", "phone": phone})
    found = client.get("/contacts", params={"search": search}).json()["data"]["contacts"]
    assert [contact["email"] for contact in found] == ["a0@example.com"]


def test_what_is_answered_to_http_1_0_is_not_in_chunks(settings, token):
    with served(settings) as (client, _):
        client.headers["Authorization"] = f"Bearer {token}"
        client.post("/bot/default", json={"message": "Hello?", "sessionId": "s"})
        with socket.create_connection((client.base_url.host, client.base_url.port)) as raw:
            request = (
                f"GET /transcripts HTTP/1.0\r\nAuthorization: Bearer {token}\r\nAccept: text/csv"
            )
            raw.sendall(f"{request}\r\n\r\n".encode())
            received = b"".join(iter(lambda: raw.recv(65536), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"chunked" not in head.lower()
    assert body.startswith(b"\xef\xbb\xbfid,")
    assert body.endswith(b"\r\n")
