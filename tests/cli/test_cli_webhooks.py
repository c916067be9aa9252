"""`rag-service webhook`."""

import json
import re

import pytest
from receiving import receiving, statuses

ALLOWED = {"RAG_WEBHOOK_ALLOW_PRIVATE": "true"}


@pytest.fixture
def run(shell):
    """Exit code, and what was printed: JSON where it is."""

    def run(*words, **changes):
        done = shell.quick("webhook", *words, **{**ALLOWED, **changes})
        try:
            return done.exit_code, json.loads(done.stdout)
        except ValueError:
            return done.exit_code, done.stdout + done.stderr

    return run


def test_one_is_made_listed_tried_and_deleted(run, settings):
    with receiving() as receiver:
        receiver.answers = statuses(500)
        _, made = run("create", receiver.url, "--events", "message.*, job.*", "--bot", "shop")
        assert made["events"] == ["message.*", "job.*"]
        assert made["bot_id"] == "shop"
        _, listed = run("list")
        assert [one["id"] for one in listed] == [made["id"]]
        assert "secret" not in listed[0]
        code, failed = run("test", made["id"])
        assert (code, failed["status"], failed["last_status"]) == (1, "failed", 500)
        assert failed["error"] == "the receiver answered 500"
        code, taken = run("test", made["id"])
        assert (code, taken["status"]) == (0, "delivered")
        for one in receiver.requests:
            one.verify(made["secret"])
        _, rotated = run("rotate", made["id"])
        run("test", made["id"])
        receiver.requests[-1].verify(made["secret"])
        receiver.requests[-1].verify(rotated["secret"])
    _, deliveries = run("deliveries", made["id"])
    assert [one["status"] for one in deliveries] == ["delivered", "delivered", "failed"]
    assert run("deliveries", made["id"], "--status", "failed")[1] == deliveries[2:]
    assert run("deliveries", made["id"], "--limit", "1", "--offset", "1")[1] == deliveries[1:2]
    assert run("redeliver", made["id"]) == (0, {"redelivered": 0})
    assert run("disable", made["id"])[0] == 0
    assert run("list")[1][0]["enabled"] is False
    assert run("enable", made["id"])[0] == 0
    assert run("list")[1][0]["enabled"] is True
    assert run("delete", made["id"])[0] == 0
    assert run("list") == (0, [])


def test_what_is_wrong_is_said(run):
    code, said = run("create", "http://127.0.0.1/", RAG_WEBHOOK_ALLOW_PRIVATE="false")
    assert code == 1
    assert "url: 127.0.0.1 must not be reached" in said
    code, said = run("create", "https://example.com", "--events", "messages")
    assert code == 1
    assert "events: has unknown types messages" in said
    for words in (["test"], ["deliveries"], ["redeliver"], ["rotate"], ["delete"], ["enable"]):
        code, said = run(*words, "whk_nobody")
        assert (code, "no webhook 'whk_nobody'" in said) == (1, True), said
    code, said = run("list", RAG_WEBHOOK_ALLOW_PRIVATE="maybe")
    assert "RAG_WEBHOOK_ALLOW_PRIVATE: 'maybe': use true or false" in said


def test_people_see_lines_and_tables(shell):
    with receiving() as receiver:
        code, shown = shell.on_a_terminal("webhook", "create", receiver.url, **ALLOWED)
        assert code == 0
        assert re.search(r"^secret +whsec_\S+$", shown, re.MULTILINE)
        webhook = re.search(r"^id +(whk_\w+)$", shown, re.MULTILINE)[1]
        receiver.answers = lambda one: (200, {}, b"\x1b[31mred")
        _, shown = shell.on_a_terminal("webhook", "test", webhook, **ALLOWED)
        assert re.search(r"^status +delivered$", shown, re.MULTILINE)
    _, shown = shell.on_a_terminal("webhook", "list")
    assert webhook in shown
    assert "Webhooks" in shown
    delivery = json.loads(shell.quick("webhook", "deliveries", webhook).stdout)[0]
    _, shown = shell.on_a_terminal("webhook", "deliveries", webhook, COLUMNS="160")
    assert delivery["id"] in shown
    assert "webhook.test" in shown
