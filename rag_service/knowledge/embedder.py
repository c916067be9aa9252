"""The contract of what turns text into unit vectors."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from rag_service.documents import Vectors

Offsets = NDArray[np.int32]
"""Shape (tokens, 2): the character span [start, end) of each token, without special tokens."""

Span = tuple[int, int]
"""Characters [start, end) of a text."""


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

    def embed_few(self, texts: Sequence[str]) -> Vectors:
        """What `embed_passages` gives, in one batch that goes ahead as questions do: for a handful
        of short texts that somebody waits for."""
        ...

    def embed_query(self, text: str) -> Vectors:
        """Shape (1, dimension). Goes ahead of passages that other threads are embedding."""
        ...
