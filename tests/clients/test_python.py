"""The client for Python, both of it: against a service, and against answers that are made here."""

import base64
import inspect
import itertools
import json
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from datetime import UTC, datetime

import httpx2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rag_service_client import ApiError, AsyncClient, Client, WebhookError, types, verify_webhook
from rag_service_client.streams import FrameDecoder, JsonLines
from served import ROOT
from standardwebhooks import Webhook

PACKAGE = ROOT / "clients" / "python"
BOT = "python"
PAGE = {
    "source_url": "https://example.com/hours",
    "content": "Our business hours are Monday to Friday, 9 AM to 5 PM.",
    "bot_id": BOT,
}
OFFLINE = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index")
HOURS = "What are your business hours?"


@pytest.fixture
def client(connect, server):
    client = connect(server.url + "/", server.token)
    client.push_page(**PAGE)
    return client


# -- against a service --------------------------------------------------------------------------


def test_a_page_is_pushed_listed_read_found_and_deleted(client):
    url = "https://example.com/bicycles"
    content = "Bicycles stand behind the house."
    pushed = client.push_page(source_url=url, content=content, bot_id=BOT, title="Bicycles")
    again = client.push_page(
        source_url=url, content=content, bot_id=BOT, title="Bicycles", dry_run=True
    )
    assert (pushed.unchanged, again.unchanged) == (False, True)
    listed = client.list_pages(bot_id=BOT, source_url=url)
    assert [item.document_id for item in listed.items] == [pushed.document_id]
    assert client.get_page(pushed.document_id).title == "Bicycles"
    found = client.search(query="Where do bicycles stand?", bot_id=BOT, k=1)
    assert found.results[0].source_url == url
    assert client.delete_pages(source_url=[url], bot_id=BOT, dry_run=True).urls_deleted == 1
    assert client.delete_pages(source_url=[url], bot_id=BOT).urls_deleted == 1


def test_a_question_is_answered_whole_and_as_a_stream(client):
    reply = client.chat(BOT, message=HOURS, metadata={"user_id": "u-1"})
    assert reply.has_rag_context
    assert "Monday" in reply.response
    events = list(client.chat_stream(BOT, message=HOURS, conversation_id=reply.conversation_id))
    assert isinstance(events[0], types.Sources)
    pieces = [event.text for event in events if isinstance(event, types.Piece)]
    assert "Monday" in "".join(pieces)
    assert isinstance(events[-1], types.Done)
    assert events[-1].conversation_id == reply.conversation_id
    assert client.rate_answer(BOT, events[-1].message_id, rating="up").feedback.rating == "up"
    assert client.rate_message(events[-1].message_id, rating=None).feedback is None
    assert len(client.get_conversation(BOT, reply.conversation_id).messages) == 4


def test_a_stream_that_is_left_early_ends_and_its_question_is_kept(client):
    stream = client.chat_stream(BOT, message=HOURS)
    conversation_id = next(stream).conversation_id
    stream.close()
    rows = list(client.iterate_transcripts(session_id=conversation_id))
    assert HOURS in [row.message for row in rows]
    deleted = client.delete_transcripts(session_ids=[conversation_id])
    assert deleted.transcripts_deleted >= len(rows)


def test_a_batch_tells_what_came_of_each_line_and_a_job_when_it_is_over(client):
    pages = [{**PAGE, "source_url": "https://example.com/b"}, {"content": "no URL"}]
    results = list(client.stream_batch(pages))
    assert [(one.line, one.success) for one in results] == [(1, True), (2, False)]
    assert "source_url" in results[1].error
    made = ({**PAGE, "source_url": f"https://example.com/c/{n}"} for n in range(3))
    job_id = client.push_batch(made).job_id
    job = client.wait_for_job(job_id, every=0.02)
    assert (job.state, job.counts.done) == ("succeeded", 3)
    assert client.get_job(job_id, limit=0).failed_lines == []
    assert client.cancel_job(job_id).state == "succeeded"


def test_files_are_uploaded_by_path_and_by_name(client, tmp_path):
    (tmp_path / "ünï.md").write_text("# Ünïcode\n\nA page.")
    files = [tmp_path / "ünï.md", ("b.txt", b"Text.")]
    results = list(client.stream_upload(files, bot_id=BOT, content_type="manual"))
    assert [(one.success, one.content_type) for one in results] == [(True, "manual")] * 2
    job_id = client.upload_files([("c.html", b"<p>Text.</p>")], bot_id=BOT).job_id
    assert client.wait_for_job(job_id, every=0.02).counts.failed == 0


def test_all_items_of_a_list_come_over_its_pages(client):
    lines = "".join(f"py-{n}\n" for n in range(130))
    client.import_contacts(f"user_id\n{lines}")
    assert len({one.user_id for one in client.iterate_contacts(search="py-")}) == 130
    assert len({one.id for one in client.iterate_leads(search="py-")}) == 130
    pages = [{**PAGE, "bot_id": "many", "source_url": f"https://a/{n}"} for n in range(101)]
    assert all(one.success for one in client.stream_batch(pages))
    assert len({one.source_url for one in client.iterate_pages(bot_id="many")}) == 101
    assert list(client.iterate_conversations("many")) == []


def test_exports_are_files(client):
    client.chat(BOT, message=HOURS)
    assert b"id,session_id" in b"".join(client.export_transcripts(bot_id=BOT))
    lines = b"".join(client.export_transcripts(format="ndjson", bot_id=BOT)).splitlines()
    assert HOURS in [json.loads(line)["message"] for line in lines]
    assert b"email" in b"".join(client.export_contacts())
    assert b"gap_id" in b"".join(client.export_gaps())


def test_events_come_live_and_after_a_cursor(client):
    after = client.list_events(limit=1000).next
    events = client.stream_events(after=after, types=["message.created"])
    sent = client.send_message(sender_id="py", sender_type="agent", text="Hello")
    assert next(events).data["message"]["id"] == sent.message.id
    events.close()
    assert len(client.list_events(after=after, types=["message.created"], wait=1).events) == 1


def test_what_is_refused_is_an_error_with_status_code_and_parameters(client, connect, server):
    with pytest.raises(ApiError) as refused:
        client.list_transcripts(limit=1001)
    assert (refused.value.status, refused.value.code) == (400, "rest_invalid_param")
    assert refused.value.params.keys() == {"limit"}
    for ask in (client.chat, lambda *a, **k: list(client.chat_stream(*a, **k))):
        with pytest.raises(ApiError) as refused:
            ask("nobody", message="Hello")
        assert (refused.value.status, refused.value.code) == (404, "BOT_NOT_FOUND")
    with pytest.raises(ApiError) as refused:
        connect(server.url, "wrong").send_message(sender_id="a", sender_type="user", text="b")
    assert (refused.value.code, str(refused.value)) == ("http_401", "Invalid or expired token.")
    with pytest.raises(ApiError) as refused:
        connect("http://127.0.0.1:9", retries=0).health()
    assert (refused.value.status, refused.value.code) == (0, "network")
    with pytest.raises(ValueError, match="empty"):
        client.get_page("")


def test_conversations_gaps_webhooks_and_contacts(client):
    session = "a/b ?ü"
    client.ask_bot(BOT, message="Hello", session_id=session)
    assert client.update_conversation(BOT, session, title="T").title == "T"
    assert client.delete_conversation(BOT, session).deleted
    client.chat(BOT, message="Who mends xylophones in winter?")
    tries = (client.list_gaps(bot_id=BOT, q="xylophones").items for _ in itertools.count())
    gap = next(items[0] for items in tries if items)
    assert client.update_gap(gap.gap_id, note="in winter").note == "in winter"
    answered = client.answer_gap(gap.gap_id, answer="Ann mends xylophones.", dry_run=True)
    assert answered.push.success
    assert client.get_gap(gap.gap_id).history
    assert gap.gap_id in {one.gap_id for one in client.iterate_gaps(bot_id=BOT, state="all")}
    assert list(client.golden_questions(bot_id="many")) == []
    hook = client.create_webhook(url="https://93.184.216.34/", events=["message.*"], bot_id=BOT)
    assert (hook.bot_id, hook.secret[:6]) == (BOT, "whsec_")
    assert client.rotate_webhook_secret(hook.id, overlap_hours=1).secret != hook.secret
    assert list(client.iterate_deliveries(hook.id)) == []
    assert hook.id in {one.id for one in client.iterate_webhooks()}
    assert client.delete_webhook(hook.id).deleted
    contact = client.create_contact(user_id="py-hooks")
    assert client.update_contact(contact.id, name="Ann").name == "Ann"
    assert list(client.iterate_contact_conversations(contact.id)) == []
    assert client.delete_contact(contact.id).deleted


def test_each_operation_has_a_method(operations):
    names = [name for name in dir(Client) if not name.startswith("_")]
    asynchronous = {name for name in dir(AsyncClient) if not name.startswith("_")}
    assert {*names} - {"close"} == asynchronous - {"aclose"}
    operations.compare({camel(name) for name in names if name != "close"})


def camel(name):
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def test_a_method_asks_for_its_operation_and_reads_its_answer(document):
    """What it sends, with an id for each that its path has, is that operation of the document."""
    by_id = {
        operation["operationId"]: (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    for name in dir(Client):
        if camel(name) not in by_id:
            continue
        method, path, operation = by_id[camel(name)]
        make = inspect.getattr_static(Client, name)._make
        ids = re.findall(r"{(\w+)}", path)
        more = [[]] if name in ("push_batch", "upload_files") else []
        more = ["email\n"] if name == "import_contacts" else more
        asked = make(None, *ids, *more)
        asked = getattr(asked, "call", asked)
        sent = (asked.method.lower(), asked.path)
        assert sent == (method, re.sub(r"{(\w+)}", r"\1", path)), name
        answers = [one for status, one in operation["responses"].items() if status < "300"]
        schemas = json.dumps([one["content"].get("application/json") for one in answers])
        if asked.answer is not None and "$ref" in schemas and name != "ask_bot":
            assert asked.answer.__name__ in answer_names(document, schemas), name


def answer_names(document, schemas):
    """Of an answer, and of what its envelope has."""
    names = set(re.findall(r"schemas/(\w+)", schemas))
    for name in list(names):
        data = document["components"]["schemas"][name]["properties"].get("data", {})
        names |= set(re.findall(r"schemas/(\w+)", json.dumps(data)))
    return names


def test_the_types_are_those_of_the_document(document_file):
    made = subprocess.run(
        [sys.executable, PACKAGE / "types_from_openapi.py"],
        input=document_file.read_text(),
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    formatted = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--line-length", "100", "-"],
        input=made,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    kept = (PACKAGE / "rag_service_client" / "types.py").read_text()
    assert formatted == kept, "make client-types writes rag_service_client/types.py anew"


# -- against answers that are made here ---------------------------------------------------------


def scripted(*answers):
    """A handler that gives these one after the other, and the requests that it had."""
    left, requests = list(answers), []

    def handle(request):
        requests.append(request)
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        # a copy: a body is of one client, waiting or not
        return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)

    return handle, requests


def answer(status=200, headers=None, **body):
    return httpx2.Response(status, headers=headers, json=body)


BOTS = {"success": True, "data": {"bots": []}}
RESET = httpx2.ConnectError("reset")


@pytest.mark.parametrize("first", [answer(429), answer(503), answer(502), RESET])
def test_what_may_be_repeated_is_tried_again(connect, first):
    handler, requests = scripted(first, answer(**BOTS))
    assert connect("http://a", handler=handler).list_bots().bots == []
    assert len(requests) == 2


def test_a_question_is_asked_again_only_when_it_was_refused_for_its_rate(connect):
    reply = {"response": "9", "conversationId": "c", "messageId": "m", "hasRagContext": True}
    reply |= {"sources": [], "related": []}
    over = answer(429, {"Retry-After": "0"})
    handler, _ = scripted(over, answer(success=True, data=reply))
    assert connect("http://a", handler=handler).chat("default", message="?").response == "9"
    for first in (answer(503), RESET):
        handler, requests = scripted(first)
        with pytest.raises(ApiError):
            connect("http://a", handler=handler).chat("default", message="?")
        assert len(requests) == 1


def test_it_is_not_tried_for_ever_nor_after_a_long_wait(connect):
    for answers, retry_after in (
        ([answer(503)] * 2, None),
        ([answer(429, {"Retry-After": "3600"})], 3600),
        ([answer(400)], None),
    ):
        handler, requests = scripted(*answers)
        with pytest.raises(ApiError) as refused:
            connect("http://a", handler=handler, retries=1).list_bots()
        assert refused.value.retry_after == retry_after
        assert len(requests) == len(answers)


def test_a_proxys_page_and_an_answer_of_another_kind_are_errors(connect):
    page = httpx2.Response(502, text="<html>")
    for first, code in ((page, "http_502"), (answer(nothing=1), "unexpected_answer")):
        handler, _ = scripted(first)
        with pytest.raises(ApiError) as refused:
            connect("http://a", handler=handler, retries=0).list_bots()
        assert refused.value.code == code


def test_a_stream_that_ends_before_the_answer_does_or_tells_an_error_is_an_error(connect):
    for text, code in (
        ('event: delta\ndata: {"text":"We"}\n\n', "stream_ended"),
        ('event: error\ndata: {"code":"MODEL_FAILED","message":"no"}\n\n', "MODEL_FAILED"),
    ):
        handler, _ = scripted(httpx2.Response(200, text=text))
        with pytest.raises(ApiError) as refused:
            list(connect("http://a", handler=handler).chat_stream("default", message="?"))
        assert refused.value.code == code


def test_live_events_go_on_after_the_last_one_when_the_connection_breaks(connect):
    event = '{"id":"evt_1","type":"a","created_at":"","bot_id":"","data":{}}'
    handler, requests = scripted(
        httpx2.Response(200, text="id: cur_1\n\n"),
        RESET,
        httpx2.Response(200, text=f"id: evt_1\ndata: {event}\n\n"),
        answer(401),
    )
    events = connect("http://a", handler=handler, retries=0).stream_events()
    assert next(events).id == "evt_1"
    with pytest.raises(ApiError, match="401"):
        next(events)
    assert [one.url.params.get("after") for one in requests] == [None, "cur_1", "cur_1", "evt_1"]


def test_arguments_are_spelled_as_http_wants_them(connect):
    empty = {"total": 0, "count": 0, "limit": 1, "offset": 0, "items": []}
    handler, requests = scripted(answer(**empty), answer(**BOTS), answer(**BOTS))
    client = connect("http://a/b/", "t", handler=handler)
    client.list_pages(filter={"year": {"gte": 2024}}, q=None)
    assert dict(requests[0].url.params) == {"filter": '{"year":{"gte":2024}}'}
    assert requests[0].url.path == "/b/knowledge"
    assert requests[0].headers["authorization"] == "Bearer t"
    with pytest.raises(ApiError):
        client.ask_bot("ü/?", message="?", session_id="s", metadata={"user_id": 1})
    assert requests[1].url.raw_path == b"/b/bot/%C3%BC%2F%3F"
    sent = {"message": "?", "sessionId": "s", "metadata": {"user_id": 1}}
    assert json.loads(requests[1].content) == sent


@given(st.lists(st.text(alphabet="aü\u2028:\\ {}", max_size=9)), st.data())
def test_a_stream_is_read_alike_however_it_is_cut(texts, data):
    events = b"".join(f"data: {text}\r\n\r\n".encode() for text in texts if text)
    lines = b"".join(msgspec.json.encode(text) + b"\n" for text in texts)
    frames, items = FrameDecoder(), JsonLines(str)
    seen = [one.data for part in cut(events, data) for one in frames.feed(part)]
    assert seen == [text for text in texts if text]
    read = [one for part in cut(lines.removesuffix(b"\n"), data) for one in items.feed(part)]
    assert [*read, *items.end()] == texts


def cut(content, data):
    places = data.draw(st.lists(st.integers(0, len(content)), max_size=5).map(sorted))
    return [content[a:b] for a, b in itertools.pairwise([0, *places, len(content)])]


# -- webhooks, types and size -------------------------------------------------------------------


def test_a_webhooks_request_is_verified():
    secret = "whsec_" + base64.b64encode(b"a secret of some length").decode()
    body = '{"type":"message.created","timestamp":"","data":{}}'
    now = 1_780_000_000
    right = Webhook(secret).sign("evt_1", datetime.fromtimestamp(now, UTC), body)
    headers = {
        "Webhook-Id": "evt_1",
        "webhook-timestamp": str(now),
        "webhook-signature": f"v1,wrong {right}",
    }
    assert verify_webhook(body, headers, secret, now=now + 299).type == "message.created"
    assert verify_webhook(body.encode(), headers, secret, now=now).data == {}
    for refused in (
        (body, headers, secret, now + 301),
        (body, headers, secret, now - 301),
        (body + " ", headers, secret, now),
        (body, {}, secret, now),
        (body, {**headers, "webhook-timestamp": "x"}, secret, now),
        (body, {**headers, "webhook-signature": "v2,x v1,é"}, secret, now),
        (body, headers, "no base64!", now),
    ):
        with pytest.raises(WebhookError):
            verify_webhook(*refused[:3], now=refused[3])


def test_several_threads_share_a_client(server):
    found = []
    with Client(server.url, server.token) as client:
        ask = lambda: found.append(client.search(query=HOURS, bot_id=BOT).query)  # noqa: E731
        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [HOURS] * 8


def test_a_wheel_is_small_and_brings_its_types(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *OFFLINE, "--wheel-dir", tmp_path, copied(tmp_path)],
        check=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.stat().st_size <= 50_000
    assert "rag_service_client/py.typed" in zipfile.ZipFile(wheel).namelist()


def copied(folder):
    return shutil.copytree(PACKAGE, folder / "package", ignore=shutil.ignore_patterns("build"))
