"""What people read about gaps: how much is answered, what is asked most, what closed what."""

import re
from collections.abc import Callable
from html import escape

from msgspec import Struct

from rag_service.access.scope import ALL_BOTS, Scope
from rag_service.gaps.gap import Gap, GapFilter, GapState
from rag_service.gaps.store import GapStore, Week

MOST = 10
"""Gaps of each kind that a report names."""
_READ = 1000
_BAR = (220, 12)
"""Width and height of a bar in pixels."""


class GapReport(Struct, frozen=True, kw_only=True):
    """Of one bot or of all. Times are ISO 8601 in UTC; `since` is None for all times."""

    bot_id: str | None
    since: str | None
    made_at: str
    weeks: list[Week]
    asked_most: list[Gap]
    closed: list[Gap]
    reopened: list[Gap]
    """Open ones that were closed before."""
    open: int
    dismissed: int


def make_report(
    store: GapStore,
    bot_id: str | None,
    since: str | None,
    made_at: str,
    scope: Scope = ALL_BOTS,
) -> GapReport:
    """Of what the scope admits. Raises Forbidden where that has no such bot."""
    scope = scope.only(bot_id)

    def page(state: GapState, limit: int) -> tuple[int, list[Gap]]:
        where = GapFilter(since=since, state=state)
        return store.page(scope, where, sort="people", descending=True, limit=limit, offset=0)

    open_count, asked = page("open", _READ)
    _, closed = page("closed", _READ)
    dismissed, _ = page("dismissed", 1)
    return GapReport(
        bot_id=bot_id,
        since=since,
        made_at=made_at,
        weeks=store.weeks(scope, since),
        asked_most=asked[:MOST],
        closed=sorted(closed, key=lambda gap: gap.closed_at or "", reverse=True)[:MOST],
        reopened=[gap for gap in asked if gap.reopened][:MOST],
        open=open_count,
        dismissed=dismissed,
    )


def as_markdown(report: GapReport) -> str:
    """Ends with the end of a line."""
    lines = [f"# {_title(report)}", "", _summary(report), "", "## Answered questions by week", ""]
    if report.weeks:
        lines += ["| week of | questions | answered | |", "|---|--:|--:|---|"]
        lines += [
            f"| {week.begins} | {week.questions} | {_share(week)} | {_blocks(week)} |"
            for week in report.weeks
        ]
    else:
        lines.append("Nothing was asked.")
    for heading, gaps, tell in _sections(report):
        lines += ["", f"## {heading}", ""]
        lines += [f"{place}. {_markdown(tell(gap))}" for place, gap in enumerate(gaps, 1)]
        lines += [] if gaps else ["None."]
    return "\n".join(lines) + "\n"


def as_html(report: GapReport) -> str:
    """A page without scripts, and with nothing from anywhere else."""
    rows = "".join(
        f"<tr><td>{week.begins}</td><td class=n>{week.questions}</td>"
        f"<td class=n>{_share(week)}</td><td>{_svg(week)}</td></tr>"
        for week in report.weeks
    )
    table = (
        "<table><tr><th>week of</th><th>questions</th><th>answered</th><th></th></tr>"
        f"{rows}</table>"
        if rows
        else "<p>Nothing was asked.</p>"
    )
    sections = "".join(
        f"<h2>{heading}</h2>"
        + (
            "<ol>" + "".join(f"<li>{escape(tell(gap))}</li>" for gap in gaps) + "</ol>"
            if gaps
            else "<p>None.</p>"
        )
        for heading, gaps, tell in _sections(report)
    )
    title = escape(_title(report))
    return (
        "<!doctype html>\n<html lang=en><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width, initial-scale=1'>"
        f"<title>{title}</title><style>{_STYLE}</style>"
        f"<h1>{title}</h1><p>{escape(_summary(report))}</p>"
        f"<h2>Answered questions by week</h2>{table}{sections}</html>\n"
    )


_STYLE = (
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;"
    "margin:2rem auto;padding:0 1rem}h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2rem}"
    "table{border-collapse:collapse}td,th{padding:.25rem .75rem .25rem 0;text-align:left}"
    ".n{text-align:right;font-variant-numeric:tabular-nums}li{margin:.4rem 0}"
    "svg{vertical-align:middle}rect{fill:#9995}rect+rect{fill:#2a7f62}"
)


def _title(report: GapReport) -> str:
    return "Questions without an answer" + (f": {report.bot_id}" if report.bot_id else "")


def _summary(report: GapReport) -> str:
    since = f"Since {report.since[:10]}" if report.since else "Of all times"
    return (
        f"{since}, made {report.made_at[:16].replace('T', ' ')} UTC. "
        f"{report.open} open, {report.dismissed} dismissed."
    )


def _sections(report: GapReport) -> list[tuple[str, list[Gap], Callable[[Gap], str]]]:
    return [
        ("Asked by most people", report.asked_most, _asked),
        ("Closed", report.closed, _closed),
        ("Open again", report.reopened, _reopened),
    ]


def _asked(gap: Gap) -> str:
    people = "1 person" if gap.people == 1 else f"{gap.people} people"
    near = f"; nearest is {gap.best_match.source_url}" if gap.best_match else ""
    asked = f"{people}, {_times(gap)}, last {gap.last_asked[:10]}"
    return f"{gap.title} ({asked}, confidence {gap.confidence:.2f}{near})"


def _closed(gap: Gap) -> str:
    by = gap.closed_by
    when = (gap.closed_at or "")[:10]
    if by is None or by.source_url is None:
        return f"{gap.title} ({when}, by hand)"
    sure = f"confidence {by.confidence_before or 0:.2f} to {by.confidence_after or 0:.2f}"
    return f"{gap.title} ({when}, by {by.source_url}, {sure})"


def _reopened(gap: Gap) -> str:
    times = "once" if gap.reopened == 1 else f"{gap.reopened} times"
    return f"{gap.title} (opened again {times}, confidence {gap.confidence:.2f})"


def _times(gap: Gap) -> str:
    return "asked once" if gap.questions == 1 else f"asked {gap.questions} times"


def _share(week: Week) -> str:
    return f"{round(100 * week.answered / week.questions)} %"


def _blocks(week: Week) -> str:
    return "█" * round(20 * week.answered / week.questions)


def _svg(week: Week) -> str:
    width, height = _BAR
    done = round(width * week.answered / week.questions)
    label = f"{_share(week)} answered"
    return (
        f'<svg width="{width}" height="{height}" role="img" aria-label="{label}">'
        f'<rect width="{width}" height="{height}"/><rect width="{done}" height="{height}"/></svg>'
    )


def _markdown(text: str) -> str:
    """On one line, and no mark-up of its own."""
    return _MARKS.sub(r"\\\g<0>", " ".join(text.split()))


_MARKS = re.compile(r"[\\`*_\[\]<>#|]")
