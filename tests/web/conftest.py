"""One server for many tests, and Debian's chromium in front of it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from sites import Site, site_in


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_in(tmp_path_factory.mktemp("site")) as site:
        yield site


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


_PATIENCE_MS = 60_000
"""A busy machine is slow, and nothing here is about time."""
expect.set_options(timeout=_PATIENCE_MS)


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
    context.set_default_timeout(_PATIENCE_MS)
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
