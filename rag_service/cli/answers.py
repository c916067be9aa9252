"""What is asked and answered: `ask`, `chat`, `transcripts`."""

from typing import get_args

import click

from rag_service.access.scope import ALL_BOTS
from rag_service.cli.group import bot_option, cli, json_option, known_bot, open_service, text_of
from rag_service.cli.terminal import Terminal
from rag_service.conversations.messages import Role


@cli.command()
@click.argument("question")
@bot_option
@json_option
def ask(question: str, bot: str, as_json: bool) -> None:
    """Answer QUESTION from the knowledge base, with sources; both are kept in the transcripts."""
    from rag_service.cli.talk import Conversing  # noqa: PLC0415

    terminal = Terminal(as_json)
    with open_service() as service, Conversing(service, known_bot(service, bot)) as conversing:
        terminal.replied(conversing.ask(text_of(question, "question"), terminal.say))


@cli.command()
@bot_option
def chat(bot: str) -> None:
    """Talk with a bot until Ctrl-D; what was said before is taken into account."""
    from rag_service.cli.talk import Conversing  # noqa: PLC0415

    terminal = Terminal(as_json=False)
    with open_service() as service, Conversing(service, known_bot(service, bot)) as conversing:
        for question in terminal.questions():
            terminal.replied(conversing.ask(question, terminal.say))


@cli.command()
@click.option("--since", help="From then on: 2026-05-12, yesterday, -1 week.")
@click.option("--until", help="Up to then.")
@click.option("--session", "session_id", help="Only this conversation.")
@click.option("--role", type=click.Choice([*get_args(Role), "all"]), default="all")
@click.option(
    "--has-rag-context",
    type=click.Choice(["yes", "no", "any"]),
    default="any",
    help="`no` finds the questions nothing was found for.",
)
@click.option("--bot", help="Only this bot.")
@click.option("-q", "q", help="Only texts that contain this.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@click.option("--offset", type=click.IntRange(0), default=0)
@click.option("--order", type=click.Choice(["asc", "desc"]), default="desc", show_default=True)
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV: all rows that match.")
@json_option
def transcripts(
    limit: int,
    offset: int,
    order: str,
    as_csv: bool,
    as_json: bool,
    bot: str | None,
    **filters: str | None,
) -> None:
    """Show what was asked and answered."""
    from rag_service.conversations.transcripts import csv_lines, item, read_filter  # noqa: PLC0415

    where = read_filter(filters)
    scope = ALL_BOTS.only(bot)
    ascending = order == "asc"
    terminal = Terminal(as_json)
    with open_service() as service:
        if as_csv:
            for part in csv_lines(
                service.store.transcripts.export(scope, where, ascending=ascending)
            ):
                click.echo(part, nl=False)
            return
        _, rows = service.store.transcripts.page(
            scope, where, limit=limit, offset=offset, ascending=ascending
        )
    terminal.transcripts([item(row) for row in rows])
