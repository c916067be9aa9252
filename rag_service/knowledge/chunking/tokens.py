"""Where the tokens of a text end, found once for the whole of it."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from rag_service.knowledge.chunking.headers import TokenOffsets

SLICE = 262_144
"""Characters that are tokenized at once: a tokenizer takes some 100 bytes per character."""


class Tokens:
    """Where each token of the text ends, found once; a span's tokens are those that end in it."""

    def __init__(self, text: str, token_offsets: TokenOffsets) -> None:
        ends = [
            token_offsets([text[start:end]])[0][:, 1] + np.int32(start)
            for start, end in _slices(text)
        ]
        self._ends: NDArray[np.int32] = ends[0] if len(ends) == 1 else np.concatenate(ends)

    def before(self, position: int) -> int:
        """How many tokens end at this character or before it."""
        # any other type of number has numpy convert the whole array first
        return int(self._ends.searchsorted(np.int32(position), "right"))

    def before_each(self, positions: Sequence[int]) -> list[int]:
        found = self._ends.searchsorted(np.asarray(positions, np.int32), "right")
        return [int(count) for count in found]

    def end(self, count: int) -> int:
        """Where the first `count` tokens of the text end."""
        return int(self._ends[min(count, len(self._ends)) - 1]) if count and len(self._ends) else 0


def _slices(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    while start < len(text):
        end = min(start + SLICE, len(text))
        if end < len(text):
            half = start + SLICE // 2
            end = max(text.rfind(" ", half, end), text.rfind("\n", half, end)) + 1 or end
        yield start, end
        start = end
