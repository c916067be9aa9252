"""One server for many tests, and Debian's chromium in front of it."""

import os
import shutil
from collections.abc import Iterator

import pytest
from browsing import opened
from playwright.sync_api import Browser, Page, sync_playwright
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


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """Nothing may be thrown or refused while it is used, and no other host be asked."""
    with opened(browser, site) as watched:
        yield watched.page
    assert watched.faults == []
    assert watched.hosts <= {site.url.split("/")[2], ""}
