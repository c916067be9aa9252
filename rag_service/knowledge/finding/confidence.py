"""Whether what was found is an answer: the evidence of one query, and what it is worth. Pure.

Cosines are read on the scale of the model and of the corpus: how near the best sentences come,
beyond what questions about something else reach here, and beyond how near the corpus lies to itself
(in the handbook of one company everything is near everything). That a page has other words than the
question says nothing, unless they are a code or a name, which the question is then about.
"""

from collections.abc import Sequence
from math import exp, log, log2

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from rag_service.documents import Passage
from rag_service.knowledge.finding import codes
from rag_service.knowledge.finding.nearness import Cosines
from rag_service.knowledge.finding.ranking import weights_of
from rag_service.knowledge.finding.scale import Scale
from rag_service.knowledge.store import Calibration, Evidence, Scores
from rag_service.texts.stems import FUNCTION_WORDS

DECISION = 3
"""Raised when log-odds mean something else: calibrations are then fitted again."""
CONTEXT_ABOVE = 0.5
"""`has_rag_context` is a confidence of at least this."""
READ = 5
"""How many of the best passages are read for it."""

BIAS = -1.55
WEIGHTS = {"nearness": 5.25, "covered": 0.95, "unknown_names": -0.97}
"""Logistic regression by benchmarks/fit_confidence.py, which holds each set out whole; its figures
are in benchmarks/README.md."""
BEST_SHARE = 0.75
"""What the best sentence counts; that of the first passage has the rest. Chosen like the next."""
KIN_SHARE, REACH_SHARE = 0.3, 0.25
"""Of each level, what is taken off the nearness. Chosen with all sets in sight, in steps of 0.05:
around here they hardly matter."""
MOST_NAMES = 2
LEAST_KIN = 0.2
"""Two or three pages about different things may be no nearer than chance; then a question about
something else would be answered as soon as it is a little nearer. A guess."""
KIN_OF_EIGHT, KIN_OF_TWICE = 0.58, 0.075
"""The kin of a base of one document, which shows none: that of eight chunks, and what twice as many
add. Means of samples of those sets, of 8 to 448 chunks."""
READABLE = 0.5
"""Of a query's letters: what has fewer that the model knows is judged by its words alone."""
WORDS = (-3.2, 9.0)
"""The log-odds of such a query, by how much of it one passage covers: a guess. Of Thai questions
their page has 0.46, and the best page for a question about something else 0.05."""
CODE_FOUND = 2.5
"""What a code of the query in one of the passages adds: a guess."""
LONE_NAME = -1.5
"""What it adds that a name which the query is about stands nowhere: "the Paris office". A guess: of
3,042 answerable questions of ten sets 15 have such a name, of 1,075 others about the same 28."""
RERANKED = 0.5
"""What each log-odd of a cross-encoder's best score adds, up to MOST_RERANKED of them: a guess."""
MOST_RERANKED = 4.0
VETO = -3.0
"""The most that log-odds can be where a code or name of the query stands nowhere: a guess."""
NOTHING = -10.0
"""The log-odds of an answer where there is nothing at all."""
_MOST = 50.0


class Signs(Struct, frozen=True, kw_only=True):
    """What was seen. A nearness is 0 for chance and 1 for what answers typically have."""

    nearest: float = 0.0
    """The nearness of the best sentence of the best passages."""
    nearest_of_first: float = 0.0
    """The same of the first passage."""
    reach: float = 0.0
    """The level of questions about something else."""
    kin: float = 0.0
    """The level of passages of other documents; a typical one where there is one document."""
    covered: float = 0.0
    """How much of the query, by weight of its informative terms that a chunk has, the nearest
    sentence has."""
    covered_by_passage: float = 0.0
    """The most of the query that one of the passages has."""
    readable: float = 1.0
    """How much of the query the model knows."""
    unknown_names: list[str] = []
    lone_names: list[str] = []
    """Those of them that the query is about."""
    codes_found: list[str] = []
    codes_missing: list[str] = []
    stands_for_others: str | None = None
    """A name that no chunk has, where others have its place."""
    reranked: float | None = None
    """The best score of a cross-encoder, in (0, 1), where there is one."""
    chunks: int = 0


class Weighed(Struct, frozen=True, kw_only=True):
    """The signs, and what each of them adds to the log-odds of an answer."""

    signs: Signs
    weights: dict[str, float]
    log_odds: float


def probability(odds: float, calibration: Calibration) -> float:
    """Of log-odds, in [0, 1]."""
    return 1 / (1 + exp(-max(-_MOST, min(_MOST, calibration.scale * odds + calibration.shift))))


def signs(
    query: str,
    evidence: Evidence,
    cosines: Cosines,
    scale: Scale,
    readable: float,
) -> Signs:
    """Of at least one candidate; `cosines` has the best ones, best first."""
    read = evidence.read(list(cosines))
    nearest = {chunk: max(of, key=lambda one: one.cosine) for chunk, of in cosines.items()}
    first, best = next(iter(nearest)), max(nearest, key=lambda chunk: nearest[chunk].cosine)
    sentence = read[best].passage.embedded_text[nearest[best].start : nearest[best].end]
    weights = _informative(evidence)
    whole = sum(weights.values()) or 1.0
    absent = sum(weights[term] for term in weights.keys() & evidence.absent)

    def weight_in(text: str) -> float:
        return sum(weights[term] for term in weights.keys() & set(evidence.cut(text)))

    def is_absent(word: str) -> bool:
        return not evidence.absent.isdisjoint(evidence.cut(word))

    passages = [candidate.passage for candidate in read.values()]
    found, missing = _codes(query, evidence, passages)
    kin = evidence.levels.kin
    return Signs(
        nearest=float(scale.nearness(nearest[best].cosine)),
        nearest_of_first=float(scale.nearness(nearest[first].cosine)),
        # a handful of passages may all be farther than chance: that makes nothing an answer
        reach=max(0.0, float(scale.nearness(evidence.levels.reach))),
        kin=_typical_kin(evidence.chunks)
        if kin is None
        else max(LEAST_KIN, float(scale.nearness(kin))),
        covered=weight_in(sentence) / (whole - absent) if whole > absent else 0.0,
        covered_by_passage=max(weight_in(passage.embedded_text) for passage in passages) / whole,
        readable=readable,
        unknown_names=codes.unknown_names(query, is_absent),
        lone_names=codes.lone_names(query, is_absent),
        codes_found=found,
        codes_missing=missing,
        stands_for_others=codes.stands_for_others(query, is_absent, passages),
        chunks=evidence.chunks,
    )


def weigh(seen: Signs) -> Weighed:
    """What the signs say together."""
    if seen.readable < READABLE:
        bias, slope = WORDS
        weights = {"bias": bias, "covered_by_passage": slope * seen.covered_by_passage}
    else:
        weights = {
            "bias": BIAS,
            **{name: WEIGHTS[name] * value for name, value in features(seen).items()},
        }
    if seen.codes_found:
        weights["codes_found"] = CODE_FOUND
    if seen.lone_names:
        weights["lone_names"] = LONE_NAME
    if seen.reranked is not None:
        weights["reranked"] = RERANKED * _log_odds(seen.reranked)
    odds = sum(weights.values())
    if odds > VETO and (seen.codes_missing or seen.stands_for_others):
        weights["veto"] = VETO - odds
        odds = VETO
    return Weighed(signs=seen, weights={n: round(w, 4) for n, w in weights.items()}, log_odds=odds)


def _log_odds(score: float) -> float:
    score = min(max(score, 1e-6), 1 - 1e-6)
    return max(-MOST_RERANKED, min(MOST_RERANKED, log(score / (1 - score))))


def least_nearness(seen: Signs, calibration: Calibration, *, with_code: bool = False) -> float:
    """The nearness of the best sentence below which no question is an answer in this corpus,
    whatever words it shares; `with_code`: where a passage may have a code of it."""
    threshold = log(CONTEXT_ABOVE / (1 - CONTEXT_ABOVE))
    needed = (threshold - calibration.shift) / calibration.scale
    rest = BIAS + WEIGHTS["covered"] + (CODE_FOUND if with_code else 0.0)
    if seen.reranked is not None:
        rest += RERANKED * MOST_RERANKED
    levels = KIN_SHARE * seen.kin + REACH_SHARE * seen.reach
    return (needed - rest) / WEIGHTS["nearness"] + levels


def nearness(seen: Signs) -> float:
    """How near the best sentences come, beyond the levels of the corpus."""
    near = BEST_SHARE * seen.nearest + (1 - BEST_SHARE) * seen.nearest_of_first
    return near - KIN_SHARE * seen.kin - REACH_SHARE * seen.reach


def features(seen: Signs) -> dict[str, float]:
    """What the weights are fitted for."""
    return {
        "nearness": nearness(seen),
        "covered": seen.covered,
        "unknown_names": float(min(len(seen.unknown_names), MOST_NAMES)),
    }


def _typical_kin(chunks: int) -> float:
    return KIN_OF_EIGHT + KIN_OF_TWICE * log2(max(chunks, 1) / 8)


def _informative(evidence: Evidence) -> dict[str, float]:
    """Without the function words that a small base may lack; all where there is nothing else."""
    weights = weights_of(evidence)
    function_words = set(evidence.cut(FUNCTION_WORDS))
    told = {term: weight for term, weight in weights.items() if term not in function_words}
    return told or weights


def _codes(
    query: str, evidence: Evidence, passages: Sequence[Passage]
) -> tuple[list[str], list[str]]:
    """The codes of the query that stand in a passage, and those that stand nowhere."""
    found, missing = [], []
    for code in codes.codes_in(query):
        terms = evidence.cut(code.text)
        if any(code.stands_in(passage) for passage in passages):
            found.append(code.text)
        elif not evidence.absent.isdisjoint(terms) or (
            len(terms) > 1 and not _is_anywhere(code, evidence)
        ):
            missing.append(code.text)
    return found, missing


def _is_anywhere(code: codes.Code, evidence: Evidence) -> bool:
    """Among the candidates: a passage with all parts of a code is one, by its words."""
    chunks = sorted(evidence.scores, key=lambda chunk: -evidence.scores[chunk].keyword)
    return any(code.stands_in(one.passage) for one in evidence.read(chunks).values())


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


def as_read(evidence: Evidence, scale: Scale, readable: float) -> Evidence:
    """Cosines of a query that the model does not know are those of any other such text."""
    if readable >= READABLE:
        return evidence
    return replace(
        evidence,
        scores={chunk: Scores(scale.chance, s.keyword) for chunk, s in evidence.scores.items()},
        vector=np.zeros_like(evidence.vector),
    )
