"""Whether what was found is an answer: the evidence of one query, and what it is worth. Pure."""

from math import exp

from msgspec import Struct

from rag_service.ranking import Ranked
from rag_service.stores import Evidence

CONTEXT_ABOVE = 0.5
"""`has_rag_context` is a confidence of at least this."""


class Signs(Struct, frozen=True, kw_only=True):
    """What speaks for an answer, none of it bound to one corpus."""

    above: float
    """The best cosine above the mean cosine of the query to all chunks: how far the best one stands
    out of what any text of this corpus has in common with the query."""
    cosine: float
    keyword: float
    """How much of the query's BM25 weight the best match by words carries above the twentieth."""
    coverage: float
    """Of the chunk with the best cosine."""
    agreement: float
    """1 when the best chunk by cosine is the best one by words as well."""
    chunks: int


def confidence(evidence: Evidence, ranked: Ranked) -> float:
    """How likely it is, in [0, 1], that the chunks answer the query; `ranked` by mode hybrid."""
    seen = signs(evidence, ranked)
    return 0.0 if seen is None else 1 / (1 + exp(-logit(seen)))


def logit(seen: Signs) -> float:
    """The log-odds of an answer. Few chunks are no background, and cannot tell which words are
    informative: there the cosine decides alone."""
    trust = seen.chunks / (seen.chunks + _FEW)
    alone = _ALONE[0] + _ALONE[1] * seen.cosine
    weighed = (
        _BIAS
        + _ABOVE * seen.above
        + _KEYWORD * seen.keyword
        + _COVERAGE * seen.coverage
        + _AGREEMENT * seen.agreement
    )
    return trust * weighed + (1 - trust) * alone


_BIAS, _ABOVE, _KEYWORD, _COVERAGE, _AGREEMENT = -7.44, 12.0, 6.0, 0.6, 0.54
"""Logistic regression on questions with and without an answer of four public sets (clinc150-oos;
SQuAD 2.0, PubMedQA and a COVID FAQ halved by document), rounded. benchmarks/bench_quality.py
measures them; fitted on three sets, they order the questions of the fourth about as well."""
_ALONE = (-5.91, 10.42)
"""The same with the cosine only."""
_FEW = 50


def signs(evidence: Evidence, ranked: Ranked) -> Signs | None:
    """None when there is nothing to judge."""
    if not ranked.readings:
        return None
    scores, readings = evidence.scores, ranked.readings
    nearest = max(scores, key=lambda chunk: scores[chunk].dense)
    words = sorted((one.keyword for one in scores.values()), reverse=True)
    most = sum(evidence.idf.values()) or 1.0
    wordiest = max(scores, key=lambda chunk: scores[chunk].keyword)
    return Signs(
        above=scores[nearest].dense - evidence.background,
        cosine=scores[nearest].dense,
        keyword=(words[0] - (words[19] if len(words) > 19 else 0.0)) / most,
        coverage=readings[nearest].coverage if nearest in readings else 0.0,
        agreement=float(nearest == wordiest and words[0] > 0),
        chunks=evidence.chunks,
    )
