"""How fast do documents get in, and what does it cost to push them again?"""

import random
import time
from pathlib import Path
from statistics import harmonic_mean
from typing import Any

from corpus import SEED, Record, change_a_sentence, read_corpus, write_pushes
from figures import arguments, finish, ratio, say
from harness import Turns, Workspace, workspace

SAMPLE = 2048  # chunks that the bare embedder is given at a time
TURN_S = 30.0


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

    rates = [bare.rate()]
    say(f"bare embedder: {rates[0]:.0f} chunks/s; pushing {len(records)} documents")
    turns = Turns(TURN_S, lambda: rates.append(bare.rate()))
    first, report = base.ingest(pushes, turns)
    command_s, import_s = (s - turns.stopped_s for s in (first.seconds, report["seconds"]))
    rates.append(bare.rate())
    bare_rate = harmonic_mean(rates)
    say(f"{len(records) / command_s:.1f} documents/s; bare embedder: {bare_rate:.0f} chunks/s")
    again, unchanged = base.ingest(pushes)

    changed = max(1, len(records) // 100)
    chosen = set(random.Random(SEED).sample(range(len(records)), changed))
    edited = [change_a_sentence(r) if i in chosen else r for i, r in enumerate(records)]
    one_percent, edits = base.ingest(write_pushes(edited, work.folder / "edited.jsonl"))
    say(f"again {again.seconds:.2f} s, with 1 % changed {one_percent.seconds:.2f} s")

    chunks = report["chunks_embedded"] + report["chunks_reused"]
    return {
        "documents_per_s": len(records) / command_s,
        "share_of_embedder_rate": report["chunks_embedded"] / import_s / bare_rate,
        "parsing_share": bare.parsing_s * bare_rate,
        "peak_rss_mb": first.peak_rss_mb,
        "unchanged_speedup": ratio(import_s, max(unchanged["seconds"], 0.01)),
        "one_percent_changed_s": one_percent.seconds,
        "documents": report["documents"],
        "chunks": chunks,
        "chunks_per_s": chunks / import_s,
        "first_push": _times(command_s, import_s),
        "unchanged_push": _times(again.seconds, unchanged["seconds"]),
        "unchanged_speedup_of_commands": command_s / again.seconds,
        "one_percent_push": {
            **_times(one_percent.seconds, edits["seconds"]),
            "documents_changed": edits["embedded"],
            "chunks_embedded": edits["chunks_embedded"],
            "chunks_reused": edits["chunks_reused"],
        },
        "bare_embedder": {
            "chunks_per_s": bare_rate,
            "each": rates,
            "chunks": SAMPLE,
            "how": "embed_passages on random samples of the same embedded texts, in the "
            "benchmark's process, before and after the first push and every 30 s of it; "
            "the push is stopped meanwhile",
        },
        **base.sizes_mb(),
    }


def _times(command_s: float, import_s: float) -> dict[str, float]:
    """`import_s` leaves the start of the process out, but not the loading of the model."""
    return {"command_s": command_s, "import_s": import_s}


class _Bare:
    """The embedder alone, on the texts that the service embeds."""

    def __init__(self, cache: Path, model: str, records: list[Record]) -> None:
        from rag_service.documents import Document
        from rag_service.knowledge.chunking import split
        from rag_service.models.embedders import load_embedder
        from rag_service.readers import parse

        self._embedder = load_embedder(model, cache)
        window, offsets = self._embedder.window, self._embedder.token_offsets
        texts: dict[str, None] = {}
        start = time.perf_counter()
        for r in records:
            document = Document(source_url=r.source_url, title=r.title, content=r.text)
            chunks = split(parse(document), window, offsets)
            texts.update((chunk.embedded_text, None) for chunk in chunks)
        self.parsing_s = (time.perf_counter() - start) / max(1, len(texts))
        """For each chunk that is embedded: to parse its document and to cut it."""
        self._texts = list(texts)
        self._choice = random.Random(SEED)
        self._embedder.embed_passages(self._sample()[:64])

    def rate(self) -> float:
        sample = self._sample()
        start = time.perf_counter()
        self._embedder.embed_passages(sample)
        return len(sample) / (time.perf_counter() - start)

    def _sample(self) -> list[str]:
        return self._choice.sample(self._texts, min(SAMPLE, len(self._texts)))


if __name__ == "__main__":
    main()
