"""Every event has the shape that the API's document and WEBHOOKS.md tell."""

from typing import get_args

import msgspec
import pytest
from jsonschema import Draft202012Validator
from open_gaps import considered
from served import ROOT

from rag_service.access.scope import ALL_BOTS
from rag_service.events.examples import EXAMPLES
from rag_service.events.happenings import EventType
from rag_service.events.webhooks import payload_of


@pytest.fixture
def webhooks(client):
    return client.get("/schema/openapi.json").json()["webhooks"]


def content(webhooks, type_):
    return webhooks[type_]["post"]["requestBody"]["content"]["application/json"]


def closed(schema):
    """The same, and nothing but what it names."""
    if "properties" in schema:
        named = {name: closed(one) for name, one in schema["properties"].items()}
        return {**schema, "properties": named, "additionalProperties": False}
    return schema


def make_one_of_each(client):
    client.post("/chat/default/conversations", json={"title": "Hours", "metadata": {"a": [1]}})
    client.post("/bot/default", json={"message": "When?", "metadata": {"userId": "u1"}})
    client.post("/knowledge", json={"source_url": "https://e.com/a", "content": "At nine."})
    client.post("/knowledge", json={"source_url": "https://e.com/a", "content": "At ten."})
    client.request("DELETE", "/knowledge", json={"source_url": "https://e.com/a"})
    line = b'{"source_url": "https://e.com/b", "content": "Text"}\n{}\n'
    client.post("/knowledge/batch?wait=true", content=line)
    contact = client.post("/contacts", json={"email": "ana@example.com", "userId": "u1"}).json()
    client.patch(f"/contacts/{contact['data']['id']}", json={"name": "Ana", "email": None})
    client.post("/bot/default", json={"message": "Zebra quantum xylophone"})
    (gap,) = considered(client)
    for state in ("closed", "open"):
        client.patch(f"/gaps/{gap['gap_id']}", json={"state": state})


def test_every_event_is_as_its_schema_says_and_has_nothing_else(client, webhooks, service):
    make_one_of_each(client)
    events, _ = service.store.events.page(ALL_BOTS, None, types=None, limit=1000)
    assert {event.type for event in events} == set(get_args(EventType))
    for event in events:
        schema = closed(content(webhooks, event.type)["schema"])
        Draft202012Validator(schema).validate(msgspec.json.decode(payload_of(event)))


def test_every_type_has_an_example_that_is_as_its_schema_says(webhooks):
    assert set(webhooks) == set(get_args(EventType))
    for type_ in webhooks:
        (example,) = content(webhooks, type_)["examples"].values()
        assert example["value"]["type"] == type_
        Draft202012Validator(closed(content(webhooks, type_)["schema"])).validate(example["value"])


def test_the_page_about_webhooks_shows_the_same_examples():
    page = (ROOT / "WEBHOOKS.md").read_text()
    assert page.count("```json") == len(EXAMPLES)
    for example in EXAMPLES:
        body = msgspec.json.format(payload_of(example)).decode()
        assert f"### {example.type}\n" in page
        assert f"```json\n{body}\n```" in page
