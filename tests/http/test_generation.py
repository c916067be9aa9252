"""Answers by a real language model behind a real OpenAI-compatible server, over our own HTTP."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from llama_server import CONTEXT, KEY, NAME, LlamaServer, llama_server, smollm2
from served import served

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import assemble
from rag_service.conversations.messages import Sender
from rag_service.conversations.store import NewMessage
from rag_service.documents import Document
from rag_service.settings import Settings

HOURS = "Our shop in Bern opens at nine in the morning and closes at six in the evening."
OPENS = "When does our shop in Bern open in the morning?"
ASIDE = "The shop in Bern opens in the morning, and people of Bern come to the shop. "


@contextmanager
def ours(folder: Path, **changes: Any) -> Iterator[httpx.Client]:
    """Our server, with a page, and a conversation `long` that no small model can read whole."""
    settings = Settings(
        data_dir=folder / "data",
        index_dir=folder / "indexes",
        embedding_model="hashing:64",
        chat_context_tokens=CONTEXT,
        chat_timeout_s=120,
        rate_chat="off",
        **changes,
    )
    with assemble(settings) as service:
        token = service.access.create("tests", ["admin"])
        service.knowledge.upsert(
            ALL_BOTS, [Document(source_url="https://e.com/hours", content=HOURS)]
        )
        for number in range(20):
            said = NewMessage(
                role="user", text=f"{number}. {ASIDE * 9}", sender=Sender(type="user")
            )
            service.store.messages.add(ALL_BOTS, "default", "long", said, create=True)
    with served(settings) as (client, _):
        client.headers["Authorization"] = f"Bearer {token}"
        client.timeout = httpx.Timeout(180)
        yield client


def remote(server: LlamaServer) -> dict[str, str]:
    return {
        "chat_model": f"openai:{NAME}",
        "chat_base_url": server.base_url,
        "chat_api_key": KEY,
    }


@pytest.fixture(scope="module", params=["openai", "gguf"])
def client(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """The same model twice: behind a server, and as a file in our process."""
    folder = tmp_path_factory.mktemp(request.param)
    with ExitStack() as stack:
        if request.param == "gguf":
            changes = {"chat_model": f"local:{smollm2()}"}
        else:
            changes = remote(stack.enter_context(llama_server()))
        yield stack.enter_context(ours(folder, **changes))


@pytest.fixture
def endless(tmp_path: Path) -> Iterator[tuple[httpx.Client, LlamaServer]]:
    with llama_server("endless") as server, ours(tmp_path, **remote(server)) as client:
        yield client, server


def events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    for event, data in pairwise(lines):
        if event.startswith("event: ") and data.startswith("data: "):
            yield event.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def rows(client: httpx.Client, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/transcripts", params=query).json()["items"]
    return found


def assert_is_for_a_reader(text: str) -> None:
    assert text
    assert not re.search(r"</?source|<\||NO_ANSWER|quoted data", text)
    assert set(re.findall(r"\[(\d+)\]", text)) <= {"1"}


def test_a_whole_answer_is_kept_with_its_usage(client):
    answer = client.post("/chat/default/message", json={"message": OPENS})
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    assert data["hasRagContext"] is True
    assert_is_for_a_reader(data["response"])
    _, row = rows(client, session_id=data["conversationId"], order="asc")
    assert row["message"] == data["response"]
    assert row["metadata"]["complete"] is True
    usage = row["metadata"]["usage"]
    assert 100 < usage["prompt_tokens"] < CONTEXT
    assert usage["completion_tokens"] > 0


def test_a_streamed_answer_is_the_row_that_is_kept(client):
    with client.stream("POST", "/chat/default/stream", json={"message": OPENS}) as answer:
        (first, sources), *deltas, (last, done) = events(answer.iter_lines())
    assert (first, last) == ("sources", "done")
    assert sources["sources"][0]["text"] == HOURS
    assert len(deltas) > 1
    text = "".join(delta["text"] for _, delta in deltas).strip()
    assert_is_for_a_reader(text)
    _, row = rows(client, session_id=done["conversationId"], order="asc")
    assert row["message"] == text
    assert done["usage"]["promptTokens"] == row["metadata"]["usage"]["prompt_tokens"] > 100


def test_a_long_conversation_stays_within_the_context_of_the_model(client):
    body = {"message": OPENS, "conversationId": "long"}
    answer = client.post("/chat/default/message", json=body)
    assert answer.status_code == 200, answer.text
    row = next(row for row in rows(client, session_id="long") if row["role"] == "assistant")
    usage = row["metadata"]["usage"]
    assert CONTEXT / 4 < usage["prompt_tokens"] < CONTEXT
    assert usage["prompt_tokens"] + usage["completion_tokens"] <= CONTEXT
    assert row["metadata"]["cut"]["history"] > 0


def test_a_reader_who_leaves_stops_the_model_on_its_server(endless):
    client, server = endless
    with client.stream("POST", "/chat/default/stream", json={"message": OPENS}) as answer:
        read = [event for event, _ in zip(events(answer.iter_lines()), range(3), strict=False)]
    assert [event for event, _ in read] == ["sources", "delta", "delta"]
    deadline = time.monotonic() + 60
    while server.is_working() and time.monotonic() < deadline:
        time.sleep(0.05)
    kept = []
    while not kept and time.monotonic() < deadline:
        kept = rows(client, role="assistant")
    assert kept[0]["metadata"]["complete"] is False
    # an endless answer fills the context, which has room for some 800 tokens
    assert 0 < len(kept[0]["message"].split()) < 300


def test_a_server_that_is_killed_in_mid_answer_is_told_and_what_it_said_is_kept(endless):
    client, server = endless
    with client.stream("POST", "/chat/default/stream", json={"message": OPENS}) as answer:
        read = []
        for event in events(answer.iter_lines()):
            read.append(event)
            if len(read) == 3:
                server.process.kill()
    (last, error), said = read[-1], "".join(data["text"] for name, data in read if name == "delta")
    assert (last, error["code"]) == ("error", "MODEL_FAILED")
    (kept,) = rows(client, role="assistant")
    assert kept["message"] == said.strip()
    assert kept["metadata"]["complete"] is False
    again = client.post("/chat/default/message", json={"message": OPENS})
    assert (again.status_code, again.json()["error"]["code"]) == (502, "MODEL_FAILED")
    assert "is it running" in again.json()["error"]["message"]
    assert len(rows(client, role="user")) == 2 + 20
