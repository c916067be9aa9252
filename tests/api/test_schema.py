"""The OpenAPI document and its page."""

import re

from openapi_spec_validator import validate

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


def test_the_page_for_people_needs_no_network(client):
    del client.headers["Authorization"]
    page = client.get("/schema")
    assert page.status_code == 200
    sources = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert sources
    for source in sources:
        assert source.startswith("/schema/")
        assert client.get(source).status_code == 200
