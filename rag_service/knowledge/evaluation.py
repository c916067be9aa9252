"""How good is the search of a bot, by questions whose answers are known? Figures, and their noise.

nDCG takes the grade as gain and log2(rank + 1) as discount, as trec_eval does (Jarvelin and
Kekalainen 2002). A document counts once, at its best passage.
"""

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from msgspec import Struct

from rag_service.access.scope import Scope
from rag_service.errors import Invalid
from rag_service.knowledge.base import KnowledgeBase
from rag_service.knowledge.questions import Question
from rag_service.knowledge.store import Mode

DEPTH = 10
BINS = 10
SURE = 0.95
"""A difference of means is called more than noise when the paired t interval of this level says so:
where nothing has changed, one time of twenty."""


class Judged(Struct, frozen=True, kw_only=True):
    """What came of one question. `ranks` are of the relevant documents among the first ten."""

    id: str
    query: str
    answerable: bool
    confidence: float
    has_rag_context: bool
    log_odds: float = 0.0
    relevant: int = 0
    ranks: list[int] = []
    ndcg: float | None = None


class Bin(Struct, frozen=True, kw_only=True):
    """Questions of about the same confidence, and the share of them that have an answer."""

    at_least: float
    questions: int
    confidence: float
    answerable: float


class Evaluation(Struct, frozen=True, kw_only=True):
    """`metrics` that the questions do not allow are missing: nDCG and the like need answerable
    ones, AUROC and what follows it both kinds."""

    bot_id: str
    mode: str
    questions: int
    answerable: int
    metrics: dict[str, float]
    reliability: list[Bin]
    per_question: list[Judged]
    made_with: str = ""
    """The model and the decision; empty where an earlier version did not tell it."""


class Change(Struct, frozen=True, kw_only=True):
    """One metric in two runs."""

    metric: str
    before: float
    after: float
    difference: float


class Moved(Struct, frozen=True, kw_only=True):
    """A question whose nDCG is another one."""

    id: str
    query: str
    before: float
    after: float


class Comparison(Struct, frozen=True, kw_only=True):
    """On the questions that two runs share, which have the same text; `shared` counts those with
    an answer. `noise` is how far the mean nDCG may differ without meaning anything."""

    shared: int
    changes: list[Change]
    ndcg_difference: float
    noise: float
    means_something: bool
    better: list[Moved]
    worse: list[Moved]


# -- questions -----------------------------------------------------------------------------------


# -- a run ---------------------------------------------------------------------------------------


def ask(
    knowledge: KnowledgeBase,
    scope: Scope,
    questions: Iterable[Question],
    bot_id: str,
    mode: Mode = "hybrid",
) -> Iterator[Judged]:
    """One after the other."""
    for question in questions:
        found = knowledge.search(scope, question.text, bot_id, k=DEPTH, mode=mode, by_document=True)
        urls = [hit.passage.source_url for hit in found.hits]
        gains = [question.relevant.get(url, 0.0) for url in urls]
        yield Judged(
            id=question.id,
            query=question.text,
            answerable=bool(question.relevant),
            confidence=found.confidence,
            has_rag_context=found.has_rag_context,
            log_odds=found.evidence.log_odds,
            relevant=len(question.relevant),
            ranks=[rank for rank, gain in enumerate(gains, start=1) if gain],
            ndcg=ndcg(gains, question.relevant) if question.relevant else None,
        )


def evaluation(judged: Sequence[Judged], bot_id: str, mode: str, made_with: str = "") -> Evaluation:
    """The figures of a run."""
    answerable = [one for one in judged if one.answerable]
    metrics = _ranking(answerable) if answerable else {}
    reliability: list[Bin] = []
    if 0 < len(answerable) < len(judged):
        sure = np.array([one.confidence for one in judged])
        truth = np.array([one.answerable for one in judged])
        decided = np.array([one.has_rag_context for one in judged])
        reliability = _reliability(sure, truth)
        metrics |= {
            "AUROC": auroc(sure, truth),
            "balanced accuracy": float((decided[truth].mean() + (~decided[~truth]).mean()) / 2),
            "calibration error": _calibration_error(reliability),
        }
    return Evaluation(
        bot_id=bot_id,
        mode=mode,
        questions=len(judged),
        answerable=len(answerable),
        metrics={name: round(value, 4) for name, value in metrics.items()},
        reliability=reliability,
        per_question=list(judged),
        made_with=made_with,
    )


def ndcg(gains: Sequence[float], relevant: dict[str, float]) -> float:
    """Of the grades in the order they were found in, against all that there are."""
    best = sorted(relevant.values(), reverse=True)[:DEPTH]
    return _discounted(gains) / _discounted(best)


def _discounted(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def _ranking(answerable: Sequence[Judged]) -> dict[str, float]:
    def mean(values: Iterable[float]) -> float:
        return float(np.mean(list(values)))

    def within(one: Judged, k: int) -> int:
        return sum(rank <= k for rank in one.ranks)

    metrics = {"nDCG@10": mean(one.ndcg or 0.0 for one in answerable)}
    for k in (1, 5, 10):
        metrics[f"Recall@{k}"] = mean(within(one, k) / one.relevant for one in answerable)
    metrics["MRR@10"] = mean(1 / min(one.ranks) if one.ranks else 0.0 for one in answerable)
    for k in (1, 5, 10):
        metrics[f"Hit@{k}"] = mean(within(one, k) > 0 for one in answerable)
    return metrics


def auroc(scores: Sequence[float] | np.ndarray, truth: Sequence[bool] | np.ndarray) -> float:
    """How often a true one scores above a false one; a tie counts half (Mann and Whitney 1947)."""
    scores, truth = np.asarray(scores, float), np.asarray(truth, bool)
    true, false = scores[truth], np.sort(scores[~truth])
    below = np.searchsorted(false, true, "left")
    not_above = np.searchsorted(false, true, "right")
    return float((below + not_above).sum() / 2 / (len(true) * len(false)))


def _reliability(sure: np.ndarray, truth: np.ndarray) -> list[Bin]:
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    return [
        Bin(
            at_least=number / BINS,
            questions=int((bins == number).sum()),
            confidence=round(float(sure[bins == number].mean()), 4),
            answerable=round(float(truth[bins == number].mean()), 4),
        )
        for number in range(BINS)
        if (bins == number).any()
    ]


def _calibration_error(reliability: Sequence[Bin]) -> float:
    """Expected calibration error (Naeini et al. 2015)."""
    off = sum(one.questions * abs(one.confidence - one.answerable) for one in reliability)
    return off / sum(one.questions for one in reliability)


# -- two runs ------------------------------------------------------------------------------------


def compare(before: Evaluation, after: Evaluation, most: int = 10) -> Comparison:
    """Raises Invalid when they share no answerable question."""
    # not by id: one that nobody gave is the number of a line, and lines move
    earlier = {one.query: one for one in before.per_question}
    pairs = [(earlier[one.query], one) for one in after.per_question if one.query in earlier]
    moved = [
        Moved(id=new.id, query=new.query, before=old.ndcg, after=new.ndcg)
        for old, new in pairs
        if old.ndcg is not None and new.ndcg is not None
    ]
    if not moved:
        raise Invalid("the two runs share no question that has an answer")
    differences = np.array([one.after - one.before for one in moved])
    mean, noise = float(differences.mean()), _noise(differences)
    moved.sort(key=lambda one: one.before - one.after)
    return Comparison(
        shared=len(moved),
        changes=_changes(
            evaluation([old for old, _ in pairs], before.bot_id, before.mode).metrics,
            evaluation([new for _, new in pairs], after.bot_id, after.mode).metrics,
        ),
        ndcg_difference=round(mean, 4),
        noise=round(noise, 4),
        means_something=abs(mean) > noise,
        better=[one for one in moved if one.after > one.before][:most],
        worse=[one for one in moved[::-1] if one.after < one.before][:most],
    )


def _noise(differences: np.ndarray) -> float:
    """Half of the interval around a mean of no difference; 1, which is all, of a single one."""
    from scipy.special import stdtrit  # noqa: PLC0415  only --against needs it

    count = len(differences)
    if count == 1:
        return 1.0
    error = float(differences.std(ddof=1)) / math.sqrt(count)
    return float(stdtrit(count - 1, (1 + SURE) / 2)) * error


def _changes(before: dict[str, float], after: dict[str, float]) -> list[Change]:
    return [
        Change(
            metric=name,
            before=before[name],
            after=value,
            difference=round(value - before[name], 4),
        )
        for name, value in after.items()
        if name in before
    ]
