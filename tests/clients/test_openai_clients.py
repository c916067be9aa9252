"""Clients that people have already, against a real server: nothing changes but the base URL."""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, NoReturn

import httpx
import msgspec
import openai
import pytest
from served import served
from shelf import settings_in

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import assemble
from rag_service.documents import Document

HOURS = "Our shop in Bern opens at nine in the morning."
OPENS = "When does our shop in Bern open in the morning?"
MODEL = "hashing:1024"
NODE = Path(__file__).parent / "node"
LANGCHAIN = Path(__file__).parent / "langchain"


class Server:
    def __init__(self, client: httpx.Client, token: str) -> None:
        self.client = client
        self.token = token
        self.url = f"{client.base_url}/v1"

    def cut_answer(self, user: str | None = None, text: str = OPENS) -> dict[str, Any]:
        """The row of an answer whose reader has left; it comes a moment after they did."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            found = self.client.get("/transcripts", params={"bot_id": "slow"}).json()["items"]
            for row in found:
                if row["role"] == "assistant" and row["user_id"] == user:
                    answer: dict[str, Any] = row
                    return answer
            time.sleep(0.05)
        raise AssertionError("nothing was kept")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """It says a word of the question each 20 ms."""
    settings = msgspec.structs.replace(
        settings_in(tmp_path_factory.mktemp("server")),
        embedding_model=MODEL,
        chat_model="echo:0.02",
    )
    with assemble(settings) as service:
        rates = dict.fromkeys(("chat", "data"), "off")
        token = service.access.create("tests", ["admin"], rates=rates)
        pages = [
            Document(source_url="https://e.com/hours", content=HOURS, bot_id=bot_id)
            for bot_id in ("default", "slow")
        ]
        service.knowledge.upsert(ALL_BOTS, pages)
    with served(settings) as (client, _):
        client.headers["Authorization"] = f"Bearer {token}"
        client.get("/health")
        yield Server(client, token)


MESSAGES: Any = [{"role": "user", "content": OPENS}]


def test_openai_for_python(server):
    with openai.OpenAI(base_url=server.url, api_key=server.token, max_retries=0) as client:
        assert [model.id for model in client.models.list()] == ["default", "slow", MODEL]
        whole = client.chat.completions.create(model="default", messages=MESSAGES, user="p")
        message = whole.choices[0].message
        assert message.content == OPENS
        assert message.annotations[0].url_citation.url == "https://e.com/hours"
        assert whole.model_extra["rag"]["has_rag_context"] is True
        with client.chat.completions.stream(
            model="default",
            messages=MESSAGES,
            user="p2",
            stream_options={"include_usage": True},
        ) as stream:
            final = stream.get_final_completion()
        assert final.choices[0].message.content.strip() == OPENS
        assert final.usage.total_tokens > 0
        with pytest.raises(openai.NotFoundError) as error:
            client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
        assert (error.value.code, error.value.param) == ("model_not_found", "model")
        embedded = client.embeddings.create(model=MODEL, input=["a", "b"])
        assert [len(one.embedding) for one in embedded.data] == [1024, 1024]
        assert client.responses.create(model="default", input=OPENS).output_text == OPENS
        with client.responses.stream(model="default", input=OPENS, user="p3") as events:
            assert events.get_final_response().output_text.strip() == OPENS
        found = client.vector_stores.search("default", query=OPENS)
        assert found.data[0].content[0].text == HOURS
        with client.chat.completions.create(
            model="slow", messages=MESSAGES, user="python", stream=True
        ) as cut:
            next(chunk for chunk in cut if chunk.choices[0].delta.content)
    assert server.cut_answer("python")["metadata"]["complete"] is False


def test_openai_for_python_in_async(server):
    async def told() -> tuple[list[str], str, int]:
        async with openai.AsyncOpenAI(base_url=server.url, api_key=server.token) as client:
            names = [model.id async for model in client.models.list()]
            stream = await client.chat.completions.create(
                model="default", messages=MESSAGES, stream=True, user="async"
            )
            text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
            embedded = await client.embeddings.create(model=MODEL, input="a")
            with pytest.raises(openai.AuthenticationError):
                await client.with_options(api_key="wrong").models.list()
            with pytest.raises(openai.BadRequestError):
                await client.chat.completions.create(model="default", messages=[])
            cut = await client.chat.completions.create(
                model="slow", messages=MESSAGES, user="async-cut", stream=True
            )
            async for chunk in cut:
                if chunk.choices[0].delta.content:
                    break
            await cut.close()
            return names, text.strip(), len(embedded.data[0].embedding)

    assert asyncio.run(told()) == (["default", "slow", MODEL], OPENS, 1024)
    assert server.cut_answer("async-cut")["metadata"]["complete"] is False


def go_without(reason: str) -> NoReturn:
    """An ordinary clone does; CI does not."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    raise AssertionError


@pytest.fixture
def node() -> str:
    found = shutil.which("node")
    if found is None or not (NODE / "node_modules").exists():
        go_without("this wants Node 20, and `npm ci` in tests/clients/node: `make test` does that")
    return found


@pytest.fixture
def langchain(tmp_path: Path) -> tuple[str, dict[str, str]]:
    """Its Python, and a vocabulary for its tiktoken, which would be downloaded."""
    python = Path(sys.prefix, "langchain", "bin", "python")
    if not python.exists():
        go_without("this wants LangChain in an environment of its own: `make test` installs it")
    data = files("tiktoken_ext").joinpath("data/cl100k_base.tiktoken").read_bytes()
    url = "https://openaipublic.blob.core.windows.net/encodings/cl100k_base.tiktoken"
    (tmp_path / hashlib.sha1(url.encode()).hexdigest()).write_bytes(data)
    return str(python), {"TIKTOKEN_CACHE_DIR": str(tmp_path)}


def ran(
    program: str, script: Path, *arguments: str, env: dict[str, str] | None = None
) -> dict[str, Any]:
    done = subprocess.run(
        [program, str(script), *arguments],
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def test_openai_for_node(server, node):
    seen = ran(node, NODE / "openai.mjs", server.url, server.token)
    assert seen["models"] == ["default", "slow", MODEL]
    assert seen["whole"] == seen["response"] == OPENS
    assert seen["streamed"].strip() == seen["gathered"].strip() == OPENS
    assert seen["responseStream"].strip() == OPENS
    assert seen["cited"] == seen["found"] == "https://e.com/hours"
    assert seen["usage"]["total_tokens"] > 0
    assert seen["error"] == {"status": 404, "code": "model_not_found", "param": "model"}
    assert seen["dimensions"] == [1024, 1024]
    assert server.cut_answer("node-cut")["metadata"]["complete"] is False


def test_the_ai_sdk(server, node):
    seen = ran(node, NODE / "ai-sdk.mjs", server.url, server.token, MODEL)
    assert (seen["whole"], seen["finish"]) == (OPENS, "stop")
    assert seen["streamed"].strip() == OPENS
    assert seen["total"] > 0
    assert seen["error"]["status"] == 404
    assert "gpt-4o" in seen["error"]["message"]
    assert seen["dimensions"] == [1024, 1024]
    assert server.cut_answer(None)["metadata"]["complete"] is False


def test_langchain(server, langchain):
    python, env = langchain
    seen = ran(python, LANGCHAIN / "talk.py", server.url, server.token, MODEL, env=env)
    assert seen["whole"] == seen["response"] == OPENS
    assert seen["streamed"].strip() == OPENS
    assert seen["total"] > 0
    assert len(seen["stream_total"]) == 1
    assert "gpt-4o" in seen["error"]
    assert [len(one) for one in seen["of_text"]] == [1024, 1024]
    for of_tokens, of_text in zip(seen["of_tokens"], seen["of_text"], strict=True):
        assert of_tokens == pytest.approx(of_text, abs=1e-6)
    assert server.cut_answer("langchain")["metadata"]["complete"] is False


def test_streams_that_are_cut_by_their_readers_leave_whole_rows(server):
    """The full 200 are in benchmarks/bench_openai.py."""

    async def leave(client: openai.AsyncOpenAI, number: int) -> None:
        async with await client.chat.completions.create(
            model="default", messages=MESSAGES, user=f"cut{number}", stream=True
        ) as stream:
            async for chunk in stream:
                if chunk.choices[0].delta.content:
                    return

    async def all_leave() -> None:
        async with openai.AsyncOpenAI(base_url=server.url, api_key=server.token) as client:
            await asyncio.gather(*(leave(client, number) for number in range(20)))

    def kept(role: str) -> list[dict[str, Any]]:
        params = {"role": role, "limit": 1000, "bot_id": "default"}
        found = server.client.get("/transcripts", params=params).json()["items"]
        return [row for row in found if (row["user_id"] or "").startswith("cut")]

    asyncio.run(all_leave())
    deadline = time.monotonic() + 30
    while len(kept("assistant")) < 20 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert {row["user_id"] for row in kept("assistant")} == {f"cut{n}" for n in range(20)}
    assert len(kept("assistant")) == len(kept("user")) == 20
    for row in kept("assistant"):
        assert OPENS.startswith(row["message"]) and row["message"]
        assert row["has_rag_context"] is True
