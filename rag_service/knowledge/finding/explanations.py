"""Why a search was judged as it was: whole for who asks, and short for a transcript's row. Pure."""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import asdict

from rag_service.knowledge.finding.confidence import Signs, Weighed
from rag_service.knowledge.finding.findings import Findings
from rag_service.knowledge.store import Calibration

_PLACES = 3
_LONGEST = 40
"""Characters of a list of codes or names in a row: a query may be made of them."""


class Explanation(Struct, frozen=True, kw_only=True):
    """What was seen, and what each of it adds to the log-odds of an answer.

    `calibration` is what was made of the log-odds by the bot's own questions; null where nothing
    was.
    """

    signs: Signs
    weights: dict[str, float]
    log_odds: float
    calibration: Calibration | None


def explanation(found: Findings) -> Explanation:
    weighed = found.evidence
    return Explanation(
        signs=weighed.signs,
        weights=weighed.weights,
        log_odds=round(weighed.log_odds, 4),
        calibration=found.calibration if found.calibration != Calibration() else None,
    )


def summary(weighed: Weighed) -> dict[str, float | str]:
    """A flat object of less than a kilobyte: signs by their names, weights as `weight_NAME`."""
    seen: dict[str, float | str] = {"log_odds": round(weighed.log_odds, _PLACES)}
    seen |= _short(weighed.signs)
    return seen | {
        f"weight_{name}": round(value, _PLACES) for name, value in weighed.weights.items()
    }


def _short(signs: Signs) -> Iterator[tuple[str, float | str]]:
    for name, value in asdict(signs).items():
        if isinstance(value, int | float):
            yield name, round(value, _PLACES)
        elif value:
            text = value if isinstance(value, str) else ", ".join(value)
            yield name, text[:_LONGEST]
