import asyncio
import subprocess
import sys
import time
from pathlib import Path

import msgspec
from shelf import settings_in

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import Service, assemble
from rag_service.conversations.messages import Sender
from rag_service.conversations.replies import Replies
from rag_service.conversations.store import (
    NewMessage,
    PendingReply,
    TranscriptFilter,
    TranscriptRow,
)
from rag_service.documents import Document
from rag_service.errors import AnswerFailed

PAGE = Document(
    source_url="https://e.com/hours", content="When does the shop open in the morning? At nine."
)


def owe(service: Service, conversation_id: str, text: str = "When does the shop open?") -> None:
    said = NewMessage(
        role="user",
        text=text,
        sender=Sender(type="user"),
        wants_reply=service.replies.owner,
    )
    service.store.messages.add(ALL_BOTS, "default", conversation_id, said, create=True)


def rows(service: Service) -> list[TranscriptRow]:
    return service.store.transcripts.page(
        ALL_BOTS, TranscriptFilter(), limit=1000, offset=0, ascending=True
    )[1]


async def until_paid(service: Service) -> None:
    """All that is owed, within a minute."""
    async with asyncio.timeout(60), service.replies.running():
        service.replies.wake()
        while await asyncio.to_thread(service.store.replies.claim, service.replies.owner, []):
            await asyncio.sleep(0.01)


def test_what_is_owed_is_answered_in_order_within_a_conversation(service):
    service.knowledge.upsert(ALL_BOTS, [PAGE])
    for number in range(12):
        owe(service, f"c{number % 3}", f"When does the shop open in the morning? {number}")
    asyncio.run(until_paid(service))
    kept = rows(service)
    assert len(kept) == 24
    for name in ("c0", "c1", "c2"):
        ours = [row for row in kept if row.conversation_id == name]
        asked = [row.message_id for row in ours if row.role == "user"]
        assert [row.reply_to for row in ours if row.role == "assistant"] == asked
        assert all(row.has_rag_context is not None for row in ours)


def test_replies_owed_when_a_server_is_killed_are_given_once_by_the_next(tmp_path):
    with assemble(settings_in(tmp_path)) as service:
        service.knowledge.upsert(ALL_BOTS, [PAGE])
    program = Path(__file__).parents[1] / "replying.py"
    command = [sys.executable, str(program), str(tmp_path), "30"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"30\n"
        time.sleep(0.2)  # some are given, some are at work, most are queued
        child.kill()
    settings = msgspec.structs.replace(settings_in(tmp_path), chat_model="echo")
    with assemble(settings) as service:
        given = sum(row.role == "assistant" for row in rows(service))
        assert given < 30
        asyncio.run(until_paid(service))
        kept = rows(service)
    answered = [row.conversation_id for row in kept if row.role == "assistant"]
    assert sorted(answered) == sorted(f"c{number}" for number in range(30))
    assert len(kept) == 60


class Failing:
    """An assistant whose model fails as often as it is told to."""

    def __init__(self, service: Service, failures: int) -> None:
        self._service = service
        self.tries = 0
        self._failures = failures

    async def pay(self, owed: PendingReply) -> TranscriptRow:
        self.tries += 1
        if self.tries <= self._failures:
            raise AnswerFailed("no model")
        return await self._service.assistant.pay(owed)


def test_an_answer_that_failed_is_tried_again(service, tmp_path):
    assistant = Failing(service, 1)
    replies = Replies(service.store.replies, assistant, tmp_path)

    async def run() -> None:
        async with asyncio.timeout(60), replies.running():
            said = NewMessage(role="user", text="When?", sender=Sender(type="user"))
            said = msgspec.structs.replace(said, wants_reply=replies.owner)
            service.store.messages.add(ALL_BOTS, "default", "c", said, create=True)
            replies.wake()
            while service.store.replies.debtors():
                await asyncio.sleep(0.05)

    asyncio.run(run())
    assert assistant.tries == 2
    assert [row.role for row in rows(service)] == ["user", "assistant"]
