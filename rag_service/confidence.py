"""Whether what was found is an answer: the evidence of one query, and what it is worth. Pure."""

from math import exp

from msgspec import Struct

from rag_service.stores import Evidence

CONTEXT_ABOVE = 0.5
"""`has_rag_context` is a confidence of at least this."""

BIAS, ABOVE, KEYWORD, AGREEMENT = -7.4, 12.0, 6.0, 1.2
"""Logistic regression on questions with and without an answer of four public sets (clinc150-oos;
SQuAD 2.0, PubMedQA and a COVID FAQ halved by document), rounded. Fitted on three of them, it orders
the questions of the fourth about as well; benchmarks/bench_quality.py measures it."""
ALONE = (-5.91, 10.42)
"""The same with the best cosine only."""
FEW = 20
"""Chunks. Fewer are no background, and cannot tell which words are informative: there the cosine
decides alone. At this many each way counts half."""
_BEATEN = 20


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


def confidence(evidence: Evidence) -> float:
    """How likely it is, in [0, 1], that the chunks answer the query."""
    return 1 / (1 + exp(-logit(signs(evidence)))) if evidence.scores else 0.0


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


def logit(seen: Signs) -> float:
    """The log-odds of an answer."""
    trust = seen.chunks**2 / (seen.chunks**2 + FEW**2)
    weighed = BIAS + ABOVE * seen.above + KEYWORD * seen.keyword + AGREEMENT * seen.agreement
    return trust * weighed + (1 - trust) * (ALONE[0] + ALONE[1] * seen.cosine)
