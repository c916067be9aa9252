"""The OpenAPI document and its page."""

import re

from litestar.testing import TestClient
from openapi_spec_validator import validate

from rag_service.http.app import create_app
from rag_service.http.envelopes import OF_OPENAI

ROUTES = {
    "/health": {"get"},
    "/knowledge": {"get", "post", "delete"},
    "/knowledge/{document_id}": {"get"},
    "/knowledge/batch": {"post"},
    "/jobs/{job_id}": {"get", "delete"},
    "/search": {"get", "post"},
}


def test_the_document_is_valid_and_has_every_route_at_both_mounts(client):
    document = client.get("/schema/openapi.json").json()
    validate(document)
    for prefix in ("", "/wp-json/mxchat/v1"):
        for path, methods in ROUTES.items():
            assert set(document["paths"][prefix + path]) == methods
    for path in ("/bots", "/api/v1/bots"):
        assert set(document["paths"][path]) == {"get", "post"}


def test_every_closed_route_tells_its_errors_and_posts_have_examples(client):
    document = client.get("/schema/openapi.json").json()
    for path, operations in document["paths"].items():
        if path.endswith("/health"):
            continue
        for method, operation in operations.items():
            assert {"401", "403", "429", "500"} <= set(operation["responses"]), path
            assert operation["summary"]
            if method == "post":
                content = next(iter(operation["requestBody"]["content"].values()))
                assert content["examples"], path


def test_only_health_needs_no_token(client):
    document = client.get("/schema/openapi.json").json()
    assert document["security"] == [{"token": []}]
    open_routes = [
        path
        for path, operations in document["paths"].items()
        for operation in operations.values()
        if operation.get("security") == [{}]
    ]
    assert open_routes == ["/health", "/wp-json/mxchat/v1/health"]


def test_every_error_has_the_shape_of_its_dialect_and_answers_tell_the_rate(client):
    document = client.get("/schema/openapi.json").json()
    for path, operations in document["paths"].items():
        shape = shape_of(path)
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if status >= "400":
                    schema = response["content"]["application/json"]["schema"]
                    assert schema == {"$ref": f"#/components/schemas/{shape}"}, (path, status)
            if not path.endswith("/health"):
                assert any(
                    "X-RateLimit-Remaining" in response.get("headers", {})
                    for response in operation["responses"].values()
                ), path


def shape_of(path):
    if path.startswith(OF_OPENAI):
        return "OpenAIError"
    for mount in ("/wp-json/mxchat/v1", "/api/v1", "/v1"):
        path = path.removeprefix(mount)
    match path.split("/")[1]:
        case "bots" | "bot" | "chat" | "webhooks" | "contacts" | "widget":
            return "ChatError"
        case "messages" | "events":
            return "MessagesError"
        case _:
            return "KnowledgeError"


def test_each_application_has_a_schema_page_of_its_own(settings, client):
    with TestClient(create_app(settings)) as other:
        for each in (other, client):
            assert each.get("/schema").status_code == 200


def test_the_page_for_people_needs_no_network(client):
    del client.headers["Authorization"]
    page = client.get("/schema")
    assert page.status_code == 200
    assert set(re.findall(r"https?://([^/\s\"]+)", page.text)) <= {"example.com"}
    sources = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert sources
    for source in sources:
        assert source.startswith("/schema/")
        assert client.get(source).status_code == 200
