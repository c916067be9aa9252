"""How fast do documents get in, and what does it cost to push them again?"""

import random
import time
from pathlib import Path
from typing import Any

from corpus import SEED, Record, change_a_sentence, read_corpus, write_pushes
from figures import arguments, finish, ratio, say
from harness import Workspace, workspace

SAMPLE = 4096  # chunks that the bare embedder is given, before and after


def main() -> None:
    settings = arguments(__doc__).parse_args()
    records = read_corpus(settings.corpus, settings.limit, 300 if settings.small else 4000)
    with workspace(settings.model) as work:
        figures = measure(work, settings.model, records)
    finish("ingest", figures, settings)


def measure(work: Workspace, model: str, records: list[Record]) -> dict[str, Any]:
    pushes = write_pushes(records, work.folder / "pushes.jsonl")
    bare = _Bare(work.models, model, records)
    base = work.base("ingest")

    before = bare.rate()
    say(f"bare embedder: {before:.0f} chunks/s; pushing {len(records)} documents")
    first, report = base.ingest(pushes)
    after = bare.rate()
    say(f"{len(records) / first.seconds:.1f} documents/s; bare embedder: {after:.0f} chunks/s")
    again, unchanged = base.ingest(pushes)

    changed = max(1, len(records) // 100)
    chosen = set(random.Random(SEED).sample(range(len(records)), changed))
    edited = [change_a_sentence(r) if i in chosen else r for i, r in enumerate(records)]
    one_percent, edits = base.ingest(write_pushes(edited, work.folder / "edited.jsonl"))
    say(f"again {again.seconds:.2f} s, with 1 % changed {one_percent.seconds:.2f} s")

    chunks = report["chunks_embedded"] + report["chunks_reused"]
    bare_rate = (before + after) / 2
    return {
        "documents_per_s": len(records) / first.seconds,
        "share_of_embedder_rate": report["chunks_embedded"] / report["seconds"] / bare_rate,
        "peak_rss_mb": first.peak_rss_mb,
        "unchanged_speedup": ratio(report["seconds"], max(unchanged["seconds"], 0.01)),
        "one_percent_changed_s": one_percent.seconds,
        "documents": report["documents"],
        "chunks": chunks,
        "chunks_per_s": chunks / report["seconds"],
        "first_push": _times(first.seconds, report),
        "unchanged_push": _times(again.seconds, unchanged),
        "unchanged_speedup_of_commands": first.seconds / again.seconds,
        "one_percent_push": {
            **_times(one_percent.seconds, edits),
            "documents_changed": edits["embedded"],
            "chunks_embedded": edits["chunks_embedded"],
            "chunks_reused": edits["chunks_reused"],
        },
        "bare_embedder": {
            "chunks_per_s": bare_rate,
            "before": before,
            "after": after,
            "chunks": len(bare.sample),
            "how": "embed_passages on a random sample of the same embedded texts, in the "
            "benchmark's process, before and after the first push",
        },
        **base.sizes_mb(),
    }


def _times(command: float, report: dict[str, Any]) -> dict[str, float]:
    """`import_s` leaves the start of the process out, but not the loading of the model."""
    return {"command_s": command, "import_s": report["seconds"]}


class _Bare:
    """The embedder alone, on the texts that the service embeds."""

    def __init__(self, cache: Path, model: str, records: list[Record]) -> None:
        from rag_service.chunking import split
        from rag_service.documents import Document
        from rag_service.embedders import load_embedder
        from rag_service.parsing import parse

        self._embedder = load_embedder(model, cache)
        window, offsets = self._embedder.window, self._embedder.token_offsets
        texts: dict[str, None] = {}
        for r in records:
            document = Document(source_url=r.source_url, title=r.title, content=r.text)
            chunks = split(parse(document), window, offsets)
            texts.update((chunk.embedded_text, None) for chunk in chunks)
        self.sample = random.Random(SEED).sample(list(texts), min(SAMPLE, len(texts)))
        self._embedder.embed_passages(self.sample[:64])

    def rate(self) -> float:
        start = time.perf_counter()
        self._embedder.embed_passages(self.sample)
        return len(self.sample) / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
