"""The states of a text's tokens -> vectors of its parts: one pass reads the whole and the parts."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rag_service.documents import Vectors
from rag_service.knowledge.embedder import Span


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
    starts, ends = np.array(spans, np.int32).reshape(-1, 2).T
    of_token = np.searchsorted(starts, places[: len(states)], "right") - 1
    tokens = np.flatnonzero(of_token >= 0)
    tokens = tokens[places[tokens] < ends[of_token[tokens]]]
    if not len(tokens):
        return found
    of_span = of_token[tokens]
    firsts = np.flatnonzero(np.diff(of_span, prepend=-1))
    sums = np.add.reduceat(states[tokens], firsts, axis=0)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    has_length = lengths[:, 0] > 0
    found[of_span[firsts[has_length]]] = sums[has_length] / lengths[has_length]
    return found
