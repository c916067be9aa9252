"""What people do in each room, by mouse and by keyboard alone."""

import re

from browsing import opened, show
from playwright.sync_api import expect
from sites import QUESTION, ROWS, UNANSWERED


def heading(page, name):
    return page.get_by_role("heading", name=name, exact=True)


# -- the door ---------------------------------------------------------------------------------


def test_the_token_of_the_link_leaves_the_address_and_the_history(page, site):
    expect(page.get_by_text("rag-service", exact=True)).to_have_count(1)
    assert site.token not in page.url
    assert site.token not in page.evaluate("JSON.stringify(history.state) + location.href")
    page.reload()
    expect(page.get_by_role("navigation", name="Rooms")).to_be_visible()
    assert page.evaluate("localStorage.getItem('rag-service token')") is None


def test_a_wrong_token_opens_nothing_and_a_right_one_may_stay_on_the_device(browser, site):
    with opened(browser, site) as watched:
        page = watched.page
        page.get_by_text("first", exact=True).click()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_label("Token").fill("wrong")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("This token opens nothing here.")
        page.get_by_label("Token").fill(site.token)
        page.get_by_label("Stay signed in on this device").check()
        page.get_by_role("button", name="Enter").click()
        expect(page.get_by_role("navigation", name="Rooms")).to_be_visible()
        assert page.evaluate("localStorage.getItem('rag-service token')") == site.token


def test_a_token_that_is_void_leads_to_sign_in_and_nothing_typed_is_lost(page, site):
    page.get_by_label("Ask a question").fill(QUESTION)
    page.route("**/chat/default/stream", _refuse_once())
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Sign in")
    dialog.get_by_label("Token").fill(site.token)
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("log")).to_contain_text("We open at nine")


def _refuse_once():
    seen = []

    def answer(route):
        seen.append(route)
        if len(seen) == 1:
            route.fulfill(status=401, json={"error": {"code": "INVALID_API_KEY", "message": "no"}})
        else:
            route.continue_()

    return answer


def tab_to(page, name, most=80):
    """By the keyboard alone, to what has this name, or begins with it; fails where the focus never
    comes by."""
    for _ in range(most):
        page.keyboard.press("Tab")
        focus = page.evaluate(
            "document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText"
        )
        if re.match(rf"{re.escape(name)}\b", (focus or "").strip()):
            return
    raise AssertionError(f"the keyboard does not reach {name!r}")


# -- ask --------------------------------------------------------------------------------------


def test_an_answer_streams_and_its_source_opens_marked_in_its_document(page):
    said = page.get_by_role("log")
    page.get_by_label("Ask a question").fill(QUESTION)
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(said).to_contain_text("We open at nine in the morning")
    page.get_by_role("button", name="Source 1: Opening hours").click()
    panel = page.get_by_role("complementary", name="Passage")
    expect(panel.locator("mark")).to_contain_text("We open at nine in the morning on weekdays.")
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(page.get_by_role("button", name="Source 1: Opening hours")).to_be_focused()
    page.reload()  # the conversation is in the address, its sources in the service
    page.get_by_role("button", name="Source 1: Opening hours").click()
    expect(panel.locator("mark")).to_contain_text("We open at nine")


def test_an_answer_is_announced_once_and_whole(page):
    page.evaluate(
        """() => {
          window.heard = [];
          const status = document.querySelector(".talk [role=status]");
          const look = () => status.textContent && heard.push(status.textContent);
          const all = {childList: true, characterData: true, subtree: true};
          new MutationObserver(look).observe(status, all);
          window.busy = [];
          const log = document.querySelector(".talk [role=log]");
          const mark = () => busy.push(log.getAttribute("aria-busy"));
          new MutationObserver(mark).observe(log, {attributeFilter: ["aria-busy"]});
        }"""
    )
    page.get_by_label("Ask a question").fill(QUESTION)
    page.keyboard.press("Enter")
    expect(page.locator(".talk [role=status]")).not_to_be_empty()
    expect(page.locator(".cite").first).to_be_visible()
    assert page.evaluate("busy") == ["true", "false"]
    heard = page.evaluate("heard")
    assert len(set(heard)) == 1, heard
    assert "We open at nine in the morning on weekdays." in heard[0]
    assert page.get_by_role("log").get_attribute("aria-live") == "off"


def test_not_answered_is_a_state_that_leads_to_the_gap(page):
    page.get_by_label("Ask a question").fill(UNANSWERED)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Not answered")).to_be_visible()
    expect(page.locator(".none .meter")).to_be_visible()
    page.get_by_role("link", name="See its gap").click()
    expect(page.get_by_role("link", name=re.compile("zebra"))).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Not answered")).to_be_visible()


def test_asking_and_rating_by_keyboard_alone(page):
    page.keyboard.type(QUESTION)  # the box has the focus
    page.keyboard.press("Enter")
    expect(page.locator(".cite").first).to_be_visible()
    page.locator("main").focus()
    tab_to(page, "Source 1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary", name="Passage")).to_be_visible()
    page.keyboard.press("Escape")
    tab_to(page, "Not helpful")
    page.keyboard.press("Enter")
    page.wait_for_selector("main :is(input, textarea):not(.compose *):focus")
    page.keyboard.type("It is out of date.")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Not helpful")).to_have_attribute("aria-pressed", "true")


def test_a_conversation_is_found_at_the_side_and_deleted_after_a_question(page, site):
    page.get_by_label("Ask a question").fill("What is returned within days?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Conversations").get_by_role("link")).not_to_have_count(
        1
    )
    expect(page.get_by_role("button", name="Delete this conversation")).to_be_visible()
    page.get_by_role("button", name="Delete this conversation").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("log")).to_be_empty()


# -- gaps -------------------------------------------------------------------------------------


def test_an_answer_is_tried_published_and_proved(page, site):
    question = "Do giraffes get a discount on trampolines?"
    site.api.post("/chat/default/message", json={"message": question}).raise_for_status()
    expect(_gap(page, site, "giraffes")).to_be_visible()
    _gap(page, site, "giraffes").click()
    page.get_by_label("Write the answer here").fill(
        "Giraffes get a discount of ten percent on trampolines."
    )
    expect(page.get_by_role("button", name="Publish")).to_be_disabled()
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("This closes the gap.")).to_be_visible()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("heading", name="Closed by a page")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("^gap:"))).to_be_visible()
    page.get_by_role("link", name="All gaps").click()
    page.get_by_role("link", name="Closed", exact=True).click()
    expect(page.get_by_role("link", name=re.compile("giraffes"))).to_be_visible()


def test_a_gap_is_named_and_dismissed_by_keyboard_alone(page, site):
    question = "Who paints submarines in violet?"
    site.api.post("/chat/default/message", json={"message": question}).raise_for_status()
    expect(_gap(page, site, "submarines")).to_be_visible()
    tab_to(page, "Who paints submarines")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Dismiss")).to_be_visible()
    tab_to(page, "Name and note")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+a")
    page.keyboard.type("Violet submarines")
    page.keyboard.press("Enter")
    expect(
        page.get_by_role("article").get_by_role("heading", name="Violet submarines")
    ).to_be_visible()
    tab_to(page, "Dismiss")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Open again")).to_be_visible()


def _gap(page, site, words):
    """Its line in the list, once the ledger has considered it."""
    show(page, site, f"#/gaps?q={words}")
    line = page.get_by_role("link", name=re.compile(words)).first
    for _ in range(40):
        if line.is_visible():
            break
        page.wait_for_timeout(250)
        page.evaluate("dispatchEvent(new Event('rag-service changed'))")
    return line


def test_the_report_shows_the_share_of_answered_questions_by_week(page, site):
    show(page, site, "#/gaps?state=report")
    expect(heading(page, "Answered questions by week")).to_be_visible()
    page.get_by_text("As a table").click()
    expect(page.get_by_role("cell", name=re.compile("%"))).not_to_have_count(0)


# -- knowledge --------------------------------------------------------------------------------


def test_search_as_you_type_tells_scores_and_why(page, site):
    show(page, site, "#/knowledge")
    page.get_by_label("Search as you type").press_sequentially("when do you open")
    expect(page.get_by_role("link", name="Opening hours")).to_be_visible()
    assert "query=when" in page.url
    page.get_by_text("Why this confidence").click()
    expect(page.get_by_text("Log-odds of an answer")).to_be_visible()
    page.get_by_role("link", name="Opening hours").click()
    expect(page.locator(".chunk.here mark")).to_contain_text("We open at nine")
    page.go_back()
    expect(page.get_by_label("Search as you type")).to_have_value("when do you open")


def test_files_go_up_while_another_room_is_open_and_failures_are_told(page, site):
    show(page, site, "#/knowledge?view=upload")
    page.locator("#files").set_input_files(
        [
            {"name": "parking.md", "mimeType": "text/markdown", "buffer": b"# Parking\n\nBehind."},
            {"name": "noise.bin", "mimeType": "application/octet-stream", "buffer": b"\0\1\2"},
        ]
    )
    page.get_by_role("link", name="Health").click()
    expect(heading(page, "Models")).to_be_visible()
    page.get_by_role("link", name="Knowledge").click()
    page.get_by_role("link", name="Upload").click()
    files = page.locator(".list > li")
    expect(files.filter(has_text="parking.md")).to_contain_text("Done")
    expect(files.filter(has_text="noise.bin")).to_contain_text("Failed")
    expect(files.filter(has_text="noise.bin").locator(".bad.small")).not_to_be_empty()


def test_deleting_a_page_says_first_what_would_open_again(page, site):
    body = {"source_url": "https://example.com/owls", "title": "Owls", "content": "Owls hoot."}
    site.api.post("/knowledge", json=body).raise_for_status()
    show(page, site, "#/knowledge?view=pages&q=owls")
    page.get_by_role("button", name="Delete Owls").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("No gap would open again.")
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Nothing matches these filters.")).to_be_visible()


# -- transcripts, contacts, health ------------------------------------------------------------


def test_any_number_of_rows_scrolls_with_few_nodes(page, site):
    show(page, site, "#/transcripts?bot=crowd&order=asc")
    expect(page.get_by_text(f"{ROWS} rows")).to_be_visible()
    page.locator(".window").evaluate("box => box.scrollTo(0, box.scrollHeight)")
    expect(page.get_by_text(f"Row {ROWS - 1} of many.")).to_be_visible()
    assert page.evaluate("document.querySelectorAll('*').length") < 1000


def test_a_conversation_explains_its_decision_and_is_erased(page, site):
    answer = site.api.post("/chat/default/message", json={"message": QUESTION}).json()["data"]
    show(page, site, "#/transcripts?role=assistant&has_rag_context=yes&q=nine")
    page.get_by_role("link", name=re.compile("We open at nine")).first.click()
    assert "q=nine" in page.url
    page.locator("summary", has_text="Why").first.click()
    expect(page.get_by_text("Nearness of the best sentence").first).to_be_visible()
    show(page, site, f"#/transcripts/{answer['conversationId']}")
    page.get_by_role("button", name="Erase").click()
    page.get_by_role("dialog").get_by_role("button", name="Erase").click()
    expect(page.locator("#toast")).to_have_text(
        re.compile("^(2 messages erased.|Erased; a reader still holds a file)")
    )
    where = {"session_id": answer["conversationId"]}
    assert site.api.get("/transcripts", params=where).json()["total"] == 0


def test_exports_and_the_line_for_a_shell_are_of_what_the_list_shows(page, site):
    show(page, site, "#/transcripts?role=user&q=zebra")
    page.get_by_role("button", name="As curl").click()
    line = page.get_by_role("dialog").locator("code").inner_text()
    assert "/transcripts?" in line
    assert "role=user" in line and "q=zebra" in line
    assert site.token not in line
    page.keyboard.press("Escape")
    with page.expect_download() as saved:
        page.get_by_role("button", name="CSV").click()
    assert "zebra" in saved.value.path().read_text()


def test_contacts_lead_to_what_they_said(page, site):
    show(page, site, "#/contacts")
    page.get_by_role("link", name="Ann Lee").click()
    expect(page.get_by_role("definition").filter(has_text="ann@example.com")).to_be_visible()
    page.get_by_role("link", name=re.compile("When do you open")).click()
    expect(heading(page, "Conversation")).to_be_visible()


def test_health_shows_models_loops_webhooks_and_tokens(page, site):
    show(page, site, "#/health")
    for words in ("hashing:1024", "sealing orders", "http://93.184.216.34/"):
        expect(page.get_by_text(words, exact=True)).to_be_visible()
    expect(page.get_by_role("row", name="first you admin")).to_be_visible()
    page.get_by_role("button", name="Deliveries").click()
    expect(page.get_by_text("Nothing was delivered yet.")).to_be_visible()


# -- everywhere -------------------------------------------------------------------------------


def test_the_palette_goes_anywhere_by_keyboard_alone(page, site):
    page.keyboard.press("Control+k")
    page.keyboard.type("transcr")
    page.keyboard.press("Enter")
    expect(heading(page, "Transcripts")).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("opening hours")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Search as you type")).to_have_value("opening hours")
    page.go_back()
    expect(heading(page, "Transcripts")).to_be_visible()


def test_the_page_speaks_german_where_that_is_preferred(browser, site):
    with opened(browser, site, locale="de-DE") as watched:
        expect(watched.page.get_by_role("link", name="Lücken")).to_be_visible()
        assert watched.page.locator("html").get_attribute("lang") == "de"


def test_a_token_of_few_scopes_is_told_what_a_room_needs(browser, site):
    reader = site.api.get("/tokens/self").json()
    assert reader["scopes"] == ["admin"]
    with opened(browser, site) as watched:
        page = watched.page
        page.route(
            "**/tokens/self", lambda route: route.fulfill(json={**reader, "scopes": ["chat"]})
        )
        page.reload()
        page.get_by_role("link", name="Gaps").click()
        expect(page.get_by_text("needs a token with the scope “transcripts”")).to_be_visible()


def test_without_javascript_the_page_says_so(browser, site):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.url}/ui/")
    assert "This page needs JavaScript" in page.content()
    context.close()
