"""Does a slow or a dead receiver hold up a healthy one, or the answers to questions?

Events are written while no server runs. Then one starts, with a webhook for the healthy receiver
alone, or with one more for a receiver that takes seconds and one where nobody listens. One client
asks questions meanwhile, and afterwards when all is quiet.
"""

import json
import subprocess
import sys
import time
from statistics import median
from typing import Any

from corpus import make_queries, read_corpus, write_pushes
from figures import arguments, finish, latencies, ratio, say
from harness import Base, Helper, Server, free_port, resident_mb, workspace

BOT = "events"
PATH = "/chat/default/message"
SLOW_S = 5.0
CONVERSATIONS = 1000
AT_MOST_S = 600

WRITE = """
import sys
from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import assemble
from rag_service.conversations.messages import Sender
from rag_service.settings import load_settings
from rag_service.conversations.store import NewMessage
bot, count, conversations = sys.argv[1], *map(int, sys.argv[2:])
text = "When do you open on Saturdays? " * 5
said = NewMessage(role="user", text=text, sender=Sender(type="user"))
with assemble(load_settings()) as service:
    for number in range(count):
        name = f"con_{number % conversations}"
        service.store.messages.add(ALL_BOTS, bot, name, said, create=True)
"""


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--events", type=int, help="10000, or 300")
    parser.add_argument("--rounds", type=int, help="3, or 1")
    settings = parser.parse_args()
    settings.events = settings.events or (300 if settings.small else 10_000)
    settings.rounds = settings.rounds or (1 if settings.small else 3)
    records = read_corpus(settings.corpus, settings.limit, 500 if settings.small else 5000)
    with workspace(settings.model) as work:
        base = work.base("webhooks")
        base.ingest(write_pushes(records, work.folder / "base.jsonl"))
        questions = make_queries([record.text for record in records], 500)
        _write(base.environ(), CONVERSATIONS)  # from now on a message is one event
        with Helper("receivers.py", base.environ(), str(SLOW_S)) as receivers:
            rounds = [
                (
                    _measure(base, receivers, questions, settings.events, together=False),
                    _measure(base, receivers, questions, settings.events, together=True),
                )
                for _ in range(settings.rounds)
            ]
    finish("webhooks", _figures(rounds, settings.events), settings)


def _measure(
    base: Base, receivers: Helper, questions: list[str], count: int, *, together: bool
) -> dict[str, Any]:
    ports = {name: one["port"] for name, one in receivers.ask({"forget": True}).items()}
    ports["dead"] = free_port()
    names = ["healthy", "slow", "dead"] if together else ["healthy"]
    environ = {**base.environ(), "RAG_WEBHOOK_ALLOW_PRIVATE": "true"}
    hooks = {name: _create(environ, ports[name]) for name in names}
    _write(environ, count)
    with (
        Server(base, RAG_WEBHOOK_ALLOW_PRIVATE="true") as server,
        Helper("client.py", environ, server.url, server.token) as client,
    ):
        chats: list[float] = []
        peak = 0.0
        deadline = time.monotonic() + AT_MOST_S
        while (seen := receivers.ask({}))["healthy"]["events"] < count:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{seen} after {AT_MOST_S} s")
            chats += _chat(client, questions, 0.5)
            peak = max(peak, resident_mb(server.process.pid))
        quiet = _chat(client, questions, 10)
        log = _deliveries(server, hooks)
    for hook in hooks.values():
        _command(environ, "webhook", "delete", hook)
    healthy = seen["healthy"]
    say(f"{'with slow and dead' if together else 'alone'}: {healthy}, chat {latencies(chats)}")
    return {
        "seconds": healthy["seconds"],
        "repeated": healthy["requests"] - healthy["events"],
        "chat": chats,
        "quiet": quiet,
        "peak_rss_mb": peak,
        "log": log,
    }


def _figures(rounds: list[tuple[dict[str, Any], dict[str, Any]]], events: int) -> dict[str, Any]:
    alone, together = zip(*rounds, strict=True)
    seconds = median(one["seconds"] for one in alone), median(one["seconds"] for one in together)
    # quiet is when nothing at all is delivered: after the healthy one alone has had everything
    quiet = latencies([t for one in alone for t in one["quiet"]])
    beside = latencies([t for one in together for t in one["chat"]])
    return {
        "seconds_ratio": ratio(seconds[1], seconds[0]),
        "chat_p50_ratio": ratio(beside["p50_ms"], quiet["p50_ms"]),
        "chat_p95_ratio": ratio(beside["p95_ms"], quiet["p95_ms"]),
        "events_per_s": {"alone": events / seconds[0], "together": events / seconds[1]},
        "seconds": {
            "alone": [one["seconds"] for one in alone],
            "together": [one["seconds"] for one in together],
        },
        "repeated": sum(one["repeated"] for one in (*alone, *together)),
        "chat": {
            "quiet": quiet,
            "beside_healthy": latencies([t for one in alone for t in one["chat"]]),
            "beside_all": beside,
        },
        "peak_rss_mb": {
            "alone": max(one["peak_rss_mb"] for one in alone),
            "together": max(one["peak_rss_mb"] for one in together),
        },
        "deliveries": together[-1]["log"],
        "slow_s": SLOW_S,
    }


def _create(environ: dict[str, str], port: int) -> str:
    url = f"http://127.0.0.1:{port}/"
    made = json.loads(_command(environ, "webhook", "create", url, "--bot", BOT, "--json"))
    hook: str = made["id"]
    return hook


def _write(environ: dict[str, str], count: int) -> None:
    arguments = [BOT, str(count), str(CONVERSATIONS)]
    subprocess.run([sys.executable, "-c", WRITE, *arguments], env=environ, check=True)


def _chat(client: Helper, questions: list[str], seconds: float) -> list[float]:
    bodies = [{"message": question} for question in questions]
    taken: list[float] = client.ask({"path": PATH, "bodies": bodies, "seconds": seconds})[
        "latencies"
    ]
    return taken


def _deliveries(server: Server, hooks: dict[str, str]) -> dict[str, dict[str, int]]:
    """By webhook and status."""
    with server.client() as client:

        def count(hook: str, status: str) -> int:
            path, query = f"/webhooks/{hook}/deliveries", {"status": status, "limit": 1}
            answer = client.get(path, params=query)
            answer.raise_for_status()
            total: int = answer.json()["data"]["pagination"]["total"]
            return total

        statuses = ("delivered", "pending", "failed")
        return {name: {s: count(hook, s) for s in statuses} for name, hook in hooks.items()}


def _command(environ: dict[str, str], *words: str) -> str:
    command = [sys.executable, "-m", "rag_service", *words]
    return subprocess.run(
        command, env=environ, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


if __name__ == "__main__":
    main()
