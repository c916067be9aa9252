"""What the OpenAPI document says is what the service does, for every route of it."""

import json

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from litestar.testing import TestClient
from open_gaps import considered
from openapi_spec_validator import validate

from rag_service.assembly import assemble
from rag_service.cli import cli
from rag_service.http.app import create_app, openapi_document
from rag_service.settings import Settings

DOCUMENT = json.loads(openapi_document())
MOUNTS = ("/wp-json/mxchat/v1", "/api/v1", "/v1")
OPERATIONS = [
    pytest.param(method, path, operation, id=f"{method} {path}")
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
    if not path.startswith(tuple(f"{mount}/" for mount in MOUNTS))
]
NO_VALUE = {
    "string": "x\x01" * 12_500,
    "integer": "many",
    "boolean": "perhaps",
    "object": 7,
    "array": [7.5],
}
"""By type, what no field takes, but for these, which take any text."""
ANY_TEXT = {
    "post /knowledge": {"content", "title"},
    "get /knowledge": {"source_url"},
    "post /knowledge/upload": {"types"},
    "post /transcripts/translations": {"text"},
    "patch /gaps/{gap_id}": {"note"},
    "post /gaps/{gap_id}/answer": {"answer"},
    "post /widget/session": {"session"},
}
SHOP = "https://shop.example"
NO_LIMITS = {"data": "off", "chat": "off"}
PAGE = {"source_url": "https://a/1", "content": "We open at nine."}
every_operation = pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A client of one service for all, and the ids of things that are there."""
    folder = tmp_path_factory.mktemp("document")
    settings = Settings(
        data_dir=folder / "data",
        index_dir=folder / "indexes",
        embedding_model="hashing:1024",
        rate_visitor="off",
        rate_address="off",
    )
    with assemble(settings) as service:
        token = service.access.create("tests", ["admin"], rates=NO_LIMITS)
        key = service.access.create("shop", ["widget"], None, NO_LIMITS, [SHOP])
    with TestClient(create_app(settings)) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        client.visitor = {"Authorization": f"Bearer {key}", "Origin": SHOP}
        session = client.post("/widget/session", headers=client.visitor).json()["data"]
        client.visitor["X-Widget-Session"] = session["session"]
        yield client


@pytest.fixture(scope="module")
def asked(full):
    """The ids of an answer, and of the gap that its question is."""
    full.post("/knowledge", json=PAGE)
    answer = full.post("/bot/default", json={"message": "Where can I park my bicycle?"}).json()
    (gap,) = considered(full)
    return {"message_id": answer["data"]["messageId"], "gap_id": gap["gap_id"]}


@pytest.fixture
def ids(full, asked):
    """Of each kind that a path names, made anew where it is gone."""
    full.post("/chat/default/conversations", json={"conversationId": "s-1"})
    hook = full.post("/webhooks", json={"url": "https://93.184.216.34/hooks"}).json()
    contact = full.post("/contacts", json={"userId": "u-1"}).json()
    return {
        "bot_id": "default",
        "conversation_id": "s-1",
        "document_id": full.post("/knowledge", json=PAGE).json()["document_id"],
        "job_id": full.post("/knowledge/batch", content=json.dumps(PAGE)).json()["job_id"],
        "webhook_id": hook["data"]["id"],
        "contact_id": contact["data"]["id"],
        "delivery_id": "none",
        **asked,
    }


def fields_of(operation):
    """Name, place and type of each that refuses something."""
    for one in operation.get("parameters", ()):
        if one["in"] == "query":
            yield one["name"], "query", one["schema"]
    for media_type, media in operation.get("requestBody", {}).get("content", {}).items():
        for name, schema in media["schema"].get("properties", {}).items():
            if media_type == "application/json":
                yield name, "body", schema


def type_of(schema):
    kinds = schema.get("type", "array")  # without a type it is one or a list
    return kinds if isinstance(kinds, str) else kinds[0]


def sample(operation):
    content = operation.get("requestBody", {}).get("content", {})
    media = content.get("application/json")
    return media["examples"]["example"]["value"] if media else None


def required_of(operation):
    return {
        one["name"]: "x"
        for one in operation.get("parameters", ())
        if one["required"] and one["in"] != "header"
    }


def send(client, method, path, query, body, operation):
    content = operation.get("requestBody", {}).get("content", {})
    if "multipart/form-data" in content:
        more = {"files": {"file": ("a.csv", b"email\nann@example.com\n")}}
    elif "application/x-ndjson" in content:
        more = {"content": b'{"source_url": "https://a/2", "content": "x"}\n'}
    else:
        more = {} if body is None else {"json": body}
    headers = client.visitor if path.startswith("/widget") else {}
    return client.request(method.upper(), path, params=query, headers=headers, **more)


def test_the_command_prints_what_is_served_and_starts_nothing(full, tmp_path):
    folder = tmp_path / "nothing"
    result = CliRunner(env={"RAG_DATA_DIR": str(folder)}).invoke(cli, ["openapi"])
    assert json.loads(result.output) == full.get("/schema/openapi.json").json() == DOCUMENT
    validate(DOCUMENT)
    assert not folder.exists()


def test_the_mounts_of_a_route_are_described_alike():
    paths = DOCUMENT["paths"]
    for path, operations in paths.items():
        for mount in MOUNTS:
            for method, twin in paths.get(mount + path, {}).items():
                assert {**operations[method], "operationId": twin["operationId"]} == twin


def test_streams_have_their_media_types():
    def kinds(method, path, status="200"):
        return set(DOCUMENT["paths"][path][method]["responses"][status]["content"])

    assert kinds("post", "/chat/{bot_id}/stream") == {"text/event-stream"}
    assert kinds("get", "/events") == {"application/json", "text/event-stream"}
    assert kinds("get", "/contacts") == {"application/json", "text/csv"}
    exports = {"application/json", "text/csv", "application/x-ndjson"}
    assert kinds("get", "/transcripts") == kinds("get", "/gaps") == exports
    assert kinds("get", "/gaps/golden") == {"application/x-ndjson"}
    for path in ("/knowledge/batch", "/knowledge/upload"):
        assert kinds("post", path) == {"application/x-ndjson"}
        assert kinds("post", path, "202") == {"application/json"}


@every_operation
def test_each_documented_field_is_read(full, ids, method, path, operation):
    """What is no value of its type is refused, by its name."""
    where = path.format(**ids)
    for name, place, schema in fields_of(operation):
        if name in ANY_TEXT.get(f"{method} {path}", ()):
            continue
        query, body = required_of(operation), sample(operation)
        bad = NO_VALUE[type_of(schema)]
        if place == "query":
            bad = NO_VALUE["string"] if isinstance(bad, list) else bad
            query = {**query, name: bad}
            body = body and {key: value for key, value in body.items() if key != name}
        else:
            body = {**body, name: bad}
        answer = send(full, method, where, query, body, operation)
        assert (answer.status_code, name in answer.text) == (400, True), (name, answer.text)


@every_operation
def test_each_example_is_taken_and_what_is_not_documented_is_ignored(
    full, ids, method, path, operation
):
    where = path.format(**ids)
    query, body = {**required_of(operation), "undocumented": "x"}, sample(operation)
    body = None if body is None else {**body, "undocumented": [7.5]}
    answer = send(full, method, where, query, body, operation)
    strange = {"message_id", "messageId", "session_id", "gap_ids"}  # names of what is not there
    is_unknown = "delivery_id" in path or not strange.isdisjoint(body or {})
    assert answer.status_code < 400 or (is_unknown and answer.status_code == 404), answer.text
    assert "undocumented" not in answer.text
    said = operation["responses"][str(answer.status_code)]["content"]
    assert answer.headers["content-type"].partition(";")[0] in said


def test_operations_are_called_as_what_they_do():
    paths = DOCUMENT["paths"]
    assert paths["/knowledge"]["get"]["operationId"] == "listPages"
    assert paths["/wp-json/mxchat/v1/knowledge"]["get"]["operationId"] == "mxchatListPages"
    assert paths["/api/v1/chat/{bot_id}/stream"]["post"]["operationId"] == "apiChatStream"
    put = paths["/webhooks/{webhook_id}"]["put"]["operationId"]
    assert {"updateWebhook", put} == {"updateWebhook", "putUpdateWebhook"}


def test_what_may_be_in_the_query_is_no_body_that_is_needed(full):
    for path, name in (("/knowledge", "source_url"), ("/transcripts", "session_ids")):
        assert not DOCUMENT["paths"][path]["delete"]["requestBody"].get("required")
        assert full.delete(path, params={name: "https://a/gone"}).status_code == 200
    assert DOCUMENT["paths"]["/knowledge/upload"]["post"]["requestBody"]["required"]


def schema_of_items(method, path, kind):
    media = DOCUMENT["paths"][path][method]["responses"]["200"]["content"][kind]
    return Draft202012Validator(media["schema"])


def data_of(text):
    return [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]


def test_each_line_of_a_stream_is_as_documented(full, ids):
    pages = json.dumps(PAGE) + "\n{}\n"
    question = {"message": "Do we open at nine?"}
    reply = full.post("/chat/default/message", json=question).json()["data"]
    full.post(f"/messages/{reply['messageId']}/feedback", json={"rating": "up"})
    for method, path, more in (
        ("post", "/knowledge/batch?wait=true", {"content": pages}),
        ("post", "/knowledge/upload?wait=true", {"files": {"file": ("a.md", b"# A\n\nb")}}),
        ("get", "/transcripts", {}),
        ("get", "/gaps", {}),
        ("get", "/gaps/golden", {}),
        ("post", "/chat/{bot_id}/stream", {"json": question}),
    ):
        kind = "text/event-stream" if "json" in more else "application/x-ndjson"
        headers = {"Accept": kind}
        answer = full.request(method.upper(), path.format(**ids), headers=headers, **more)
        items = data_of(answer.text) if "json" in more else answer.text.splitlines()
        assert items, path
        validator = schema_of_items(method, path.partition("?")[0], kind)
        for item in items:
            validator.validate(json.loads(item))
        assert not validator.is_valid({"surprise": 1})


@pytest.mark.parametrize(
    ("method", "path", "operation"), [one for one in OPERATIONS if one.values[0] == "get"]
)
def test_head_is_answered_wherever_get_is_and_text_is_in_utf8(full, ids, method, path, operation):
    where = path.format(**ids)
    for kind in operation["responses"]["200"]["content"]:
        headers = {"Accept": kind} | (full.visitor if path.startswith("/widget") else {})
        head = full.head(where, params=required_of(operation), headers=headers)
        assert (head.status_code, head.content) == (200, b"")
        media, _, charset = head.headers["content-type"].partition(";")
        assert media == kind
        assert charset.strip() == ("charset=utf-8" if media.startswith("text/") else "")
