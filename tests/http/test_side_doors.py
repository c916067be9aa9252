"""Nobody gets in through the side, and nobody stands in another's way."""

import asyncio
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import TestClient
from served import served
from shelf import bots, page

from rag_service.access.rates import Attempts
from rag_service.access.scope import ALL_BOTS
from rag_service.access.tokens import Access
from rag_service.assembly import Service, assemble
from rag_service.documents import Document
from rag_service.errors import RateLimited
from rag_service.events.fan_out import FanOut
from rag_service.http.app import create_app
from rag_service.http.threads import Threads
from rag_service.knowledge.store import DocumentFilter
from rag_service.programs import program
from rag_service.settings import Settings
from rag_service.supervisor import Supervisor

# -- files -------------------------------------------------------------------------------------


def test_a_child_process_runs_no_file_of_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "calendar.py").write_text("open('was_run', 'w').close()\n")
    root = str(Path(__file__).parents[2])
    for command in (program("rag_service.worker"), program("calendar")):
        subprocess.run(
            command,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": root, "RAG_EMBEDDING_MODEL": "hashing:64"},
            input=b"",
            capture_output=True,
            check=False,
        )
        assert not (tmp_path / "was_run").exists()
    assert program("x")[0] == sys.executable


def test_whatever_the_umask_only_the_owner_reads_texts(settings: Settings) -> None:
    former = os.umask(0)
    try:
        with TestClient(create_app(settings)) as client, assemble(settings) as service:
            headers = {"Authorization": f"Bearer {service.access.create('t', rates={})}"}
            lines = b'{"source_url": "https://e.com/a", "content": "Open at nine."}\n'
            answer = client.post("/knowledge/batch?wait=true", content=lines, headers=headers)
            assert answer.json()["success"] is True
            service.store.views.seal("default", share=0)
            paths = [settings.data_dir, *settings.data_dir.rglob("*")]
            paths += [settings.index_dir, *settings.index_dir.rglob("*")]
            assert len(paths) > 10
            models = settings.data_dir / "models"  # anybody may know them
            private = [path for path in paths if not path.is_relative_to(models)]
            assert [path for path in private if path.stat().st_mode & 0o077] == []
    finally:
        os.umask(former)


# -- tokens ------------------------------------------------------------------------------------


def test_wrong_tokens_are_stopped_and_right_ones_pass(client: Any) -> None:
    right = client.headers["Authorization"]
    wrong = [
        client.get("/knowledge", headers={"Authorization": f"Bearer wrong{n}"}) for n in range(70)
    ]
    assert [answer.status_code for answer in wrong] == [401] * 60 + [429] * 10
    assert int(wrong[-1].headers["retry-after"]) >= 1
    assert wrong[-1].json()["code"] == "mxchat_rest_rate_limited"
    assert client.get("/knowledge", headers={"Authorization": right}).status_code == 200


def test_addresses_are_forgotten_and_counted_apart() -> None:
    attempts = Attempts("2/minute", addresses=100)
    for _ in range(2):
        attempts.failed("2001:db8::1")
    with pytest.raises(RateLimited):
        attempts.failed("2001:db8::2")  # the same network
    attempts.failed("2001:db8:0:1::1")
    for n in range(1000):
        attempts.failed(f"10.0.{n // 256}.{n % 256}")
    for _ in range(2):
        attempts.failed("2001:db8::1")  # forgotten meanwhile


class Counting:
    """A part of the store that counts how often a method is called."""

    def __init__(self, real: Any, method: str) -> None:
        self._real = real
        self._method = method
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        self.calls += name == self._method
        return getattr(self._real, name)


def test_tokens_are_read_once_until_something_is_written(
    service: Service, settings: Settings
) -> None:
    store = Counting(service.store.tokens, "all")
    access = Access(store)
    token = access.create("one")
    for _ in range(100):
        assert access.identify(f"Bearer {token}").name == "one"
    assert store.calls == 1
    with assemble(settings) as other:  # as another process would
        other.access.revoke("one")
    assert not access.is_current()
    assert access.refresh() == []


# -- texts -------------------------------------------------------------------------------------


def test_a_dry_run_does_not_tell_what_another_bot_holds(client: Any, push: Any) -> None:
    push("https://e.com/a", "The secret of the other bot.", bot_id="other")
    body = {"source_url": "https://e.com/b", "content": "The secret of the other bot."}
    for text in (body["content"], "Something that nobody holds."):
        answer = client.post("/knowledge?dry_run=true", json={**body, "content": text}).json()
        assert answer["chunks"] == {"total": 1, "embedded": 1, "reused": 0, "removed": 0}
    push("https://e.com/c", body["content"])
    own = client.post("/knowledge?dry_run=true", json=body).json()
    assert own["chunks"]["reused"] == 1


_TEXT = st.text("aAbBßẞſsSıIiİ éÉ\u0301ΣσςxK\u212a\"'%_*日本語", max_size=12)  # noqa: RUF001


@given(st.lists(_TEXT, min_size=1, max_size=4), _TEXT.filter(bool))
def test_what_is_listed_by_text_is_what_has_it_in_any_case(
    service: Service, texts: list[str], q: str
) -> None:
    bot_id = f"bot{len(service.store.bots.all(ALL_BOTS))}"  # another one for each example
    for turn in range(2):  # new, and changed
        documents = [
            Document(
                source_url=f"x:{n}", title=f"{text}{turn}", content=f"{text} {turn}", bot_id=bot_id
            )
            for n, text in enumerate(texts)
        ]
        service.knowledge.upsert(ALL_BOTS, documents)
    every = documents_of(service, bot_id)
    wanted = []
    for info in every:
        text = service.store.knowledge.document(ALL_BOTS, info.document_id).text
        if any(q.casefold() in field.casefold() for field in (info.source_url, info.title, text)):
            wanted.append(info)
    assert len(every) == len(texts)
    assert documents_of(service, bot_id, q=q) == wanted


def documents_of(service: Service, bot_id: str, **where: Any) -> list[Any]:
    total, found = service.store.knowledge.documents(
        bots(bot_id), DocumentFilter(**where), limit=100, offset=0
    )
    assert total == len(found)
    return found


def test_changes_of_a_conversation_at_once_are_all_kept(client: Any) -> None:
    path = "/chat/default/conversations"
    client.post(path, json={"conversationId": "con_1"})

    def change(number: int) -> None:
        answer = client.patch(f"{path}/con_1", json={"metadata": {f"key{number}": number}})
        assert answer.status_code == 200

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(change, range(64)))
    kept = client.get(f"{path}/con_1").json()["data"]["metadata"]
    assert {f"key{n}" for n in range(64)} <= set(kept)


# -- listeners ---------------------------------------------------------------------------------


def test_after_an_event_that_is_erased_the_next_one_follows(client: Any) -> None:
    path = "/chat/default/conversations"
    for name in ("con_0", "con_1", "con_2"):
        client.post(path, json={"conversationId": name})
    events = client.get("/events").json()["data"]["events"]
    client.delete(f"{path}/con_1")
    client.delete(f"{path}/con_2")
    client.post(path, json={"conversationId": "con_3"})
    for erased in (events[1]["id"], events[2]["id"]):
        answer = client.get("/events", params={"after": erased})
        assert answer.status_code == 200
        names = [event["data"]["conversation_id"] for event in answer.json()["data"]["events"]]
        assert names == ["con_3"]


def test_many_listeners_are_one_reader(service: Service) -> None:
    async def run() -> None:
        store = Counting(service.store.events, "after")
        supervisor = Supervisor()
        fan_out = FanOut(store, supervisor)
        _, end = service.store.events.after(None, 0)

        async def listen() -> int:
            place, seen = end, 0
            with fan_out.listening():
                while seen < 20:
                    told = await fan_out.wait(place, lambda event: True, 100, 30)
                    assert told is not None
                    seen, place = seen + len(told[0]), told[1]
            return seen

        async with fan_out.running():
            listeners = [asyncio.create_task(listen()) for _ in range(100)]
            await asyncio.sleep(0.2)
            for n in range(20):
                await asyncio.to_thread(
                    service.knowledge.upsert, ALL_BOTS, [page(f"p{n}", f"Text {n}.")]
                )
            async with asyncio.timeout(30):
                assert await asyncio.gather(*listeners) == [20] * 100
        assert store.calls <= 60

    asyncio.run(run())


def test_a_live_stream_ends_when_its_token_is_revoked(settings: Settings) -> None:
    settings = msgspec.structs.replace(settings, rate_chat="off")
    with assemble(settings) as service:
        tokens = [service.access.create(name, ["admin"]) for name in ("one", "two")]
        with served(settings) as (client, _):
            headers = {"Authorization": f"Bearer {tokens[0]}", "Accept": "text/event-stream"}
            with client.stream("GET", "/events", headers=headers) as answer:
                lines = answer.iter_lines()
                assert next(lines) == ": open"
                service.access.revoke("one")
                assert not [line for line in lines if line.startswith("event")]
            assert client.get("/events", headers=headers).status_code == 401


# -- kinds of work -----------------------------------------------------------------------------


def test_large_pushes_and_scans_take_no_others_place() -> None:
    async def run() -> None:
        threads, released = Threads(), threading.Event()
        slow = [threads.push(20 << 20, released.wait, 60) for _ in range(8)]
        slow += [threads.scan(released.wait, 60) for _ in range(8)]
        waiting = [asyncio.ensure_future(one) for one in slow]
        async with asyncio.timeout(10):
            assert await threads.write(lambda: 1) == await threads.read(lambda: 1) == 1
            assert await threads.push(100, lambda: 2) == 2
        released.set()
        await asyncio.gather(*waiting)
        threads.close()

    asyncio.run(run())
