"""What does it cost to keep the gaps up to date?

A base of many open gaps is made of the questions of the sets, each asked several times by several
people, with their vectors by the real model. Then the ledger sorts them all anew, follows one page
that is pushed, and answers lists. Times of the ledger are of the processor, in this process.
"""

import argparse
import itertools
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from evalsets import question_sets, read_rows
from figures import arguments, finish, say
from harness import resident_mb

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import Service, assemble
from rag_service.conversations.messages import Sender
from rag_service.conversations.signals import Judgement, Signal
from rag_service.conversations.store import NewMessage
from rag_service.documents import DEFAULT_BOT, Document
from rag_service.gaps.gap import GapFilter
from rag_service.knowledge.embedder import Embedder
from rag_service.models.embedders import load_embedder
from rag_service.settings import Settings

PAGES = 200
LISTS = 30


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--sets", type=Path, help="folders as benchmarks/evalsets.py reads them")
    parser.add_argument("--questions", type=int, default=10_000, help="different ones")
    parser.add_argument("--signals", type=int, default=100_000)
    settings = parser.parse_args()
    if settings.small:
        settings.questions, settings.signals = 100, 500
    with tempfile.TemporaryDirectory(prefix="rag-bench-") as folder:
        base = Settings(
            data_dir=Path(folder) / "data",
            index_dir=Path(folder) / "indexes",
            embedding_model=settings.model,
        )
        with assemble(base) as service:
            figures = measure(service, settings)
    finish("ledger", figures, settings)


def measure(service: Service, settings: argparse.Namespace) -> dict[str, Any]:
    texts = questions_of(settings)
    fill(service, settings, texts)
    figures: dict[str, Any] = {"different_questions": len(texts), "signals": settings.signals}
    say("sorting")
    start, cpu = time.perf_counter(), time.process_time()
    follow(service)
    figures["sorted_s"] = time.perf_counter() - start
    figures["sorted_cpu_s"] = time.process_time() - cpu
    total, _ = listed(service, 1)
    figures["gaps"] = total
    figures["list_ms_p50"] = float(np.median([listed(service, 100)[1] for _ in range(LISTS)]))
    figures["memory_mb"] = resident_mb(os.getpid())
    pushes = []
    for number in range(5):
        page = Document(
            source_url=f"https://e.com/new{number}",
            title="New",
            content=f"{texts[number * 7]} That is told at the desk of hall {number}.",
        )
        service.knowledge.upsert(ALL_BOTS, [page])
        start, cpu = time.perf_counter(), time.process_time()
        follow(service)
        pushes.append((time.perf_counter() - start, time.process_time() - cpu))
    figures["push_s_max"] = max(wall for wall, _ in pushes)
    figures["push_cpu_s_max"] = max(cpu for _, cpu in pushes)
    figures["closed"] = service.store.gaps.page(
        ALL_BOTS, GapFilter(state="closed"), sort="people", descending=True, limit=1, offset=0
    )[0]
    start = time.perf_counter()
    service.ledger.forget()
    add(service, texts[0], "somebody new")
    follow(service)
    figures["first_step_after_a_restart_s"] = time.perf_counter() - start
    return figures


def questions_of(settings: argparse.Namespace) -> list[str]:
    sets = question_sets(settings.sets, False)
    texts = [query["text"] for one in sets for query in one.queries]
    if settings.sets:
        for extra in ("banking77", "clinc150-oos"):
            path = settings.sets / extra / "queries.jsonl.gz"
            texts += [row["text"] for row in read_rows(path)] if path.exists() else []
    known = list(dict.fromkeys(texts))
    numbered = (f"{text} ({number})" for number in itertools.count(2) for text in known)
    return [*known, *itertools.islice(numbered, max(0, settings.questions - len(known)))][
        : settings.questions
    ]


def fill(service: Service, settings: argparse.Namespace, texts: list[str]) -> None:
    """Pages about something else, and questions as if none of them had been answered."""
    pages = [
        Document(
            source_url=f"https://e.com/{number}",
            content=f"Minutes of meeting {number}: the committee of hall {number} adjourned.",
        )
        for number in range(PAGES)
    ]
    service.knowledge.upsert(ALL_BOTS, pages)
    say("embedding the questions")
    embedder = embedder_of(service)
    vectors = [embedder.embed_query(text)[0] for text in texts]
    say("writing the signals")
    for number in range(settings.signals):
        place = number % len(texts)
        add(service, texts[place], f"visitor {number % 5000}", vectors[place])


def add(service: Service, text: str, person: str, vector: Any = None) -> None:
    if vector is None:
        vector = embedder_of(service).embed_query(text)[0]
    seen = service.store.ledger.state(DEFAULT_BOT).newest
    now = Judgement(
        has_rag_context=False,
        confidence=0.1,
        chunk_id=None,
        score=None,
        nearest=0.3,
        readable=True,
        absent=[],
        seen=seen,
    )
    signal = Signal(kind="none", question=text, vector=vector, judgement=now)
    said = NewMessage(
        role="user",
        text=text,
        sender=Sender(type="user", id=person),
        has_rag_context=False,
        signal=signal,
    )
    service.store.messages.add(ALL_BOTS, DEFAULT_BOT, person, said, create=True)


def embedder_of(service: Service) -> Embedder:
    settings = service.settings
    return load_embedder(settings.embedding_model, settings.data_dir / "models")


def follow(service: Service) -> None:
    service.ledger.follow()


def listed(service: Service, limit: int) -> tuple[int, float]:
    """How many gaps there are, and the milliseconds of a page."""
    start = time.perf_counter()
    total, _ = service.store.gaps.page(
        ALL_BOTS, GapFilter(state="open"), sort="people", descending=True, limit=limit, offset=0
    )
    return total, (time.perf_counter() - start) * 1000


if __name__ == "__main__":
    main()
