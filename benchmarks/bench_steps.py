"""What does each step of the search bring, and what does it cost?

In process, over the same rows where that is possible: each line switches one more step on, from
whole documents by their vector alone to all that a search does. Questions come from sets as
bench_quality.py reads them; the figure is their nDCG@10, the time the median of a search.
"""

import random
import string
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from evalsets import QuestionSet, pushes, question_sets
from figures import arguments, finish, say
from harness import workspace

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import Service, assemble
from rag_service.knowledge import chunking
from rag_service.knowledge.evaluation import ask, evaluation
from rag_service.knowledge.finding import ranking
from rag_service.knowledge.lines import read_line
from rag_service.knowledge.questions import Question
from rag_service.knowledge.store import Mode
from rag_service.settings import Settings


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--sets", type=Path, help="folders as benchmarks/evalsets.py reads them")
    settings = parser.parse_args()
    sets = question_sets(settings.sets, settings.small)
    with workspace(settings.model) as work:
        figures = {}
        for name, change in BASES:
            base = work.base(name.replace(" ", "-"))
            place = Settings(
                data_dir=base.data, index_dir=base.index, embedding_model=settings.model
            )
            with change(), assemble(place) as service:
                figures |= steps(service, sets, name)
    finish("steps", {"steps": figures}, settings)


def steps(service: Service, sets: list[QuestionSet], base: str) -> dict[str, Any]:
    for one in sets:
        rows = pushes(one.documents, one.name).splitlines()
        documents = [read_line(row, scope=ALL_BOTS, number=1).document for row in rows]
        for at in range(0, len(documents), 500):
            service.knowledge.upsert(ALL_BOTS, [d for d in documents[at : at + 500] if d])
    found = {}
    for name, mode, change, mistyped in STEPS[base]:
        with change():
            found[name] = measure(service, sets, mode, mistyped)
        say(f"{name}: {found[name]['mean_ndcg_at_10']:.4f}, {found[name]['p50_ms']:.1f} ms")
    return found


def measure(
    service: Service, sets: list[QuestionSet], mode: Mode, mistyped: bool
) -> dict[str, Any]:
    figures: dict[str, float] = {}
    took: list[float] = []
    for one in sets:
        choice = random.Random(5)
        asked = [
            Question(
                id=query["id"],
                text=with_an_error(query["text"], choice) if mistyped else query["text"],
                relevant={f"doc:{name}": grade for name, grade in one.grades[query["id"]].items()},
            )
            for query in one.answerable()
        ]
        judged = []
        asking = ask(service.knowledge, ALL_BOTS, asked, one.name, mode)
        for _ in asked:
            start = time.perf_counter()
            judged.append(next(asking))
            took.append(time.perf_counter() - start)
        figures[one.name] = evaluation(judged, one.name, mode).metrics["nDCG@10"]
    return {
        "mean_ndcg_at_10": float(np.mean(list(figures.values()))),
        "p50_ms": float(np.median(took) * 1000),
        "sets": figures,
    }


def with_an_error(text: str, choice: random.Random) -> str:
    """One letter of one longer word is wrong, missing, too many, or changed with the next."""
    words = [word for word in text.split() if word.isalpha() and len(word) > 4]
    if not words:
        return text
    word = choice.choice(words)
    at = choice.randrange(1, len(word) - 1)
    letter = choice.choice(string.ascii_lowercase)
    wrong = choice.choice(
        [
            word[:at] + letter + word[at + 1 :],
            word[:at] + word[at + 1 :],
            word[:at] + letter + word[at:],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        ]
    )
    return text.replace(word, wrong, 1)


# -- what is switched ---------------------------------------------------------------------------

Change = Callable[[], Any]


everything: Change = nullcontext


def without(**constants: float) -> Change:
    return lambda: patch.multiple(ranking, **constants)


@contextmanager
def whole_documents() -> Iterator[None]:
    """One chunk each: what the model reads of it."""
    split = chunking.split

    def first(parsed: Any, window: int, token_offsets: Any) -> Any:
        with patch.object(chunking, "TARGET_TOKENS", window):
            return split(parsed, window, token_offsets)[:1]

    with patch("rag_service.knowledge.base.split", first):
        yield


@contextmanager
def without_titles() -> Iterator[None]:
    from rag_service.documents import Chunk

    alone = property(lambda chunk: chunk.text)
    with patch.object(Chunk, "embedded_text", alone):
        yield


@contextmanager
def without_respelling() -> Iterator[None]:
    with patch("rag_service.knowledge.base.KnowledgeBase._spelled", lambda _, query, __: query):
        yield


BASES: list[tuple[str, Change]] = [
    ("whole", whole_documents),
    ("untitled", without_titles),
    ("chunks", everything),
]
_PLAIN = without(COVERAGE_SHARE=0.0, PROXIMITY_SHARE=0.0, FEEDBACK_SHARE=0.0)
STEPS: dict[str, list[tuple[str, Mode, Change, bool]]] = {
    "whole": [("whole documents, dense", "dense", everything, False)],
    "untitled": [("chunks without titles, dense", "dense", everything, False)],
    "chunks": [
        ("chunks, dense", "dense", everything, False),
        ("chunks, keyword", "keyword", everything, False),
        ("cosine and BM25", "hybrid", _PLAIN, False),
        ("with coverage", "hybrid", without(PROXIMITY_SHARE=0.0, FEEDBACK_SHARE=0.0), False),
        ("with proximity", "hybrid", without(FEEDBACK_SHARE=0.0), False),
        ("with feedback: all", "hybrid", everything, False),
        ("mistyped, not respelled", "hybrid", without_respelling, True),
        ("mistyped", "hybrid", everything, True),
    ],
}


if __name__ == "__main__":
    main()
