"""A program that pushes and removes until it is killed, and tells each operation on its output.

`begin` goes out before an operation and `done` after it returned: whoever reads a `done` may
rely on what was written. Run as `python crashing.py FOLDER SEED`; it begins at the first line of
its input.
"""

import random
import sys
from pathlib import Path

import msgspec
from shelf import page, settings_in

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import Service, assemble
from rag_service.documents import DEFAULT_BOT, Document
from rag_service.knowledge.lines import Line

NAMES = [f"page{n}" for n in range(30)]


def content(name: str, version: str) -> str:
    """Three chunks, each of which names the version."""
    marker = f"{name}v{version}"
    return "\n\n".join(f"# Part {part} of {marker}\n\n" + f"{marker} " * 45 for part in "abc")


def tell(word: str, operation: dict[str, str | None]) -> None:
    sys.stdout.buffer.write(msgspec.json.encode([word, operation]) + b"\n")
    sys.stdout.buffer.flush()


def main(folder: Path, seed: str) -> None:
    rng = random.Random(seed)
    with assemble(settings_in(folder)) as service:
        for step in range(10_000):
            kind = rng.choices(["push", "remove", "import", "seal"], [6, 3, 2, 2])[0]
            if kind == "seal":
                service.store.views.seal(DEFAULT_BOT, share=0)
                continue
            some = rng.sample(NAMES, rng.randint(2, 8) if kind == "import" else 1)
            version = None if kind == "remove" else f"{seed}x{step}"
            operation = dict.fromkeys(some, version)
            tell("begin", operation)
            carry_out(service, kind, operation)
            tell("done", operation)


def carry_out(service: Service, kind: str, operation: dict[str, str | None]) -> None:
    urls = [page(name, "").source_url for name in operation]
    if kind == "remove":
        service.knowledge.remove(ALL_BOTS, DEFAULT_BOT, urls)
        return
    documents: list[Document] = [
        page(name, content(name, version), title=name)
        for name, version in operation.items()
        if version is not None
    ]
    if kind == "push":
        service.knowledge.upsert(ALL_BOTS, documents)
    else:
        lines = [Line(number=n, document=d) for n, d in enumerate(documents, 1)]
        assert sum(len(group) for group in service.importer.run(ALL_BOTS, lines)) == len(documents)


if __name__ == "__main__":
    sys.stdin.readline()
    main(Path(sys.argv[1]), sys.argv[2])
