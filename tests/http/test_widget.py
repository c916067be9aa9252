"""/widget over HTTP: keys that stand on public pages, and the visitors who hold nothing else."""

import gzip
from datetime import timedelta

import pytest
from litestar.testing import TestClient

from rag_service.access import Caller, Scope
from rag_service.access.visitors import LASTS_S, Visitors
from rag_service.assembly import assemble
from rag_service.clock import SystemClock
from rag_service.errors import BadSession, Invalid
from rag_service.http.app import create_app

SHOP = "https://shop.example"
OTHER = "https://evil.example"
HOURS = "We are open from 9 to 17, on Saturdays from 10 to 14."


@pytest.fixture
def key(settings):
    with assemble(settings) as service:
        return service.access.create("shop", ["widget"], None, None, [SHOP])


@pytest.fixture
def visitors(client, key, push):
    """Begins a visitor; gives what calls as that one."""
    push("https://example.com/hours", HOURS, title="Hours")

    def begin(former=None, origin=SHOP):
        headers = {"Authorization": f"Bearer {key}", "Origin": origin}
        body = {} if former is None else {"session": former}
        data = client.post("/widget/session", json=body, headers=headers).json()["data"]

        def call(method, path, **more):
            given = headers | {"X-Widget-Session": data["session"]} | more.pop("headers", {})
            return client.request(method, f"/widget/{path}", headers=given, **more)

        call.session = data
        return call

    return begin


def ask(visitor, message="When do you open on Saturdays?", **more):
    answer = visitor("POST", "stream", json={"message": message, **more})
    assert answer.status_code == 200, answer.text
    return answer.text


def said(visitor):
    answer = visitor("GET", "conversation")
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]["messages"]


def kept(client):
    return client.get("/transcripts").json()["items"]


def test_a_visitor_asks_rates_reads_and_deletes(visitors, client):
    visitor = visitors()
    assert HOURS in ask(visitor, pageUrl=f"{SHOP}/cart", pageTitle="Cart")
    question, answer = said(visitor)
    assert (question["role"], answer["role"]) == ("user", "assistant")
    assert [source["sourceUrl"] for source in answer["sources"]] == ["https://example.com/hours"]
    row = next(row for row in kept(client) if row["role"] == "user")
    assert row["originating_page_url"] == f"{SHOP}/cart"
    assert row["originating_page_title"] == "Cart"
    assert row["user_id"] == visitor.session["visitor"]
    rated = visitor("POST", "feedback", json={"messageId": answer["id"], "rating": "up"})
    assert rated.json()["data"] == {"messageId": answer["id"], "rating": "up"}
    assert said(visitor)[1]["rating"] == "up"
    gone = visitor("DELETE", "conversation").json()["data"]
    assert gone == {"deleted": True, "messagesDeleted": 2}
    assert said(visitor) == []
    assert kept(client) == []


def test_a_session_that_is_renewed_has_the_same_conversation(visitors):
    first = visitors()
    ask(first)
    again = visitors(first.session["session"])
    assert again.session["visitor"] == first.session["visitor"]
    assert len(said(again)) == 2


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "session"),
        ("POST", "stream"),
        ("GET", "conversation"),
        ("DELETE", "conversation"),
        ("POST", "feedback"),
    ],
)
@pytest.mark.parametrize("origin", [OTHER, "null", "https://shop.example.evil.example", "", None])
def test_a_foreign_origin_is_403_and_nothing_is_kept(client, visitors, key, method, path, origin):
    session = visitors().session["session"]
    headers = {"Authorization": f"Bearer {key}", "X-Widget-Session": session}
    if origin is not None:
        headers["Origin"] = origin
    body = {"message": "When do you open?", "messageId": "msg_1", "rating": "up"}
    given = {"json": body} if method == "POST" else {}
    answer = client.request(method, f"/widget/{path}", headers=headers, **given)
    assert answer.status_code == 403, answer.text
    assert answer.json()["error"]["code"] == "FORBIDDEN"
    assert "access-control-allow-origin" not in answer.headers
    assert kept(client) == []


def test_a_page_of_this_very_host_needs_no_origin_for_a_get(client, settings):
    with assemble(settings) as service:
        own = service.access.create("own", ["widget"], None, None, ["http://testserver.local"])
    headers = {"Authorization": f"Bearer {own}", "Origin": "http://testserver.local"}
    session = client.post("/widget/session", headers=headers).json()["data"]["session"]
    del headers["Origin"]
    headers |= {"X-Widget-Session": session, "Sec-Fetch-Site": "same-origin"}
    assert client.get("/widget/conversation", headers=headers).status_code == 200
    headers["Sec-Fetch-Site"] = "cross-site"
    assert client.get("/widget/conversation", headers=headers).status_code == 403


def test_answers_and_errors_may_be_read_by_the_page_and_by_no_other(client, visitors, key):
    visitor = visitors()
    for answer in (visitor("GET", "conversation"), visitor("POST", "stream", json={})):
        assert answer.headers["access-control-allow-origin"] == SHOP
        assert "Origin" in answer.headers["vary"]
        assert "access-control-allow-credentials" not in answer.headers
    wrong = client.post(
        "/widget/session", headers={"Authorization": "Bearer wrong", "Origin": OTHER}
    )
    assert wrong.status_code == 401
    assert "access-control-allow-origin" not in wrong.headers


@pytest.mark.parametrize("path", ["session", "stream", "conversation", "feedback"])
def test_browsers_may_ask_beforehand_without_the_key(client, key, path):
    wanted = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,x-widget-session",
    }
    answer = client.options(f"/widget/{path}", headers={"Origin": SHOP, **wanted})
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert "x-widget-session" in answer.headers["access-control-allow-headers"]
    answer = client.options(f"/widget/{path}", headers={"Origin": OTHER, **wanted})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_origins_that_may_use_the_api_do_not_open_the_widget(settings, token):
    with assemble(settings) as service:
        key = service.access.create("shop", ["widget"], None, None, [SHOP])
    settings = type(settings)(**{**_fields(settings), "cors_origins": f"{OTHER}"})
    with TestClient(create_app(settings)) as client:
        headers = {"Authorization": f"Bearer {key}", "Origin": OTHER}
        answer = client.post("/widget/session", headers=headers)
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
        headers["Origin"] = SHOP
        answer = client.post("/widget/session", headers=headers)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == SHOP
        asked = {"Access-Control-Request-Method": "POST", "Origin": SHOP}
        answer = client.options("/widget/session", headers=asked)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, SHOP)


def _fields(settings):
    return {name: getattr(settings, name) for name in settings.__struct_fields__}


def test_a_visitor_finds_nothing_of_another(visitors):
    one, other = visitors(), visitors()
    ask(one)
    assert said(other) == []
    answer_id = said(one)[1]["id"]
    rated = other("POST", "feedback", json={"messageId": answer_id, "rating": "down"})
    assert rated.status_code == 404
    assert other("DELETE", "conversation").json()["data"]["messagesDeleted"] == 0
    assert len(said(one)) == 2
    for path in ("conversation", f"conversation?conversationId={one.session['visitor']}"):
        assert other("GET", path).json()["data"]["messages"] == []


def test_forged_sessions_open_nothing(visitors):
    visitor = visitors()
    ask(visitor)
    id_, expiry, signature = visitor.session["session"].split(".")
    other_id, _, other_signature = visitors().session["session"].split(".")
    forged = [
        "",
        id_,
        f"{id_}.{expiry}.{other_signature}",
        f"{id_}.{int(expiry) + 1}.{signature}",
        f"{other_id}.{expiry}.{signature}",
        f"{id_}.{expiry}.{'0' * 64}",
        f"{id_}.{expiry}.{signature.upper()}",
        f"{visitor.session['session']}.",
    ]
    for session in forged:
        answer = visitor("GET", "conversation", headers={"X-Widget-Session": session})
        assert answer.status_code == 401, session
        assert answer.json()["error"]["code"] == "INVALID_SESSION"


def test_ten_thousand_guessed_visitors_are_none():
    sessions, caller = Visitors(lambda: b"k" * 32), of_the_shop()
    _, expiry, signature = sessions.begin(caller).session.split(".")
    for number in range(10_000):
        with pytest.raises(BadSession):
            sessions.identify(caller, f"v{number:032x}.{expiry}.{signature}")


def of_the_shop(name="shop", bot="default"):
    scope = Scope(frozenset({bot}))
    return Caller(name=name, permissions=["widget"], scope=scope, rates={})


class SetClock(SystemClock):
    ahead = timedelta()

    def now(self):
        return super().now() + self.ahead


def test_a_session_ends_and_is_of_one_key_and_one_bot():
    clock = SetClock()
    sessions = Visitors(lambda: b"k" * 32, clock)

    given = sessions.begin(of_the_shop())
    assert sessions.identify(of_the_shop(), given.session) == given.visitor
    for other in (of_the_shop(name="other"), of_the_shop(bot="other")):
        with pytest.raises(BadSession):
            sessions.identify(other, given.session)
        assert sessions.begin(other, given.session).visitor != given.visitor
    with pytest.raises(BadSession):
        Visitors(lambda: b"l" * 32, clock).identify(of_the_shop(), given.session)
    clock.ahead = timedelta(seconds=LASTS_S + 1)
    with pytest.raises(BadSession):
        sessions.identify(of_the_shop(), given.session)
    assert sessions.begin(of_the_shop(), given.session).visitor == given.visitor
    clock.ahead = timedelta(days=2)
    assert sessions.begin(of_the_shop(), given.session).visitor != given.visitor


def test_the_key_opens_nothing_else(client, key):
    headers = {"Authorization": f"Bearer {key}", "Origin": SHOP}
    document = client.get("/schema/openapi.json").json()
    tried = 0
    for path, operations in document["paths"].items():
        if path.startswith("/widget") or "health" in path:
            continue
        for method in operations:
            if method in ("get", "post", "put", "patch", "delete"):
                url = path.replace("{bot_id}", "default")
                answer = client.request(method, url, headers=headers)
                assert answer.status_code == 403, (method, path, answer.text)
                tried += 1
    assert tried > 40


def test_other_tokens_do_not_open_the_widget(client, settings):
    with assemble(settings) as service:
        admin = service.access.create("root", ["admin"])
    for token in (admin, client.headers["Authorization"].split()[1]):
        headers = {"Authorization": f"Bearer {token}", "Origin": SHOP}
        assert client.post("/widget/session", headers=headers).status_code == 403


def test_a_visitor_asks_so_often_and_an_address_so_often(settings, token):
    rates = {"rate_visitor": "2/hour", "rate_address": "7/hour", "rate_chat": "off"}
    with assemble(settings) as service:
        key = service.access.create("shop", ["widget"], None, {"chat": "off"}, [SHOP])
    settings = type(settings)(**{**_fields(settings), **rates})
    with TestClient(create_app(settings)) as client:
        headers = {"Authorization": f"Bearer {key}", "Origin": SHOP}

        def begin():
            return client.post("/widget/session", headers=headers)

        def ask_as(session):
            given = headers | {"X-Widget-Session": session}
            return client.post("/widget/stream", json={"message": "Hello"}, headers=given)

        session = begin().json()["data"]["session"]
        assert [ask_as(session).status_code for _ in range(3)] == [200, 200, 429]
        refused = ask_as(session)
        assert int(refused.headers["retry-after"]) > 0
        assert refused.headers["access-control-allow-origin"] == SHOP
        other = begin().json()["data"]["session"]
        assert ask_as(other).status_code == 200
        assert ask_as(other).status_code == 429  # the address has asked enough
        assert begin().status_code == 429


def test_addresses_that_are_no_web_pages_stay_here(client, visitors, push):
    push("file:///home/ana/shipping.txt", "Shipping to Canada takes five to eight days.")
    visitor = visitors()
    text = ask(visitor, "How long does shipping to Canada take?")
    assert "five to eight days" in text
    assert "/home/ana" not in text + visitor("GET", "conversation").text


@pytest.mark.parametrize(
    "body", [{}, {"message": ""}, {"message": " "}, {"message": "x" * 4001}, {"message": 7}, []]
)
def test_a_bad_question_is_told_and_not_kept(client, visitors, body):
    answer = visitors()("POST", "stream", json=body)
    assert answer.status_code == 400
    assert answer.json()["success"] is False
    assert kept(client) == []


def test_the_script_is_small_and_may_be_loaded_by_any_page(client):
    del client.headers["Authorization"]
    answer = client.get("/widget.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert len(gzip.compress(answer.content, 9, mtime=0)) <= 15_000
    for unsafe in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert unsafe not in answer.text
    again = client.get("/widget.js", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("given", "kept_as"),
    [
        ("https://shop.example", "https://shop.example"),
        ("https://Shop.Example/", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"),
        ("http://127.0.0.1:8100", "http://127.0.0.1:8100"),
        ("http://[::1]:8100", "http://[::1]:8100"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_an_origin_is_kept_as_browsers_send_it(settings, given, kept_as):
    with assemble(settings) as service:
        service.access.create("shop", ["widget"], None, None, [given, given])
        (token,) = service.access.tokens()
    assert (token.origins, token.bot_id, token.scopes) == ([kept_as], "default", ["widget"])


@pytest.mark.parametrize(
    ("scopes", "origins"),
    [
        (["widget", "chat"], [SHOP]),
        (["chat"], [SHOP]),
        (None, [SHOP]),
        (["widget"], ["shop.example"]),
        (["widget"], ["*"]),
        (["widget"], ["https://*.example"]),
        (["widget"], ["https://shop.example/cart"]),
        (["widget"], ["https://ana@shop.example"]),
        (["widget"], ["https://shop.example:99999"]),
        (["widget"], ["null"]),
        (["widget"], ["https://"]),
    ],
)
def test_a_key_that_would_open_too_much_is_refused(settings, scopes, origins):
    with assemble(settings) as service, pytest.raises(Invalid):
        service.access.create("shop", scopes, None, None, origins)
