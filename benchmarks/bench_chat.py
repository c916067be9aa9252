"""What does an answer take beyond the search for it, and what does an import do to that?

The extractive model answers, so that no language model covers up what the service itself takes.
"""

import json
import time
from itertools import cycle, islice
from typing import Any

import httpx
from corpus import make_queries, read_corpus, write_pushes
from figures import add_existing, arguments, finish, latencies, ratio, say
from harness import Base, Helper, Server, Workspace, existing_base, workspace

PATH = "/chat/default/message"
CLIENTS = 8
AT_MOST_S = 300  # beside an import


def main() -> None:
    parser = arguments(__doc__)
    add_existing(parser)
    settings = parser.parse_args()
    count = 50 if settings.small else 400
    records = read_corpus(settings.corpus, settings.limit, 2000 if settings.small else 12_000)
    with workspace(settings.model) as work:
        base = existing_base(settings)
        half = len(records) // 2
        if base is None:
            base = work.base("chat")
            say(f"ingesting {half} documents")
            base.ingest(write_pushes(records[:half], work.folder / "base.jsonl"))
        questions = make_queries([record.text for record in records[:half]], count)
        with Server(base) as server:
            figures = measure(base, server, questions)
            if settings.data_dir is None:  # nobody's own base is written to
                pushes = write_pushes(records[half:], work.folder / "more.jsonl")
                figures |= beside_an_import(work, base, server, questions, pushes.read_bytes())
    finish("chat", figures, settings)


def measure(base: Base, server: Server, questions: list[str]) -> dict[str, Any]:
    bodies = [{"message": question} for question in questions]
    searches = [{"query": question, "k": 5} for question in questions]
    with Helper("client.py", base.environ(), server.url, server.token) as client:
        client.ask({"path": PATH, "bodies": bodies[:20]})
        # the same questions by turns, so that both see the same machine
        took: dict[str, list[float]] = {PATH: [], "/search": []}
        for start in range(0, len(questions), 25):
            for path, given in ((PATH, bodies), ("/search", searches)):
                answer = client.ask({"path": path, "bodies": given[start : start + 25]})
                took[path] += answer["latencies"]
        many = client.ask({"path": PATH, "bodies": bodies * 4, "clients": CLIENTS})
    with server.client() as reader:
        first = [first_byte(reader, question) for question in questions]
    message, search = latencies(took[PATH]), latencies(took["/search"])
    say(f"message {message['p50_ms']:.2f} ms, its search {search['p50_ms']:.2f} ms")
    outside = message["p50_ms"] - search["p50_ms"]
    return {
        "message": message,
        "search": search,
        "share_outside_search": ratio(outside, message["p50_ms"]),
        "first_byte": latencies(first),
        "messages_per_s_8_clients": len(many["latencies"]) / many["seconds"],
        "questions": len(questions),
    }


def first_byte(client: httpx.Client, question: str) -> float:
    """Seconds to the first byte of the stream; the rest of it is read too."""
    start = time.perf_counter()
    with client.stream("POST", "/chat/default/stream", json={"message": question}) as answer:
        parts = answer.iter_bytes()
        next(parts)
        seconds = time.perf_counter() - start
        for _ in parts:
            pass
    return seconds


def beside_an_import(
    work: Workspace, base: Base, server: Server, questions: list[str], pushes: bytes
) -> dict[str, Any]:
    bodies = [{"message": question} for question in islice(cycle(questions), 20_000)]
    with (
        Helper("client.py", base.environ(), server.url, server.token) as client,
        server.client() as pusher,
    ):
        idle = client.ask({"path": PATH, "bodies": bodies[: 2 * len(questions)]})
        job = json.loads(pusher.post("/knowledge/batch", content=pushes).content)["job_id"]
        during: list[float] = []
        end = time.monotonic() + AT_MOST_S
        while time.monotonic() < end:
            during += client.ask({"path": PATH, "bodies": bodies, "seconds": 2})["latencies"]
            if pusher.get(f"/jobs/{job}").json()["state"] not in ("queued", "running"):
                break
    calm, busy = latencies(idle["latencies"]), latencies(during)
    say(f"p95 {calm['p95_ms']:.2f} ms idle, {busy['p95_ms']:.2f} ms beside an import")
    return {
        "p95_ratio": ratio(busy["p95_ms"], calm["p95_ms"]),
        "idle": calm,
        "beside_an_import": busy,
    }


if __name__ == "__main__":
    main()
