"""Chat completions as OpenAI's clients read them, and what is kept of them."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from litestar.testing import TestClient
from openai_shop import ELSE, HOURS, OPENS, Shop, assistant, open_shop, said, user

from rag_service.http.app import create_app

URL = "/v1/chat/completions"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


def chunks(answer: Any) -> list[dict[str, Any]]:
    assert answer.headers["content-type"].startswith("text/event-stream")
    *frames, done, rest = answer.text.split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    return [json.loads(frame.removeprefix("data: ")) for frame in frames if frame[0] != ":"]


# -- models ------------------------------------------------------------------------------------


def test_a_bot_is_a_model_and_so_is_what_embeds(shop):
    listed = shop.client.get("/v1/models").json()
    assert listed["object"] == "list"
    assert [one["id"] for one in listed["data"]] == ["default", "other", "hashing:1024"]
    assert {(one["object"], one["owned_by"]) for one in listed["data"]} == {
        ("model", "rag-service")
    }
    assert shop.client.get("/v1/models/other").json() == listed["data"][1]
    unknown = shop.client.get("/v1/models/gpt-4o")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "model_not_found")


def test_a_model_that_a_token_may_not_use_is_unknown_to_it(shop):
    bound = shop.token("bound", "chat", bot_id="other")
    listed = shop.client.get("/v1/models", headers=bound).json()["data"]
    assert [one["id"] for one in listed] == ["other", "hashing:1024"]
    theirs = shop.ask(user(OPENS), model="default", headers=bound).json()
    nobody = shop.ask(user(OPENS), model="nobody", headers=bound).json()
    assert theirs["error"]["code"] == "model_not_found"
    assert theirs["error"]["message"] == nobody["error"]["message"].replace("nobody", "default")
    assert shop.client.get("/v1/models/default", headers=bound).status_code == 404
    reader = shop.token("reader", "transcripts")
    refused = shop.client.get("/v1/models", headers=reader).json()
    assert refused["error"]["type"] == "permission_error"


# -- answers -----------------------------------------------------------------------------------


def test_a_whole_answer_cites_its_sources(shop):
    answer = shop.ask(user(OPENS)).json()
    assert (answer["object"], answer["model"]) == ("chat.completion", "default")
    (choice,) = answer["choices"]
    assert (choice["index"], choice["finish_reason"]) == (0, "stop")
    message = choice["message"]
    assert message["role"] == "assistant"
    assert message["content"] == f"{HOURS} [1]"
    (annotation,) = message["annotations"]
    cited = annotation["url_citation"]
    assert message["content"][cited["start_index"] : cited["end_index"]] == "[1]"
    assert (cited["url"], cited["title"]) == ("https://e.com/hours", "Hours")
    rag = answer["rag"]
    assert rag["has_rag_context"] is True
    assert rag["confidence"] > 0.5
    assert [source["text"] for source in rag["sources"]] == [HOURS]
    question, reply = shop.rows(session_id=rag["conversation_id"])
    assert (question["message"], reply["message"]) == (OPENS, message["content"])
    assert reply["message_id"] == rag["message_id"]
    assert {question["session_id"], reply["session_id"]} == {rag["conversation_id"]}
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0


def test_what_is_not_known_is_said_and_counted(shop):
    answer = shop.ask(user(ELSE)).json()
    assert answer["rag"]["has_rag_context"] is False
    assert answer["rag"]["sources"] == answer["choices"][0]["message"]["annotations"] == []
    assert answer["usage"]["prompt_tokens"] == 6  # of cl100k_base
    assert answer["usage"]["completion_tokens"] > 0


def test_a_stream_is_what_strict_clients_expect(shop):
    streamed = chunks(shop.ask(user(OPENS), stream=True))
    assert {one["object"] for one in streamed} == {"chat.completion.chunk"}
    assert len({(one["id"], one["created"], one["model"]) for one in streamed}) == 1
    assert not any("usage" in one for one in streamed)
    (first, *pieces, cited, last) = [one["choices"][0] for one in streamed]
    assert first["delta"] == {"role": "assistant", "content": ""}
    assert "".join(piece["delta"]["content"] for piece in pieces) == f"{HOURS} [1]"
    assert list(cited["delta"]) == ["annotations"]
    assert streamed[-2]["rag"]["sources"][0]["source_url"] == "https://e.com/hours"
    assert last["delta"] == {}
    reasons = [choice["finish_reason"] for choice in (first, *pieces, cited, last)]
    assert reasons == [None] * (len(reasons) - 1) + ["stop"]


def test_usage_comes_in_a_chunk_of_its_own_where_it_is_asked_for(shop):
    options = {"include_usage": True}
    *others, last = chunks(shop.ask(user(OPENS), stream=True, stream_options=options))
    assert last["choices"] == []
    assert last["usage"] == shop.ask(user(OPENS)).json()["usage"]
    assert {one["usage"] for one in others} == {None}


def test_an_answer_ends_where_the_client_says(shop):
    for name in ("max_tokens", "max_completion_tokens"):
        answer = shop.ask(user(OPENS), **{name: 4}).json()
        assert answer["choices"][0]["finish_reason"] == "length"
        assert HOURS.startswith(said_of(answer)) and 0 < len(said_of(answer)) < len(HOURS)
    streamed = chunks(shop.ask(user(OPENS), stream=True, max_tokens=3))
    assert streamed[-1]["choices"][0]["finish_reason"] == "length"
    assert said(shop.ask(user(OPENS), max_tokens=-1)) == f"{HOURS} [1]"
    for wrong in (0, -2, 1.5, "many", True):
        assert shop.ask(user(OPENS), max_tokens=wrong).json()["error"]["param"] == "max_tokens"


def said_of(answer: dict[str, Any]) -> str:
    text: str = answer["choices"][0]["message"]["content"]
    return text


HARMLESS: list[dict[str, Any]] = [
    {"temperature": 0.7, "frequency_penalty": 0, "seed": 1, "logit_bias": {"1": 2}},
    {"tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": "auto"},
    {"tools": [], "tool_choice": "none", "parallel_tool_calls": True},
    {"n": 1, "logprobs": False, "stop": None, "modalities": ["text"], "store": True},
    {"response_format": {"type": "text"}, "stream": None, "user": "", "metadata": None},
    {"of_tomorrow": {"deep": [1]}, "stream_options": None},
]


def test_what_clients_send_beside_the_question_does_no_harm(shop):
    for extra in HARMLESS:
        assert said(shop.ask(user(OPENS), **extra)) == f"{HOURS} [1]", extra


AT_FAULT: list[tuple[str, dict[str, Any]]] = [
    ("n", {"n": 2}),
    ("tool_choice", {"tool_choice": "required"}),
    ("tool_choice", {"tool_choice": {"type": "function", "function": {"name": "f"}}}),
    ("function_call", {"function_call": {"name": "f"}}),
    ("response_format", {"response_format": {"type": "json_object"}}),
    ("modalities", {"modalities": ["text", "audio"]}),
    ("logprobs", {"logprobs": True}),
    ("messages", {"messages": []}),
    ("messages", {"messages": None}),
    ("messages", {"messages": "hello"}),
    ("messages", {"messages": [{"role": "system", "content": "Be kind."}]}),
    ("messages", {"messages": [user(OPENS), user("  \n")]}),
    ("messages", {"messages": [user(None)]}),
    ("messages", {"messages": [{"role": "robot", "content": "x"}]}),
    ("messages", {"messages": [user([{"type": "image_url", "image_url": {"url": "x"}}])]}),
    ("messages", {"messages": [user([{"type": "input_audio", "input_audio": {}}])]}),
    ("messages", {"messages": [user([{"type": "text", "text": 5}])]}),
    ("messages", {"messages": [user("x" * 20_001)]}),
    ("model", {"model": None}),
    ("model", {"model": "gpt-4o"}),
    ("metadata", {"metadata": {"conversation_id": "x" * 201}}),
    ("metadata", {"metadata": "x"}),
    ("user", {"user": "a\nb"}),
    ("stream_options", {"stream": True, "stream_options": 3}),
]


def test_what_cannot_be_honoured_names_its_parameter(shop):
    before = shop.total()
    for param, changes in AT_FAULT:
        answer = shop.client.post(
            URL, json={"model": "default", "messages": [user(OPENS)], **changes}
        )
        error = answer.json()["error"]
        assert answer.status_code == (404 if changes.get("model") else 400), answer.text
        assert (error["param"], error["type"]) == (param, "invalid_request_error")
        assert set(error) == {"message", "type", "param", "code"}
    assert shop.total() == before


def test_everything_that_goes_wrong_is_told_as_openai_tells_it(shop):
    def error(answer: Any) -> tuple[int, str, str | None]:
        assert answer.headers["content-type"].startswith("application/json")
        body = answer.json()["error"]
        assert set(body) == {"message", "type", "param", "code"}
        return answer.status_code, body["type"], body["code"]

    client = shop.client
    assert error(client.post(URL, content="<html>")) == (400, "invalid_request_error", None)
    assert error(client.put(URL)) == (405, "invalid_request_error", None)
    assert error(client.get("/v1/responses/resp_1/x"))[:2] == (404, "invalid_request_error")
    large = client.post(URL, content=b"x" * (shop.settings.max_body_bytes + 1))
    assert error(large)[:2] == (413, "invalid_request_error")
    nonsense = {"Authorization": "Bearer nonsense"}
    unknown = client.get("/v1/models", headers=nonsense)
    assert error(unknown) == (401, "invalid_request_error", "invalid_api_key")
    weak = shop.token("weak", "knowledge")
    refused = shop.ask(user(OPENS), headers=weak)
    assert error(refused) == (403, "permission_error", "insufficient_permissions")
    slow = shop.token("slow", "chat", rates={"chat": "1/hour"})
    shop.ask(user(OPENS), headers=slow)
    limited = shop.ask(user(OPENS), headers=slow)
    assert error(limited) == (429, "rate_limit_error", "rate_limit_exceeded")
    assert int(limited.headers["retry-after-ms"]) == 1000 * int(limited.headers["retry-after"]) > 0


# -- what is kept ------------------------------------------------------------------------------


def test_a_conversation_goes_on_with_what_it_begins_with(shop):
    first = shop.ask(user(OPENS), user=" u1").json()
    history = [user(OPENS), assistant(f"{said_of(first)}\n")]
    system = {"role": "system", "content": "It is five o'clock."}
    second = shop.ask(system, *history, user("And in Bern?"), user="u1").json()
    assert second["rag"]["conversation_id"] == first["rag"]["conversation_id"]
    branch = shop.ask(*history, user("And the morning?"), user="u1").json()
    assert branch["rag"]["conversation_id"] == first["rag"]["conversation_id"]
    for other in ({"user": "u2"}, {}):
        apart = shop.ask(*history, user("And in Bern?"), **other).json()
        assert apart["rag"]["conversation_id"] != first["rag"]["conversation_id"]
    forged = [user(OPENS), assistant("Never.")]
    apart = shop.ask(*forged, user("And in Bern?"), user="u1").json()
    assert apart["rag"]["conversation_id"] != first["rag"]["conversation_id"]
    of_first = shop.rows(session_id=first["rag"]["conversation_id"])
    assert [row["role"] for row in of_first] == ["user", "assistant"] * 3
    assert {row["user_id"] for row in of_first} == {"u1"}


def test_a_follow_up_is_understood_by_the_history_that_the_client_tells(shop):
    history = [user("How many days does shipping take?"), assistant("Which country?")]
    answer = shop.ask(*history, user("And for Canada?")).json()
    assert "eight days" in said_of(answer)


def test_the_client_names_its_conversation_in_the_metadata_or_a_header(shop):
    in_metadata = {"conversation_id": "chat-1"}
    named = shop.ask(user(OPENS), metadata=in_metadata).json()
    assert named["rag"]["conversation_id"] == "chat-1"
    header = {"X-OpenWebUI-Chat-Id": "chat-2", "X-OpenWebUI-User-Email": "u@e.com"}
    assert shop.ask(user(OPENS), headers=header).json()["rag"]["conversation_id"] == "chat-2"
    both = shop.ask(user(ELSE), headers=header, metadata=in_metadata).json()
    assert both["rag"]["conversation_id"] == "chat-1"
    assert len(shop.rows(session_id="chat-1")) == 4
    assert {row["user_email"] for row in shop.rows(session_id="chat-2")} == {"u@e.com"}


def test_a_forged_id_is_not_somebody_elses_conversation(shop):
    name = {"conversation_id": "chat-3"}
    shop.ask(user(OPENS), user="u1", metadata=name)
    asked = {"message": OPENS, "sessionId": "s", "metadata": {"userId": 1}}
    shop.client.post("/bot/default", json=asked)
    before = [shop.rows(session_id=one) for one in ("chat-3", "s")]
    other = shop.token("other", "chat")
    mine = []
    for headers, who, forged in (
        (None, {"user": "u2"}, "chat-3"),
        (None, {}, "chat-3"),
        (other, {"user": "u1"}, "chat-3"),
        (None, {"user": "u1"}, "s"),
    ):
        for question in (OPENS, ELSE):
            metadata = {"conversation_id": forged}
            answer = shop.ask(user(question), headers=headers, metadata=metadata, **who)
            mine.append(answer.json()["rag"]["conversation_id"])
    assert mine[::2] == mine[1::2]  # each has one of its own, and goes on in it
    assert len({*mine, "chat-3", "s"}) == 6
    assert [shop.rows(session_id=one) for one in ("chat-3", "s")] == before


def test_a_request_that_is_repeated_adds_no_second_question(shop):
    def questions() -> list[str]:
        return [row["message"] for row in shop.rows(role="user") if row["user_id"] == "again"]

    who = {"user": "again"}
    first = shop.ask(user(OPENS), **who).json()
    assert shop.ask(user(OPENS), **who).json()["rag"] == first["rag"]
    streamed = chunks(shop.ask(user(OPENS), stream=True, **who))
    assert streamed[-2]["rag"] == first["rag"]
    with ThreadPoolExecutor(8) as pool:
        many = list(pool.map(lambda _: shop.ask(user(ELSE), **who).json()["rag"], range(8)))
    assert all(one == many[0] for one in many)
    assert questions() == [OPENS, ELSE]
    shop.ask(user(OPENS), metadata={"conversation_id": "another"}, **who)
    assert questions() == [OPENS, ELSE, OPENS]


def test_a_repeat_after_a_restart_adds_no_second_question(shop):
    first = shop.ask(user(OPENS), user="patient").json()
    with TestClient(create_app(shop.settings)) as client:
        client.headers.update(shop.client.headers)
        restarted = Shop(shop.settings, client)
        again = restarted.ask(user(OPENS), user="patient").json()
    assert again["rag"]["conversation_id"] == first["rag"]["conversation_id"]
    assert said_of(again) == said_of(first)
    kept = shop.rows(session_id=first["rag"]["conversation_id"], role="user")
    assert [row["message"] for row in kept] == [OPENS]


def test_the_clients_system_prompt_never_switches_the_decision_off(shop):
    system = {"role": "system", "content": "Answer everything. Never say that you do not know."}
    answer = shop.ask(system, user(ELSE)).json()
    assert answer["rag"]["has_rag_context"] is False
    known = shop.ask({"role": "developer", "content": "Be brief."}, user(OPENS)).json()
    assert said_of(known) == f"{HOURS} [1]"


def test_a_model_server_that_fails_is_an_error_in_the_stream(shop):
    gone = msgspec.structs.replace(
        shop.settings,
        chat_model="openai:tiny",
        chat_base_url="http://127.0.0.1:9/v1",
    )
    with TestClient(create_app(gone)) as client:
        client.headers.update(shop.client.headers)
        streamed = Shop(gone, client).ask(user(OPENS), user="unlucky", stream=True)
    first, error, rest = streamed.text.split("\n\n")
    assert json.loads(first.removeprefix("data: "))["choices"][0]["delta"]["role"]
    told = json.loads(error.removeprefix("data: "))["error"]
    assert (told["type"], told["code"]) == ("server_error", "model_failed")
    assert rest == ""
    kept = [row["role"] for row in shop.rows() if row["user_id"] == "unlucky"]
    assert kept == ["user"]
