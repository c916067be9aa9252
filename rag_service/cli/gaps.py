"""What could not be answered: `gaps` and its commands."""

import sys
from typing import Any

import click

from rag_service.access.scope import ALL_BOTS
from rag_service.cli.gap_views import show_forecast, show_gap, show_gaps, show_state
from rag_service.cli.group import Group, cli, field_option, json_option, open_service, text_of
from rag_service.cli.terminal import Terminal
from rag_service.gaps.gaps_request import GapsRequest


def _filters(command: Any) -> Any:
    for option in reversed(
        (
            field_option(GapsRequest, "bot_id", "--bot"),
            field_option(GapsRequest, "state", "--state"),
            field_option(GapsRequest, "kind", "--kind"),
            field_option(GapsRequest, "since", "--since"),
            field_option(GapsRequest, "until", "--until"),
            field_option(GapsRequest, "q", "-q"),
            field_option(GapsRequest, "min_questions", "--min-questions"),
            field_option(GapsRequest, "sort", "--sort"),
            field_option(GapsRequest, "order", "--order"),
            field_option(GapsRequest, "limit", "--limit"),
            field_option(GapsRequest, "offset", "--offset"),
            click.option("--csv", "as_csv", is_flag=True, help="Print CSV: all that match."),
            json_option,
        )
    ):
        command = option(command)
    return command


@cli.group(cls=Group, invoke_without_command=True)
@_filters
@click.pass_context
def gaps(context: click.Context, /, **filters: Any) -> None:
    """Show the questions that the pages do not answer, in clusters, and close them."""
    if context.invoked_subcommand is None:
        _list(**filters)


@gaps.command("list")
@_filters
def list_gaps(**filters: Any) -> None:
    """Show gaps; the same as `rag-service gaps`."""
    _list(**filters)


@gaps.command()
@click.argument("gap_id")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@json_option
def show(gap_id: str, limit: int, as_json: bool) -> None:
    """Show a gap with its questions and its history."""
    with open_service() as service:
        _follow(service)
        gap = service.store.gaps.get(ALL_BOTS, gap_id)
        total, items = service.store.gaps.questions(ALL_BOTS, gap_id, limit=limit, offset=0)
        history = service.store.gaps.history(ALL_BOTS, gap_id)
    show_gap(Terminal(as_json), gap, total, items, history)


@gaps.command()
@click.argument("gap_id")
@click.argument("answer", required=False, default="-")
@click.option("--title", help="The question that the page answers; the gap's title otherwise.")
@click.option("--source-url", help="The key of the page; gap://BOT/GAP_ID otherwise.")
@click.option("--dry-run", is_flag=True, help="Change nothing; tell what would close.")
@json_option
def answer(
    gap_id: str,
    answer: str,
    title: str | None,
    source_url: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Push a page with ANSWER (- or nothing: standard input), and ask the gap's questions again."""
    from rag_service.gaps.desk import GapAnswer  # noqa: PLC0415

    text = text_of(sys.stdin.read() if answer == "-" else answer, "answer")
    page = GapAnswer(text=text, title=title, source_url=source_url)
    terminal = Terminal(as_json)
    with open_service() as service:
        if dry_run:
            _, forecast = service.desk.preview(ALL_BOTS, gap_id, page)
            show_forecast(terminal, forecast)
            return
        answered = service.desk.answer(ALL_BOTS, gap_id, page)
        _follow(service)
        show_state(terminal, service.store.gaps.get(ALL_BOTS, answered.gap.gap_id))


def _by_hand(name: str, state: str, told: str) -> None:
    @gaps.command(name, help=told)
    @click.argument("gap_id")
    @click.option("--note", help="Kept with it.")
    @json_option
    def command(gap_id: str, note: str | None, as_json: bool) -> None:
        with open_service() as service:
            gap = service.store.gaps.change(ALL_BOTS, gap_id, state=state, title=None, note=note)
        show_state(Terminal(as_json), gap)


_by_hand("dismiss", "dismissed", "Dismiss a gap, and questions like it from now on.")
_by_hand("reopen", "open", "Open a gap that was closed or dismissed.")
_by_hand("close", "closed", "Close a gap by hand; it opens when another question is not answered.")


@gaps.command()
@field_option(GapsRequest, "bot_id", "--bot")
@field_option(GapsRequest, "since", "--since")
@click.option("--html", "as_html", is_flag=True, help="Print an HTML page.")
@json_option
def report(bot_id: str | None, since: str | None, as_html: bool, as_json: bool) -> None:
    """Print what is asked most, what was closed by what, and how much is answered, in Markdown."""
    from rag_service.clock import written  # noqa: PLC0415
    from rag_service.gaps import report as reports  # noqa: PLC0415

    with open_service() as service:
        _follow(service)
        made = reports.make_report(service.store.gaps, bot_id, since, written(service.clock.now()))
    if as_json:
        Terminal(as_json).as_json(made)
    else:
        click.echo(reports.as_html(made) if as_html else reports.as_markdown(made), nl=False)


def _list(as_csv: bool, as_json: bool, **fields: Any) -> None:
    from rag_service.gaps.exports import csv_lines, pages  # noqa: PLC0415

    asked = GapsRequest(**fields)
    scope = ALL_BOTS.only(asked.bot_id)
    where, sort, descending = asked.filter(), asked.sort, asked.order == "desc"
    with open_service() as service:
        _follow(service)
        gaps = service.store.gaps
        if as_csv:
            for part in csv_lines(pages(gaps, scope, where, sort=sort, descending=descending)):
                click.echo(part, nl=False)
            return
        pending = gaps.pending(scope)
        total, items = gaps.page(
            scope, where, sort=sort, descending=descending, limit=asked.limit, offset=asked.offset
        )
    show_gaps(Terminal(as_json), total, pending, items)


def _follow(service: Any) -> None:
    """Consider what waits, where no server is there to do it."""
    from rag_service.background.gap_watch import follow  # noqa: PLC0415

    follow(service.settings, service.ledger)
