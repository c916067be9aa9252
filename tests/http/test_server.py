"""The command that serves, as a process of its own: what a client on the network meets."""

import json
import signal
import socket

import httpx
import pytest
from served import command, served

from rag_service.assembly import assemble


@pytest.fixture
def server(settings, token):
    with served(settings) as (client, process):
        client.headers["Authorization"] = f"Bearer {token}"
        yield client, process


def test_it_serves_and_stops_when_told(server):
    client, process = server
    assert client.get("/health").json()["ok"] is True
    page = {"source_url": "https://a/", "content": "one lighthouse"}
    assert client.post("/knowledge", json=page).status_code == 200
    found = client.get("/search", params={"query": "lighthouse"}).json()
    assert [result["source_url"] for result in found["results"]] == ["https://a/"]
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert "Traceback" not in said


def test_bodies_over_the_limit_are_413_with_and_without_a_length(settings, server):
    client, _ = server
    half = b'{"source_url": "https://a/", "content": "' + b"x" * (settings.max_body_bytes // 2)
    for content in (half + half, iter([half, half])):
        answer = client.post("/knowledge", content=content)
        assert answer.status_code == 413
        assert answer.json()["code"] == "rest_content_too_large"


def test_a_token_is_asked_for_before_the_body_is_read(settings, server):
    client, _ = server
    body = b"x" * (settings.max_body_bytes + 1)
    answer = client.post("/knowledge", content=body, headers={"Authorization": "Bearer wrong"})
    assert answer.status_code == 401


def test_a_batch_streams_in_and_its_results_stream_out(settings, server):
    client, _ = server
    pages = [{"source_url": f"https://a/{n}", "content": f"page {n}"} for n in range(200)]
    lines = (json.dumps(page).encode() + b"\n" for page in pages)
    with client.stream("POST", "/knowledge/batch?wait=true", content=lines) as answer:
        assert answer.headers["content-type"].startswith("application/x-ndjson")
        results = [json.loads(line) for line in answer.iter_lines()]
    assert [result["line"] for result in results] == list(range(1, 201))
    assert all(result["success"] for result in results)


def test_a_folder_that_cannot_be_written_is_told_in_a_line(settings, tmp_path):
    (tmp_path / "data").write_text("a file where the folder should be")
    process = command(settings)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "RAG_DATA_DIR" in said
    assert "Traceback" not in said


def test_a_port_that_is_taken_is_told(settings):
    with assemble(settings), socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        process = command(settings, "--port", str(other.getsockname()[1]))
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "RAG_PORT" in said
    assert "Traceback" not in said


def test_the_first_start_prints_a_link_to_the_page_that_signs_in(settings):
    process = command(settings, "--first-token", "--port", "0")
    try:
        said = iter(process.stderr.readline, "")
        link = next(line.strip() for line in said if "/ui/#token=" in line)
        address, token = link.split("#token=")
        with httpx.Client(headers={"Authorization": f"Bearer {token}"}) as client:
            assert client.get(address).status_code == 200
            own = client.get(f"{address.removesuffix('/ui/')}/tokens/self").json()
            assert "admin" in own["scopes"]
    finally:
        process.kill()
        process.communicate()
