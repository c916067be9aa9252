"""How good is the search, and how good its confidence, over HTTP?

Each set is pushed to a bot of its own. Figures are those of `rag-service evaluate`: documents, the
first ten. Confidence is measured where some questions have no answer: in sets that have such
questions, and in sets of which half of the documents are pushed.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from evalsets import QuestionSet, Row, half, pushes, question_sets, read_rows, url_of
from figures import arguments, finish, say
from harness import Server, workspace

from rag_service.confidence import CONTEXT_ABOVE
from rag_service.evaluation import DEPTH, Evaluation, Judged, evaluation, ndcg

HALVED = ("squad2-dev", "pubmedqa", "covid-faq")
GATED = ("clinc150-oos", "squad2-dev", "pubmedqa")
"""Whose confidence is averaged: half answers stand in the other half of covid-faq."""
TOP = 5


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--sets", type=Path, help="folders as benchmarks/evalsets.py reads them")
    parser.add_argument("--only", nargs="*", help="names of sets")
    settings = parser.parse_args()
    sets = question_sets(settings.sets, settings.small)
    sets = [one for one in sets if not settings.only or one.name in settings.only]
    with (
        workspace(settings.model) as work,
        Server(work.base("quality")) as server,
        server.client() as client,
    ):
        client.timeout = httpx.Timeout(600)
        figures = measure(client, sets, settings)
    finish("quality", figures, settings)


def measure(
    client: httpx.Client, sets: list[QuestionSet], settings: argparse.Namespace
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    gate: dict[str, Any] = {}
    spans = None
    for one in sets:
        push(client, pushes(one.documents, one.name))
        asked = run(client, one.name, one.queries, one.grades)
        found[one.name] = asked.metrics
        say(f"{one.name}: nDCG@10 {asked.metrics['nDCG@10']}")
        if "AUROC" in asked.metrics and one.name not in HALVED:
            gate[one.name] = sureness(asked)
        if one.name in HALVED or one.folder is None:
            gate.setdefault(one.name, halved(client, one))
        if one.folder and (one.folder / "documents.jsonl.gz").exists() and not settings.small:
            spans = spans_of(client, one.folder)
        if one.folder and (one.folder / "pdfs").is_dir() and not settings.small:
            found[f"{one.name}, as PDF"] = from_pdfs(client, one).metrics
    plain = [found[one.name]["nDCG@10"] for one in sets]
    gated = [gate[name] for name in GATED if name in gate]
    return {
        "mean_ndcg_at_10": float(np.mean(plain)),
        "sets": found,
        "confidence": gate,
        "mean_confidence": {
            key: float(np.mean([one[key] for one in gated])) for key in (gated[0] if gated else {})
        },
        "spans": spans,
    }


def push(client: httpx.Client, lines: bytes) -> None:
    answer = client.post("/knowledge/batch", params={"wait": "true"}, content=lines)
    answer.raise_for_status()
    failed = [line for line in map(json.loads, answer.iter_lines()) if not line["success"]]
    if failed:
        raise RuntimeError(f"{len(failed)} pushes failed, first {failed[0]}")


def run(
    client: httpx.Client,
    bot: str,
    queries: list[Row],
    grades: dict[str, dict[str, float]],
    truth: list[bool] | None = None,
    by_page: bool = False,
) -> Evaluation:
    """`truth` says which can be answered; otherwise those with grades."""
    judged = []
    for place, query in enumerate(queries):
        relevant = grades.get(query["id"], {})
        answerable = truth[place] if truth else bool(relevant)
        answer = search(client, query["text"], bot, by_page)
        gains = [relevant.get(name, 0.0) for name in names(answer["results"], by_page)]
        judged.append(
            Judged(
                id=query["id"],
                query=query["text"],
                answerable=answerable,
                confidence=answer["confidence"],
                has_rag_context=answer["has_rag_context"],
                log_odds=0.0,
                relevant=len(relevant) if answerable else 0,
                ranks=[rank for rank, gain in enumerate(gains, start=1) if gain],
                ndcg=ndcg(gains, relevant) if answerable else None,
            )
        )
        assert answer["has_rag_context"] is (answer["confidence"] >= CONTEXT_ABOVE)
    return evaluation(judged, bot, "hybrid")


def search(client: httpx.Client, text: str, bot: str, by_page: bool) -> dict[str, Any]:
    k = {"k": "50"} if by_page else {"k": str(DEPTH), "group": "document"}
    answer = client.get("/search", params={"query": text, "bot_id": bot, **k})
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def names(results: list[dict[str, Any]], by_page: bool) -> list[str]:
    """Of the first ten documents, or pages of documents."""
    if not by_page:
        return [one["source_url"].removeprefix("doc:") for one in results]
    pages = (f"{one['source_url'].rpartition('/')[2]}#page={one['page']}" for one in results)
    return list(dict.fromkeys(pages))[:DEPTH]


def sureness(found: Evaluation) -> dict[str, float]:
    return {key: found.metrics[key] for key in ("AUROC", "balanced accuracy", "calibration error")}


def halved(client: httpx.Client, one: QuestionSet) -> dict[str, float]:
    part, truth = half(one)
    push(client, pushes(part.documents, part.name))
    return sureness(run(client, part.name, part.queries, part.grades, truth))


def from_pdfs(client: httpx.Client, one: QuestionSet) -> Evaluation:
    """Pages of the original files; a document's name is FILE.pdf#page=N."""
    assert one.folder is not None
    bot = f"{one.name}-pdf"
    for path in sorted((one.folder / "pdfs").glob("*.pdf")):
        answer = client.post(
            "/knowledge/upload",
            params={"wait": "true"},
            data={"bot_id": bot, "source_url": f"file:///{path.name}"},
            files={"file": (path.name, path.read_bytes(), "application/pdf")},
        )
        answer.raise_for_status()
        failed = [line for line in map(json.loads, answer.iter_lines()) if not line["success"]]
        if failed:
            raise RuntimeError(f"{path.name}: {failed}")
    return run(client, bot, one.queries, one.grades, by_page=True)


def spans_of(client: httpx.Client, folder: Path) -> dict[str, float]:
    """How much of the excerpts that answer the top five chunks of whole documents cover, and how
    much of those chunks is excerpt."""
    documents = {row["id"]: row for row in read_rows(folder / "documents.jsonl.gz")}
    bot = f"{folder.name}-whole"
    push(client, pushes(documents.values(), bot))
    covered, precise = [], []
    for query in read_rows(folder / "queries.jsonl.gz"):
        if not query.get("excerpts"):
            continue
        wanted = {at for one in query["excerpts"] for at in range(one["start"], one["end"])}
        answer = client.get(
            "/search", params={"query": query["text"], "bot_id": bot, "k": str(TOP)}
        ).json()
        got: set[int] = set()
        size = 0
        for hit in answer["results"]:
            size += len(hit["text"])
            if hit["source_url"] == url_of(documents[query["doc"]]):
                start = documents[query["doc"]]["text"].find(hit["text"])
                got |= set(range(start, start + len(hit["text"]))) if start >= 0 else set()
        covered.append(len(wanted & got) / len(wanted))
        precise.append(len(wanted & got) / size if size else 0.0)
    return {"coverage_at_5": float(np.mean(covered)), "precision_at_5": float(np.mean(precise))}


if __name__ == "__main__":
    main()
