"""The `evaluate` and `calibrate` commands: questions of one's own against a bot."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import Service
from rag_service.errors import Invalid
from rag_service.knowledge.evaluation import (
    Comparison,
    Evaluation,
    Judged,
    ask,
    compare,
    evaluation,
)
from rag_service.knowledge.finding.confidence import fit
from rag_service.knowledge.questions import Question, read_questions
from rag_service.knowledge.store import Calibration, Mode

Progress = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]

FEWEST = 10
"""Questions of each kind; from fewer, nothing can be learned."""


class Report(Evaluation, frozen=True, kw_only=True):
    """With `--against`, what has changed since the earlier run.

    `warnings` are sentences on what makes the confidence another one than was meant.
    """

    comparison: Comparison | None = None
    warnings: list[str] = []


class Calibrated(Struct, frozen=True, kw_only=True):
    """How good the confidence was on these questions, and is now."""

    bot_id: str
    questions: int
    answerable: int
    calibration: Calibration
    before: dict[str, float]
    after: dict[str, float]


def read_file(path: Path) -> list[Question]:
    """Raises Invalid, which names the file."""
    try:
        with path.open("rb") as lines:
            return read_questions(lines)
    except (OSError, Invalid) as error:
        raise Invalid(f"{path}: {error}") from error


def golden_questions(service: Service, bot_id: str) -> list[Question]:
    """Those of closed gaps and those rated up. Raises Invalid where there are none."""
    found = [
        Question(id=question, text=question, relevant=dict.fromkeys(urls, 1.0))
        for question, urls in service.store.gaps.golden(ALL_BOTS.only(bot_id))
    ]
    if not found:
        raise Invalid(
            f"the bot {bot_id!r} has no golden questions yet: they come from gaps that close, "
            "and from answers that are rated up"
        )
    return found


def read_earlier(path: Path) -> Evaluation:
    """What `evaluate --json` printed. Raises Invalid."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Evaluation)
    except (OSError, msgspec.DecodeError) as error:
        raise Invalid(
            f"{path} is not what `rag-service evaluate --json` prints: {error}"
        ) from error


def evaluate(
    service: Service,
    questions: list[Question],
    bot_id: str,
    mode: Mode,
    earlier: Evaluation | None,
    progress: Progress,
) -> Report:
    """Raises Invalid, before anything is asked, when the earlier run has no question in common."""
    if earlier:
        known = {one.query for one in earlier.per_question if one.answerable}
        if not any(one.relevant and one.text in known for one in questions):
            raise Invalid(
                "the earlier run has no question in common that has an answer: "
                "compare runs of the same file"
            )
    judged = _asked(service, questions, bot_id, mode, progress)
    found = evaluation(judged, bot_id, mode, service.knowledge.made_with)
    return Report(
        **msgspec.structs.asdict(found),
        comparison=compare(earlier, found) if earlier else None,
        warnings=_warnings(service, bot_id, earlier),
    )


def calibrate(
    service: Service, questions: list[Question], bot_id: str, progress: Progress
) -> Calibrated:
    """Fit the bot's confidence to these questions, and keep that for all later searches.

    Raises Invalid when there are too few questions of either kind.
    """
    answerable = sum(bool(question.relevant) for question in questions)
    if min(answerable, len(questions) - answerable) < FEWEST:
        raise Invalid(
            f"a calibration wants at least {FEWEST} questions with an answer and {FEWEST} without "
            f"(`source_urls` empty): there are {answerable} and {len(questions) - answerable}"
        )
    judged = _asked(service, questions, bot_id, "hybrid", progress)
    found = replace(
        fit([one.log_odds for one in judged], [one.answerable for one in judged]),
        made_with=service.knowledge.made_with,
    )
    service.store.knowledge.calibrate(ALL_BOTS, bot_id, found)
    again = _asked(service, questions, bot_id, "hybrid", progress)
    return Calibrated(
        bot_id=bot_id,
        questions=len(questions),
        answerable=answerable,
        calibration=found,
        before=_sureness(judged, bot_id),
        after=_sureness(again, bot_id),
    )


def _asked(
    service: Service, questions: list[Question], bot_id: str, mode: Mode, progress: Progress
) -> list[Judged]:
    judged = []
    with progress("Asking", len(questions)) as advance:
        for one in ask(service.knowledge, ALL_BOTS, questions, bot_id, mode):
            judged.append(one)
            advance(1)
    return judged


def _warnings(service: Service, bot_id: str, earlier: Evaluation | None) -> list[str]:
    refused = service.knowledge.refused_calibrations(ALL_BOTS).get(bot_id)
    warnings = [refused] if refused else []
    made_with = service.knowledge.made_with
    if earlier and earlier.made_with != made_with:
        warnings.append(
            f"the earlier run was made with {earlier.made_with or 'an earlier version'}, "
            f"this one with {made_with}: the confidence of one is not that of the other"
        )
    return warnings


def _sureness(judged: list[Judged], bot_id: str) -> dict[str, float]:
    metrics = evaluation(judged, bot_id, "hybrid").metrics
    return {name: metrics[name] for name in ("AUROC", "balanced accuracy", "calibration error")}
