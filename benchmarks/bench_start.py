"""How long from the start of the process until it answers, beside loading the model in a script?"""

import subprocess
import sys
import time
from statistics import median
from typing import Any

from corpus import make_queries, read_corpus, write_pushes
from figures import add_existing, arguments, finish, say
from harness import Base, Server, Workspace, existing_base, workspace

TIMES = 5
_SCRIPT = """
import sys
from sentence_transformers import SentenceTransformer
SentenceTransformer(sys.argv[1], device="cpu", local_files_only=True)
print("ready", flush=True)
"""


def main() -> None:
    parser = arguments(__doc__)
    add_existing(parser)
    parser.add_argument("--times", type=int, help="how often; the medians count. 5, or 2")
    settings = parser.parse_args()
    times = settings.times or (2 if settings.small else TIMES)
    with workspace(settings.model) as work:
        records = read_corpus(settings.corpus, settings.limit, 300 if settings.small else 4000)
        base = existing_base(settings)
        if base is None:
            say(f"ingesting {len(records)} documents")
            base = work.base("start")
            base.ingest(write_pushes(records, work.folder / "pushes.jsonl"))
        query = make_queries([record.text for record in records], 1)[0]
        figures = measure(work, base, query, times)
    finish("start", figures, settings)


def measure(work: Workspace, base: Base, query: str, times: int) -> dict[str, Any]:
    """The first round of both is for the page cache and is not counted."""
    from rag_service.models.embedders.model_folder import find_model

    folder = str(find_model(base.model.rpartition(":")[2], work.models).path)
    ready: list[float] = []
    found: list[float] = []
    script: list[float] = []
    for number in range(times + 1):
        first = _service(base, query)
        second = _loading(base, folder)
        say(f"ready {first[0]:.2f} s, first search {first[1]:.2f} s, script {second:.2f} s")
        if number:
            ready.append(first[0])
            found.append(first[1])
            script.append(second)
    return {
        "ready_s": median(ready),
        "first_search_s": median(found),
        "ratio_to_script": median(ready) / median(script),
        "ratio_first_search_to_script": median(found) / median(script),
        "script_s": median(script),
        "ready_each_s": ready,
        "first_search_each_s": found,
        "script_each_s": script,
        **base.sizes_mb(),
    }


def _service(base: Base, query: str) -> tuple[float, float]:
    """Seconds from the start of the process to utils_loaded, and to the answer of a search."""
    with Server(base) as server, server.client() as client:
        client.post("/search", json={"query": query}).raise_for_status()
        return server.ready_s, time.perf_counter() - server.started


def _loading(base: Base, folder: str) -> float:
    start = time.perf_counter()
    command = [sys.executable, "-c", _SCRIPT, folder]
    with subprocess.Popen(
        command,
        env=base.environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout
        if process.stdout.readline() != b"ready\n":
            raise RuntimeError("the script could not load the model")
        return time.perf_counter() - start


if __name__ == "__main__":
    main()
