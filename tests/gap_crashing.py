"""A program that asks, pushes, removes, answers and merges gaps until it is killed.

It tells each operation on its output when it is done: whoever reads it may rely on what was
written. Run as `python gap_crashing.py FOLDER SEED`; it begins at the first line of its input.
"""

import asyncio
import random
import sys
from pathlib import Path

import msgspec
from shelf import settings_in

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import Service, assemble
from rag_service.conversations.assistant import Answered, Asked
from rag_service.conversations.messages import Sender
from rag_service.conversations.store import NewMessage
from rag_service.documents import DEFAULT_BOT, Document
from rag_service.gaps.desk import GapAnswer
from rag_service.gaps.gap import GapFilter

QUESTIONS = {
    "bicycles": ["Where can bicycles be parked?", "Is parking bicycles free?"],
    "dogs": ["How do dogs get water?", "Which dogs must stay outside?"],
    "lockers": ["What do lockers cost?", "Who opens lost lockers?"],
    "vouchers": ["When do vouchers expire?", "Who sells vouchers online?"],
    "wheelchairs": ["Which wheelchairs are lent?", "Why book wheelchairs early?"],
    "photographs": ["Whose photographs hang upstairs?", "How old are photographs there?"],
}
SUBJECTS = list(QUESTIONS)
"""Pages come and go for the first three."""


def tell(word: str, what: str) -> None:
    sys.stdout.buffer.write(msgspec.json.encode([word, what]) + b"\n")
    sys.stdout.buffer.flush()


async def ask(service: Service, question: str) -> str | None:
    """The id of the question, where nothing answers it."""
    said = NewMessage(role="user", text=question, sender=Sender(type="user"))
    async for event in service.assistant.answer(
        Asked(scope=ALL_BOTS, bot_id=DEFAULT_BOT, said=said)
    ):
        if isinstance(event, Answered):
            return None if event.has_rag_context else event.row.reply_to
    raise AssertionError("the answer did not end")


def url_of(subject: str) -> str:
    return f"https://e.com/{subject}"


def gap_ids(service: Service) -> list[str]:
    _, gaps = service.store.gaps.page(
        ALL_BOTS, GapFilter(), sort="people", descending=True, limit=100, offset=0
    )
    return [gap.gap_id for gap in gaps]


def ask_about(service: Service, subject: str, rng: random.Random) -> None:
    if message := asyncio.run(ask(service, rng.choice(QUESTIONS[subject]))):
        tell("asked", message)


def push(service: Service, subject: str, rng: random.Random) -> None:
    subject = rng.choice(SUBJECTS[:3])
    text = " ".join(QUESTIONS[subject])
    service.knowledge.upsert(ALL_BOTS, [Document(source_url=url_of(subject), content=text)])


def remove(service: Service, subject: str, rng: random.Random) -> None:
    service.knowledge.remove(ALL_BOTS, DEFAULT_BOT, [url_of(subject)])


def follow(service: Service, subject: str, rng: random.Random) -> None:
    for bot_id in service.ledger.waiting():
        service.ledger.consider(bot_id)
        for gap_id in gap_ids(service):
            tell("gap", gap_id)


def merge(service: Service, subject: str, rng: random.Random) -> None:
    if len(known := gap_ids(service)) > 2:
        service.store.gaps.merge(ALL_BOTS, known[0], known[-1:])


def answer(service: Service, subject: str, rng: random.Random) -> None:
    if known := gap_ids(service):
        page = GapAnswer(text=f"{subject} are welcome.")
        service.desk.answer(ALL_BOTS, rng.choice(known), page)


OPERATIONS = {ask_about: 9, push: 2, remove: 2, follow: 9, merge: 1, answer: 2}
"""With how often each is chosen."""


def main(folder: Path, seed: str) -> None:
    rng = random.Random(seed)
    with assemble(settings_in(folder)) as service:
        service.knowledge.upsert(
            ALL_BOTS,
            [Document(source_url="https://e.com/hours", content="The museum opens at nine.")],
        )
        sys.stdin.readline()
        for _ in range(10_000):
            operation = rng.choices(list(OPERATIONS), list(OPERATIONS.values()))[0]
            operation(service, rng.choice(SUBJECTS), rng)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
