"""Pictures of every room of the page into screenshots/: `make screenshots`.

Both themes, wide and at 320 px, with a base that the tests of the page use.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path += [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "web")]

from sites import QUESTION, UNANSWERED, Site, site_in  # noqa: E402

FOLDER = ROOT / "screenshots"
SIZES = {"wide": (1280, 800), "narrow": (320, 640)}


def main() -> None:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        sys.exit("no chromium: apt-get install chromium")
    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        site_in(Path(folder)) as site,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for theme in ("light", "dark"):
            for size in SIZES:
                _rooms(browser, site, theme, size)
        browser.close()


def _rooms(browser: Browser, site: Site, theme: str, size: str) -> None:
    width, height = SIZES[size]
    context = browser.new_context(
        color_scheme=theme, viewport={"width": width, "height": height}, reduced_motion="reduce"
    )
    page = context.new_page()

    def shoot(name: str) -> None:
        page.wait_for_timeout(700)
        page.screenshot(path=FOLDER / f"{name}-{theme}-{size}.png")

    page.goto(f"{site.url}/ui/")
    shoot("sign-in")
    page.goto(site.door)
    page.wait_for_selector("main > *")
    for name, address in _views(site).items():
        page.goto(f"{site.url}/ui/{address}")
        shoot(name)
    _ask(page, site)
    shoot("ask-answers")
    page.locator(".cite").first.click()
    shoot("ask-passage")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    shoot("palette")
    context.close()


def _views(site: Site) -> dict[str, str]:
    gap = site.api.get("/gaps").json()["items"][0]
    document = site.api.get("/knowledge").json()["items"][0]
    row = site.api.get("/transcripts?role=assistant").json()["items"][0]
    contact = site.api.get("/contacts").json()["data"]["contacts"][0]
    return {
        "ask": "#/ask",
        "gaps": "#/gaps",
        "gap": f"#/gaps/{gap['gap_id']}",
        "gaps-none": "#/gaps?state=dismissed",
        "report": "#/gaps?state=report",
        "search": "#/knowledge?query=when+do+you+open",
        "pages": "#/knowledge?view=pages",
        "upload": "#/knowledge?view=upload",
        "jobs": "#/knowledge?view=jobs",
        "document": f"#/knowledge/{document['document_id']}",
        "transcripts": "#/transcripts",
        "conversation": f"#/transcripts/{row['session_id']}",
        "contacts": "#/contacts",
        "contact": f"#/contacts/{contact['id']}",
        "health": "#/health",
    }


def _ask(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/ui/#/ask")
    for question, answered in ((QUESTION, ".cite"), (UNANSWERED, ".none .meter")):
        page.locator("textarea").fill(question)
        page.keyboard.press("Enter")
        page.wait_for_selector(answered)


if __name__ == "__main__":
    main()
