"""Nobody is shut out of the page, and no text of others does anything in it."""

from urllib.parse import quote

import pytest
from axe import AXE, violations
from browsing import opened
from hostile import HOSTILE
from playwright.sync_api import expect
from sites import QUESTION

VIEWS = {
    "ask": "#/ask",
    "gaps": "#/gaps",
    "report": "#/gaps?state=report",
    "search": "#/knowledge?query=when+do+you+open",
    "pages": "#/knowledge?view=pages",
    "upload": "#/knowledge?view=upload",
    "transcripts": "#/transcripts",
    "contacts": "#/contacts",
    "health": "#/health",
}
MODES = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "narrow": {"viewport": {"width": 320, "height": 640}},
    "twice as large": {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2},
}


_ROOM_MS = 150
"""A room whose module is not there yet leaves the former one standing."""


def details(site):
    """Addresses of one thing of each kind."""
    gap = site.api.get("/gaps").json()["items"][0]
    document = site.api.get("/knowledge").json()["items"][0]
    row = site.api.get("/transcripts?role=assistant").json()["items"][0]
    contact = site.api.get("/contacts").json()["data"]["contacts"][0]
    return {
        "gap": f"#/gaps/{gap['gap_id']}",
        "document": f"#/knowledge/{document['document_id']}",
        "conversation": f"#/transcripts/{row['session_id']}",
        "talk": f"#/ask/{row['session_id']}",
        "contact": f"#/contacts/{contact['id']}",
    }


def settled(page):
    """The room of the address is there, and what it shows has come."""
    page.wait_for_timeout(_ROOM_MS)
    expect(page.locator(".wait")).to_have_count(0)


@pytest.mark.parametrize("mode", MODES)
def test_no_room_breaks_a_rule_of_wcag_and_none_is_wider_than_the_screen(browser, site, mode):
    with opened(browser, site, **MODES[mode]) as watched:
        page = watched.page
        page.evaluate(AXE)
        for name, address in {**VIEWS, **details(site)}.items():
            page.evaluate(f"location.hash = {address!r}")
            settled(page)
            assert violations(page) == [], name
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, name


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_what_is_opened_over_a_room_breaks_no_rule_either(browser, site, mode):
    with opened(browser, site, **MODES[mode]) as watched:
        page = watched.page
        page.evaluate(AXE)
        page.get_by_label("Ask a question").fill(QUESTION)
        page.keyboard.press("Enter")
        page.locator(".cite").first.click()
        page.wait_for_selector(".panel mark")
        assert violations(page) == []
        page.keyboard.press("Escape")
        page.keyboard.press("Control+k")
        page.wait_for_selector("dialog[open]")
        assert violations(page) == []
        page.keyboard.press("Escape")
        page.get_by_text("first", exact=True).click()
        assert violations(page) == []
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_selector("form")
        assert violations(page) == []


def test_from_right_to_left_nothing_is_cut_off(browser, site):
    with opened(browser, site, viewport={"width": 320, "height": 640}) as watched:
        page = watched.page
        page.evaluate("document.documentElement.dir = 'rtl'")
        for name, address in {**VIEWS, **details(site)}.items():
            page.evaluate(f"location.hash = {address!r}")
            settled(page)
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name


def test_hostile_texts_run_nothing_wherever_they_stand(browser, site):
    for number, text in enumerate(HOSTILE):
        body = {
            "source_url": f"https://evil.example/{number}#{quote(text[:40])}",
            "title": text,
            "content": f"{text}\n\nHostile page {number}.",
            "bot_id": "evil",
            "metadata": {"note": text},
        }
        site.api.post("/knowledge", json=body).raise_for_status()
        said = {"message": text[:500], "metadata": {"userId": f"e{number}", "name": text[:90]}}
        site.api.post("/chat/evil/message", json=said).raise_for_status()
    for number, text in enumerate(HOSTILE[:20]):
        contact = {"name": text, "userId": f"evil{number}", "metadata": {"note": text}}
        site.api.post("/contacts", json=contact).raise_for_status()
    with opened(browser, site) as watched:
        page = watched.page
        page.expose_function("ran", lambda *_: watched.faults.append("a hostile text ran"))
        page.on("dialog", lambda shown: (watched.faults.append("a dialog"), shown.dismiss()))
        documents = site.api.get("/knowledge?bot_id=evil&limit=1000").json()["items"]
        talks = site.api.get("/transcripts?bot_id=evil&role=user&limit=1000").json()["items"]
        contacts = site.api.get("/contacts?limit=100").json()["data"]["contacts"]
        addresses = [
            "#/knowledge?view=pages&bot=evil",
            "#/knowledge?bot=evil&query=hostile+page",
            "#/transcripts?bot=evil",
            "#/gaps?bot=evil",
            "#/contacts",
            *(f"#/knowledge/{one['document_id']}?bot=evil" for one in documents[:15]),
            *(f"#/transcripts/{one['session_id']}" for one in talks[:15]),
            *(f"#/ask/{one['session_id']}?bot=evil" for one in talks[-10:]),
            *(f"#/contacts/{one['id']}" for one in contacts[:10]),
        ]
        for address in addresses:
            page.evaluate(f"location.hash = {address!r}")
            settled(page)
        for text in HOSTILE:  # in the address itself
            page.evaluate("text => { location.hash = `#/knowledge?query=${text}` }", text)
            page.evaluate("text => { location.hash = `#/${text}/${text}?bot=${text}` }", text)
        assert len(HOSTILE) >= 60
        assert set(watched.faults) == set()
        assert watched.hosts <= {site.url.split("/")[2], ""}
        links = page.evaluate("[...document.querySelectorAll('a')].map(one => one.protocol)")
        assert set(links) <= {"http:", "https:"}
