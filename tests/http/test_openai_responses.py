"""Responses as the Open Responses specification has them, and searches of vector stores."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import Response as OpenAIResponse
from openai_shop import CANADA, ELSE, HOURS, OPENS, Shop, assistant, open_shop, user

from rag_service.http.dialects.openai.metadata_filters import translated

URL = "/v1/responses"
EVENTS = [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.annotation.added",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


def respond(shop: Shop, input_: Any, headers: Any = None, **more: Any) -> Any:
    body = {"model": "default", "input": input_, **more}
    return shop.client.post(URL, json=body, headers=headers)


def text_of(answer: Any) -> str:
    assert answer.status_code == 200, answer.text
    text: str = answer.json()["output"][0]["content"][0]["text"]
    return text


def test_a_response_is_whole_by_the_clients_own_types(shop):
    answer = respond(shop, OPENS, user="u1", metadata={"topic": "hours"}).json()
    parsed = OpenAIResponse.model_validate(answer)
    assert parsed.output_text == f"{HOURS} [1]"
    assert (answer["object"], answer["status"], answer["error"]) == ("response", "completed", None)
    (message,) = answer["output"]
    assert message["id"].removeprefix("msg_") == answer["id"].removeprefix("resp_")
    (annotation,) = message["content"][0]["annotations"]
    assert annotation["url"] == "https://e.com/hours"
    assert parsed.output_text[annotation["start_index"] : annotation["end_index"]] == "[1]"
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] > 0
    assert answer["rag"]["message_id"] == message["id"]
    assert answer["conversation"]["id"] == answer["rag"]["conversation_id"]
    assert (answer["metadata"], answer["store"], answer["user"]) == ({"topic": "hours"}, True, "u1")


def test_a_stream_has_its_events_in_their_order_and_numbered(shop):
    streamed = respond(shop, OPENS, user="u2", stream=True)
    *frames, done, rest = streamed.text.split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    events = []
    for frame in frames:
        name, data = frame.split("\n")
        events.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {events[-1]['type']}"
    kinds = [event["type"] for event in events]
    assert list(dict.fromkeys(kinds)) == EVENTS
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    deltas = [event["delta"] for event in events if event["type"].endswith("delta")]
    final = events[-1]["response"]
    assert "".join(deltas) == final["output"][0]["content"][0]["text"] == f"{HOURS} [1]"
    assert events[0]["response"]["status"] == "in_progress"
    assert events[0]["response"]["id"] == final["id"]
    assert {event["item_id"] for event in events if "item_id" in event} == {
        final["output"][0]["id"]
    }
    OpenAIResponse.model_validate(final)


def test_input_may_be_messages_with_instructions_and_items_of_tools(shop):
    part = {"type": "input_text", "text": OPENS}
    items = [
        {"role": "developer", "content": "Be brief."},
        user("Hello"),
        {"type": "message", **assistant("Hi!")},
        {"type": "function_call", "name": "f", "arguments": "{}", "call_id": "c"},
        {"type": "function_call_output", "call_id": "c", "output": "x"},
        {"type": "message", "role": "user", "content": [part]},
    ]
    answer = respond(shop, items, instructions="Talk like a pirate.", user="u3")
    assert text_of(answer) == f"{HOURS} [1]"
    assert answer.json()["instructions"] == "Talk like a pirate."


def test_a_response_goes_on_from_a_former_one(shop):
    first = respond(shop, "How many days does shipping take?", user="u4").json()
    second = respond(shop, "And to Canada?", user="u4", previous_response_id=first["id"])
    assert text_of(second) == f"{CANADA} [1]"
    assert second.json()["rag"]["conversation_id"] == first["rag"]["conversation_id"]
    assert second.json()["previous_response_id"] == first["id"]
    branch = respond(shop, "And to Canada?", user="u4", previous_response_id=second.json()["id"])
    assert branch.json()["id"] != second.json()["id"]
    kept = shop.rows(session_id=first["rag"]["conversation_id"])
    assert [row["role"] for row in kept] == ["user", "assistant"] * 3


def test_a_response_of_somebody_else_is_unknown(shop):
    first = respond(shop, OPENS, user="u5").json()
    other = shop.token("other", "chat")
    bound = shop.token("bound", "chat", bot_id="other")
    for headers, more in (
        (None, {"user": "u6"}),
        (None, {}),
        (other, {"user": "u5"}),
        (bound, {"user": "u5", "model": "other"}),
        (None, {"user": "u5", "previous_response_id": "resp_0199"}),
        (None, {"user": "u5", "previous_response_id": first["output"][0]["id"]}),
    ):
        more = {"previous_response_id": first["id"], **more}
        answer = respond(shop, "And then?", headers=headers, **more)
        assert answer.status_code == 400
        assert answer.json()["error"]["param"] == "previous_response_id"
        assert HOURS not in answer.text
    assert len(shop.rows(session_id=first["rag"]["conversation_id"])) == 2


def test_an_answer_that_is_cut_off_is_incomplete(shop):
    answer = respond(shop, OPENS, max_output_tokens=4, user="u7").json()
    assert (answer["status"], answer["output"][0]["status"]) == ("incomplete", "incomplete")
    assert answer["incomplete_details"] == {"reason": "max_output_tokens"}
    streamed = respond(shop, ELSE, max_output_tokens=2, user="u7", stream=True)
    assert "event: response.incomplete\n" in streamed.text
    assert "response.completed" not in streamed.text


def test_what_cannot_be_honoured_names_its_parameter(shop):
    before = shop.total()
    for param, changes in (
        ("input", {"input": None}),
        ("input", {"input": ""}),
        ("input", {"input": []}),
        ("input", {"input": [{"type": "item_reference", "id": "msg_1"}]}),
        ("input", {"input": [user([{"type": "input_image", "image_url": "x"}])]}),
        ("input", {"input": [{"role": "system", "content": "x"}]}),
        ("tool_choice", {"tool_choice": "required"}),
        ("background", {"background": True}),
        ("text", {"text": {"format": {"type": "json_schema", "schema": {}}}}),
        ("max_output_tokens", {"max_output_tokens": 0}),
        ("conversation", {"conversation": {"id": ""}}),
    ):
        body = {"model": "default", "input": OPENS, **changes}
        answer = shop.client.post(URL, json=body)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param), changes
    assert shop.total() == before


# -- vector stores -----------------------------------------------------------------------------


def search(shop: Shop, query: Any, bot: str = "default", headers: Any = None, **more: Any) -> Any:
    body = {"query": query, **more}
    return shop.client.post(f"/v1/vector_stores/{bot}/search", json=body, headers=headers)


def test_a_vector_store_is_searched_for_passages(shop):
    page = search(shop, OPENS, max_num_results=1).json()
    assert page["object"] == "vector_store.search_results.page"
    assert (page["search_query"], page["has_more"], page["next_page"]) == ([OPENS], False, None)
    (result,) = page["data"]
    assert result["content"] == [{"type": "text", "text": HOURS}]
    assert (result["filename"], result["file_id"][:4]) == ("Hours", "doc_")
    assert result["attributes"]["source_url"] == "https://e.com/hours"
    both = search(shop, [OPENS, "How long does shipping to Canada take?"]).json()
    assert {one["content"][0]["text"] for one in both["data"]} == {HOURS, CANADA}
    scores = [one["score"] for one in both["data"]]
    assert scores == sorted(scores, reverse=True)


def test_a_threshold_is_on_the_confidence(shop):
    options = {"ranking_options": {"score_threshold": 0.5}}
    assert search(shop, OPENS, **options).json()["data"]
    nothing = search(shop, ELSE, **options).json()
    assert (nothing["data"], nothing["confidence"] < 0.5) == ([], True)


def test_a_vector_store_is_searched_within_what_a_filter_leaves(shop):
    for town in ("Bern", "Basel"):
        page = {
            "source_url": f"https://e.com/{town}",
            "content": f"In {town} we open from 9 to 17.",
            "metadata": {"town": town, "any": town, "floor": len(town)},
        }
        assert shop.client.post("/knowledge", json=page).status_code == 200

    def found(kind: str, **rest: Any) -> set[str]:
        answer = search(shop, OPENS, max_num_results=50, filters={"type": kind, **rest})
        assert answer.status_code == 200, answer.text
        return {one["attributes"]["source_url"].rpartition("/")[2] for one in answer.json()["data"]}

    bern = {"type": "eq", "key": "town", "value": "Bern"}
    assert found("eq", key="town", value="Bern") == {"Bern"}
    assert found("eq", key="any", value="Basel") == {"Basel"}
    assert found("ne", key="town", value="Bern") == {"Basel"}
    assert found("gte", key="floor", value=5) == {"Basel"}
    assert found("or", filters=[bern, {"type": "gt", "key": "floor", "value": 4}]) == {
        "Bern",
        "Basel",
    }
    assert found("and", filters=[bern, {"type": "gt", "key": "floor", "value": 4}]) == set()


def test_a_search_that_cannot_be_names_its_parameter(shop):
    for param, changes in (
        ("query", {"query": ""}),
        ("query", {"query": []}),
        ("max_num_results", {"max_num_results": 51}),
        ("ranking_options", {"ranking_options": {"score_threshold": 2}}),
        ("filters", {"filters": {"type": "like", "key": "a", "value": 1}}),
    ):
        answer = search(shop, **{"query": OPENS, **changes})
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param), changes
    bound = shop.token("searcher", "knowledge", bot_id="other")
    assert search(shop, OPENS, headers=bound).status_code == 404
    assert search(shop, OPENS, bot="nobody").status_code == 404
    assert search(shop, OPENS, bot="other", headers=bound).status_code == 200


COMPARISON = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["eq", "ne", "gt", "gte", "lt", "lte"]),
        "key": st.text(min_size=1, max_size=3),
        "value": st.integers() | st.text(max_size=3) | st.booleans(),
    }
)
FILTERS = st.recursive(
    COMPARISON,
    lambda inner: st.fixed_dictionaries(
        {"type": st.sampled_from(["and", "or"]), "filters": st.lists(inner, min_size=1, max_size=3)}
    ),
    max_leaves=8,
)


def back(ours: dict[str, Any]) -> dict[str, Any]:
    """OpenAI's form of what was translated."""
    ((key, value),) = ours.items()
    if isinstance(value, list):
        kind = {"all": "and", "any": "or"}[key]
        return {"type": kind, "filters": [back(one) for one in value]}
    if isinstance(value, dict):
        ((kind, operand),) = value.items()
        return {"type": kind, "key": key, "value": operand}
    return {"type": "eq", "key": key, "value": value}


@given(FILTERS)
def test_every_filter_is_translated_without_loss(given_):
    assert back(translated(given_)) == given_


def test_filters_on_lists_keep_their_meaning():
    assert translated({"type": "in", "key": "a", "value": [1, 2]}) == {"a": [1, 2]}
    assert translated({"type": "nin", "key": "a", "value": [1]}) == {
        "all": [{"a": {"exists": True}}, {"not": {"a": [1]}}]
    }


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {},
        {"type": ["eq"]},
        {"type": "eq", "key": "", "value": 1},
        {"type": "eq", "key": "a"},
        {"type": "eq", "key": "a", "value": [1]},
        {"type": "in", "key": "a", "value": 1},
        {"type": "and", "filters": []},
        {"type": "or", "filters": [{"type": "nope"}]},
    ],
)
def test_a_filter_that_is_none_is_told(wrong):
    with pytest.raises(ValueError, match=r"must|has the type"):
        translated(wrong)


def test_a_filter_may_be_nested_deep_but_not_without_end():
    nested: dict[str, Any] = {"type": "eq", "key": "a", "value": 1}
    for _ in range(99):
        nested = {"type": "and", "filters": [nested]}
    translated(nested)
    with pytest.raises(ValueError, match="nested"):
        translated({"type": "and", "filters": [nested]})
