"""/webhooks over HTTP: managed, tried out, and delivered to by a server of its own."""

import asyncio
import base64
import socket
import threading
import time

import msgspec
import pytest
from calling import client_of
from litestar.testing import TestClient
from receiving import receiving, statuses
from served import served

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import assemble
from rag_service.events.webhooks import read_webhook
from rag_service.http.app import create_app

NEW = {
    "id",
    "url",
    "events",
    "botId",
    "description",
    "enabled",
    "disabledReason",
    "failingSince",
    "createdAt",
    "updatedAt",
    "secret",
}
PUBLIC = "https://93.184.216.34/hook"


@pytest.fixture
def open_client(settings, token):
    """Of a service whose webhooks may reach this machine."""
    allowed = msgspec.structs.replace(settings, webhook_allow_private=True)
    with client_of(allowed) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def good(answer, status=200):
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert (body["success"], body["error"]) == (True, None)
    return body["data"]


def bad(answer, status, code):
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert (body["success"], body["data"], body["error"]["code"]) == (False, None, code)
    return body["error"]["message"]


def make(client, url=PUBLIC, **fields):
    return good(client.post("/webhooks", json={"url": url, **fields}), 201)


@pytest.mark.parametrize("mount", ["", "/api/v1"])
def test_a_webhook_is_made_read_changed_and_deleted(client, mount):
    body = {"url": PUBLIC, "events": ["message.*", "job.finished"], "description": "CRM"}
    made = good(client.post(f"{mount}/webhooks", json=body), 201)
    assert set(made) == NEW
    assert made["id"].startswith("whk_")
    assert (made["url"], made["events"], made["botId"]) == (PUBLIC, body["events"], None)
    assert (made["enabled"], made["disabledReason"]) == (True, None)
    assert 24 <= len(base64.b64decode(made["secret"].removeprefix("whsec_"))) <= 64

    one = f"{mount}/webhooks/{made['id']}"
    secret = made.pop("secret")
    assert good(client.get(one)) == made
    assert secret not in client.get(f"{mount}/webhooks").text
    changed = good(client.patch(one, json={"events": ["*"], "enabled": False}))
    assert (changed["events"], changed["enabled"]) == (["*"], False)
    assert (changed["description"], changed["url"]) == ("CRM", PUBLIC)
    assert "secret" not in changed
    again = good(client.put(one, json={"enabled": True, "botId": "shop", "description": None}))
    assert (again["enabled"], again["botId"], again["description"]) == (True, "shop", "")
    assert good(client.patch(one, json={"botId": None}))["botId"] is None

    assert good(client.delete(one)) == {"id": made["id"], "deleted": True}
    for answer in (client.get(one), client.delete(one), client.patch(one, json={})):
        assert made["id"] in bad(answer, 404, "NOT_FOUND")


def test_the_least_that_is_given_wants_every_event(client):
    assert make(client)["events"] == ["*"]
    assert make(client, eventTypes=["gap.opened"])["events"] == ["gap.opened"]
    assert make(client, events="message.*, job.*")["events"] == ["message.*", "job.*"]


def test_a_secret_of_ones_own_is_taken(client):
    own = f"whsec_{base64.b64encode(bytes(range(32))).decode()}"
    assert make(client, secret=own)["secret"] == own


def test_lists_have_pages_the_newest_first(client):
    names = [make(client, description=str(n))["description"] for n in range(5)][::-1]
    seen = []
    for page in (1, 2, 3):
        data = good(client.get("/webhooks", params={"page": page, "limit": 2}))
        seen += [one["description"] for one in data["webhooks"]]
        assert data["pagination"] == {"page": page, "limit": 2, "total": 5, "hasMore": page < 3}
    assert seen == names


def test_every_fault_is_named(client):
    message = bad(
        client.post(
            "/webhooks",
            json={
                "url": "ftp://example.com",
                "events": ["message.made", "nonsense.*"],
                "botId": "no bot",
                "description": 5,
                "enabled": "yes",
                "secret": "whsec_short",
            },
        ),
        400,
        "INVALID_REQUEST",
    )
    for name in ("url", "events", "botId", "description", "enabled", "secret"):
        assert f"{name}: " in message
    assert "message.made, nonsense.*" in message
    assert "url: is required" in bad(client.post("/webhooks", json={}), 400, "INVALID_REQUEST")
    for events in ([], [1], {}):
        answer = client.post("/webhooks", json={"url": PUBLIC, "events": events})
        assert "events: " in bad(answer, 400, "INVALID_REQUEST")
    bad(client.post("/webhooks", content=b"{"), 400, "INVALID_REQUEST")
    assert good(client.get("/webhooks"))["pagination"]["total"] == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://017700000001/",
        "http://0177.0.0.1/",
        "http://0x7f.1/",
        "http://127.1/",
        "http://localhost:8000/knowledge",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://[::ffff:a00:1]/",
        "http://10.0.0.1/",
        "http://192.168.0.1:9200/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/",
        "http://100.100.100.200/",
        "http://0.0.0.0/",
        "http://user:password@example.com/",
        "file:///etc/passwd",
    ],
)
def test_an_address_that_may_not_be_reached_is_refused(client, url):
    message = bad(client.post("/webhooks", json={"url": url}), 400, "INVALID_REQUEST")
    assert message.startswith("url: ")
    made = make(client)
    bad(client.patch(f"/webhooks/{made['id']}", json={"url": url}), 400, "INVALID_REQUEST")
    assert good(client.get(f"/webhooks/{made['id']}"))["url"] == PUBLIC


def test_a_name_that_cannot_be_found_now_is_taken(client):
    assert make(client, "https://hooks.invalid/x")["url"] == "https://hooks.invalid/x"


def test_only_an_admin_may(client, settings):
    made = make(client)
    with assemble(settings) as service:
        token = service.access.create("other", ["knowledge", "transcripts", "chat"])
    client.headers["Authorization"] = f"Bearer {token}"
    bad(client.get("/webhooks"), 403, "FORBIDDEN")
    bad(client.post("/webhooks", json={"url": PUBLIC}), 403, "FORBIDDEN")
    bad(client.post(f"/webhooks/{made['id']}/rotate"), 403, "FORBIDDEN")
    del client.headers["Authorization"]
    bad(client.get("/api/v1/webhooks"), 401, "INVALID_API_KEY")


def test_a_bound_token_has_webhooks_of_its_bot_only(client, settings):
    theirs, everybodys = make(client, botId="theirs"), make(client)
    with assemble(settings) as service:
        token = service.access.create("bound", ["admin"], bot_id="mine")
    client.headers["Authorization"] = f"Bearer {token}"
    mine = make(client)
    assert mine["botId"] == "mine"
    assert [one["id"] for one in good(client.get("/webhooks"))["webhooks"]] == [mine["id"]]
    for other in (theirs, everybodys):
        for call in (client.get, client.delete):
            bad(call(f"/webhooks/{other['id']}"), 404, "NOT_FOUND")
        bad(client.post(f"/webhooks/{other['id']}/test"), 404, "NOT_FOUND")
    for bot in ("theirs", None):
        one = f"/webhooks/{mine['id']}"
        bad(client.patch(one, json={"botId": bot}), 403, "FORBIDDEN")
        bad(client.post("/webhooks", json={"url": PUBLIC, "botId": bot}), 403, "FORBIDDEN")


def test_webhooks_have_a_rate_of_their_own(settings):
    settings = msgspec.structs.replace(settings, rate_webhook="3/hour")
    with assemble(settings) as service:
        token = service.access.create("tests", ["admin"])
    with TestClient(create_app(settings)) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        for left in (2, 1, 0):
            answer = client.get("/webhooks")
            assert answer.headers["X-RateLimit-Limit"] == "3"
            assert answer.headers["X-RateLimit-Remaining"] == str(left)
        over = client.post("/api/v1/webhooks", json={"url": PUBLIC})
        bad(over, 429, "RATE_LIMIT_EXCEEDED")
        assert int(over.headers["Retry-After"]) > 0
        assert int(over.headers["X-RateLimit-Reset"]) > time.time() - 1
        assert client.get("/bots").status_code == 200
    with TestClient(create_app(msgspec.structs.replace(settings, rate_webhook="500/minute"))) as c:
        c.headers["Authorization"] = f"Bearer {token}"
        assert c.get("/webhooks").headers["X-RateLimit-Limit"] == "500"


def test_a_test_says_what_became_of_it(open_client):
    with receiving() as receiver:
        receiver.answers = statuses(500)
        made = make(open_client, receiver.url, enabled=False)
        path = f"/webhooks/{made['id']}"
        failed = good(open_client.post(f"{path}/test"))
        assert failed["status"] == "failed"
        assert [one["status"] for one in failed["attempts"]] == [500]
        assert failed["attempts"][0]["response"] == "as told"
        taken = good(open_client.post(f"{path}/test"))
        assert (taken["status"], taken["eventType"]) == ("delivered", "webhook.test")
        for one in receiver.requests:
            one.verify(made["secret"])
        assert receiver.requests[1].id == taken["eventId"]
        assert receiver.requests[1].event["type"] == "webhook.test"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{free.getsockname()[1]}/"
        good(open_client.patch(path, json={"url": nowhere}))
    nobody = good(open_client.post(f"{path}/test"))["attempts"][0]
    assert nobody["status"] is None
    assert nobody["error"]
    listed = good(open_client.get(f"{path}/deliveries"))["deliveries"]
    assert [one["status"] for one in listed] == ["failed", "delivered", "failed"]
    assert good(open_client.post(f"{path}/redeliver")) == {"redelivered": 0}
    assert open_client.get("/events").json()["data"]["events"] == []


def test_a_redirect_to_another_address_is_not_followed(open_client):
    with receiving() as inner, receiving() as outer:
        outer.answers = lambda one: (307, {"Location": inner.url}, b"")
        made = make(open_client, outer.url)
        failed = good(open_client.post(f"/webhooks/{made['id']}/test"))
        assert failed["attempts"][0]["error"] == (
            "the receiver answered 307; redirects are not followed"
        )
        assert inner.requests == []


def test_secrets_rotate_with_an_overlap(open_client):
    with receiving() as receiver:
        made = make(open_client, receiver.url)
        path = f"/webhooks/{made['id']}"
        new = good(open_client.post(f"{path}/rotate"))
        assert set(new) == NEW
        assert new["secret"] != made["secret"]
        good(open_client.post(f"{path}/test"))
        for secret in (made["secret"], new["secret"]):
            receiver.requests[0].verify(secret)
        last = good(open_client.post(f"{path}/rotate", json={"overlapHours": 0}))
        good(open_client.post(f"{path}/test"))
        receiver.requests[1].verify(last["secret"])
        assert len(receiver.requests[1].headers["webhook-signature"].split()) == 1
    for hours in (-1, 169, "x"):
        answer = open_client.post(f"{path}/rotate", json={"overlapHours": hours})
        assert "overlapHours: " in bad(answer, 400, "INVALID_REQUEST")


def test_deliveries_are_listed_with_their_attempts_and_repeated(settings):
    settings = msgspec.structs.replace(settings, webhook_allow_private=True)
    with assemble(settings) as service:
        token = service.access.create("tests", ["admin"])
    with receiving() as receiver, served(settings) as (client, _):
        client.headers["Authorization"] = f"Bearer {token}"
        receiver.answers = statuses(503)
        made = make(client, receiver.url, events=["message.*"])
        path = f"/webhooks/{made['id']}/deliveries"
        for n in range(3):
            sent = {
                "sender_id": "usr_1",
                "sender_type": "user",
                "text": str(n),
                "auto_reply": False,
            }
            assert client.post("/messages", json=sent).status_code == 200
        receiver.wait(4)
        for one in receiver.requests:
            one.verify(made["secret"])
        data = until(lambda: good(client.get(path, params={"status": "delivered"})), 3)
        assert data["pagination"] == {"page": 1, "limit": 20, "total": 3, "hasMore": False}
        assert sorted(len(one["attempts"]) for one in data["deliveries"]) == [1, 1, 2]
        twice = next(one for one in data["deliveries"] if len(one["attempts"]) == 2)
        assert set(twice) == {
            "id", "eventId", "eventType", "status", "attempts", "nextAttemptAt", "createdAt"
        }  # fmt: skip
        first = twice["attempts"][0]
        assert (first["status"], first["error"]) == (503, "the receiver answered 503")
        assert first["durationMs"] >= 0
        page = good(client.get(path, params={"limit": 1, "page": 2}))
        assert page["deliveries"] == [data["deliveries"][1]]
        assert good(client.get(path, params={"status": "failed"}))["deliveries"] == []
        assert "status: " in bad(
            client.get(path, params={"status": "lost"}), 400, "INVALID_REQUEST"
        )
        again = client.post(f"{path}/{twice['id']}/redeliver")
        assert good(again) == {"redelivered": 1}
        assert receiver.wait(5)[4].id == twice["eventId"]
        bad(client.post(f"{path}/dlv_nobody/redeliver"), 404, "NOT_FOUND")
        bad(client.get("/webhooks/whk_nobody/deliveries"), 404, "NOT_FOUND")


def until(read, count):
    for _ in range(200):
        data = read()
        if len(data["deliveries"]) == count:
            return data
        threading.Event().wait(0.05)
    raise AssertionError(data)


def test_what_another_process_writes_is_delivered_too(settings, shell):
    settings = msgspec.structs.replace(settings, webhook_allow_private=True)
    with assemble(settings) as service:
        token = service.access.create("tests", ["admin"])
    with receiving() as receiver, served(settings) as (client, _):
        client.headers["Authorization"] = f"Bearer {token}"
        assert client.get("/health").status_code == 200
        with assemble(settings) as service:  # as the command line does
            fields = read_webhook({"url": receiver.url, "events": ["knowledge.*"]})
            asyncio.run(service.webhooks.create(ALL_BOTS, fields))
        page = shell.folder / "page.md"
        page.write_text("# Hours\n\nWe open at nine.")
        assert shell.ingest(page)[0] == 0
        assert receiver.wait(1)[0].event["type"] == "knowledge.upserted"
