"""Whether what was found is an answer: the evidence of one query, and what it is worth. Pure."""

from collections.abc import Sequence
from math import exp

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from rag_service.stores import Calibration, Evidence

CONTEXT_ABOVE = 0.5
"""`has_rag_context` is a confidence of at least this."""

BIAS, ABOVE, KEYWORD, AGREEMENT = -7.4, 12.0, 6.0, 1.2
"""Logistic regression on questions with and without an answer of four public sets (clinc150-oos;
SQuAD 2.0, PubMedQA and a COVID FAQ halved by document), rounded. Fitted on three of them, it orders
the questions of the fourth about as well; benchmarks/bench_quality.py measures it."""
ALONE = (-4.6, 9.6)
"""The same with the best cosine only, on bases of a few documents out of these and other sets."""
FEW = 20
"""Chunks. Fewer are no background, and cannot tell which words are informative: there the cosine
decides alone. At this many each way counts half."""
_BEATEN = 20
_MOST = 50.0


class Signs(Struct, frozen=True, kw_only=True):
    """What speaks for an answer."""

    cosine: float
    """The best one."""
    above: float
    """The best cosine above the mean cosine of the query to all chunks: how far the best one stands
    out of what any text of this corpus has in common with the query."""
    keyword: float
    """How much of the query's BM25 weight the best match by words carries above the twentieth."""
    agreement: float
    """1 when the best chunk by cosine is the best one by words as well."""
    chunks: int


def probability(odds: float, calibration: Calibration) -> float:
    """Of log-odds, in [0, 1]."""
    return 1 / (1 + exp(-max(-_MOST, min(_MOST, calibration.scale * odds + calibration.shift))))


def signs(evidence: Evidence) -> Signs:
    """Of at least one candidate."""
    scores = evidence.scores
    nearest = max(scores, key=lambda chunk: scores[chunk].dense)
    wordiest = max(scores, key=lambda chunk: scores[chunk].keyword)
    words = sorted((one.keyword for one in scores.values()), reverse=True)
    beaten = words[_BEATEN - 1] if len(words) >= _BEATEN else 0.0
    return Signs(
        cosine=scores[nearest].dense,
        above=scores[nearest].dense - evidence.background,
        keyword=(words[0] - beaten) / (sum(evidence.idf.values()) or 1.0),
        agreement=float(nearest == wordiest and words[0] > 0),
        chunks=evidence.chunks,
    )


def log_odds(seen: Signs) -> float:
    """Of an answer."""
    trust = seen.chunks**2 / (seen.chunks**2 + FEW**2)
    weighed = BIAS + ABOVE * seen.above + KEYWORD * seen.keyword + AGREEMENT * seen.agreement
    return trust * weighed + (1 - trust) * (ALONE[0] + ALONE[1] * seen.cosine)


def fit(odds: Sequence[float], answerable: Sequence[bool]) -> Calibration:
    """The calibration that makes these questions likeliest, from log-odds of the default one.

    Few questions move it little: a prior holds it near the default, as about ten questions would.
    """
    from scipy.optimize import minimize  # noqa: PLC0415  takes a while

    features = np.column_stack([np.asarray(odds, float), np.ones(len(odds))])
    truth = np.where(np.asarray(answerable, bool), 1.0, -1.0)
    default = np.array([1.0, 0.0])

    def unlikely(weights: NDArray[np.float64]) -> float:
        wrong = np.logaddexp(0, -truth * (features @ weights)).sum()
        return float(wrong + (_PRIOR * (weights - default) ** 2).sum() / 2)

    bounds = [(_LEAST_SCALE, None), (None, None)]  # more evidence never means less
    scale, shift = minimize(unlikely, default, method="L-BFGS-B", bounds=bounds).x
    return Calibration(scale=round(float(scale), 4), shift=round(float(shift), 4))


_PRIOR = np.array([4.0, 1.0])
"""One by the squared deviation that is expected of scale and shift."""
_LEAST_SCALE = 0.05
