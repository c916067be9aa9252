"""How fast are passages embedded, beside plain sentence-transformers and beside the machine?"""

import random
import time
from pathlib import Path
from typing import Any

import numpy as np
from corpus import SEED, make_queries, read_corpus
from figures import arguments, finish, latencies, ratio, say
from harness import workspace

ROUNDS = 4
_SECONDS = {True: 0.3, False: 1.5}  # how long a matrix product is repeated


def main() -> None:
    settings = arguments(__doc__).parse_args()
    records = read_corpus(settings.corpus, settings.limit, 120 if settings.small else 4000)
    texts = [record.text for record in records]
    # slices of one mix of lengths, whatever the order of the corpus
    random.Random(SEED).shuffle(texts)
    with workspace(settings.model) as work:
        figures = measure(settings.model, work.models, texts, make_queries(texts, 100), settings)
    finish("embedding", figures, settings)


def measure(
    model: str, cache: Path, texts: list[str], queries: list[str], settings: Any
) -> dict[str, Any]:
    from sentence_transformers import SentenceTransformer

    from rag_service.models.embedders import load_embedder
    from rag_service.models.embedders.model_folder import find_model

    ours = load_embedder(model, cache)
    folder = find_model(model.rpartition(":")[2], cache).path
    plain = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    lengths = _lengths(plain, texts)

    def embed(some: list[str]) -> Any:
        return ours.embed_passages(some)

    def encode(some: list[str]) -> Any:
        return plain.encode_document(some, batch_size=32, normalize_embeddings=True)

    def ask(text: str) -> Any:
        return plain.encode_query([text], normalize_embeddings=True)

    peak = _matrix_peak(_SECONDS[settings.small])
    say("warming up")
    for warm in (embed, encode):
        warm(texts[:64])
    took = {embed: 0.0, encode: 0.0}
    cosines = []
    step = -(-len(texts) // ROUNDS)
    for number, start in enumerate(range(0, len(texts), step)):
        some = texts[start : start + step]
        vectors = {}
        for side in (embed, encode) if number % 2 == 0 else (encode, embed):
            began = time.perf_counter()
            vectors[side] = side(some)
            took[side] += time.perf_counter() - began
        cosines.append((vectors[embed] * vectors[encode]).sum(axis=1))
        say(f"{start + len(some)} texts: {took[embed]:.1f} s, plain {took[encode]:.1f} s")
    peak = max(peak, _matrix_peak(_SECONDS[settings.small]), key=lambda found: found["gflops"])

    tokens = int(lengths.sum())
    flop = _flop_per_token(plain, lengths)
    asked = _questions(ours.embed_query, ask, queries)
    return {
        "ratio_to_sentence_transformers": took[encode] / took[embed],
        "share_of_matrix_peak": tokens / took[embed] * flop["total"] / (peak["gflops"] * 1e9),
        "min_cosine": float(np.concatenate(cosines).min()),
        "mean_cosine": float(np.concatenate(cosines).mean()),
        "texts": len(texts),
        "tokens_per_text": tokens / len(texts),
        "ours": {
            **_rates(len(texts), tokens, took[embed]),
            "query_p50_ms": asked[0]["p50_ms"],
            "precision": getattr(ours, "_precision", "f32"),
            "runner": type(ours).__name__,
        },
        "sentence_transformers": {
            **_rates(len(texts), tokens, took[encode]),
            "query_p50_ms": asked[1]["p50_ms"],
            "precision": str(next(plain.parameters()).dtype).removeprefix("torch."),
        },
        "query_ratio_to_sentence_transformers": ratio(asked[1]["p50_ms"], asked[0]["p50_ms"]),
        "matrix_peak": peak,
        "flop_per_token": flop,
    }


def _rates(texts: int, tokens: int, seconds: float) -> dict[str, float]:
    return {"texts_per_s": texts / seconds, "tokens_per_s": tokens / seconds}


def _lengths(plain: Any, texts: list[str]) -> np.ndarray:
    """Tokens of each text that the model reads, special ones included."""
    encoded = plain.tokenizer(texts, truncation=True, max_length=plain.max_seq_length)
    return np.array([len(ids) for ids in encoded["input_ids"]])


def _flop_per_token(plain: Any, lengths: np.ndarray) -> dict[str, Any]:
    """2 for each weight that is multiplied, and 4 L hidden for the attention of each layer.

    L is the length that a token meets on average: of its own text, without padding.
    """
    transformer = plain[0].auto_model
    parameters = sum(
        parameter.numel()
        for name, parameter in transformer.named_parameters()
        if not name.startswith(("embeddings.", "pooler."))
    )
    met = float((lengths**2).sum() / lengths.sum())
    config = transformer.config
    attention = 4 * met * config.hidden_size * config.num_hidden_layers
    return {
        "total": 2 * parameters + attention,
        "formula": "2 * parameters + 4 * L * hidden * layers; no embedding tables, no padding",
        "parameters": parameters,
        "L": met,
    }


def _matrix_peak(seconds: float) -> dict[str, Any]:
    """The best square product that PyTorch sustains on all cores."""
    import torch

    best: dict[str, Any] = {"gflops": 0.0}
    for kind in (torch.bfloat16, torch.float32):
        for size in (2048, 4096):
            a = torch.randn(size, size).to(kind)
            b = torch.randn(size, size).to(kind)
            out = torch.empty(size, size, dtype=kind)
            torch.matmul(a, b, out=out)
            count = 0
            start = time.perf_counter()
            while (elapsed := time.perf_counter() - start) < seconds:
                torch.matmul(a, b, out=out)
                count += 1
            gflops = 2 * size**3 * count / elapsed / 1e9
            if gflops > best["gflops"]:
                name = str(kind).removeprefix("torch.")
                threads = torch.get_num_threads()
                best = {"gflops": gflops, "type": name, "size": size, "threads": threads}
    say(f"matrix peak: {best['gflops']:.0f} GFLOP/s")
    return best


def _questions(ours: Any, plain: Any, queries: list[str]) -> list[dict[str, float]]:
    """One text at a time, in blocks of ten of one and ten of the other."""
    took: list[list[float]] = [[], []]
    for start in range(0, len(queries), 10):
        for side, ask in enumerate((ours, plain)):
            for query in queries[start : start + 10]:
                began = time.perf_counter()
                ask(query)
                took[side].append(time.perf_counter() - began)
    return [latencies(side) for side in took]


if __name__ == "__main__":
    main()
