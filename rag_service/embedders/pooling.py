"""The states of a text's tokens -> vectors of its parts: one pass reads the whole and the parts."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rag_service.documents import Vectors
from rag_service.embedders import Span


def pool_spans(
    whole: NDArray[np.float32],
    states: NDArray[np.float32],
    places: NDArray[np.int32],
    spans: Sequence[Span],
) -> Vectors:
    """Unit vectors, shape (spans, dimension), of ascending spans.

    `whole` is the text's own vector, which spans without a token get. Token i has the state
    `states[i]` and its last character at `places[i]`, which is negative for one of no span.
    """
    found = np.repeat(whole[None], len(spans), axis=0)
    ends = np.array([end for _, end in spans], np.int32)
    tokens = np.flatnonzero((places >= 0) & (places < (ends[-1] if len(ends) else 0)))
    tokens = tokens[tokens < len(states)]
    if not len(tokens):
        return found
    of_span = np.searchsorted(ends, places[tokens], "right")
    firsts = np.flatnonzero(np.diff(of_span, prepend=-1))
    sums = np.add.reduceat(states[tokens], firsts, axis=0)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    has_length = lengths[:, 0] > 0
    found[of_span[firsts[has_length]]] = sums[has_length] / lengths[has_length]
    return found
