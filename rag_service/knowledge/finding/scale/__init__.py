"""What the cosines of an embedding model mean, measured on the model.

Every model has a scale of its own: of unrelated texts all-MiniLM-L6-v2 says 0.03, and
multilingual-e5-small 0.76. What is said of a cosine elsewhere is said of its place between chance
and a sure answer.
"""

import os
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import TypeVar
from zipfile import BadZipFile

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from rag_service.documents import Vectors
from rag_service.errors import ModelUnavailable
from rag_service.knowledge.embedder import Embedder

LEAST_SPREAD = 0.01
"""Between chance and an answer; with less, a model cannot tell them apart."""
REFERENCE = (0.027, 0.680)
"""Chance and answer of all-MiniLM-L6-v2: cosines of other models are put on its scale."""

Number = TypeVar("Number", float, NDArray[np.float32])


class Scale(Struct, frozen=True, kw_only=True):
    """`chance` is the mean cosine of a question with a passage about something else, `answer` the
    median with the passage that answers it."""

    chance: float
    answer: float
    probes: Vectors
    """Questions about all kinds of things, as the model reads them; shape (questions, dimension)"""

    def nearness(self, cosine: Number) -> Number:
        """0 for chance, 1 for what an answer typically has."""
        return (cosine - self.chance) / (self.answer - self.chance)

    def comparable(self, cosine: Number) -> Number:
        """The cosine that the reference model would give."""
        chance, answer = REFERENCE
        return chance + (answer - chance) * self.nearness(cosine)


def load_scale(embedder: Embedder, cache: Path) -> Scale:
    """Measured once for each model, and kept in `cache`.

    Raises ModelUnavailable for a model that cannot tell what answers a question.
    """
    kept = cache / f"{_file_name(embedder.name)}.scale.npz"
    found = _read(kept) or _measure(embedder)
    if not found.answer - found.chance >= LEAST_SPREAD:
        raise ModelUnavailable(
            f"the embedding model {embedder.name} does not tell answers from other texts "
            f"(cosines of {found.answer:.3f} and {found.chance:.3f}): it cannot search; "
            "are its weights, tokenizer and prompts those of one model?"
        )
    if not kept.exists():
        _write(kept, found)
    return found


def _measure(embedder: Embedder) -> Scale:
    questions, passages = zip(*_pairs(), strict=True)
    probes = np.concatenate([embedder.embed_query(question) for question in questions])
    cosines = probes @ embedder.embed_passages(passages).T
    others = ~np.eye(len(cosines), dtype=np.bool_)
    return Scale(
        chance=float(cosines[others].mean()),
        answer=float(np.median(np.diag(cosines))),
        probes=probes,
    )


@cache
def _pairs() -> list[tuple[str, str]]:
    """Questions and the passages that answer them, about all kinds of things."""
    lines = (
        files("rag_service.knowledge.finding.scale")
        .joinpath("pairs.tsv")
        .read_text("utf-8")
        .splitlines()
    )
    return [(question, passage) for question, passage in (line.split("\t") for line in lines)]


def _file_name(model: str) -> str:
    digest = blake2b(repr([model, _pairs()]).encode(errors="replace"), digest_size=8).hexdigest()
    readable = "".join(c if c.isalnum() or c in "-._" else "-" for c in model)
    return f"{readable[:80]}-{digest}"


def _read(path: Path) -> Scale | None:
    try:
        with np.load(BytesIO(path.read_bytes()), allow_pickle=False) as kept:
            chance, answer = kept["scale"].tolist()
            return Scale(chance=chance, answer=answer, probes=kept["probes"])
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):  # not taken yet, or damaged
        return None


def _write(path: Path, scale: Scale) -> None:
    with suppress(OSError):  # only slower next time
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
        with partial.open("wb") as file:
            np.savez(file, scale=np.array([scale.chance, scale.answer]), probes=scale.probes)
        partial.replace(path)
