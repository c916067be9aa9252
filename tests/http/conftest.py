from collections.abc import Iterator
from typing import Any

import pytest
from calling import client_of
from litestar import Litestar
from litestar.testing import TestClient

from rag_service.assembly import assemble
from rag_service.settings import Settings


@pytest.fixture
def token(settings: Settings) -> str:
    """Of somebody who may do everything, as often as wanted."""
    with assemble(settings) as service:
        return service.access.create("tests", ["admin"], rates={"data": "off"})


@pytest.fixture
def anyone(settings: Settings) -> Iterator[TestClient[Litestar]]:
    """A client without a token, on a service that has none, unless a test made one."""
    with client_of(settings) as client:
        yield client


@pytest.fixture
def client(anyone: TestClient[Litestar]) -> TestClient[Litestar]:
    """Of somebody who may do everything, as often as wanted."""
    token = anyone.app.state.service.access.create("tests", ["admin"], rates={"data": "off"})
    anyone.headers["Authorization"] = f"Bearer {token}"
    return anyone


@pytest.fixture
def push(client: TestClient[Litestar]) -> Any:
    def push(url: str, content: str, **more: Any) -> dict[str, Any]:
        answer = client.post("/knowledge", json={"source_url": url, "content": content, **more})
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    return push
