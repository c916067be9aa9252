"""A server that answers, and one that fails in every way there is."""

import asyncio
import importlib
import logging
import os
import re
import socket
import subprocess
import sys
import time
import traceback
from pathlib import Path

import pytest
import tiny
from asking import answer, beginning, prompt
from model_server import ANSWER, KEY

from rag_service.conversations.messages import Usage
from rag_service.errors import AnswerFailed, AnswerTimedOut, InvalidSettings
from rag_service.models.chat import load_chat_model
from rag_service.models.chat.openai import OpenAiModel
from rag_service.settings import Settings


def model_at(url: str, *, key: str = KEY, timeout_s: float = 5) -> OpenAiModel:
    return OpenAiModel("llama", base_url=url, api_key=key, timeout_s=timeout_s)


def asked(model: OpenAiModel, pieces: list[str] | None = None):
    """The answer and its usage; `pieces` also has those that came before a failure."""
    pieces = [] if pieces is None else pieces

    async def main():
        try:
            async for piece in model.stream(prompt()):
                pieces.append(piece)
        finally:
            await model.close()

    asyncio.run(main())
    return pieces


def failure(
    model: OpenAiModel, caplog: pytest.LogCaptureFixture, pieces: list[str] | None = None
) -> AnswerFailed:
    """The error, which must not give the key or an address away."""
    caplog.set_level(logging.INFO, logger="rag_service")
    with pytest.raises(AnswerFailed) as caught:
        asked(model, pieces)
    assert KEY not in "".join(traceback.format_exception(caught.value))
    assert KEY not in caplog.text
    assert "127.0.0.1" not in str(caught.value)
    return caught.value


# -- what is asked ------------------------------------------------------------------------------


def test_the_messages_are_sent_and_usage_is_asked_for(server):
    *pieces, usage = asked(model_at(server.url("whole")))
    assert pieces == ANSWER
    assert usage == Usage(prompt_tokens=7, completion_tokens=4)
    headers, body = server.asked("whole")[-1]
    assert headers["authorization"] == f"bearer {KEY}"
    assert body["model"] == "llama"
    assert body["stream_options"] == {"include_usage": True}
    assert body["messages"] == [
        {"role": message.role, "content": message.text} for message in prompt().messages
    ]


def test_a_server_may_tell_no_usage(server):
    assert asked(model_at(server.url("no-usage"))) == ["yes"]


def test_nothing_is_taken_from_the_environment(server, monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "environment")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "x-custom: environment\nauthorization: environment")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    asked(model_at(server.url("whole"), key=""))
    headers, _ = server.asked("whole")[-1]
    assert "authorization" not in headers
    assert "environment" not in str(headers)
    assert not [name for name in headers if name.startswith("x-")]
    asked(model_at(server.url("whole")))
    headers, _ = server.asked("whole")[-1]
    assert headers["authorization"] == f"bearer {KEY}"


# -- settings -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["", "localhost:11434/v1", "/v1", "ftp://host/v1", "http:///v1", "http://host:port/v1"]
)
def test_a_host_that_was_not_configured_is_never_contacted(url):
    with pytest.raises(InvalidSettings, match="RAG_CHAT_BASE_URL"):
        load_chat_model(Settings(chat_model="openai:gpt", chat_base_url=url))


def test_a_password_in_the_url_is_refused_and_not_shown():
    with pytest.raises(InvalidSettings, match="RAG_CHAT_API_KEY") as caught:
        model_at(f"http://user:{KEY}@127.0.0.1:9/v1")
    assert KEY not in str(caught.value)


def test_a_model_without_a_name_is_refused():
    with pytest.raises(InvalidSettings, match="openai:NAME"):
        load_chat_model(Settings(chat_model="openai:", chat_base_url="http://127.0.0.1:9/v1"))


@pytest.mark.parametrize("key", ["sk-\n\nx", "schlüssel", "\x00"])
def test_a_key_that_cannot_be_sent_is_refused_and_not_shown(key):
    with pytest.raises(InvalidSettings, match="RAG_CHAT_API_KEY") as caught:
        model_at("http://127.0.0.1:9/v1", key=key)
    assert key not in str(caught.value)


def test_a_missing_package_is_said(monkeypatch):
    monkeypatch.delitem(sys.modules, "rag_service.models.chat.openai")
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(InvalidSettings, match=r"pip install 'rag-service\[remote\]'"):
        importlib.import_module("rag_service.models.chat.openai")


# -- failures -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "told", "times"),
    [
        (401, "check RAG_CHAT_API_KEY", 1),
        (403, "check RAG_CHAT_API_KEY", 1),
        (404, r"does not know the model 'llama'.*RAG_CHAT_MODEL", 1),
        (400, "a lower RAG_CHAT_CONTEXT_TOKENS may help", 1),
        (307, "check RAG_CHAT_BASE_URL", 1),
        (429, "try again later", 3),
        (500, "see its log", 3),
    ],
)
def test_a_refusal_says_what_to_do(server, caplog, code, told, times):
    before = len(server.asked(str(code)))
    error = failure(model_at(server.url(str(code))), caplog)
    assert not isinstance(error, AnswerTimedOut)
    assert re.search(told, str(error))
    assert f"HTTP {code}" in str(error)
    assert len(server.asked(str(code))) - before == times


def test_a_server_that_fails_twice_is_asked_a_third_time(server):
    assert asked(model_at(server.url("flaky")))[:-1] == ANSWER


def test_a_server_that_is_not_there_is_said(caplog):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        error = failure(model_at(f"http://127.0.0.1:{unused.getsockname()[1]}/v1"), caplog)
    assert "is it running at RAG_CHAT_BASE_URL?" in str(error)
    assert "127.0.0.1" in caplog.text  # for the operator


@pytest.mark.parametrize("way", ["breaking", "ending"])
def test_a_break_in_mid_answer_is_a_failure_and_is_not_tried_again(server, caplog, way):
    pieces: list[str] = []
    before = len(server.asked(way))
    error = failure(model_at(server.url(way)), caplog, pieces)
    assert pieces == ["We "]
    assert "broke off" in str(error)
    assert len(server.asked(way)) - before == 1


@pytest.mark.parametrize(
    "way",
    ["error", "page", "empty", "garbage", "binary", "list", "number", "other-shape", "other-usage"],
)
def test_what_is_no_answer_is_a_failure(server, caplog, way):
    error = failure(model_at(server.url(way)), caplog)
    assert "no answer" in str(error)
    assert not isinstance(error, AnswerTimedOut)


@pytest.mark.parametrize("way", ["silent", "comments", "hanging"])
def test_a_server_that_hangs_is_left(server, caplog, way):
    pieces: list[str] = []
    error = failure(model_at(server.url(way), timeout_s=1), caplog, pieces)
    assert isinstance(error, AnswerTimedOut)
    assert "RAG_CHAT_TIMEOUT_S" in str(error)
    assert pieces == (["We "] if way == "hanging" else [])
    assert server.is_left(way, 60)


def test_a_slow_reader_is_no_slow_server(server):
    async def main():
        model = model_at(server.url("whole"), timeout_s=1)
        pieces = []
        async for piece in model.stream(prompt()):
            await asyncio.sleep(1.2 if not pieces else 0)
            pieces.append(piece)
        await model.close()
        return pieces

    assert asyncio.run(main())[:-1] == ANSWER


def test_a_reader_that_leaves_closes_the_connection(server):
    async def main():
        model = model_at(server.url("endless"))
        server.left.clear()
        await beginning(model, prompt())
        assert await asyncio.to_thread(server.is_left, "endless", 60)
        await model.close()

    asyncio.run(main())


# -- a server that others made ------------------------------------------------------------------


@pytest.fixture
def transformers_serve(folder: Path, tmp_path: Path):
    """The URL of `transformers serve`, in a process of its own, with the tiny model."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    command = [Path(sys.executable).parent / "transformers", "serve", folder / "tiny"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"],
            env={
                **os.environ,
                "HF_HUB_OFFLINE": "1",
                "HF_HOME": str(tmp_path),
                "OMP_NUM_THREADS": "1",
            },
            stdout=log,
            stderr=log,
        )
        try:
            await_port(port, process)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait(20)


def await_port(port: int, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + 60
    while time.monotonic() < ends and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("transformers serve did not start")


def test_a_server_that_was_not_made_for_this_answers(transformers_serve, folder):
    async def main():
        name = str(folder / "tiny")
        model = OpenAiModel(name, base_url=transformers_serve, api_key="", timeout_s=30)
        pieces, usages = await answer(model, prompt())
        assert "".join(pieces) == tiny.ANSWER
        assert usages[0].completion_tokens > 0
        await beginning(model, prompt())
        await model.close()
        unknown = OpenAiModel("/no/model", base_url=transformers_serve, api_key="", timeout_s=30)
        with pytest.raises(AnswerFailed):
            await answer(unknown, prompt())
        await unknown.close()

    asyncio.run(main())
