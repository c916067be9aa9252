"""Requests made up from the OpenAPI document: none of them is answered with a 500."""

import json

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from litestar.testing import TestClient
from schemathesis import GenerationMode

from rag_service.assembly import assemble
from rag_service.http.app import create_app, openapi_document
from rag_service.http.envelopes import OF_OPENAI
from rag_service.settings import Settings

DOCUMENT = json.loads(openapi_document())
MOUNTS = ("/wp-json/", "/api/v1/", "/v1/")
APART = {
    "/webhooks/{webhook_id}/test",  # posts to an address
    "/knowledge/batch",  # these three have no JSON body
    "/knowledge/upload",
    "/contacts/import",
}
PATHS = [
    path
    for path in DOCUMENT["paths"]
    if (path.startswith(OF_OPENAI) or not path.startswith(MOUNTS)) and path not in APART
]
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
EXAMPLES = 4


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzzing")
    options = Settings(
        data_dir=folder / "data", index_dir=folder / "indexes", embedding_model="hashing:1024"
    )
    with assemble(options) as service:
        token = service.access.create("tests", ["admin"], rates={"data": "off", "chat": "off"})
    with TestClient(create_app(options), raise_server_exceptions=False) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


@pytest.mark.parametrize("path", PATHS)
def test_nothing_that_suits_the_document_is_answered_with_500(client, path):
    for method in DOCUMENT["paths"][path]:
        operation = SCHEMA[path][method.upper()]
        cases = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
        ask(client, operation, cases)


def ask(client, operation, cases):
    @seed(13)
    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        deadline=None,
        database=None,
    )
    @given(cases)
    def answers(case):
        if case.query and "wait" in case.query:
            del case.query["wait"]  # it may hold for half a minute
        answer = send(client, case)
        assert answer.status_code < 500, (case.method, case.path, answer.text)
        documented = operation.definition.raw["responses"]
        assert str(answer.status_code) in documented, (case.method, answer.text)

    answers()


def send(client, case):
    given = case.as_transport_kwargs(base_url="http://testserver")
    body = {"json": given["json"]} if "json" in given else {}
    return client.request(case.method, given["url"], params=given["params"], **body)
