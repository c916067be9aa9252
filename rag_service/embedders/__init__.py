"""Text -> unit vectors. The contract, and the one place that picks an implementation."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from rag_service.documents import Vectors
from rag_service.errors import ModelUnavailable

Offsets = NDArray[np.int32]
"""Shape (tokens, 2): the character span [start, end) of each token, without special tokens."""

Span = tuple[int, int]
"""Characters [start, end) of a text."""

log = logging.getLogger(__name__)


@runtime_checkable
class Embedder(Protocol):
    """Blocking and thread-safe: callers on an event loop go through a thread.

    Nothing is downloaded, ever. Raises ModelUnavailable when the model fails.
    """

    @property
    def name(self) -> str:
        """Names the model and its weights, whatever runs it: equal names give equal vectors."""
        ...

    @property
    def dimension(self) -> int: ...

    @property
    def window(self) -> int:
        """The most tokens of one text that are read, special tokens left out."""
        ...

    @property
    def languages(self) -> frozenset[str]:
        """Those it was trained on, in ISO 639-1; empty where that is not told."""
        ...

    def token_offsets(self, texts: Sequence[str]) -> list[Offsets]:
        """One array per text, never clipped to the window."""
        ...

    def known_share(self, text: str) -> float:
        """The share of the text's letters and digits that the vocabulary can read, from 0 to 1.

        The rest becomes unknown tokens, which are all alike: texts of little else have nearly the
        same vector, whatever they say. Of a text without letters and digits, the share of its
        characters other than white space; 1 where there are none.
        """
        ...

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """In the order given. Works in small quanta, so that no question waits for all."""
        ...

    def embed_spans(
        self, texts: Sequence[str], spans: Sequence[Sequence[Span]]
    ) -> tuple[Vectors, list[Vectors]]:
        """What `embed_passages` gives, and for each text the unit vectors of its spans.

        The spans of a text follow each other without overlap. Where the model allows it, a span
        is read in the context of its text, in the same pass: the mean of the states of its tokens
        ("late chunking", Guenther et al. 2024). One that the model does not read by itself, or that
        lies beyond its window, has the vector of the text.
        """
        ...

    def embed_query(self, text: str) -> Vectors:
        """Shape (1, dimension). Goes ahead of passages that other threads are embedding."""
        ...


def load_embedder(spec: str, cache: Path) -> Embedder:
    """Turn RAG_EMBEDDING_MODEL into an embedder; imports only what that one needs.

    `spec` is the name of a sentence-transformers model that is on this machine or the path of its
    folder, after `sentence-transformers:` or `openvino:` to say what runs it, or
    `hashing:DIMENSION`. `cache` is a folder for compiled models.
    Raises ModelUnavailable when the model is missing or its weights are not those expected.
    """
    try:
        return _load(spec, cache)
    except OSError as error:
        raise ModelUnavailable(f"the embedding model {spec!r} cannot be read: {error}") from error


def _load(spec: str, cache: Path) -> Embedder:
    runner, _, model = spec.rpartition(":") if not Path(spec).exists() else ("", "", spec)
    match runner:
        case "hashing":
            from rag_service.embedders.hashing import HashingEmbedder  # noqa: PLC0415

            return HashingEmbedder(model)
        case "sentence-transformers":
            return _sentence_transformers(model, cache)
        case "openvino":
            return _openvino(model, cache)
        case "":
            return _best(model, cache)
    raise ModelUnavailable(
        f"unknown runner {runner!r} in the embedding model {spec!r}: use a name or a folder, "
        "or put `openvino:`, `sentence-transformers:` or `hashing:` in front"
    )


def _best(model: str, cache: Path) -> Embedder:
    """OpenVINO on a CPU; plain sentence-transformers on a GPU or where OpenVINO is missing."""
    from rag_service.embedders.model_folder import has_gpu, has_openvino  # noqa: PLC0415

    if has_gpu() or not has_openvino():
        log.info("embedding with sentence-transformers")
        return _sentence_transformers(model, cache)
    return _openvino(model, cache)


def _sentence_transformers(model: str, cache: Path) -> Embedder:
    from rag_service.embedders.model_folder import find_model  # noqa: PLC0415
    from rag_service.embedders.sentence_transformers import (  # noqa: PLC0415
        SentenceTransformersEmbedder,
    )

    return SentenceTransformersEmbedder(find_model(model, cache))


def _openvino(model: str, cache: Path) -> Embedder:
    from rag_service.embedders.model_folder import find_model  # noqa: PLC0415
    from rag_service.embedders.openvino import OpenVinoEmbedder  # noqa: PLC0415

    return OpenVinoEmbedder(find_model(model, cache), cache)
