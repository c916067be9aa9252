"""The widget in a real browser, on a page of another origin that means it ill."""

import http.server
import threading
from contextlib import contextmanager

import pytest
from axe import AXE, violations
from served import served

from rag_service.assembly import assemble
from rag_service.settings import Settings

HOURS = "We are open from 9 to 17, on Saturdays from 10 to 14."
HOSTILE = """body * { display: none !important; color: red !important; font-size: 60px !important; }
div { visibility: hidden !important; position: static !important; z-index: -1 !important; }
button, textarea { all: unset !important; opacity: 0 !important; }"""
POLICY = (
    "default-src 'none'; style-src 'self'; script-src {service}; connect-src {service}; "
    "require-trusted-types-for 'script'"
)


class Site:
    """A page of another origin; what it holds below its head can be set before a visit."""

    def __init__(self, service_url):
        self.service_url, self.policy = service_url, POLICY.format(service=service_url)
        self.head, self.attributes = "", ""
        site = self

        class Page(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                is_style = self.path == "/hostile.css"
                body = HOSTILE if is_style else site.page()
                self.send_response(200)
                self.send_header(
                    "Content-Type", f"text/{'css' if is_style else 'html'}; charset=utf-8"
                )
                self.send_header("Content-Security-Policy", site.policy)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def page(self):
        script = f'{self.service_url}/widget.js" data-key="{self.key}" {self.attributes} async'
        return f"""<!doctype html><html lang="en"><title>Shop</title>{self.head}
            <p>Welcome</p><script src="{script}></script></html>"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("widget")
    settings = Settings(
        data_dir=folder / "data",
        index_dir=folder / "indexes",
        embedding_model="hashing:1024",
        rate_visitor="off",
        rate_address="off",
        rate_chat="off",
    )
    with assemble(settings) as service:
        token = service.access.create("all")
    with served(settings) as (client, _):
        site = Site(str(client.base_url).rstrip("/"))
        with assemble(settings) as service:
            site.key = service.access.create("shop", ["widget"], None, None, [site.url])
        client.headers["Authorization"] = f"Bearer {token}"
        push = {"source_url": "https://shop.example/hours", "content": HOURS, "title": "Hours"}
        assert client.post("/knowledge", json=push).status_code == 200
        site.client = client
        threading.Thread(target=site.server.serve_forever, daemon=True).start()
        yield site
        site.server.shutdown()
        site.server.server_close()


@pytest.fixture(autouse=True)
def plain(site):
    site.head, site.attributes = "", ""


@contextmanager
def visit(browser, site, **context):
    """A visitor's page, and what went wrong on it."""
    visitor = browser.new_context(**context)
    page = visitor.new_page()
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("console", lambda m: m.type == "error" and page.faults.append(m.text))
    page.hosts = set()
    page.on("request", lambda request: page.hosts.add(request.url.split("/")[2]))
    page.goto(site.url)
    try:
        yield page
    finally:
        visitor.close()


def ask(page, question="When do you open on Saturdays?"):
    box = page.get_by_role("textbox")
    box.fill(question)
    box.press("Enter")


def test_a_visitor_asks_with_the_keyboard_alone_under_a_hostile_sheet(browser, site):
    site.head = '<link rel="stylesheet" href="/hostile.css">'
    with visit(browser, site) as page:
        page.get_by_role("button", name="Open the chat").focus()
        page.keyboard.press("Enter")
        page.keyboard.type("When do you open on Saturdays?")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Hours").wait_for()
        assert HOURS in page.locator(".assistant").inner_text()
        box = page.get_by_role("dialog").bounding_box()
        assert box["width"] > 250 and box["height"] > 300
        page.keyboard.press("Escape")
        assert page.get_by_role("dialog").count() == 0
        door = page.get_by_role("button", name="Open the chat")
        assert door.evaluate("(door) => door.getRootNode().activeElement === door")
        assert page.faults == []
        assert page.hosts == {site.url.split("/")[2], site.service_url.split("/")[2]}


def test_a_conversation_outlives_the_page_and_can_be_deleted(browser, site):
    with visit(browser, site) as page:
        page.on("dialog", lambda dialog: dialog.accept())
        page.get_by_role("button", name="Open the chat").click()
        ask(page)
        page.get_by_role("button", name="Helpful", exact=True).click()
        page.locator('[aria-pressed="true"]').wait_for()
        page.reload()
        page.get_by_role("button", name="Open the chat").click()
        page.locator('[aria-pressed="true"]').wait_for()
        assert page.locator(".user").inner_text().endswith("When do you open on Saturdays?")
        page.get_by_role("button", name="Delete this conversation").click()
        page.get_by_text("The conversation is deleted.").first.wait_for()
        page.reload()
        page.get_by_role("button", name="Open the chat").click()
        page.get_by_text("What would you like to know?").wait_for()
        assert page.locator(".user").count() == 0
        assert page.faults == []


def test_nothing_is_sent_before_the_visitor_agrees(browser, site):
    site.attributes = 'data-consent="We keep what you write for a month."'
    with visit(browser, site) as page:
        calls = []
        page.on("request", lambda request: calls.append(request.url))
        page.get_by_role("button", name="Open the chat").click()
        page.get_by_text("We keep what you write for a month.").wait_for()
        assert page.get_by_role("textbox").count() == 0
        assert calls == []
        page.get_by_role("button", name="Continue").click()
        ask(page)
        page.get_by_role("link", name="Hours").wait_for()


def test_an_answer_is_read_aloud_once(browser, site):
    with visit(browser, site) as page:
        page.get_by_role("button", name="Open the chat").click()
        ask(page)
        page.get_by_role("link", name="Hours").wait_for()
        page.locator("[role=log] p").wait_for(state="attached")
        aloud = page.locator("[role=log] p").all_text_contents()
        assert len(aloud) == 1 and HOURS in aloud[0]


def test_another_site_with_the_same_key_gets_nothing(browser, site):
    asked = site.client.get("/transcripts").json()["total"]
    other = Site(site.service_url)
    other.key = site.key
    threading.Thread(target=other.server.serve_forever, daemon=True).start()
    try:
        with visit(browser, other) as page:
            page.get_by_role("button", name="Open the chat").click()
            ask(page)
            page.get_by_text("That did not work.").first.wait_for()
            assert page.get_by_role("textbox").input_value() == "When do you open on Saturdays?"
    finally:
        other.server.shutdown()
        other.server.server_close()
    assert site.client.get("/transcripts").json()["total"] == asked


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1000])
def test_axe_finds_nothing(browser, site, scheme, width):
    viewport = {"width": width, "height": 640}
    site.attributes = 'data-lang="ar" data-position="left"' if width == 320 else ""
    with visit(browser, site, color_scheme=scheme, viewport=viewport, bypass_csp=True) as page:
        page.locator("[aria-expanded]").click()
        ask(page)
        page.get_by_role("link", name="Hours").wait_for()
        page.evaluate(AXE)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    "text",
    ["<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "[x](javascript:alert(1))"],
)
def test_hostile_texts_run_nothing(browser, site, text):
    site.attributes = f'data-title="{text.replace("<", "&lt;")}" data-greeting="&lt;b&gt;hi"'
    with visit(browser, site) as page:
        dialogs = []
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        page.get_by_role("button", name="Open the chat").click()
        ask(page, text)
        page.locator(".assistant .rate").wait_for()
        assert page.locator("h2").inner_text() == text
        assert text in page.locator(".user").inner_text()
        assert dialogs == []
        assert page.faults == []
