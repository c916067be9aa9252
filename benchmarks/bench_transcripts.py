"""Does a page of the transcripts take the same whatever the filter, and however deep it lies?

Rows are written straight into the database: a million messages through the service would take an
hour, and what is measured is how they are read.
"""

import random
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

from corpus import SEED
from figures import arguments, finish, latencies, ratio, say
from harness import Base, Server, workspace

ROWS = 1_000_000
A_CONVERSATION = 10
STEP_S = 20
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = (
    "how do i open the account close order shipping germany canada price invoice refund",
    "password reset delivery late broken item return policy hours business",
)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=int, help=f"messages; {ROWS}, or 20000 with --small")
    settings = parser.parse_args()
    rows = settings.rows or (20_000 if settings.small else ROWS)
    settings.model = "hashing:64"
    with workspace(settings.model) as work:
        base = work.base("transcripts")
        base.run("bot", "create", "shop")
        say(f"writing {rows} rows")
        fill(base, rows)
        with Server(base) as server:
            figures = measure(server, rows) | {"rows": rows, **base.sizes_mb()}
    finish("transcripts", figures, settings)


def fill(base: Base, rows: int) -> None:
    rng = random.Random(SEED)
    words = " ".join(WORDS).split()
    with closing(sqlite3.connect(base.data / "rag.db")) as connection, connection:
        connection.executemany(
            """insert into conversations (conversation_id, bot, metadata, created_at, updated_at)
            values (?, 1, '{}', ?, ?)""",
            ((f"conv_{n}", at(0), at(0)) for n in range(rows // A_CONVERSATION + 1)),
        )
        connection.executemany(
            """insert into messages (message_id, conversation, bot, kind, text, created_at, sender,
            metadata) values (?, ?, 1, ?, ?, ?, '{"type": "user"}', '{}')""",
            (
                (
                    f"msg_{n}",
                    1 + n // A_CONVERSATION,
                    3 * (n % 2) + (1 if rng.random() < 0.1 else 2),
                    " ".join(rng.choices(words, k=12)),
                    at(n),
                )
                for n in range(rows)
            ),
        )


def at(row: int) -> str:
    moment = FIRST + timedelta(seconds=STEP_S * row)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def measure(server: Server, rows: int) -> dict[str, Any]:
    pages: dict[str, dict[str, Any]] = {
        "first": {},
        "deepest": {"offset": rows - 100},
        "middle": {"offset": rows // 2},
        "deepest_ascending": {"offset": rows - 100, "order": "asc"},
        "role": {"role": "user"},
        "gaps": {"role": "user", "has_rag_context": "no"},
        "gaps_deepest": {"role": "user", "has_rag_context": "no", "offset": rows // 20 - 500},
        "since": {"since": at(rows // 2)},
        "until": {"until": at(rows // 2)},
        "between": {"since": at(rows // 2), "until": at(rows // 2 + 5000), "role": "user"},
        "session": {"session_id": "conv_77"},
        "bot": {"bot_id": "shop"},
        "q": {"q": "refund password"},
        "q_frequent": {"q": "shipping"},
    }
    took: dict[str, list[float]] = {name: [] for name in pages}
    with server.client() as client:
        for turn in range(11):
            for name, query in pages.items():
                start = time.perf_counter()
                client.get("/transcripts", params={"limit": 100, **query}).raise_for_status()
                if turn:
                    took[name].append(time.perf_counter() - start)
    figures = {name: latencies(seconds)["p50_ms"] for name, seconds in took.items()}
    say(", ".join(f"{name} {ms:.1f} ms" for name, ms in figures.items()))
    ratios = {name: ratio(ms, figures["first"]) for name, ms in figures.items()}
    return {
        "p50_ms": figures,
        "ratio_to_first_page": ratios,
        "worst_ratio_of_the_seed_filters": max(
            value for name, value in ratios.items() if value and not name.startswith("q")
        ),
    }


if __name__ == "__main__":
    main()
