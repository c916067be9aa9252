"""What does a filter on metadata cost a search, when it leaves 1, 50 or 90 of 100 documents?

The default model only hashes words, so that the corpus is quickly there and a search is little but
finding: a filter weighs more than it does beside a model that reads the question.
"""

import json
import sqlite3
import time
from contextlib import closing
from typing import Any

from corpus import Record, make_queries, read_corpus
from figures import add_existing, arguments, finish, latencies, ratio, say
from harness import Base, Helper, Server, Workspace, existing_base, workspace

BLOCK = 20  # queries of one side before it is the next one's turn
SIDES: dict[str, dict[str, Any] | None] = {
    "none": None,
    "leaves_1": {"n": 7},
    "leaves_50": {"n": {"lt": 50}},
    "leaves_90": {"n": {"lt": 90}},
    "not_1": {"not": {"n": 7}},
}


def main() -> None:
    parser = arguments(__doc__)
    add_existing(parser)
    parser.add_argument("--count", type=int, help="how many queries; 400, or 60 with --small")
    parser.set_defaults(model="hashing:384")
    settings = parser.parse_args()
    records = read_corpus(settings.corpus, settings.limit, 500 if settings.small else 20_000)
    queries = make_queries(
        [record.text for record in records], settings.count or (60 if settings.small else 400)
    )
    with workspace(settings.model) as work:
        base = existing_base(settings) or _filled(work, records)
        with Server(base) as server:
            figures = measure(base, server, queries)
        counts = _counts(base)
    finish("filters", {**figures, **counts, "queries": len(queries)}, settings)


def measure(base: Base, server: Server, queries: list[str]) -> dict[str, Any]:
    blocks = [queries[start : start + BLOCK] for start in range(0, len(queries), BLOCK)]
    names = list(SIDES)
    took: dict[str, list[float]] = {name: [] for name in names}
    with Helper("client.py", base.environ(), server.url, server.token) as client:
        client.ask(_order(queries[:5], None))
        first = {}
        for name in names:
            first[name] = 1e3 * client.ask(_order(queries[:1], SIDES[name]))["latencies"][0]
        for number, block in enumerate(blocks):
            at = number % len(names)
            for name in names[at:] + names[:at]:
                took[name] += client.ask(_order(block, SIDES[name]))["latencies"]
    sides = {name: latencies(several) for name, several in took.items()}
    for name, side in sides.items():
        say(f"{name}: p50 {side['p50_ms']:.2f} ms, p95 {side['p95_ms']:.2f} ms")
    plain = sides["none"]["p50_ms"]
    return {
        **{f"ratio_{name}": ratio(side["p50_ms"], plain) for name, side in sides.items()},
        "first_ms": first,
        "sides": sides,
    }


def _counts(base: Base) -> dict[str, int]:
    with closing(sqlite3.connect(f"file:{base.data / 'rag.db'}?mode=ro", uri=True)) as rows:
        return {
            table: rows.execute(f"select count(*) from {table}").fetchone()[0]
            for table in ("documents", "chunks")
        }


def _order(queries: list[str], only: dict[str, Any] | None) -> dict[str, Any]:
    return {"path": "/search", "bodies": [{"query": q, "filter": only} for q in queries]}


def _filled(work: Workspace, records: list[Record]) -> Base:
    say(f"ingesting {len(records)} documents")
    base = work.base("filters")
    path = work.folder / "pushes.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number, record in enumerate(records):
            body = {**record.body(), "metadata": {"n": number % 100, "id": f"d{number}"}}
            file.write(json.dumps(body) + "\n")
    start = time.perf_counter()
    base.ingest(path)
    say(f"in {time.perf_counter() - start:.0f} s")
    return base


if __name__ == "__main__":
    main()
