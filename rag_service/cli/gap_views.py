"""How gaps are shown: tables and lines on a terminal, JSON in a pipe."""

from collections.abc import Sequence
from typing import Any

import msgspec

from rag_service.cli.terminal import Terminal
from rag_service.gaps.forecast import Forecast
from rag_service.gaps.gap import Gap, GapEntry, GapQuestion

_COLUMNS = ("id", "people", "asked", "state", "question")


def show_gaps(terminal: Terminal, total: int, pending: int, gaps: Sequence[Gap]) -> None:
    if terminal.is_json:
        terminal.as_json({"total": total, "pending": pending, "items": gaps})
        return
    terminal.table("Gaps", [_row(gap) for gap in gaps], _COLUMNS)
    if total > len(gaps):
        terminal.line(f"{total - len(gaps)} more: --limit, --offset")
    if pending:
        terminal.line(f"{pending} questions and changes are not considered yet")


def show_gap(
    terminal: Terminal,
    gap: Gap,
    total: int,
    questions: Sequence[GapQuestion],
    history: Sequence[GapEntry],
) -> None:
    if terminal.is_json:
        terminal.as_json(
            {**msgspec.structs.asdict(gap), "total": total, "items": questions, "history": history}
        )
        return
    show_state(terminal, gap)
    terminal.table(
        "Questions",
        [
            {
                "asked": _minute(one.asked_at),
                "answered": "yes" if one.answered else "no",
                "confidence": f"{one.confidence_then:.2f} -> {one.confidence_now:.2f}",
                "question": one.text,
            }
            for one in questions
        ],
    )
    terminal.table(
        "History",
        [{"at": _minute(one.at), "what": one.what, "why": _why(one.evidence)} for one in history],
    )


def show_state(terminal: Terminal, gap: Gap) -> None:
    """A gap as it stands."""
    if terminal.is_json:
        terminal.as_json(gap)
        return
    near = gap.best_match
    by = gap.closed_by
    terminal.fields(
        {
            "gap": gap.gap_id,
            "title": gap.title,
            "state": gap.state,
            "asked": f"{gap.questions} times by {gap.people} people",
            "last": _minute(gap.last_asked),
            "confidence": f"{gap.confidence:.2f}",
            "nearest": near.source_url if near else None,
            "closed by": (by.source_url or "hand") if by else None,
            "note": gap.note,
        }
    )


def show_forecast(terminal: Terminal, forecast: Forecast) -> None:
    if terminal.is_json:
        terminal.as_json(forecast)
        return
    for heading, gaps in (("Would close", forecast.closes), ("Would open", forecast.reopens)):
        terminal.table(heading, [_row(gap) for gap in gaps], _COLUMNS)


def _row(gap: Gap) -> dict[str, Any]:
    return {
        "id": gap.gap_id,
        "people": gap.people,
        "asked": gap.questions,
        "state": gap.state,
        "question": gap.title,
    }


def _minute(moment: str) -> str:
    return moment[:16].replace("T", " ")


def _why(evidence: dict[str, Any]) -> str:
    by = evidence.get("closed_by") or {}
    if page := by.get("source_url"):
        before, after = by.get("confidence_before") or 0, by.get("confidence_after") or 0
        return f"{evidence['cause']}: {page} ({before:.2f} -> {after:.2f})"
    rest = [f"{name}={evidence[name]}" for name in evidence if name not in ("cause", "closed_by")]
    return ", ".join([str(evidence["cause"]), *rest])
