"""A browser as a person uses it, who has come by the link that signs in."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from playwright.sync_api import Browser, BrowserContext, Page, expect
from sites import Site

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
    page.wait_for_selector("main textarea:focus")  # what is typed is heard
    yield watched
    context.close()


def _is_fault(said: Any) -> bool:
    """A status that the page foresees is told by the browser as well."""
    return said.type == "error" and "Failed to load resource" not in said.text


def show(page: Page, site: Site, address: str) -> None:
    page.goto(f"{site.url}/ui/{address}")
