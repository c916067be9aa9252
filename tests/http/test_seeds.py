"""The examples of the four seeds, as they stand there but for host, token and bot."""

import re

import pytest
from litestar.testing import TestClient

from rag_service.assembly import assemble
from rag_service.http.app import create_app

MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"
KNOWLEDGE = "/wp-json/mxchat/v1"


@pytest.fixture
def hours(push):
    """What the chat seed's example asks about."""
    push(
        "https://example.com/hours",
        "What are your business hours? Our business hours are Monday-Friday, 9 AM to 5 PM EST.",
    )


def begin(client, conversation_id):
    answer = client.post("/chat/default/conversations", json={"conversationId": conversation_id})
    assert answer.status_code == 201, answer.text


def chat_data(answer, status=200):
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["success"] is True
    assert body["error"] is None
    return body["data"]


def chat_error(answer, status, code):
    assert answer.status_code == status, answer.text
    message = answer.json()["error"]["message"]
    assert message
    assert answer.json() == {
        "success": False,
        "data": None,
        "error": {"code": code, "message": message},
    }


# -- chat.txt -----------------------------------------------------------------------------------

ASK = {
    "message": "What are your business hours?",
    "conversationId": "conv_123456",
    "metadata": {"userId": "user_789", "source": "mobile_app"},
}


def test_chat_message_answers_as_the_chat_seed(client, hours):
    begin(client, "conv_123456")
    data = chat_data(client.post("/api/v1/chat/default/message", json=ASK))
    assert "Monday-Friday, 9 AM to 5 PM" in data["response"]
    assert data["conversationId"] == "conv_123456"
    assert re.fullmatch(r"msg_\w+", data["messageId"])


def test_chat_message_without_a_conversation_begins_one(client, hours):
    body = {name: value for name, value in ASK.items() if name != "conversationId"}
    data = chat_data(client.post("/api/v1/chat/default/message", json=body))
    assert re.fullmatch(r"conv_\w+", data["conversationId"])


def test_chat_stream_answers_server_sent_events(client):
    answer = client.post("/api/v1/chat/default/stream", json={"message": "Tell me a story"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert re.findall("^event: (.+)$", answer.text, re.M)[-1] == "done"


def test_chat_history_reads_as_the_chat_seed(client, hours):
    begin(client, "conv_123456")
    asked = chat_data(client.post("/api/v1/chat/default/message", json=ASK))
    data = chat_data(client.get("/api/v1/chat/default/conversations/conv_123456"))
    assert data["conversationId"] == "conv_123456"
    question, reply = data["messages"]
    assert (question["role"], question["content"]) == ("user", ASK["message"])
    assert (reply["role"], reply["content"]) == ("assistant", asked["response"])
    assert reply["id"] == asked["messageId"]
    for message in data["messages"]:
        assert re.fullmatch(MOMENT, message["timestamp"])
    assert re.fullmatch(MOMENT, data["metadata"]["createdAt"])
    assert data["metadata"]["messageCount"] == 2


def test_chat_list_reads_as_the_chat_seed(client, hours):
    begin(client, "conv_123456")
    client.post("/api/v1/chat/default/message", json=ASK)
    data = chat_data(client.get("/api/v1/chat/default/conversations"))
    (entry,) = data["conversations"]
    assert (entry["id"], entry["preview"]) == ("conv_123456", ASK["message"])
    assert entry["messageCount"] == 2
    assert re.fullmatch(MOMENT, entry["createdAt"])
    assert entry["createdAt"] <= entry["updatedAt"]
    assert data["pagination"] == {"page": 1, "limit": 20, "total": 1, "hasMore": False}


def test_chat_errors_are_those_of_the_chat_seed(client):
    ask = {"message": "Hello"}
    path = "/api/v1/chat/default/message"
    chat_error(client.post(path, json={}), 400, "INVALID_REQUEST")
    chat_error(client.post(path, content=b"rubbish"), 400, "INVALID_REQUEST")
    chat_error(client.post("/api/v1/chat/nobody/message", json=ask), 404, "BOT_NOT_FOUND")
    lost = client.post(path, json={**ask, "conversationId": "conv_123456"})
    chat_error(lost, 404, "CONVERSATION_NOT_FOUND")
    wrong = client.post(path, json=ask, headers={"Authorization": "Bearer wrong"})
    chat_error(wrong, 401, "INVALID_API_KEY")


# -- overview-rate-limits-errors.txt ------------------------------------------------------------

HELLO = {"message": "Hello, what can you help me with?", "sessionId": "optional-session-id"}


def test_the_quick_start_reads_its_response_at_the_top(client):
    answer = client.post("/api/v1/bot/default", json=HELLO)
    data = chat_data(answer)
    assert isinstance(answer.json()["response"], str)
    assert answer.json()["response"] == data["response"] != ""
    assert data["conversationId"] == "optional-session-id"
    assert re.fullmatch(r"msg_\w+", data["messageId"])


def test_the_quick_start_runs_again_in_its_session(client):
    for count in (2, 4):
        chat_data(client.post("/api/v1/bot/default", json=HELLO))
        path = "/api/v1/chat/default/conversations/optional-session-id"
        assert chat_data(client.get(path))["metadata"]["messageCount"] == count


def test_an_answer_to_chat_carries_the_limit_of_the_overview(client):
    headers = client.post("/api/v1/bot/default", json=HELLO).headers
    assert headers["x-ratelimit-limit"] == "100"
    assert headers["x-ratelimit-remaining"] == "99"
    assert int(headers["x-ratelimit-reset"]) > 1_700_000_000


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/api/v1/chat/default/conversations", 100),  # chat endpoints, a minute
        ("/api/v1/contacts", 1000),  # data endpoints, an hour
        ("/knowledge", 1000),
        ("/api/v1/webhooks", 500),  # webhook endpoints, a minute
    ],
)
def test_each_kind_of_endpoint_has_the_limit_of_the_overview(client, settings, path, limit):
    with assemble(settings) as service:
        usual = service.access.create("usual", ["admin"])
    client.headers["Authorization"] = f"Bearer {usual}"
    for made in (1, 2):
        headers = client.get(path).headers
        assert headers["x-ratelimit-limit"] == str(limit)
        assert headers["x-ratelimit-remaining"] == str(limit - made)
        assert int(headers["x-ratelimit-reset"]) > 1_700_000_000


@pytest.mark.parametrize(
    ("method", "path", "limit"),
    [("GET", "/api/v1/webhooks", 500), ("POST", "/api/v1/bot/nobody", 100)],
)
def test_the_limits_of_the_overview_hold(settings, method, path, limit):
    with TestClient(create_app(settings)) as client:
        for name in ("first", "again"):
            with assemble(settings) as service:
                token = service.access.create(name, ["admin"])
            client.headers["Authorization"] = f"Bearer {token}"
            answers = [client.request(method, path) for _ in range(limit + 1)]
            if len({one.headers["x-ratelimit-reset"] for one in answers}) == 1:
                break  # otherwise a minute began meanwhile
        assert all(one.status_code != 429 for one in answers[:limit])
        chat_error(answers[limit], 429, "RATE_LIMIT_EXCEEDED")
        assert 0 < int(answers[limit].headers["retry-after"]) <= 60


def test_contacts_and_webhooks_of_the_overview_are_there(client):
    made = chat_data(client.post("/api/v1/contacts", json={"email": "ana@example.com"}), 201)
    assert chat_data(client.get(f"/api/v1/contacts/{made['id']}"))["email"] == "ana@example.com"
    listed = chat_data(client.get("/api/v1/contacts", params={"search": "ANA@"}))
    assert [one["id"] for one in listed["contacts"]] == [made["id"]]
    hook = {"url": "https://93.184.216.34/hook", "events": ["message.*"]}
    made = chat_data(client.post("/api/v1/webhooks", json=hook), 201)
    assert made["secret"].startswith("whsec_")
    assert chat_data(client.get(f"/api/v1/webhooks/{made['id']}"))["url"] == hook["url"]


def test_the_errors_of_the_overview(client, settings):
    with assemble(settings) as service:
        slow = service.access.create("slow", ["chat"], rates={"chat": "1/hour"})
    headers = {"Authorization": f"Bearer {slow}"}
    chat_data(client.post("/api/v1/bot/default", json=HELLO, headers=headers))
    over = client.post("/api/v1/bot/default", json=HELLO, headers=headers)
    chat_error(over, 429, "RATE_LIMIT_EXCEEDED")
    assert int(over.headers["retry-after"]) >= 1
    chat_error(client.post("/api/v1/bot/nobody", json=HELLO), 404, "BOT_NOT_FOUND")
    chat_error(client.post("/api/v1/bot/default", json={}), 400, "INVALID_REQUEST")
    del client.headers["Authorization"]
    chat_error(client.post("/api/v1/bot/default", json=HELLO), 401, "INVALID_API_KEY")


# -- messages.txt -------------------------------------------------------------------------------

SEND = {
    "conversation_id": "con_9s2kd81",
    "sender_id": "usr_82hd92",
    "sender_type": "user",
    "text": "Can you summarize my last 5 calls?",
    "metadata": {"channel": "web", "locale": "en-US"},
    "auto_reply": True,
}


def sent(answer):
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["status"] == "success"
    assert body["message"] == "Message sent successfully."
    return body["data"]


def refused(answer, status, message):
    assert answer.status_code == status, answer.text
    assert answer.json() == {"status": "error", "message": message, "data": None}


def test_a_message_is_sent_as_in_the_messages_seed(client):
    begin(client, "con_9s2kd81")
    data = sent(client.post("/v1/messages", json=SEND))
    message = data["message"]
    assert re.fullmatch(r"msg_\w+", message.pop("id"))
    assert re.fullmatch(MOMENT, message.pop("created_at"))
    message.pop("reply_to_message_id", None)
    assert data == {
        "conversation_id": "con_9s2kd81",
        "message": {
            "sender_id": "usr_82hd92",
            "sender_type": "user",
            "text": "Can you summarize my last 5 calls?",
            "metadata": {"channel": "web", "locale": "en-US"},
        },
        "auto_reply_enqueued": True,
    }


@pytest.mark.parametrize("text", ["Hello from curl!", "Hello from axios + TypeScript!"])
def test_a_message_without_a_conversation_begins_one(client, text):
    body = {"sender_id": "usr_82hd92", "sender_type": "user", "text": text}
    data = sent(client.post("/v1/messages", json=body))
    assert re.fullmatch(r"conv_\w+", data["conversation_id"])
    assert data["message"]["text"] == text
    assert data["auto_reply_enqueued"] is True


def test_a_message_is_sent_as_with_fetch(client):
    begin(client, "con_9s2kd81")
    body = {name: value for name, value in SEND.items() if name != "metadata"}
    data = sent(client.post("/v1/messages", json={**body, "text": "Hello from fetch!"}))
    assert data["message"]["text"] == "Hello from fetch!"
    assert data["conversation_id"] == "con_9s2kd81"


def test_the_errors_of_the_messages_seed(client):
    no_text = {name: value for name, value in SEND.items() if name != "text"}
    refused(client.post("/v1/messages", json=no_text), 400, "Field 'text' is required.")
    lost = client.post("/v1/messages", json=SEND)
    refused(lost, 404, "Conversation not found: con_9s2kd81.")
    client.headers["Authorization"] = "Bearer sk_test_51_fakeapikey123456"
    refused(client.post("/v1/messages", json=SEND), 401, "Invalid or expired token.")


def test_a_message_without_any_token_made_is_401(anyone):
    refused(anyone.post("/v1/messages", json=SEND), 401, "Invalid or expired token.")


# -- knowledge-transcripts-health.txt -----------------------------------------------------------


def test_health_answers_as_the_knowledge_seed(client):
    answer = client.get(f"{KNOWLEDGE}/health").json()
    assert answer["ok"] is True
    assert answer["token_set"] is True
    assert answer["utils_loaded"] in (True, False)
    assert answer["namespace"] == "mxchat/v1"
    assert isinstance(answer["plugin_version"], str)
    assert isinstance(answer["embedding_model"], str)


def test_a_wrong_token_answers_as_the_knowledge_seed(client):
    answer = client.get(f"{KNOWLEDGE}/transcripts", headers={"Authorization": "Bearer x"})
    assert answer.status_code == 401
    assert answer.json() == {
        "code": "mxchat_rest_unauthorized",
        "message": "Invalid bearer token.",
        "data": {"status": 401},
    }


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/transcripts"), ("DELETE", "/transcripts"), ("POST", "/knowledge")],
)
def test_before_any_token_the_routes_of_the_knowledge_seed_are_disabled(anyone, method, path):
    answer = anyone.request(method, KNOWLEDGE + path, headers={"Authorization": "Bearer x"})
    assert answer.status_code == 401
    assert answer.json()["code"] == "mxchat_rest_disabled"


def test_a_parameter_out_of_range_is_named(client):
    answer = client.get(f"{KNOWLEDGE}/transcripts", params={"limit": "1001", "order": "up"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "rest_invalid_param"
    assert answer.json()["data"]["status"] == 400
    assert set(answer.json()["data"]["params"]) == {"limit", "order"}


def test_the_faq_of_the_knowledge_seed_is_pushed_and_found(client):
    body = {
        "content": "Q: How do I enable streaming?\n"
        "A: MxChat → Settings → Streaming, pick a streaming-capable model.",
        "source_url": "https://yoursite.com/faq/#faq-enable-streaming",
        "content_type": "faq",
    }
    answer = client.post(f"{KNOWLEDGE}/knowledge", json=body)
    assert answer.status_code == 200
    assert answer.json()["success"] is True
    assert answer.json()["source_url"] == body["source_url"]
    found = client.get(f"{KNOWLEDGE}/search", params={"query": "How do I enable streaming?"})
    assert found.json()["results"][0]["source_url"] == body["source_url"]


def test_the_analyst_finds_exactly_the_questions_without_an_answer(client, hours):
    questions = {
        "What are your business hours?": True,
        "Quetzal zephyr plumage?": False,
        "Are your business hours Monday-Friday, 9 AM to 5 PM EST?": True,
        "Who painted fjords near Umbria?": False,
        "Who mends xylophones in winter?": False,
    }
    for question, found in questions.items():
        data = chat_data(client.post("/chat/default/message", json={"message": question}))
        assert data["hasRagContext"] is found, question
    query = "role=user&has_rag_context=no&since=2026-05-12T00:00:00Z&limit=200&order=asc"
    page = client.get(f"{KNOWLEDGE}/transcripts?{query}")
    assert page.status_code == 200
    unanswered = [question for question, found in questions.items() if not found]
    assert [item["message"] for item in page.json()["items"]] == unanswered
    assert {item["role"] for item in page.json()["items"]} == {"user"}
    counts = {name: page.json()[name] for name in ("total", "count", "limit", "offset")}
    assert counts == {"total": 3, "count": 3, "limit": 200, "offset": 0}
    answered = client.get("/transcripts", params={"role": "user", "has_rag_context": "yes"})
    assert answered.json()["total"] == 2


def test_a_delete_counts_as_the_knowledge_seed(client):
    ids = ["mxchat_chat_abc123", "mxchat_chat_def456"]
    for session_id in ids:
        for _ in range(2):
            client.post("/bot/default", json={"message": "Hello", "sessionId": session_id})
    click = {"session_id": ids[0], "url": "https://example.com/"}
    assert client.post("/transcripts/clicks", json=click).status_code == 200
    body = {"session_ids": ids, "cascade": True}
    answer = client.request("DELETE", f"{KNOWLEDGE}/transcripts", json=body)
    assert answer.status_code == 200
    assert answer.json() == {
        "session_ids_requested": 2,
        "transcripts_deleted": 8,
        "translations_deleted": 0,
        "url_clicks_deleted": 1,
        "cascade": True,
    }
