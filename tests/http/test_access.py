"""Tokens, scopes, bots and rates over HTTP, and the envelope of every dialect."""

import pytest
from litestar import get
from litestar.testing import TestClient

from rag_service.assembly import assemble
from rag_service.http.app import create_app
from rag_service.settings import Settings

CLOSED = [
    ("GET", "/knowledge"),
    ("POST", "/knowledge"),
    ("DELETE", "/knowledge"),
    ("GET", "/knowledge/doc_1"),
    ("POST", "/knowledge/batch"),
    ("GET", "/jobs/job_1"),
    ("DELETE", "/jobs/job_1"),
    ("GET", "/search"),
    ("POST", "/search"),
]


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("prefix", ["", "/wp-json/mxchat/v1"])
@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_everything_is_closed_until_a_token_exists(anyone, prefix, method, path):
    answer = anyone.request(method, prefix + path)
    assert answer.status_code == 401
    assert answer.json()["code"] == "mxchat_rest_disabled"
    assert answer.json()["data"] == {"status": 401}
    assert answer.headers["www-authenticate"] == "Bearer"


def test_health_is_open_and_has_the_keys_of_the_seed(anyone, settings):
    for path in ("/health", "/wp-json/mxchat/v1/health"):
        answer = anyone.get(path).json()
        assert answer["ok"] is True
        assert answer["token_set"] is False
        assert answer["embedding_model"] == "hashing:1024"
        assert answer["namespace"] == "mxchat/v1"
        assert set(answer) >= {"plugin_version", "utils_loaded"}
    with assemble(settings) as service:
        service.access.create("first")
    assert anyone.get("/health").json()["token_set"] is True


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic abc", "Bearer \xe4"]
)
def test_a_wrong_token_is_401(client, header):
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}
    if header is None:
        del client.headers["Authorization"]
    answer = client.get("/knowledge", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["code"] == "mxchat_rest_unauthorized"


def test_a_change_of_a_token_holds_at_once(anyone, settings):
    with assemble(settings) as service:
        old = service.access.create("one")
        assert anyone.get("/knowledge", headers=bearer(old)).status_code == 200
        new = service.access.rotate("one")
        assert anyone.get("/knowledge", headers=bearer(old)).status_code == 401
        assert anyone.get("/knowledge", headers=bearer(new)).status_code == 200
        service.access.revoke("one")
    answer = anyone.get("/knowledge", headers=bearer(new))
    assert answer.json()["code"] == "mxchat_rest_disabled"


def test_a_token_without_the_scope_is_403(anyone, settings):
    with assemble(settings) as service:
        token = service.access.create("chatter", ["chat"])
    answer = anyone.get("/knowledge", headers=bearer(token))
    assert answer.status_code == 403
    assert answer.json()["code"] == "mxchat_rest_forbidden"
    bots = anyone.post("/api/v1/bots", headers=bearer(token), json={"id": "x"})
    assert bots.status_code == 403
    assert bots.json()["error"]["code"] == "FORBIDDEN"


def test_a_token_bound_to_a_bot_sees_nothing_else(anyone, settings):
    with assemble(settings) as service:
        bound = bearer(service.access.create("bound", bot_id="mine"))
        free = bearer(service.access.create("free"))
    page = {"source_url": "https://a/", "content": "a lighthouse"}
    other = anyone.post("/knowledge", headers=free, json={**page, "bot_id": "theirs"}).json()
    pushed = anyone.post("/knowledge", headers=bound, json=page)
    assert pushed.json()["bot_id"] == "mine"
    for answer in (
        anyone.post("/knowledge", headers=bound, json={**page, "bot_id": "theirs"}),
        anyone.get("/knowledge", headers=bound, params={"bot_id": "theirs"}),
        anyone.get("/search", headers=bound, params={"query": "x", "bot_id": "theirs"}),
        anyone.request("DELETE", "/knowledge", headers=bound, json={**page, "bot_id": "theirs"}),
    ):
        assert answer.status_code == 403
    assert anyone.get("/knowledge", headers=bound).json()["total"] == 1
    hidden = anyone.get(f"/knowledge/{other['document_id']}", headers=bound)
    assert hidden.status_code == 404
    bots = anyone.get("/bots", headers=bound).json()["data"]["bots"]
    assert [bot["id"] for bot in bots] == ["mine"]


def test_answers_carry_the_rate_and_429_comes_above_it(anyone, settings):
    with assemble(settings) as service:
        token = bearer(service.access.create("slow", rates={"data": "2/hour"}))
    for left in ("1", "0"):
        answer = anyone.get("/knowledge", headers=token)
        assert answer.headers["x-ratelimit-limit"] == "2"
        assert answer.headers["x-ratelimit-remaining"] == left
        assert int(answer.headers["x-ratelimit-reset"]) > 1_700_000_000
    over = anyone.get("/knowledge", headers=token)
    assert over.status_code == 429
    assert over.json()["code"] == "mxchat_rest_rate_limited"
    assert over.headers["x-ratelimit-remaining"] == "0"
    assert int(over.headers["retry-after"]) >= 1
    bad = anyone.get("/api/v1/bots", headers=token)
    assert bad.json()["error"]["code"] == "RATE_LIMIT_EXCEEDED"


def test_errors_are_counted_too(anyone, settings):
    with assemble(settings) as service:
        token = bearer(service.access.create("slow", rates={"data": "2/hour"}))
    answer = anyone.get("/search", headers=token)
    assert answer.status_code == 400
    assert answer.headers["x-ratelimit-remaining"] == "1"


def test_bots_are_created_and_listed_in_the_chat_dialect(client, push):
    created = client.post("/api/v1/bots", json={"id": "support"})
    assert created.status_code == 201
    assert created.json()["success"] is True
    assert created.json()["data"]["id"] == "support"
    assert created.json()["error"] is None
    for name in ("support", "default"):
        again = client.post("/bots", json={"id": name})
        assert again.status_code == 409
        assert again.json()["success"] is False
    push("https://a/", "x", bot_id="pushed")
    bots = client.get("/bots").json()["data"]["bots"]
    assert [bot["id"] for bot in bots] == ["default", "pushed", "support"]
    bad = client.post("/bots", json={"id": "no good"})
    assert bad.status_code == 400
    assert bad.json()["error"]["code"] == "INVALID_REQUEST"
    assert bad.json()["error"]["message"].startswith("id: must be")


@pytest.mark.parametrize("name", ["id", "botId", "name"])
def test_a_bot_is_named_in_any_of_three_ways(client, name):
    assert client.post("/bots", json={name: "helper"}).json()["data"]["id"] == "helper"


def test_a_bot_is_created_by_an_admin_only_and_of_the_name_of_its_token(anyone, settings):
    with assemble(settings) as service:
        pusher = bearer(service.access.create("pusher", ["knowledge"]))
        bound = bearer(service.access.create("bound", ["admin"], bot_id="mine"))
    assert anyone.post("/bots", headers=pusher, json={"id": "x"}).status_code == 403
    assert anyone.post("/bots", headers=bound, json={"id": "x"}).status_code == 403
    assert anyone.post("/bots", headers=bound, json={"id": "mine"}).status_code == 201


@pytest.mark.parametrize(
    "path", ["/nothing", "/wp-json/mxchat/v1/nothing", "/schema/nothing", "/botsy", "/v1beta"]
)
def test_an_unknown_path_speaks_the_knowledge_dialect(anyone, path):
    answer = anyone.get(path)
    assert answer.status_code == 404
    assert answer.json()["code"] == "rest_no_route"
    assert answer.json()["data"] == {"status": 404}


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/nothing",
        "/api/v1",
        "/bots/x",
        "/bot/x/y",
        "/chat/x/y",
        "/chat/x/conversations/y/z",
        "/webhooks/x/y",
        "/contacts/x/y",
    ],
)
def test_an_unknown_path_of_the_chat_dialect_speaks_it(anyone, path):
    answer = anyone.get(path)
    assert answer.status_code == 404
    assert answer.json() == {
        "success": False,
        "data": None,
        "error": {"code": "NOT_FOUND", "message": "No route was found matching the URL."},
    }


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1", "/messages/x", "/events/x"])
def test_an_unknown_path_of_the_messages_dialect_speaks_it(anyone, path):
    answer = anyone.get(path)
    assert answer.status_code == 404
    assert answer.json() == {
        "status": "error",
        "message": "No route was found matching the URL.",
        "data": None,
    }


def test_a_wrong_method_is_405_with_what_is_allowed(client):
    answer = client.put("/knowledge")
    assert answer.status_code == 405
    assert answer.json()["code"] == "rest_method_not_allowed"
    assert "POST" in answer.headers["allow"]
    assert client.put("/api/v1/bots").json()["error"]["code"] == "METHOD_NOT_ALLOWED"


def test_a_failure_of_storage_is_500_without_our_insides(settings, client):
    push = {"source_url": "https://a/", "content": "x"}
    assert client.post("/knowledge", json=push).status_code == 200
    for name in ("rag.db", "rag.db-wal"):  # not -shm: who has mapped a file that shrinks is killed
        (settings.data_dir / name).write_bytes(b"garbage" * 4096)
    answer = client.post("/knowledge", json={**push, "content": "y"})
    assert answer.status_code == 500
    for word in ("Traceback", "sqlite", "select", str(settings.data_dir)):
        assert word not in answer.text
    assert client.get("/health").json()["ok"] is False


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/broken", lambda body: body["code"] == "mxchat_rest_internal_error"),
        ("/wp-json/mxchat/v1/broken", lambda body: body["data"] == {"status": 500}),
        ("/api/v1/broken", lambda body: body["error"]["code"] == "INTERNAL_ERROR"),
        ("/v1/broken", lambda body: body["status"] == "error"),
    ],
)
def test_an_unforeseen_failure_is_500_and_told_to_the_log_only(settings, caplog, path, code):
    @get(path, sync_to_thread=False)
    def broken() -> None:
        raise RuntimeError("select secret from /etc/passwd")

    app = create_app(settings)
    app.register(broken)
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get(path)
    assert answer.status_code == 500
    assert code(answer.json())
    for word in ("secret", "passwd", "Traceback", "RuntimeError"):
        assert word not in answer.text
    assert "secret" in caplog.text


def test_a_model_that_is_missing_is_500_without_its_path(tmp_path):
    settings = Settings(
        data_dir=tmp_path / "data",
        index_dir=tmp_path / "indexes",
        embedding_model=str(tmp_path / "no" / "model"),
    )
    with assemble(settings) as service:
        headers = bearer(service.access.create("one"))
    page = {"source_url": "https://a/", "content": "x"}
    with TestClient(create_app(settings)) as client:
        push = client.post("/knowledge", headers=headers, json=page)
        search = client.get("/search", headers=headers, params={"query": "x"})
        health = client.get("/health").json()
    for answer in (push, search):
        assert answer.status_code == 500
        assert "RAG_EMBEDDING_MODEL" in answer.json()["message"]
        assert str(tmp_path) not in answer.text
    assert health["utils_loaded"] is False
    assert health["embedding_model"] == "model"


def test_an_unknown_path_is_404_whoever_asks(client):
    assert client.get("/nothing").status_code == 404
    del client.headers["Authorization"]
    assert client.get("/nothing").status_code == 404
    assert client.get("/knowledge/doc_0").status_code == 401
    assert client.post("/knowledge", content=b"rubbish").status_code == 401


def test_a_limit_that_is_off_sends_no_headers(client):
    assert "x-ratelimit-limit" not in client.get("/knowledge").headers
