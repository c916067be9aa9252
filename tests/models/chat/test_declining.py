"""What a language model writes that is not for a reader, from its server to ours over HTTP."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient
from model_server import ModelServer

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import assemble
from rag_service.documents import Document
from rag_service.http.app import create_app
from rag_service.settings import Settings

PAGE = "Our shop in Bern opens at nine in the morning."
OPENS = "When does our shop in Bern open in the morning?"
NOTHING = "We have nothing on that."

Client = TestClient[Litestar]
Asking = Callable[[Client], tuple[str, list[Any], dict[str, Any]]]


@contextmanager
def answering(settings: Settings, server: ModelServer, way: str) -> Iterator[Client]:
    changed = msgspec.structs.replace(
        settings,
        chat_model="openai:llama",
        chat_base_url=server.url(way),
        nothing_found=NOTHING,
    )
    with assemble(changed) as service:
        token = service.access.create("tests", ["admin"])
        service.knowledge.upsert(
            ALL_BOTS, [Document(source_url="https://e.com/hours", content=PAGE)]
        )
    with TestClient(create_app(changed)) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def whole(client: Client) -> tuple[str, list[Any], dict[str, Any]]:
    data = client.post("/chat/default/message", json={"message": OPENS}).json()["data"]
    return data["response"], data["sources"], row(client)


def streamed(client: Client) -> tuple[str, list[Any], dict[str, Any]]:
    lines = client.post("/chat/default/stream", json={"message": OPENS}).text.splitlines()
    deltas = [
        json.loads(data.removeprefix("data: "))["text"]
        for event, data in pairwise(lines)
        if event == "event: delta"
    ]
    assert "event: done" in lines
    return "".join(deltas).strip(), [], row(client)


def row(client: Client) -> dict[str, Any]:
    question, answer = client.get("/transcripts", params={"order": "asc"}).json()["items"]
    assert question["has_rag_context"] is answer["has_rag_context"] is True
    assert "model_declined" not in question["metadata"]
    found: dict[str, Any] = answer
    return found


@pytest.mark.parametrize("ask", [whole, streamed])
@pytest.mark.parametrize(
    ("way", "text"), [("declining", NOTHING), ("regretting", "I don't know when you open.")]
)
def test_a_model_may_say_that_its_sources_hold_no_answer(
    settings: Settings, server: ModelServer, ask: Asking, way: str, text: str
):
    with answering(settings, server, way) as client:
        response, sources, kept = ask(client)
    assert response == kept["message"] == text
    assert sources == []
    assert kept["metadata"]["model_declined"] is True
    assert kept["metadata"]["complete"] is True


@pytest.mark.parametrize("ask", [whole, streamed])
def test_marks_of_the_prompt_are_not_shown(settings: Settings, server: ModelServer, ask: Asking):
    with answering(settings, server, "echoing") as client:
        response, _, kept = ask(client)
    assert response == kept["message"] == "We open [1] at nine."
    assert "model_declined" not in kept["metadata"]
