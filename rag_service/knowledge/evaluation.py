"""How good is the search of a bot, by questions whose answers are known? Figures, and their noise.

nDCG takes the grade as gain and log2(rank + 1) as discount, as trec_eval does (Jarvelin and
Kekalainen 2002). A document counts once, at its best passage.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from rag_service.access.scope import Scope
from rag_service.errors import Invalid
from rag_service.knowledge.base import KnowledgeBase
from rag_service.knowledge.store import Mode

DEPTH = 10
BINS = 10
SURE = 0.95
"""A difference of means is called more than noise when the paired t interval of this level says so:
where nothing has changed, one time of twenty."""


class Question(Struct, frozen=True, kw_only=True):
    """`relevant` has the grade of each URL that answers it; without any it has no answer."""

    id: str
    text: str
    relevant: dict[str, float]


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


def read_questions(lines: Iterable[bytes]) -> list[Question]:
    """JSON objects, a line each: `question` and `source_urls`, which is one URL, a list of them, or
    an object of grades; `id` and `answerable` are optional. Raises Invalid with the line's number.
    """
    questions: dict[str, Question] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            question = _question(line.removeprefix(b"\xef\xbb\xbf"), number)
        except ValueError as error:
            raise Invalid(f"line {number}: {error}") from error
        if question.id in questions:
            raise Invalid(f"line {number}: the id {question.id!r} is there twice")
        questions[question.id] = question
    if not questions:
        raise Invalid("there are no questions: give a JSON object a line")
    return list(questions.values())


def _question(line: bytes, number: int) -> Question:
    """Raises ValueError."""
    try:
        given = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"it is not JSON in UTF-8: {error}") from error
    if not isinstance(given, dict):
        raise ValueError("it is not a JSON object")
    text = _first(given, "question", "query", "text")
    if not isinstance(text, str) or not text.strip():
        raise ValueError("`question` has to be a text that is not blank")
    relevant = _grades(_first(given, "source_urls", "urls", "relevant", "source_url"))
    answerable = given.get("answerable")
    if not isinstance(answerable, bool | None):
        raise ValueError("`answerable` has to be true or false")
    if answerable is False:
        relevant = {}
    return Question(id=_id(given.get("id"), number), text=text, relevant=relevant)


def _id(value: Any, number: int) -> str:
    if value is None:
        return str(number)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("`id` has to be a text or a whole number")
    return str(value)


def _first(given: dict[str, Any], *names: str) -> Any:
    return next((given[name] for name in names if given.get(name) is not None), None)


def _grades(value: Any) -> dict[str, float]:
    if value is None:
        return {}
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list) and all(isinstance(url, str) for url in value):
        value = dict.fromkeys(value, 1)
    if not isinstance(value, dict):
        raise ValueError("`source_urls` has to be a URL, a list of URLs, or an object of grades")
    for url, grade in value.items():
        if not url.strip():
            raise ValueError("a URL in `source_urls` is blank")
        if isinstance(grade, bool) or not isinstance(grade, int | float) or grade < 0:
            raise ValueError(f"the grade of {url} has to be a number that is not negative")
    return {url.strip(): float(grade) for url, grade in value.items() if grade > 0}


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
