"""How fast and how exact is a search over HTTP, beside a plain script over the same vectors?"""

import argparse
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from corpus import make_queries, read_corpus, read_rows, write_pushes
from figures import add_existing, arguments, finish, latencies, ratio, say
from harness import Base, Helper, Server, Workspace, existing_base, workspace

BLOCK = 25  # queries of one side before it is the other's turn
TIES = 1e-3  # a chunk whose exact score is this close to the tenth is as right as the tenth
CLIENTS = 8


def main() -> None:
    parser = arguments(__doc__)
    add_existing(parser)
    parser.add_argument("--queries", type=Path, help="records {text}, .jsonl[.gz]")
    parser.add_argument("--count", type=int, help="how many queries; 1000, or 100 with --small")
    settings = parser.parse_args()
    with workspace(settings.model) as work:
        base = existing_base(settings) or _filled(work, settings)
        chunks = read_vectors(base)
        queries = _queries(settings, base)
        say(f"{len(chunks.rows)} chunks, {len(queries)} queries")
        with Server(base) as server:
            figures = measure(work, base, server, chunks, queries)
    finish("search", figures, settings)


class Chunks:
    """All chunks of the default bot: their rows, and their vectors as the service keeps them."""

    def __init__(self, rows: list[int], vectors: np.ndarray) -> None:
        self.rows = rows
        self.vectors = vectors
        self.place = {f"chk_{row:016x}": place for place, row in enumerate(rows)}


def measure(
    work: Workspace, base: Base, server: Server, chunks: Chunks, queries: list[str]
) -> dict[str, Any]:
    from rag_service.models.embedders import load_embedder
    from rag_service.models.embedders.model_folder import find_model

    folder = find_model(base.model.rpartition(":")[2], work.models).path
    np.save(work.folder / "vectors.npy", chunks.vectors)
    script_args = [str(folder), str(work.folder / "vectors.npy")]
    environ = base.environ()
    with (
        Helper("client.py", environ, server.url, server.token) as client,
        Helper("plain_script.py", environ, *script_args) as script,
    ):
        ours, plain = _alternate(client, script, queries)
        say(f"p50 {ours['p50_ms']:.2f} ms, plain script {plain['p50_ms']:.2f} ms")
        many = client.ask(_order(queries * 4, clients=CLIENTS))
        health = client.ask({"path": "/health", "bodies": [{}] * 200})
        dense = client.ask(_order(queries, k=10, mode="dense", want="results"))
    embedder = load_embedder(base.model, work.models)
    vectors = np.concatenate([embedder.embed_query(query) for query in queries])
    several = latencies(many["latencies"])
    inside = _inside(base, embedder, queries)
    return {
        "p50_ms": ours["p50_ms"],
        "p95_ms": ours["p95_ms"],
        "qps_8_clients": len(many["latencies"]) / many["seconds"],
        "p95_ms_8_clients": several["p95_ms"],
        "ratio_p50_to_script": ratio(ours["p50_ms"], plain["p50_ms"]),
        "recall_at_10": recall(chunks, vectors, dense["wanted"]),
        "one_client": ours,
        "eight_clients": several,
        "plain_script": plain,
        "where_ms": {**inside, "http_client_alone_p50": latencies(health["latencies"])["p50_ms"]},
        "chunks": len(chunks.rows),
        "queries": len(queries),
        **base.sizes_mb(),
    }


def recall(chunks: Chunks, questions: np.ndarray, answers: list[list[dict[str, Any]]]) -> float:
    """Mean overlap of the ten found with the ten exactly nearest, by inner product."""
    found = 0
    wanted = 0
    for question, answer in zip(questions, answers, strict=True):
        scores = chunks.vectors @ question
        size = min(10, len(scores))
        worst = np.partition(scores, -size)[-size] - TIES
        places = {chunks.place[hit["chunk_id"]] for hit in answer[:size]}
        found += sum(scores[place] >= worst for place in places)
        wanted += size
    return found / wanted


def _alternate(client: Helper, script: Helper, queries: list[str]) -> list[dict[str, float]]:
    """The same queries on both sides, in blocks; who begins takes turns."""
    blocks = [queries[start : start + BLOCK] for start in range(0, len(queries), BLOCK)]
    took: list[list[float]] = [[], []]
    client.ask(_order(blocks[0]))
    script.ask({"queries": blocks[0], "k": 5})
    for number, block in enumerate(blocks):
        for side in (0, 1) if number % 2 == 0 else (1, 0):
            if side == 0:
                answer = client.ask(_order(block))
            else:
                answer = script.ask({"queries": block, "k": 5})
            took[side] += answer["latencies"]
    return [latencies(side) for side in took]


def _order(queries: list[str], **more: Any) -> dict[str, Any]:
    k, mode = more.pop("k", 5), more.pop("mode", "hybrid")
    bodies = [{"query": query, "k": k, "mode": mode} for query in queries]
    return {"path": "/search", "bodies": bodies, **more}


def _inside(base: Base, embedder: Any, queries: list[str]) -> dict[str, float]:
    """The same search without HTTP, in this process: as a whole, and its embedding alone."""
    from rag_service.access.scope import ALL_BOTS
    from rag_service.knowledge.base import KnowledgeBase
    from rag_service.knowledge.finding.scale import load_scale
    from rag_service.settings import load_settings
    from rag_service.storage import open_store

    ours = {key: value for key, value in base.environ().items() if key.startswith("RAG_")}
    embed: list[float] = []
    search: list[float] = []
    settings = load_settings(ours)
    with open_store(settings, lambda: (embedder.name, embedder.dimension)) as store:
        scale = load_scale(embedder, settings.data_dir / "models")
        knowledge = KnowledgeBase(store.knowledge, lambda: embedder, lambda: scale)
        knowledge.search(ALL_BOTS, queries[0], "default")
        for query in queries:
            start = time.perf_counter()
            knowledge.search(ALL_BOTS, query, "default", k=5)
            search.append(time.perf_counter() - start)
            start = time.perf_counter()
            embedder.embed_query(query)
            embed.append(time.perf_counter() - start)
    whole, part = latencies(search)["p50_ms"], latencies(embed)["p50_ms"]
    return {"in_process_p50": whole, "embedding_p50": part, "finding_p50": whole - part}


def _filled(work: Workspace, settings: argparse.Namespace) -> Base:
    records = read_corpus(settings.corpus, settings.limit, 300 if settings.small else 4000)
    say(f"ingesting {len(records)} documents")
    base = work.base("search")
    base.ingest(write_pushes(records, work.folder / "pushes.jsonl"))
    return base


def _queries(settings: argparse.Namespace, base: Base) -> list[str]:
    count = settings.count or (100 if settings.small else 1000)
    if settings.queries:
        return [row["text"] for row in read_rows(settings.queries, count)]
    with closing(_open(base)) as connection:
        rows = connection.execute("select text from documents order by id limit 20000")
        return make_queries([row[0] for row in rows], count)


def read_vectors(base: Base) -> Chunks:
    with closing(_open(base)) as connection:
        found = connection.execute(
            """select chunks.id, vector from chunks join embeddings on embeddings.id = embedding
            join bots on bots.id = bot where bots.name = 'default' order by chunks.id"""
        ).fetchall()
    blobs = b"".join(blob for _, blob in found)
    vectors = np.frombuffer(blobs, "<f2").reshape(len(found), -1).astype(np.float32)
    return Chunks([row for row, _ in found], vectors)


def _open(base: Base) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{base.data / 'rag.db'}?mode=ro", uri=True)


if __name__ == "__main__":
    main()
