"""One service for the clients of every language, and the programs that they need."""

import asyncio
import inspect
import json
import os
import shutil
from collections.abc import AsyncIterable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest
from rag_service_client import AsyncClient, Client
from served import ROOT, served

from rag_service.assembly import assemble
from rag_service.http.app import openapi_document
from rag_service.settings import Settings

CLIENTS = ROOT / "clients"
NO_METHODS = (
    "/wp-json/",  # other mounts of the same routes
    "/api/",
    "/v1/",  # and what clients of OpenAI speak to
    "/mcp",  # clients of MCP
    "/widget",  # the widget's own
)
ELSEWHERE = {
    "searchByQuery": "search has a body",
    "putUpdateWebhook": "updateWebhook does the same",
}
EXTRA = {
    "iteratePages",
    "iterateConversations",
    "iterateTranscripts",
    "iterateLeads",
    "iterateGaps",
    "iterateContacts",
    "iterateContactConversations",
    "iterateWebhooks",
    "iterateDeliveries",
    "exportTranscripts",
    "exportGaps",
    "exportContacts",
    "streamBatch",
    "streamUpload",
    "streamEvents",
    "waitForJob",
}
"""Those that go over the pages of a list, or read a stream where an operation may give one."""


class Address(NamedTuple):
    url: str
    token: str

    def environ(self) -> dict[str, str]:
        return {**os.environ, "SERVICE_URL": self.url, "SERVICE_TOKEN": self.token}


class Operations(frozenset[str]):
    """The names of those that every client has a method for."""

    def compare(self, methods: Iterable[str]) -> None:
        """Each has its method, and a method that is of no operation is one of the few that are
        made of others."""
        methods = set(methods) - {"constructor"}
        assert self - methods - ELSEWHERE.keys() == set()
        assert methods - self == EXTRA


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    folder = tmp_path_factory.mktemp("clients")
    settings = Settings(
        data_dir=folder / "data", index_dir=folder / "indexes", embedding_model="hashing:1024"
    )
    with assemble(settings) as service:
        rates = {"data": "off", "chat": "off", "webhook": "off"}
        token = service.access.create("clients", ["admin"], rates=rates)
    with served(settings) as (client, _):
        assert client.get("/health").json()["ok"]
        yield Address(str(client.base_url).rstrip("/"), token)


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    described: dict[str, Any] = json.loads(openapi_document())
    return described


@pytest.fixture(scope="session")
def operations(document: dict[str, Any]) -> Operations:
    return Operations(
        operation["operationId"]
        for path, methods in document["paths"].items()
        for operation in methods.values()
        if not path.startswith(NO_METHODS)
    )


@pytest.fixture(scope="session")
def document_file(document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("document") / "openapi.json"
    file.write_text(json.dumps(document))
    return file


@pytest.fixture(scope="session")
def node() -> str:
    return program("node")


@pytest.fixture(scope="session")
def packages(node: str) -> None:
    """What the client for JavaScript is checked with is there."""
    if not (CLIENTS / "javascript" / "node_modules").is_dir():
        missing("the packages of clients/javascript are not installed: make test-clients does it")


@pytest.fixture(scope="session")
def php() -> str:
    return program("php")


class Waited:
    """AsyncClient, as if it waited: so that each test is one of both clients."""

    def __init__(self, client, run):
        self._client = client
        self._run = run

    def __getattr__(self, name):
        found = getattr(self._client, name)

        def call(*args, **kwargs):
            answer = found(*args, **kwargs)
            if inspect.isawaitable(answer):
                return self._run(answer)
            return self._iterate(answer) if isinstance(answer, AsyncIterable) else answer

        return call

    def _iterate(self, items):
        try:
            while (item := self._run(anext(items, None))) is not None:
                yield item
        finally:
            self._run(items.aclose())


@pytest.fixture(params=["Client", "AsyncClient"])
def connect(request):
    """Makes a client for Python, of either kind."""
    made = []
    with asyncio.Runner() as runner:

        async def finish(awaitable):
            return await awaitable

        def run(awaitable):
            return runner.run(finish(awaitable))

        def make(*args, handler=None, **kwargs):
            transport = httpx2.MockTransport(handler) if handler else None
            if request.param == "Client":
                http = httpx2.Client(transport=transport) if transport else None
                made.append(Client(*args, http=http, **kwargs))
            else:
                http = httpx2.AsyncClient(transport=transport) if transport else None
                made.append(Waited(AsyncClient(*args, http=http, **kwargs), run))
            return made[-1]

        yield make
        for client in made:
            client.aclose() if isinstance(client, Waited) else client.close()


def program(name: str) -> str:
    path = shutil.which(name)
    return path if path is not None else missing(f"{name} is not installed")


def missing(reason: str) -> Any:
    """Skips the test, but where everything has to be there."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
