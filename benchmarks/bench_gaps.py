"""Do gaps close when the pages come that answer them, and open again when those go?

Half of the pages of each set are pushed to a bot of its own, and every question of the set is asked
over HTTP. The other half is pushed, and then a tenth of all pages is deleted, each time until the
ledger has nothing left to consider. Of the questions that found nothing at first:

- recall: of those whose page came, the share that is answered now;
- precision: of those that came and are answered, the share whose best passage is of a page that
  answers them;
- closed_without: of those that no page of the set answers, the share that is answered all the same;
- reopened: of those that were answered by a page that answers them and that all went, the share
  that is open again.
"""

import random
import time
from pathlib import Path
from typing import Any

import httpx
from corpus import SEED
from evalsets import QuestionSet, Row, half, pushes, question_sets, url_of
from figures import arguments, finish, say
from harness import Server, workspace

MOST_ASKED = 1000


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--sets", type=Path, help="folders as benchmarks/evalsets.py reads them")
    parser.add_argument("--only", nargs="*", help="names of sets")
    settings = parser.parse_args()
    sets = question_sets(settings.sets, settings.small)
    sets = [one for one in sets if not settings.only or one.name in settings.only]
    with (
        workspace(settings.model) as work,
        Server(work.base("gaps")) as server,
        server.client() as client,
    ):
        client.timeout = httpx.Timeout(600)
        figures = {one.name: measure(client, one) for one in sets}
    finish("gaps", figures, settings)


def measure(client: httpx.Client, one: QuestionSet) -> dict[str, Any]:
    first, _ = half(one)
    there = {row["id"] for row in first.documents}
    later = [row for row in one.documents if row["id"] not in there]
    queries = random.Random(SEED).sample(one.queries, min(MOST_ASKED, len(one.queries)))
    push(client, one.name, first.documents)
    texts = ask(client, one.name, queries)
    settle(client, one.name)
    gaps = listed(client, one.name)
    before = answered(client, gaps)
    push(client, one.name, later)
    waited = settle(client, one.name)
    after = answered(client, listed(client, one.name))
    relevant = {texts[query["id"]]: query for query in queries if query["id"] in texts}
    grades = {text: set(one.grades.get(query["id"], {})) for text, query in relevant.items()}
    open_first = [text for text, is_answered in before.items() if not is_answered]
    came = [text for text in open_first if grades[text] and not grades[text] & there]
    closed = [text for text in open_first if after.get(text)]
    best = {text: best_page(client, one.name, text) for text in closed}
    came_closed = [text for text in came if text in best]
    without = [text for text in open_first if not grades[text]]
    right = {text for text in closed if best[text] in grades[text]}
    gone = deleted(one, right, best)
    for url in gone:
        client.request(
            "DELETE", "/knowledge", json={"source_url": f"doc:{url}", "bot_id": one.name}
        ).raise_for_status()
    settle(client, one.name)
    last = answered(client, listed(client, one.name))
    went = [text for text in right if grades[text] <= set(gone)]
    figures = {
        "questions": len(queries),
        "unanswered_at_first": len(before),
        "gaps": len(gaps),
        "came": len(came),
        "recall": share(came, lambda text: after.get(text, False)),
        "closed": len(closed),
        "precision": share(came_closed, lambda text: text in right),
        "closed_without": share(without, lambda text: after.get(text, False)),
        "went": len(went),
        "reopened": share(went, lambda text: not last.get(text, True)),
        "settled_after_push_s": waited,
    }
    say(f"{one.name}: {figures}")
    return figures


def share(of: list[str], is_so: Any) -> float | None:
    return sum(bool(is_so(one)) for one in of) / len(of) if of else None


def deleted(one: QuestionSet, right: set[str], best: dict[str, str]) -> list[str]:
    """A tenth of the pages: of those that closed questions as far as there are so many."""
    closing = sorted({best[text] for text in right})
    rest = sorted({row["id"] for row in one.documents} - set(closing))
    generator = random.Random(SEED)
    generator.shuffle(closing)
    generator.shuffle(rest)
    return [*closing, *rest][: max(1, len(one.documents) // 10)]


def push(client: httpx.Client, bot: str, rows: list[Row]) -> None:
    answer = client.post("/knowledge/batch?wait=true", content=pushes(rows, bot))
    answer.raise_for_status()


def ask(client: httpx.Client, bot: str, queries: list[Row]) -> dict[str, str]:
    """By query, its text as the transcripts have it."""
    asked = {}
    for query in queries:
        client.post(f"/bot/{bot}", json={"message": query["text"]}).raise_for_status()
        asked[query["id"]] = query["text"]
    return asked


def settle(client: httpx.Client, bot: str) -> float:
    """Until the ledger has considered everything; how many seconds that took."""
    start = time.perf_counter()
    while client.get("/gaps", params={"bot_id": bot, "limit": 1}).json()["pending"]:
        time.sleep(0.1)
    return time.perf_counter() - start


def listed(client: httpx.Client, bot: str) -> list[Row]:
    found: list[Row] = []
    params: dict[str, Any] = {"bot_id": bot, "state": "all", "limit": 1000}
    while page := client.get("/gaps", params={**params, "offset": len(found)}).json()["items"]:
        found += page
    return found


def answered(client: httpx.Client, gaps: list[Row]) -> dict[str, bool]:
    """By question."""
    return {
        item["text"]: item["answered"]
        for gap in gaps
        for item in client.get(f"/gaps/{gap['gap_id']}", params={"limit": 1000}).json()["items"]
    }


def best_page(client: httpx.Client, bot: str, query: str) -> str:
    params: dict[str, Any] = {"query": query, "bot_id": bot, "k": 1}
    hits = client.get("/search", params=params).json()["results"]
    return hits[0]["source_url"].removeprefix(url_of({"id": ""})) if hits else ""


if __name__ == "__main__":
    main()
