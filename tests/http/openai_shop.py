"""One server for many cases of OpenAI's dialect: each asks as somebody else."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from litestar import Litestar
from litestar.testing import TestClient
from shelf import settings_in

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import assemble
from rag_service.documents import Document
from rag_service.http.app import create_app
from rag_service.settings import Settings

HOURS = "Our shop in Bern opens at nine in the morning."
OPENS = "When does our shop in Bern open in the morning?"
CANADA = "Shipping to Canada takes eight days."
ELSE = "Zebra quantum xylophone"
OFF = dict.fromkeys(("chat", "data", "webhook"), "off")


class Shop:
    """Two bots, `default` and `other`, and a client that may do everything."""

    def __init__(self, settings: Settings, client: TestClient[Litestar]) -> None:
        self.settings = settings
        self.client = client

    def token(self, name: str, *scopes: Any, **more: Any) -> dict[str, str]:
        """Headers of somebody new."""
        with assemble(self.settings) as service:
            token = service.access.create(name, list(scopes), **{"rates": OFF, **more})
        return {"Authorization": f"Bearer {token}"}

    def ask(self, *messages: Any, headers: Any = None, **more: Any) -> Any:
        body = {"model": "default", "messages": messages, **more}
        return self.client.post("/v1/chat/completions", json=body, headers=headers)

    def rows(self, **query: Any) -> list[dict[str, Any]]:
        params = {"order": "asc", "limit": 1000, **query}
        found: list[dict[str, Any]] = self.client.get("/transcripts", params=params).json()["items"]
        return found

    def total(self) -> int:
        found: int = self.client.get("/transcripts", params={"limit": 1}).json()["total"]
        return found


@contextmanager
def open_shop(folder: Path, **changes: Any) -> Iterator[Shop]:
    settings = msgspec.structs.replace(
        settings_in(folder), embedding_model="hashing:1024", **changes
    )
    with assemble(settings) as service:
        token = service.access.create("tests", ["admin"], rates=OFF)
        service.knowledge.upsert(
            ALL_BOTS,
            [
                Document(source_url="https://e.com/hours", content=HOURS, title="Hours"),
                Document(source_url="https://e.com/canada", content=CANADA),
                Document(source_url="https://e.com/other", content=HOURS, bot_id="other"),
            ],
        )
    with TestClient(create_app(settings)) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        yield Shop(settings, client)


def user(text: Any) -> dict[str, Any]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def said(answer: Any) -> str:
    text: str = answer.json()["choices"][0]["message"]["content"]
    return text
