"""MCP over HTTP and over standard input and output, from a server of its own process."""

import asyncio
import os
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from served import served
from shelf import page, push, settings_in

from rag_service.assembly import assemble

BOTH = {"Accept": "application/json, text/event-stream"}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
MODERN = {
    "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "tests", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of it, and tokens by name."""
    settings = settings_in(
        tmp_path_factory.mktemp("mcp"), cors_origins="https://shop.example", rate_data="off"
    )
    with assemble(settings) as service:
        push(service, page("hours", "We open at nine."))
        tokens = {
            "all": service.access.create("all", ["admin"]),
            "knowledge": service.access.create("knowledge", ["knowledge"]),
            "slow": service.access.create("slow", ["admin"], rates={"data": "2/hour"}),
        }
    with served(settings) as (client, _):
        client.get("/health")  # it listens from now on
        yield client, tokens


def posted(server: Any, body: Any = LIST, *, token: str = "all", **headers: str) -> httpx.Response:
    client, tokens = server
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    given = {**BOTH, "Authorization": f"Bearer {tokens[token]}", **given}
    if isinstance(body, bytes):
        given["Content-Type"] = "application/json"
        return client.post("/mcp", content=body, headers=given)
    return client.post("/mcp", json=body, headers=given)


@pytest.mark.parametrize("mode", ["legacy", "auto", "2026-07-28"])
def test_a_client_of_any_era_lists_and_calls(server: Any, mode: str) -> None:
    client, tokens = server
    url = f"{str(client.base_url).rstrip('/')}/mcp"

    async def work() -> None:
        headers = {"Authorization": f"Bearer {tokens['knowledge']}"}
        async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
            transport = streamable_http_client(url, http_client=http)
            async with Client(transport, mode=mode) as mcp:
                tools = {tool.name for tool in (await mcp.list_tools()).tools}
                assert tools == {"search", "fetch", "push_page", "delete_page"}
                found = await mcp.call_tool("search", {"query": "when do you open"})
                assert found.structured_content["results"][0]["url"] == "https://example.com/hours"
                refused = await mcp.call_tool("ask", {"question": "When?"})
                assert refused.is_error and "lacks the scope 'chat'" in refused.content[0].text

    asyncio.run(work())


def test_nobody_is_let_in_without_a_token(server: Any) -> None:
    client, _ = server
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        answer = client.post("/mcp", json=LIST, headers={**BOTH, **headers})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"


def test_pages_of_elsewhere_may_not_ask(server: Any) -> None:
    for origin in ("https://evil.example", "null", "http://localhost.evil.example", "x"):
        answer = posted(server, Origin=origin)
        assert answer.status_code == 403, origin
        assert "RAG_CORS_ORIGINS" in answer.json()["message"]
    for origin in ("https://shop.example", "http://localhost:6274", "http://127.0.0.1"):
        assert posted(server, Origin=origin).status_code == 200, origin


@pytest.mark.parametrize(
    "body", [b"rubbish", b"", b"[1]", b"{}", b'{"jsonrpc": "1.0", "id": 1}', b"\xff", b'"x"']
)
@pytest.mark.parametrize("version", ["2025-11-25", "2026-07-28"])
def test_a_body_that_is_no_json_rpc_is_refused(server: Any, body: bytes, version: str) -> None:
    answer = posted(server, body, MCP_Protocol_Version=version)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] in (-32700, -32600, -32602)
    assert "Traceback" not in answer.text and "/rag_service" not in answer.text


def test_a_version_that_is_not_known_is_told_which_are(server: Any) -> None:
    old = {**MODERN["_meta"], "io.modelcontextprotocol/protocolVersion": "2024-01-01"}
    body = {**LIST, "params": {"_meta": old}}
    answer = posted(server, body, MCP_Protocol_Version="2024-01-01", Mcp_Method="tools/list")
    assert answer.status_code == 400
    assert "2026-07-28" in answer.json()["error"]["data"]["supported"]
    hello = {
        "protocolVersion": "2019-01-01",
        "capabilities": {},
        "clientInfo": {"name": "old", "version": "1"},
    }
    begun = posted(
        server, {**LIST, "method": "initialize", "params": hello}, Accept="application/json"
    )
    assert begun.json()["result"]["protocolVersion"] == "2025-11-25"


def test_answers_are_json_where_no_stream_is_accepted(server: Any) -> None:
    streamed, whole = posted(server), posted(server, Accept="application/json")
    assert streamed.headers["content-type"].startswith("text/event-stream")
    assert whole.headers["content-type"] == "application/json"
    assert len(whole.json()["result"]["tools"]) == 7


def test_there_is_nothing_to_get_and_no_session(server: Any) -> None:
    client, tokens = server
    headers = {**BOTH, "Authorization": f"Bearer {tokens['all']}"}
    for method in ("GET", "DELETE", "PUT"):
        answer = client.request(method, "/mcp", headers=headers)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert "mcp-session-id" not in posted(server).headers


def test_requests_count_against_the_rate_of_the_token(server: Any) -> None:
    left = [posted(server, token="slow").headers.get("x-ratelimit-remaining") for _ in range(2)]
    assert left == ["1", "0"]
    over = posted(server, token="slow")
    assert over.status_code == 429 and "retry-after" in over.headers


def test_behind_a_proxy_hosts_are_those_that_are_named(tmp_path: Any) -> None:
    settings = settings_in(tmp_path, mcp_hosts="docs.example,docs.example:*", path_prefix="/rag")
    with assemble(settings) as service:
        token = service.access.create("all", ["admin"])
    headers = {**BOTH, "Authorization": f"Bearer {token}"}
    with served(settings) as (client, _):
        for host, status in (("docs.example", 200), ("docs.example:8443", 200), ("other", 421)):
            answer = client.post("/rag/mcp", json=LIST, headers={**headers, "Host": host})
            assert answer.status_code == status, answer.text


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_the_command_serves_standard_input(tmp_path: Any, mode: str) -> None:
    settings = settings_in(tmp_path)
    with assemble(settings) as service:
        push(
            service,
            page("hours", "We open at nine.", bot_id="shop"),
            page("b", "Nine.", bot_id="b"),
        )
    start = StdioServerParameters(
        command=sys.executable,
        args=["-m", "rag_service", "mcp", "--bot", "shop"],
        env={**os.environ, **settings.environ()},
    )

    async def work() -> None:
        async with Client(stdio_client(start), mode=mode) as mcp:
            assert len((await mcp.list_tools()).tools) == 7
            found = await mcp.call_tool("search", {"query": "when do you open"})
            assert found.structured_content["bot_id"] == "shop"
            asked = await mcp.call_tool("ask", {"question": "When do you open?"})
            assert "nine" in asked.structured_content["answer"]
            other = await mcp.call_tool("search", {"query": "nine", "bot_id": "b"})
            assert other.is_error
            assert len((await mcp.list_resources()).resources) == 1

    asyncio.run(work())


ABSENT = """
import sys
from importlib.machinery import PathFinder

class Finder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        is_absent = name.partition(".")[0] in ("mcp", "mcp_types")
        return None if is_absent else super().find_spec(name, path, target)

sys.meta_path[:] = [Finder if finder is PathFinder else finder for finder in sys.meta_path]
"""


def test_without_the_extra_it_is_told_how_to_install(
    tmp_path: Any, shell: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine that has no package of that name."""
    (tmp_path / "absent").mkdir()
    (tmp_path / "absent" / "sitecustomize.py").write_text(ABSENT)
    monkeypatch.setenv(
        "PYTHONPATH", f"{tmp_path / 'absent'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    )
    done = shell.run("mcp")
    assert done.returncode == 1
    assert "pip install 'rag-service[mcp]'" in done.stderr
    with assemble(settings) as service:
        token = service.access.create("all", ["admin"])
    with served(settings) as (client, _):
        answer = client.post("/mcp", json=LIST, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 501
    assert "pip install 'rag-service[mcp]'" in answer.json()["message"]
