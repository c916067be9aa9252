"""What does it cost to keep the gaps up to date?

Transcripts with many unanswered questions are written straight into the database: a hundred
thousand through the service would take minutes, and what is measured is what comes of them. The
questions are those of the sets, with their vectors by the real model; each is asked several times
by several people. Then a server sorts them, lists gaps and follows pages that are pushed, all over
HTTP. Processor time and memory are those of its background process.
"""

import argparse
import itertools
import json
import random
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from corpus import SEED
from evalsets import question_sets, read_rows
from figures import arguments, finish, latencies, say
from harness import Base, Server, cpu_s, resident_mb, workspace

from rag_service.models.embedders import load_embedder
from rag_service.storage.sqlite.messages import kind_of

PAGES = 200
PUSHES = 10
LISTS = 20
PEOPLE = 5000
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
SORTS = ("people", "questions", "last_asked", "first_asked", "confidence")
ORDERS = ("desc", "asc")
NOTHING_FOUND: dict[str, Any] = {
    "has_rag_context": False,
    "confidence": 0.1,
    "chunk_id": None,
    "score": None,
    "nearest": 0.3,
    "readable": True,
    "absent": [],
}


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--sets", type=Path, help="folders as benchmarks/evalsets.py reads them")
    parser.add_argument("--questions", type=int, default=20_000, help="different ones")
    parser.add_argument("--signals", type=int, default=100_000, help="unanswered questions")
    parser.add_argument("--transcripts", type=int, help="messages; two a signal")
    settings = parser.parse_args()
    if settings.small:
        settings.questions, settings.signals = 100, 500
    settings.transcripts = max(settings.transcripts or 0, 2 * settings.signals)
    texts = questions_of(settings)
    with workspace(settings.model) as work:
        base = work.base("ledger")
        with Server(base) as server, server.client() as client:
            push(client, *(minutes(number) for number in range(PAGES)))
        say("embedding the questions")
        embedder = load_embedder(settings.model, base.data / "models")
        vectors = [embedder.embed_query(text)[0].astype("<f2").tobytes() for text in texts]
        say(f"writing {settings.transcripts} messages")
        fill(base, settings, texts, vectors)
        with Server(base) as server, server.client() as client:
            figures = measure(client, server.process.pid, texts)
        with Server(base) as server, server.client() as client:
            start = time.perf_counter()
            push(client, page(PUSHES, texts))
            settle(client)
            figures["shown_after_a_restart_s"] = time.perf_counter() - start
        figures |= base.sizes_mb()
    finish("ledger", {"different_questions": len(texts), **figures}, settings)


def questions_of(settings: argparse.Namespace) -> list[str]:
    """Those of the sets, and what their documents begin with, mixed; again with a number where
    there are too few."""
    sets = question_sets(settings.sets, False)
    texts = {query["text"] for one in sets for query in one.queries}
    texts |= {first_sentence(document["text"]) for one in sets for document in one.documents}
    for path in settings.sets.glob("*/questions.jsonl.gz") if settings.sets else []:
        texts |= {row["text"] for row in read_rows(path)}
    known = sorted(texts)
    random.Random(SEED).shuffle(known)
    numbered = (f"{text} ({number})" for number in itertools.count(2) for text in known)
    return list(itertools.islice(itertools.chain(known, numbered), settings.questions))


def first_sentence(text: str) -> str:
    return re.split(r"(?<=[.?!])\s", text.strip(), maxsplit=1)[0][:300] or "?"


def fill(base: Base, settings: argparse.Namespace, texts: list[str], vectors: list[bytes]) -> None:
    """A question and its reply by turns, the signals spread evenly among the questions."""
    asked = settings.transcripts // 2
    signals = [place * asked // settings.signals for place in range(settings.signals)]
    with closing(sqlite3.connect(base.data / "rag.db")) as connection, connection:
        connection.executemany(
            """insert into conversations (id, conversation_id, bot, metadata, created_at,
            updated_at, messages) values (?, ?, 1, '{}', ?, ?, ?)""",
            ((n + 1, f"conv_{n}", at(0), at(0), 2 * asked // PEOPLE) for n in range(PEOPLE)),
        )
        connection.executemany(
            """insert into messages (id, message_id, conversation, bot, kind, text, created_at,
            sender, metadata, reply_to) values (?, ?, ?, 1, ?, ?, ?, ?, '{}', ?)""",
            messages(texts, asked, set(signals)),
        )
        (newest,) = connection.execute("select max(id) from chunks").fetchone()
        (seen,) = connection.execute("select max(seq) from changes").fetchone()
        judgement = json.dumps(NOTHING_FOUND | {"seen": seen})
        connection.executemany(
            """insert into signals (message, bot, kind, question, vector, judgement, newest_chunk,
            person, asked_at) values (?, 1, 'none', ?, ?, ?, ?, ?, ?)""",
            (
                (
                    *(2 * place + 1, texts[number % len(texts)], vectors[number % len(texts)]),
                    *(judgement, newest, f"visitor {place % PEOPLE}", at(2 * place)),
                )
                for number, place in enumerate(signals)
            ),
        )
        connection.execute("insert into ledgers (bot, seq) values (1, ?)", [seen])


def messages(texts: list[str], asked: int, unanswered: set[int]) -> Iterator[tuple[Any, ...]]:
    number = 0
    for place in range(asked):
        is_signal = place in unanswered
        text = texts[number % len(texts)] if is_signal else "When is the meeting?"
        number += is_signal
        conversation = place % PEOPLE + 1
        sender = json.dumps({"type": "user", "id": f"visitor {place % PEOPLE}"})
        question = f"msg_{2 * place}"
        kind = kind_of("user", not is_signal)
        yield 2 * place + 1, question, conversation, kind, text, at(2 * place), sender, None
        reply = f"msg_{2 * place + 1}", conversation, kind_of("assistant", None)
        yield (
            2 * place + 2,
            *reply,
            "It is at noon.",
            at(2 * place + 1),
            '{"type": "bot"}',
            question,
        )


def at(row: int) -> str:
    moment = FIRST + timedelta(seconds=row)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def measure(client: httpx.Client, server: int, texts: list[str]) -> dict[str, Any]:
    say("sorting")
    figures: dict[str, Any] = {"sorted_s": settle(client), "sorted_cpu_s": cpu_s(worker_of(server))}
    figures["sorted_mb"] = resident_mb(worker_of(server))
    figures["gaps"] = client.get("/gaps", params={"limit": 1}).json()["total"]
    figures["list_ms"] = lists(client, figures["gaps"])
    figures["list_ms_worst"] = max(figures["list_ms"].values())
    shown, cpu = [], []
    for number in range(PUSHES):
        before = cpu_s(worker_of(server))
        push(client, page(number, texts))
        shown.append(settle(client))
        cpu.append(cpu_s(worker_of(server)) - before)
        say(f"pushed: {shown[-1]:.1f} s, {cpu[-1]:.2f} s of processor time")
    figures |= {"shown_s": shown, "push_cpu_s": cpu}
    figures |= {"shown_s_max": max(shown), "push_cpu_s_max": max(cpu)}
    closed = client.get("/gaps", params={"limit": 1, "state": "closed"}).json()
    figures |= {"closed": closed["total"], "memory_mb": resident_mb(worker_of(server))}
    return figures


def lists(client: httpx.Client, gaps: int) -> dict[str, float]:
    """Medians of pages of 100."""
    pages: dict[str, dict[str, Any]] = {
        **{f"{sort} {order}": {"sort": sort, "order": order} for sort in SORTS for order in ORDERS},
        "deepest": {"offset": max(0, gaps - 100)},
        "all": {"state": "all"},
        "closed": {"state": "closed"},
        "kind": {"kind": "none"},
        "min_questions": {"min_questions": 5},
        "since": {"since": at(20_000), "until": at(50_000)},
        "q": {"q": "account"},
        "q of nothing": {"q": "zzzz"},
        "q, short": {"q": "ab"},
    }
    took: dict[str, list[float]] = {name: [] for name in pages}
    for turn in range(LISTS + 1):
        for name, query in pages.items():
            start = time.perf_counter()
            client.get("/gaps", params={"limit": 100, **query}).raise_for_status()
            if turn:
                took[name].append(time.perf_counter() - start)
    return {name: latencies(seconds)["p50_ms"] for name, seconds in took.items()}


def minutes(number: int) -> dict[str, str]:
    """A page about something else."""
    text = f"Minutes of meeting {number}: the committee of hall {number} adjourned."
    return {"source_url": f"https://e.com/{number}", "content": text}


def page(number: int, texts: list[str]) -> dict[str, str]:
    """A page that answers some."""
    text = f"{texts[number * 7]} That is told at the desk of hall {number}."
    return {"source_url": f"https://e.com/new{number}", "title": "New", "content": text}


def push(client: httpx.Client, *pages: dict[str, str]) -> None:
    for one in pages:
        client.post("/knowledge", json=one).raise_for_status()


def settle(client: httpx.Client) -> float:
    """Until the ledger has considered everything; how many seconds that took."""
    start = time.perf_counter()
    while client.get("/gaps", params={"limit": 1}).json()["pending"]:
        time.sleep(0.1)
    return time.perf_counter() - start


def worker_of(server: int) -> int:
    """The background process; readers of files are children of either."""
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    return next(
        int(child)
        for child in children
        if b"rag_service.worker" in Path(f"/proc/{child}/cmdline").read_bytes()
    )


if __name__ == "__main__":
    main()
