"""Answers over a real connection: readers that leave, many at once, a model server that fails."""

import json
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from litestar.testing import TestClient
from served import served

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import assemble
from rag_service.conversations.store import TranscriptFilter
from rag_service.documents import Document
from rag_service.http import sse
from rag_service.http.app import create_app
from rag_service.settings import Settings

PAGE = "Our shop in Bern opens at nine in the morning. " * 4
OPENS = "When does our shop in Bern open in the morning? " * 4
"""Said again by the echo model, word by word, for a few seconds."""
AT_LENGTH = OPENS * 5
"""For nine seconds."""

Server = tuple[httpx.Client, subprocess.Popen[str]]


def start(settings: Settings, **changes: Any) -> Any:
    settings = msgspec.structs.replace(settings, rate_chat="off", rate_data="off", **changes)
    with assemble(settings) as service:
        token = service.access.create("tests", ["admin"])
    return served(settings), token


@pytest.fixture
def server(settings: Settings) -> Iterator[Server]:
    serving, token = start(settings, chat_model="echo:0.05")
    with serving as (client, process):
        client.headers["Authorization"] = f"Bearer {token}"
        page = {"source_url": "https://example.com/hours", "content": PAGE}
        assert client.post("/knowledge", json=page).status_code == 200
        yield client, process


def rows(client: httpx.Client, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/transcripts", params=query).json()["items"]
    return found


def leave_after_the_first_word(client: httpx.Client, number: int) -> None:
    body = {"message": AT_LENGTH, "metadata": {"userId": f"u{number}"}}
    with client.stream("POST", "/chat/default/stream", json=body) as answer:
        for line in answer.iter_lines():
            if line == "event: delta":
                return


def test_a_reader_who_leaves_stops_the_model(server):
    client, _ = server
    leave_after_the_first_word(client, 0)
    deadline = time.monotonic() + 10
    while not (kept := rows(client, role="assistant")) and time.monotonic() < deadline:
        time.sleep(0.05)
    (answer,) = kept
    assert 0 < len(answer["message"].split()) < len(AT_LENGTH.split()) / 2
    assert answer["metadata"]["complete"] is False
    assert answer["has_rag_context"] is True


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_two_hundred_readers_who_leave_take_nothing_with_them(server):
    client, process = server
    leave_after_the_first_word(client, 0)
    before = held(process.pid)
    for start in range(1, 201, 20):
        threads = [
            threading.Thread(target=leave_after_the_first_word, args=(client, number))
            for number in range(start, start + 20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and (
        client.get("/transcripts", params={"role": "assistant", "limit": 1}).json()["total"] < 201
    ):
        time.sleep(0.1)
    kept = rows(client, role="assistant", limit=1000)
    assert len(kept) == 201
    assert {row["user_id"] for row in kept} == {f"u{number}" for number in range(201)}
    client.get("/health")
    files, threads_ = held(process.pid)
    assert files <= before[0] + 25  # this client keeps some connections
    assert threads_ <= before[1] + 20  # pools that have grown to their size


def held(pid: int) -> tuple[int, int]:
    """Files and threads of a process."""
    folder = Path(f"/proc/{pid}")
    return len(list((folder / "fd").iterdir())), len(list((folder / "task").iterdir()))


def test_two_hundred_readers_at_once_are_all_answered(settings):
    serving, token = start(settings, chat_model="echo:0.01")
    whole: list[str] = []
    with serving as (client, _):
        client.headers["Authorization"] = f"Bearer {token}"
        page = {"source_url": "https://example.com/hours", "content": PAGE}
        assert client.post("/knowledge", json=page).status_code == 200
        limits = httpx.Limits(max_connections=200)
        headers = dict(client.headers)

        def read(many: httpx.Client) -> None:
            with many.stream("POST", "/chat/default/stream", json={"message": OPENS}) as answer:
                lines = list(answer.iter_lines())
            texts = [
                json.loads(data.removeprefix("data: "))["text"]
                for event, data in pairwise(lines)
                if event == "event: delta"
            ]
            assert "event: done" in lines
            whole.append("".join(texts).strip())

        with httpx.Client(
            base_url=client.base_url, headers=headers, limits=limits, timeout=60
        ) as many:
            threads = [threading.Thread(target=read, args=(many,)) for _ in range(200)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert whole == [OPENS.strip()] * 200
        assert client.get("/transcripts", params={"limit": 1}).json()["total"] == 400


@pytest.mark.parametrize(
    ("hangs", "status", "code"), [(True, 504, "MODEL_TIMEOUT"), (False, 502, "MODEL_FAILED")]
)
def test_a_model_server_that_hangs_or_is_gone_is_told_and_the_question_is_kept(
    settings, hangs, status, code
):
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        if hangs:
            listening.listen(16)  # takes connections, and never says a word
        serving, token = start(
            settings,
            chat_model="openai:tiny",
            chat_base_url=f"http://127.0.0.1:{port}/v1",
            chat_api_key="sk-secret-key",
            chat_timeout_s=0.5 if hangs else 20,
        )
        with serving as (client, _):
            client.headers["Authorization"] = f"Bearer {token}"
            page = {"source_url": "https://example.com/hours", "content": PAGE}
            assert client.post("/knowledge", json=page).status_code == 200
            answer = client.post("/chat/default/message", json={"message": OPENS})
            assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
            assert "sk-secret" not in answer.text
            with client.stream(
                "POST", "/api/v1/chat/default/stream", json={"message": OPENS}
            ) as stream:
                lines = list(stream.iter_lines())
            assert [line for line in lines if line.startswith("event")] == [
                "event: sources",
                "event: error",
            ]
            kept = rows(client)
            assert [(row["role"], row["has_rag_context"]) for row in kept] == [("user", True)] * 2


def test_replies_queued_when_the_server_is_killed_come_once_from_the_next(settings):
    changed = msgspec.structs.replace(settings, chat_model="echo:0.1", rate_chat="off")
    serving, token = start(changed)
    headers = {"Authorization": f"Bearer {token}"}
    page = {"source_url": "https://example.com/hours", "content": PAGE}
    names = [f"con_{number}" for number in range(30)]
    with serving as (client, process):
        client.headers.update(headers)
        assert client.post("/knowledge", json=page).status_code == 200
        for name in names:
            begun = client.post("/chat/default/conversations", json={"conversationId": name})
            assert begun.status_code == 201
            message = {"sender_id": "u", "sender_type": "user", "text": OPENS}
            answer = client.post("/messages", json={"conversation_id": name, **message}).json()
            assert answer["data"]["auto_reply_enqueued"] is True
        process.kill()
        process.wait()
    settings = msgspec.structs.replace(changed, chat_model="echo")
    with assemble(settings) as service:
        given = service.store.transcripts.page(
            ALL_BOTS, TranscriptFilter(role="assistant"), limit=30, offset=0, ascending=True
        )
    assert given[0] < len(names)
    with served(settings) as (client, _):
        client.headers.update(headers)
        replied: set[str] = set()
        after = None
        while len(replied) < len(names):
            query = {"types": "message.created", "wait": 20, **({"after": after} if after else {})}
            data = client.get("/events", params=query).json()["data"]
            assert data["events"], "no reply came within 20 s"
            after = data["next"]
            replied |= {
                event["data"]["conversation_id"]
                for event in data["events"]
                if event["data"]["message"]["role"] == "assistant"
            }
        kept = [row["session_id"] for row in rows(client, role="assistant", limit=1000)]
    assert sorted(kept) == sorted(names)


def test_a_silent_stream_is_kept_alive_by_comments(settings, token, monkeypatch):
    monkeypatch.setattr(sse, "HEARTBEAT_S", 0.02)
    settings = msgspec.structs.replace(settings, chat_model="echo:0.1")
    with assemble(settings) as service:
        service.knowledge.upsert(
            ALL_BOTS, [Document(source_url="https://e.com/hours", content=PAGE)]
        )
    with TestClient(create_app(settings)) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        streamed = client.post("/chat/default/stream", json={"message": OPENS}).text
    assert "\n: heartbeat\n\n" in streamed
    assert streamed.count("event: delta\n") == len(OPENS.split())
    assert streamed.count("event: done\n") == 1
