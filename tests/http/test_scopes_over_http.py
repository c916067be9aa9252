"""Whatever route a token that is bound to a bot takes, it finds nothing of another bot."""

import json
import re
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from open_gaps import considered

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import assemble
from rag_service.conversations.messages import Sender
from rag_service.conversations.store import NewMessage
from rag_service.http.envelopes import OF_OPENAI
from rag_service.settings import Settings

SECRET = "Xylophone4711"
"""In all that the other bot has, and in all that is of no bot."""
OPEN = {"/", "/health", "/schema"}
QUERY = {"query": "Which page is ours?", "source_url": "https://e.com/a"}


@pytest.fixture
def theirs(settings: Settings, client: TestClient[Litestar], push: Any) -> dict[str, str]:
    """Something of each kind of another bot, as the parameters of paths name it."""
    document = push("https://e.com/a", f"# Page\n\n{SECRET} is ours.", bot_id="theirs")
    contact = client.post("/contacts", json={"email": f"{SECRET}@e.com"}).json()["data"]
    url = f"http://93.184.216.34/{SECRET}"
    hook = client.post("/webhooks", json={"url": url, "botId": "theirs", "enabled": False}).json()[
        "data"
    ]
    line = {"source_url": f"https://e.com/{SECRET}", "content": "x", "bot_id": "theirs"}
    job = client.post("/knowledge/batch?wait=1", content=json.dumps(line))
    with assemble(settings) as service:
        said = NewMessage(role="user", text=SECRET, sender=Sender(type="user", id="u1"))
        row = service.store.messages.add(ALL_BOTS, "theirs", "c1", said, create=True)
    answer = client.post("/bot/theirs", json={"message": f"Which page is {SECRET}?"}).json()["data"]
    client.post(f"/messages/{answer['messageId']}/feedback", json={"rating": "down"})
    (gap,) = considered(client)
    return {
        "gap_id": gap["gap_id"],
        "bot_id": "theirs",
        "conversation_id": "c1",
        "document_id": document["document_id"],
        "contact_id": contact["id"],
        "webhook_id": hook["id"],
        "delivery_id": "dlv_1",
        "job_id": job.headers["x-job-id"],
        "message_id": row.message_id,
        "model_id": "theirs",
    }


def routes(client: TestClient[Litestar]) -> list[tuple[str, str]]:
    """Every one there is, with its methods, by the names of its parameters."""
    return sorted(
        (method, route.path_format)
        for route in client.app.routes
        for method in getattr(route, "methods", ())
        if method in {"GET", "POST", "PUT", "PATCH", "DELETE"}
        and route.path_format not in OPEN
        and (
            route.path_format.startswith(OF_OPENAI)
            or not route.path_format.startswith(("/schema", "/ui", "/wp-json", "/api/v1", "/v1"))
        )
    )


def bodies(method: str, theirs: dict[str, str]) -> list[dict[str, Any]]:
    """Nothing, and all that could name what is the other bot's."""
    if method == "GET":
        return [{}]
    named = {
        "bot_id": "theirs",
        "botId": "theirs",
        "id": "theirs",
        "session_id": "c1",
        "session_ids": ["c1"],
        "gap_ids": [theirs["gap_id"]],
        "answer": "x",
        "rating": "down",
        "state": "closed",
        "conversation_id": "c1",
        "message_id": theirs["message_id"],
        "source_url": "https://e.com/a",
        "url": "http://93.184.216.34/",
        "language": "de",
        "text": "x",
        "sender_id": "u1",
        "sender_type": "user",
        "content": "x",
        "message": "x",
        "query": QUERY["query"],
        "model": "theirs",
        "messages": [{"role": "user", "content": "x"}],
        "metadata": {"conversation_id": "c1"},
        "input": "x",
        "previous_response_id": theirs["message_id"].replace("msg_", "resp_"),
    }
    unnamed = {k: v for k, v in named.items() if k not in ("bot_id", "botId", "id", "url")}
    return [named, unnamed, {**unnamed, "url": "https://e.com/"}]


def test_a_bound_token_finds_nothing_of_another_bot_on_any_route(
    settings: Settings, client: TestClient[Litestar], theirs: dict[str, str]
) -> None:
    rates = dict.fromkeys(("chat", "data", "webhook"), "off")
    with assemble(settings) as service:
        bound = service.access.create("bound", ["admin"], bot_id="mine", rates=rates)
    before = everything(client, theirs)
    queries = [{}, QUERY, {**QUERY, "bot_id": "theirs"}]
    walked = set()
    for method, path in routes(client):
        names = re.findall(r"{(\w+)}", path)
        url = path.format(**{name: theirs[name] for name in names})
        for body in bodies(method, theirs):
            for params in queries if method == "GET" else queries[:1]:
                answer = client.request(
                    method,
                    url,
                    params=params,
                    json=body or None,
                    headers={"Authorization": f"Bearer {bound}"},
                )
                assert SECRET not in answer.text, (method, url, body, params)
                if names:
                    assert answer.status_code in (400, 403, 404), (method, url, answer.text)
                walked.add((method, path))
    assert {("GET", "/knowledge/{document_id}"), ("DELETE", "/transcripts")} <= walked
    assert everything(client, theirs) == before


def everything(client: TestClient[Litestar], theirs: dict[str, str]) -> list[Any]:
    """What the other bot has, and what is of no bot."""
    return [
        client.get(path, params=params).json()
        for path, params in (
            ("/knowledge", {"bot_id": "theirs"}),
            ("/transcripts", {"bot_id": "theirs"}),
            ("/chat/theirs/conversations", {}),
            ("/contacts", {}),
            (f"/webhooks/{theirs['webhook_id']}", {}),
        )
    ]
