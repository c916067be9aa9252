"""How much slower is a chat message since unanswered questions are kept as signals?

Two servers with the same pages, one of this checkout and one of another (`--before`: the commit
before there were signals, or this one with `signal_of` giving None), answer the same messages by
turns, each first every other time. Half of the questions are in words that no page has.
"""

from pathlib import Path
from typing import Any

import httpx
from corpus import Record, make_queries, read_corpus, write_pushes
from figures import arguments, finish, latencies, ratio, say
from harness import Base, Server, Workspace, cpu_s, workspace

PATH = "/chat/default/message"
AT_MOST = 1.05


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--before", type=Path, help="another checkout; this one twice without")
    parser.add_argument("--messages", type=int, default=1000)
    settings = parser.parse_args()
    if settings.small:
        settings.messages = 20
    records = read_corpus(settings.corpus, settings.limit, 100 if settings.small else 2000)
    half = len(records) // 2
    with workspace(settings.model) as work:
        bases = [
            filled(work, name, source, records[:half])
            for name, source in (("now", None), ("before", settings.before))
        ]
        figures = measure(bases, questions_of(records, half, settings.messages))
    finish("gap_cost", figures, settings)


def filled(work: Workspace, name: str, source: Path | None, records: list[Record]) -> Base:
    base = work.base(name, source.resolve() if source else None)
    base.ingest(write_pushes(records, work.folder / "base.jsonl"))
    return base


def questions_of(records: list[Record], half: int, count: int) -> list[str]:
    """Of pages that are there, and of others in words spelt backwards, by turns."""
    texts = [record.text for record in records]
    known = make_queries(texts[:half], count // 2)
    unknown = [query[::-1] for query in make_queries(texts[half:], count // 2)]
    return [question for pair in zip(known, unknown, strict=True) for question in pair]


def measure(bases: list[Base], questions: list[str]) -> dict[str, Any]:
    took: dict[tuple[str, bool], list[float]] = {}
    with (
        Server(bases[0]) as now,
        Server(bases[1]) as before,
        now.client() as ours,
        before.client() as theirs,
    ):
        servers = [("now", ours), ("before", theirs)]
        cpu = {"now": 0.0, "before": 0.0}
        for number, question in enumerate(questions):
            if number == len(questions) // 20:
                cpu = {"now": cpu_s(now.process.pid), "before": cpu_s(before.process.pid)}
            for name, client in servers if number % 2 else reversed(servers):
                seconds, is_answered = message(client, question)
                if number >= len(questions) // 20:  # the first ones warm up
                    took.setdefault((name, is_answered), []).append(seconds)
        cpu = {
            "now": cpu_s(now.process.pid) - cpu["now"],
            "before": cpu_s(before.process.pid) - cpu["before"],
        }
        gaps = ours.get("/gaps", params={"limit": 1}).json()["total"]
    figures: dict[str, Any] = {"gaps": gaps, "server_cpu_s": cpu}
    figures["ratio_of_server_cpu"] = ratio(cpu["now"], cpu["before"])
    for name, which in (("answered", (True,)), ("unanswered", (False,)), ("all", (True, False))):
        here, there = (
            latencies([second for one in which for second in took.get((server, one), [])])
            for server, _ in servers
        )
        figures[name] = {"now": here, "before": there}
        figures[f"ratio_{name}"] = ratio(here.get("p50_ms"), there.get("p50_ms"))
        say(f"{name}: {figures[f'ratio_{name}']}")
    return figures | {"is_within": (figures["ratio_all"] or 0) <= AT_MOST}


def message(client: httpx.Client, question: str) -> tuple[float, bool]:
    """Seconds by the clock of the client, and whether pages answered it."""
    answer = client.post(PATH, json={"message": question})
    answer.raise_for_status()
    return answer.elapsed.total_seconds(), bool(answer.json()["data"]["hasRagContext"])


if __name__ == "__main__":
    main()
