"""The page for people as files: how they are served, and what a browser may do with them."""

import msgspec
import pytest
from litestar.testing import TestClient

from rag_service.http.app import create_app


@pytest.fixture
def browser(client):
    client.headers.pop("Authorization")
    client.follow_redirects = False
    return client


def test_a_browser_is_led_from_the_root_to_the_page_and_a_program_is_not(browser):
    led = browser.get("/", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (led.status_code, led.headers["location"]) == (303, "/ui/")
    assert browser.get("/").json()["page"] == "/ui/"
    assert browser.get("/ui").headers["location"] == "/ui/"


def test_the_page_needs_no_token_and_allows_nothing_but_its_own_files(browser):
    page = browser.get("/ui/")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "<noscript>" in page.text


def test_the_page_has_no_inline_code(browser):
    text = browser.get("/ui/").text
    assert "<style" not in text
    assert "style=" not in text
    assert all("src=" in part[:60] for part in text.split("<script")[1:])


@pytest.mark.parametrize(
    ("file", "kind"),
    [("app.js", "text/javascript"), ("style.css", "text/css"), ("texts/en.js", "text/javascript")],
)
def test_what_is_unchanged_is_not_sent_again(browser, file, kind):
    first = browser.get(f"/ui/{file}")
    assert first.headers["content-type"] == f"{kind}; charset=utf-8"
    assert first.headers["cache-control"] == "no-cache"
    etag = first.headers["etag"]
    plain = browser.get(f"/ui/{file}", headers={"Accept-Encoding": "identity"})
    assert plain.headers["etag"] == etag
    assert plain.content == first.content
    assert int(first.headers["content-length"]) < int(plain.headers["content-length"])
    for held in (etag, etag.removeprefix("W/"), f'"other", {etag}', "*"):
        again = browser.get(f"/ui/{file}", headers={"If-None-Match": held})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == etag
    assert browser.get(f"/ui/{file}", headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "nothing.js",
        "__init__.py",
        "../settings.py",
        "..%2fsettings.py",
        "%2e%2e/settings.py",
        "vendor",
        "vendor/manifest.json",
        "//etc/passwd",
        "app.js%00",
        "texts/..%2f..%2fclock.py",
    ],
)
def test_a_path_reaches_nothing_but_the_files_of_the_page(browser, path):
    answer = browser.get(f"/ui/{path}")
    assert answer.status_code == 404
    assert "message" in answer.json()


def test_the_page_stands_below_the_prefix_of_a_proxy(settings):
    settings = msgspec.structs.replace(settings, path_prefix="/rag")
    with TestClient(create_app(settings)) as browser:
        browser.follow_redirects = False
        led = browser.get("/rag/", headers={"Accept": "text/html"})
        assert led.headers["location"] == "/rag/ui/"
        assert browser.get("/rag/ui").headers["location"] == "/rag/ui/"
        page = browser.get("/rag/ui/")
        assert page.status_code == 200
        assert '="/' not in page.text  # its files are named beside it
