from collections.abc import Iterator
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from rag_service.assembly import assemble
from rag_service.http.app import create_app
from rag_service.settings import Settings


@pytest.fixture
def token(settings: Settings) -> str:
    """Of somebody who may do everything, as often as wanted."""
    with assemble(settings) as service:
        return service.access.create("tests", ["admin"], rates={"data": "off"})


@pytest.fixture
def client(settings: Settings, token: str) -> Iterator[TestClient[Litestar]]:
    with TestClient(create_app(settings)) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


@pytest.fixture
def push(client: TestClient[Litestar]) -> Any:
    def push(url: str, content: str, **more: Any) -> dict[str, Any]:
        answer = client.post("/knowledge", json={"source_url": url, "content": content, **more})
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    return push
