"""How well do questions come together, and what does a new one cost?

Sets are folders with questions.jsonl.gz of {id, text, cluster}; made-up ones where none is given.
The questions come one by one in random order, and are grouped anew whenever that is due, as the
ledger does it. In process.
"""

import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from corpus import SEED
from evalsets import Row, read_rows
from figures import arguments, finish, say
from harness import resident_mb

ORDERS = 3
JOINS = 200
WAYS = ("how do i get {}", "I need {} now", "{} please", "where is {}?", "{} does not work")
THINGS = ("a refund", "my password", "an invoice", "the printer", "a parking permit", "a visa")


class QuestionSet(NamedTuple):
    name: str
    rows: list[Row]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--sets", type=Path, help="folders with questions.jsonl.gz")
    parser.add_argument("--only", nargs="*", help="names of sets")
    parser.add_argument("--predictions", type=Path, help="write id and cluster, a file an order")
    parser.add_argument("--questions", type=int, default=100_000, help="for the cost of a new one")
    parser.add_argument("--clusters", type=int, default=10_000, help="that these are in")
    settings = parser.parse_args()
    if settings.small:
        settings.questions, settings.clusters = 500, 50
    with tempfile.TemporaryDirectory(prefix="rag-bench-") as folder:
        from rag_service.knowledge.finding.scale import load_scale
        from rag_service.models.embedders import load_embedder

        embedder = load_embedder(settings.model, Path(folder))
        scale = load_scale(embedder, Path(folder))
        sets = {}
        for one in question_sets(settings.sets):
            if not settings.only or one.name in settings.only:
                say(f"embedding {one.name}")
                vectors = [embedder.embed_query(row["text"])[0] for row in one.rows]
                sets[one.name] = measure(one, vectors, scale, settings.predictions)
        figures = {
            "sets": sets,
            "cost_of_joining": joining(scale, settings.questions, settings.clusters),
            "cost_of_grouping": grouping(scale, settings.questions // 10, settings.clusters // 10),
        }
    finish("clusters", figures, settings)


def question_sets(folder: Path | None) -> list[QuestionSet]:
    if folder is None:
        texts = [(way.format(thing), thing) for thing in THINGS for way in WAYS]
        rows = [{"id": str(n), "text": t, "cluster": c} for n, (t, c) in enumerate(texts)]
        return [QuestionSet("made-up", rows)]
    found = sorted(folder.glob("*/questions.jsonl.gz"))
    return [QuestionSet(path.parent.name, read_rows(path)) for path in found]


def measure(
    one: QuestionSet, vectors: Sequence[Any], scale: Any, predictions: Path | None
) -> dict[str, Any]:
    """Over the orders: the figures when the last question has come, and after grouping once
    more."""
    from rag_service.gaps.clustering import Clustering
    from rag_service.gaps.wordings import Question

    truth = [row["cluster"] for row in one.rows]
    as_fed, regrouped, since = [], [], []
    for number in range(ORDERS):
        say(f"{one.name}, order {number + 1}")
        clustering = Clustering(scale)
        order = random.Random(SEED + number).sample(range(len(truth)), len(truth))
        last = 0
        for place, at in enumerate(order):
            text = one.rows[at]["text"]
            clustering.add(Question(id=at, text=text, vector=vectors[at]))
            if clustering.is_due:
                clustering.recluster()
                last = place + 1
        since.append(len(truth) - last)
        labels = [clustering.label_of(at) for at in range(len(truth))]
        as_fed.append(agreement(labels, truth))
        if predictions:
            write_labels(predictions / f"{one.name}-{number + 1}.tsv", one.rows, labels)
        clustering.recluster()
        regrouped.append(agreement([clustering.label_of(at) for at in range(len(truth))], truth))
    f1 = [figures["pair_f1"] for figures in as_fed]
    return {
        "pair_f1": float(np.mean(f1)),
        "pair_f1_of_each": f1,
        "as_fed": as_fed[0],
        "after_grouping_once_more": regrouped[0],
        "joined_since_grouped": since,
        "questions": len(truth),
        "true_clusters": len(set(truth)),
    }


def write_labels(path: Path, rows: Sequence[Row], labels: Sequence[int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (f"{row['id']}\t{label}\n" for row, label in zip(rows, labels, strict=True))
    path.write_text("".join(lines))


def agreement(labels: Sequence[int], truth: Sequence[str]) -> dict[str, Any]:
    """Of all pairs of questions: those that are rightly together."""

    def pairs(keys: Sequence[Any]) -> float:
        return sum(count * (count - 1) / 2 for count in Counter(keys).values())

    right = pairs(list(zip(labels, truth, strict=True)))
    together, wanted = pairs(labels), pairs(truth)
    return {
        "pair_f1": 2 * right / max(together + wanted, 1),
        "pair_precision": right / max(together, 1),
        "pair_recall": right / max(wanted, 1),
        "clusters": len(set(labels)),
    }


def joining(scale: Any, questions: int, clusters: int) -> dict[str, Any]:
    say(f"joining {clusters} clusters of {questions} questions")
    before = resident_mb(os.getpid())
    start = time.perf_counter()
    clustering, rest = filled(scale, questions, clusters, more=JOINS)
    restored = time.perf_counter() - start
    joins, busy = [], []
    for question in rest:
        start, busy_start = time.perf_counter(), time.process_time()
        clustering.add(question)
        joins.append(time.perf_counter() - start)
        busy.append(time.process_time() - busy_start)
    return {
        "questions": questions,
        "clusters": clusters,
        "p50_ms": float(np.percentile(joins, 50) * 1000),
        "p95_ms": float(np.percentile(joins, 95) * 1000),
        "processor_p50_ms": float(np.percentile(busy, 50) * 1000),
        "restore_s": restored,
        "memory_mb": resident_mb(os.getpid()) - before,
    }


def grouping(scale: Any, questions: int, clusters: int) -> dict[str, Any]:
    say(f"grouping {questions} questions")
    clustering, _ = filled(scale, questions, clusters, more=0)
    start, busy = time.perf_counter(), time.process_time()
    clustering.recluster()
    return {
        "questions": questions,
        "clusters": len(clustering.labels),
        "seconds": time.perf_counter() - start,
        "processor_s": time.process_time() - busy,
    }


def filled(scale: Any, questions: int, clusters: int, more: int) -> tuple[Any, list[Any]]:
    """Made-up questions, vectors around as many directions as there are clusters; and more."""
    from rag_service.gaps.clustering import Clustering
    from rag_service.gaps.wordings import Question

    chance = np.random.default_rng(SEED)
    width = scale.probes.shape[1]
    middles = chance.normal(size=(clusters, width)).astype(np.float32)
    of = chance.integers(clusters, size=questions + more).tolist()

    def made(number: int) -> Any:
        vector = middles[of[number]] + 0.6 * chance.normal(size=width)
        vector = (vector / np.linalg.norm(vector)).astype(np.float32)
        text = " ".join(map(spelt, (of[number], of[number] % 97, number % 997)))
        return Question(id=number, text=text, vector=vector)

    clustering = Clustering(scale)
    clustering.restore((made(number), of[number]) for number in range(questions))
    return clustering, [made(number) for number in range(questions, questions + more)]


def spelt(number: int) -> str:
    """In letters: a word with digits would be a code."""
    return "".join(chr(ord("a") + int(digit)) for digit in f"{number:06}"[::-1])


if __name__ == "__main__":
    main()
