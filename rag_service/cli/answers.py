"""What is asked and answered: `ask`, `chat`, `transcripts`."""

from typing import Any

import click

from rag_service.access.scope import ALL_BOTS
from rag_service.cli.group import (
    bot_option,
    cli,
    field_option,
    filter_option,
    json_option,
    known_bot,
    open_service,
    text_of,
)
from rag_service.cli.terminal import Terminal
from rag_service.conversations.transcripts import TranscriptsRequest, csv_lines, item
from rag_service.knowledge.filters import Filter


@cli.command()
@click.argument("question")
@bot_option
@filter_option
@json_option
def ask(question: str, bot: str, only: Filter | None, as_json: bool) -> None:
    """Answer QUESTION from the knowledge base, with sources; both are kept in the transcripts."""
    from rag_service.cli.talk import Conversing  # noqa: PLC0415

    terminal = Terminal(as_json)
    with open_service() as service, Conversing(service, known_bot(service, bot)) as conversing:
        terminal.replied(conversing.ask(text_of(question, "question"), terminal.say, only))


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
@field_option(TranscriptsRequest, "since", "--since")
@field_option(TranscriptsRequest, "until", "--until")
@field_option(TranscriptsRequest, "session_id", "--session")
@field_option(TranscriptsRequest, "role", "--role")
@field_option(TranscriptsRequest, "has_rag_context", "--has-rag-context")
@field_option(TranscriptsRequest, "bot_id", "--bot")
@field_option(TranscriptsRequest, "q", "-q")
@field_option(TranscriptsRequest, "limit", "--limit")
@field_option(TranscriptsRequest, "offset", "--offset")
@field_option(TranscriptsRequest, "order", "--order")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV: all rows that match.")
@json_option
def transcripts(as_csv: bool, as_json: bool, **fields: Any) -> None:
    """Show what was asked and answered."""
    asked = TranscriptsRequest(**fields)
    scope = ALL_BOTS.only(asked.bot_id)
    where, ascending = asked.filter(), asked.order == "asc"
    terminal = Terminal(as_json)
    with open_service() as service:
        if as_csv:
            for part in csv_lines(
                service.store.transcripts.export(scope, where, ascending=ascending)
            ):
                click.echo(part, nl=False)
            return
        _, rows = service.store.transcripts.page(
            scope, where, limit=asked.limit, offset=asked.offset, ascending=ascending
        )
    terminal.transcripts([item(row) for row in rows])
