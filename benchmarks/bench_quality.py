"""How good is the search, and how good its confidence, over HTTP?

Each set is pushed to a bot of its own. Figures are those of `rag-service evaluate`: documents, the
first ten. The gate is measured where some questions have no answer: in sets that have such
questions, and in sets of which half of the documents are pushed.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from evalsets import Placed, QuestionSet, Row, half, pushes, question_sets, read_rows, url_of
from figures import arguments, finish, say
from harness import Server, workspace

from rag_service.knowledge.evaluation import DEPTH, Evaluation, Judged, evaluation, ndcg

HALVED = ("squad2-dev", "pubmedqa", "covid-faq")
GATED = ("clinc150-oos", "squad2-dev", "pubmedqa")
"""Whose confidence is averaged: half answers stand in the other half of covid-faq."""
GATE = {"auroc": "AUROC", "balanced_accuracy": "balanced accuracy", "ece": "calibration error"}
TOP = 5
NO_UPLOAD = (404, 405)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--sets", type=Path, help="folders as benchmarks/evalsets.py reads them")
    parser.add_argument("--only", nargs="*", help="names of sets")
    parser.add_argument(
        "--modes", nargs="*", default=[], choices=["dense", "keyword"], help="beside hybrid"
    )
    parser.add_argument(
        "--gate",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="also measure how well confidence tells what can be answered",
    )
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
    gate: dict[str, dict[str, float]] = {}
    spans = None
    for one in sets:
        push(client, pushes(one.documents, one.name))
        asked = run(client, one.name, one.queries, one.grades)
        found[one.name] = ranking(asked)
        say(f"{one.name}: nDCG@10 {asked.metrics['nDCG@10']}")
        if settings.modes:
            found[one.name]["by_mode"] = {
                mode: ranking(run(client, one.name, one.answerable(), one.grades, mode=mode))
                for mode in settings.modes
            }
        if settings.gate:
            judged = {one.name: asked}
            if one.name in HALVED:
                judged = {one.name: halved(client, one), f"{one.name}-whole": asked}
            gate |= {name: sureness(of) for name, of in judged.items() if "AUROC" in of.metrics}
        if one.folder and (one.folder / "documents.jsonl.gz").exists() and not settings.small:
            spans = spans_of(client, one.folder)
        if one.folder and (one.folder / "pdfs").is_dir() and not settings.small:
            pages = from_pdfs(client, one)
            found |= {f"{one.name}-pages": ranking(pages)} if pages else {}
    return {
        "mean_ndcg_at_10": float(np.mean([found[one.name]["ndcg_at_10"] for one in sets])),
        "sets": found,
        "gate": {**gate, **means([gate[name] for name in GATED if name in gate])},
        "spans": spans,
    }


def ranking(found: Evaluation) -> dict[str, Any]:
    """What does not need unanswerable questions."""
    metrics = found.metrics.items()
    return {name.lower().replace("@", "_at_"): value for name, value in metrics if "@" in name}


def sureness(found: Evaluation) -> dict[str, float]:
    return {key: found.metrics[name] for key, name in GATE.items()}


def means(gated: list[dict[str, float]]) -> dict[str, float]:
    return {f"mean_{key}": float(np.mean([one[key] for one in gated])) for key in GATE if gated}


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
    mode: str = "hybrid",
) -> Evaluation:
    """`truth` says which can be answered; otherwise those with grades."""
    judged = []
    for place, query in enumerate(queries):
        relevant = grades.get(query["id"], {})
        answerable = truth[place] if truth else bool(relevant)
        answer = search(client, query["text"], bot, mode, by_page)
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
    return evaluation(judged, bot, mode)


def search(client: httpx.Client, text: str, bot: str, mode: str, by_page: bool) -> dict[str, Any]:
    k = {"k": "50"} if by_page else {"k": str(DEPTH), "group": "document"}
    answer = client.get("/search", params={"query": text, "bot_id": bot, "mode": mode, **k})
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def names(results: list[dict[str, Any]], by_page: bool) -> list[str]:
    """Of the first ten documents, or pages of documents."""
    if not by_page:
        return [one["source_url"].removeprefix("doc:") for one in results]
    pages = (f"{one['source_url'].rpartition('/')[2]}#page={one['page']}" for one in results)
    return list(dict.fromkeys(pages))[:DEPTH]


def halved(client: httpx.Client, one: QuestionSet) -> Evaluation:
    part, truth = half(one)
    push(client, pushes(part.documents, part.name))
    return run(client, part.name, part.queries, part.grades, truth)


def from_pdfs(client: httpx.Client, one: QuestionSet) -> Evaluation | None:
    """Pages of the original files; a document's name is FILE.pdf#page=N. None without uploads."""
    assert one.folder is not None
    bot = f"{one.name}-pdf"
    for path in sorted((one.folder / "pdfs").glob("*.pdf")):
        answer = client.post(
            "/knowledge/upload",
            params={"wait": "true"},
            data={"bot_id": bot, "source_url": f"file:///{path.name}"},
            files={"file": (path.name, path.read_bytes(), "application/pdf")},
        )
        if answer.status_code in NO_UPLOAD:
            say(f"{one.name}: the PDFs are left out, this server takes no uploads")
            return None
        answer.raise_for_status()
        failed = [line for line in map(json.loads, answer.iter_lines()) if not line["success"]]
        if failed:
            raise RuntimeError(f"{path.name}: {failed}")
    return run(client, bot, one.queries, one.grades, by_page=True)


def spans_of(client: httpx.Client, folder: Path) -> dict[str, float]:
    """How much of the excerpts that answer the top five chunks of whole documents cover, and how
    much of those chunks is excerpt. Chunks that do not stand in their document cover nothing:
    `located` is the share of those that do."""
    rows = read_rows(folder / "documents.jsonl.gz")
    documents = {url_of(row): Placed(row["text"]) for row in rows}
    bot = f"{folder.name}-whole"
    push(client, pushes(rows, bot, format="text"))
    covered, precise, located = [], [], []
    for query in read_rows(folder / "queries.jsonl.gz"):
        if not query.get("excerpts"):
            continue
        wanted = {at for one in query["excerpts"] for at in range(one["start"], one["end"])}
        answer = client.get(
            "/search", params={"query": query["text"], "bot_id": bot, "k": str(TOP)}
        )
        answer.raise_for_status()
        got: set[int] = set()
        size = 0
        for hit in answer.json()["results"]:
            place = documents[hit["source_url"]].find(hit["text"])
            located.append(place is not None)
            size += len(place) if place is not None else len(hit["text"])
            if place is not None and hit["source_url"] == url_of({"id": query["doc"]}):
                got |= set(place)
        covered.append(len(wanted & got) / len(wanted))
        precise.append(len(wanted & got) / size if size else 0.0)
    return {
        "coverage_at_5": float(np.mean(covered)),
        "precision_at_5": float(np.mean(precise)),
        "located": float(np.mean(located)),
    }


if __name__ == "__main__":
    main()
