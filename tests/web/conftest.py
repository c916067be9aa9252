"""One server with something of everything, and Debian's chromium in front of it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx
import pytest
from open_gaps import considered
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from served import served

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import assemble
from rag_service.conversations.messages import Sender
from rag_service.conversations.store import NewMessage
from rag_service.settings import Settings

PAGES = {
    "https://example.com/hours": ("Opening hours", "We open at nine in the morning on weekdays."),
    "https://example.com/returns": ("Returns", "Parcels can be returned within thirty days."),
}
QUESTION, UNANSWERED = "When do you open in the morning?", "Which zebra sells umbrellas?"
ROWS = 400
"""Transcript rows, more than a screen has and more than the page reads at once."""


class Site(NamedTuple):
    url: str
    token: str
    api: httpx.Client

    @property
    def door(self) -> str:
        """The link that `serve --first-token` prints."""
        return f"{self.url}/ui/#token={self.token}"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    settings = Settings(
        data_dir=folder / "data", index_dir=folder / "indexes", embedding_model="hashing:1024"
    )
    rates = {"data": "off", "chat": "off", "webhook": "off"}
    with assemble(settings) as service:
        token = service.access.create("first", ["admin"], rates=rates)
        for number in range(ROWS):
            said = NewMessage(
                role="user", text=f"Row {number} of many.", sender=Sender(type="user", id="u1")
            )
            service.store.messages.add(ALL_BOTS, "crowd", f"c{number}", said, create=True)
    with served(settings) as (client, _):
        client.headers["Authorization"] = f"Bearer {token}"
        for url, (title, text) in PAGES.items():
            body = {"source_url": url, "title": title, "content": text}
            client.post("/knowledge", json=body).raise_for_status()
        for question in (QUESTION, UNANSWERED):
            body = {"message": question, "metadata": {"userId": "u7"}}
            client.post("/chat/default/message", json=body).raise_for_status()
        contact = {"email": "ann@example.com", "name": "Ann Lee", "userId": "u7"}
        client.post("/contacts", json=contact).raise_for_status()
        hook = {"url": "http://93.184.216.34/", "events": ["gap.*"], "enabled": False}
        client.post("/webhooks", json=hook).raise_for_status()
        considered(client)
        yield Site(str(client.base_url).rstrip("/"), token, client)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For a module, since its event loop would be in the way of other modules' tests."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        reason = "no chromium: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


class Watched(NamedTuple):
    page: Page
    faults: list[str]
    """What the page threw, and what its policy refused."""
    hosts: set[str]


@contextmanager
def opened(browser: Browser, site: Site, **options: Any) -> Iterator[Watched]:
    """A page of a person who has just come by the link."""
    context: BrowserContext = browser.new_context(
        **{"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce", **options}
    )
    page = context.new_page()
    watched = Watched(page, [], set())
    page.on("pageerror", lambda error: watched.faults.append(str(error)))
    page.on("console", lambda said: watched.faults.append(said.text) if _is_fault(said) else None)
    page.on("request", lambda sent: watched.hosts.add(sent.url.split("/")[2]))
    page.goto(site.door)
    page.wait_for_selector("main > *")
    yield watched
    context.close()


def _is_fault(said: Any) -> bool:
    """A status that the page foresees is told by the browser as well."""
    return said.type == "error" and "Failed to load resource" not in said.text


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """Nothing may be thrown or refused while it is used, and no other host be asked."""
    with opened(browser, site) as watched:
        yield watched.page
    assert watched.faults == []
    assert watched.hosts <= {site.url.split("/")[2], ""}


def show(page: Page, site: Site, address: str) -> None:
    page.goto(f"{site.url}/ui/{address}")
