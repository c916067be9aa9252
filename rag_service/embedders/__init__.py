"""Text -> unit vectors. The contract, and the one place that picks an implementation."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from rag_service.documents import Vectors

Offsets = NDArray[np.int32]
"""Shape (tokens, 2): the character span [start, end) of each token, without special tokens."""


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

    def token_offsets(self, texts: Sequence[str]) -> list[Offsets]:
        """One array per text, never clipped to the window."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """In the order given. Works in small quanta, so that a question never waits for the rest."""
        ...

    def embed_query(self, text: str) -> Vectors:
        """Shape (1, dimension). Goes ahead of passages that other threads are embedding."""
        ...


def load_embedder(spec: str, cache: Path) -> Embedder:
    """Turn RAG_EMBEDDING_MODEL into an embedder; imports only what that one needs.

    `spec` is `hashing:DIMENSION`, the name of a sentence-transformers model that is on this
    machine, or the path of its folder. `cache` is a folder for compiled models.
    Raises ModelUnavailable when it is missing or its weights are not those expected.
    """
    raise NotImplementedError
