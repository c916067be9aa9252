"""The command line: the same service without HTTP. Results go to standard output."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import click
import msgspec

from rag_service import __version__
from rag_service.access import RateClass, Scope
from rag_service.conversations import Role
from rag_service.documents import DEFAULT_BOT
from rag_service.errors import RagError
from rag_service.settings import Settings, load_settings
from rag_service.stores import Mode
from rag_service.terminal import Terminal


class Group(click.Group):
    """Our errors end a command with their message and exit code 1, never with a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except RagError as error:
            raise click.ClickException(str(error)) from error


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, as a pipe gets it.")
bot_option = click.option("--bot", default=DEFAULT_BOT, show_default=True, help="The bot to use.")


@click.group(cls=Group)
@click.version_option(__version__, prog_name="rag-service")
def cli() -> None:
    """A local-first knowledge service: push documents, find them, lose nothing."""


@contextmanager
def _service(**changes: Any) -> Iterator[Any]:
    from rag_service.assembly import assemble  # noqa: PLC0415  --help needs none of it

    with assemble(_settings(**changes)) as service:
        yield service


def _settings(**changes: Any) -> Settings:
    given = {name: value for name, value in changes.items() if value is not None}
    return msgspec.structs.replace(load_settings(), **given)


# -- serving ------------------------------------------------------------------------------------


@cli.command()
@click.option("--host", help="The address to listen on; RAG_HOST otherwise.")
@click.option("--port", type=click.IntRange(0, 65535), help="RAG_PORT otherwise; 0 for a free one.")
@click.option("--first-token", is_flag=True, help="Create a token and show it, if there is none.")
def serve(host: str | None, port: int | None, first_token: bool) -> None:
    """Serve over HTTP until interrupted."""
    from rag_service.server import serve as run  # noqa: PLC0415

    settings = _settings(host=host, port=port)
    token = _first_token() if first_token else None
    terminal = Terminal(as_json=False)
    run(settings, started=lambda url: terminal.welcome(url, token))


def _first_token() -> str | None:
    with _service() as service:
        if service.access.tokens():
            return None
        token: str = service.access.create("first", [*get_args(Scope)])
        return token


# -- knowledge ----------------------------------------------------------------------------------


@cli.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--bot", help="The bot of documents that name none.")
@click.option("--content-type", help="The label of documents that have none.")
@json_option
def ingest(
    paths: tuple[Path, ...], bot: str | None, content_type: str | None, as_json: bool
) -> None:
    """Push folders, .md, .txt and .html files, or .jsonl files of POST /knowledge bodies.

    What has not changed costs nothing, so after an interruption the same command goes on.
    """
    from rag_service.ingesting import Ingest  # noqa: PLC0415

    if hasattr(os, "nice"):
        os.nice(19)  # a server beside it goes first
    terminal = Terminal(as_json)
    with _service() as service:
        report = Ingest(service, paths, bot, content_type).run(terminal.progress)
    terminal.ingested(report)
    sys.exit(1 if report.failed or report.interrupted else 0)


@cli.command()
@click.argument("query")
@bot_option
@click.option("-k", "k", type=click.IntRange(1, 100), default=5, show_default=True)
@click.option("--mode", type=click.Choice(get_args(Mode)), default="hybrid", show_default=True)
@click.option("--content-type", help="Only documents with this label.")
@click.option("--by-document", is_flag=True, help="Each document once, with its best passage.")
@json_option
def search(
    query: str,
    bot: str,
    k: int,
    mode: Mode,
    content_type: str | None,
    by_document: bool,
    as_json: bool,
) -> None:
    """Print the passages that answer QUERY best."""
    query = _text(query, "query")
    with _service() as service:
        found = service.knowledge.search(
            query, bot, k=k, mode=mode, content_type=content_type, by_document=by_document
        )
    Terminal(as_json).found(found)


@cli.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@bot_option
@click.option("--mode", type=click.Choice(get_args(Mode)), default="hybrid", show_default=True)
@click.option(
    "--against",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="What an earlier run printed with --json.",
)
@json_option
def evaluate(file: Path, bot: str, mode: Mode, against: Path | None, as_json: bool) -> None:
    """Measure the search with the questions in FILE.

    A JSON object a line: {"question": "...", "source_urls": ["..."]} with the URLs that answer it;
    none for a question that the bot should not answer.
    """
    from rag_service.evaluating import evaluate as run  # noqa: PLC0415
    from rag_service.evaluating import read_earlier, read_file  # noqa: PLC0415

    questions = read_file(file)
    earlier = read_earlier(against) if against else None
    terminal = Terminal(as_json)
    with _service() as service:
        report = run(service, questions, _known(service, bot), mode, earlier, terminal.progress)
    terminal.evaluated(report)


@cli.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, exists=True))
@bot_option
@click.option("--reset", is_flag=True, help="Go back to the default.")
@json_option
def calibrate(file: Path | None, bot: str, reset: bool, as_json: bool) -> None:
    """Fit the confidence of a bot to the questions in FILE, which are as for `evaluate`."""
    from rag_service.evaluating import calibrate as run  # noqa: PLC0415
    from rag_service.evaluating import read_file  # noqa: PLC0415

    if (file is None) is not reset:
        raise click.UsageError("name a FILE of questions, or say --reset")
    terminal = Terminal(as_json)
    with _service() as service:
        if file is None:
            service.store.calibrate(_known(service, bot), None)
            return
        done = run(service, read_file(file), _known(service, bot), terminal.progress)
        terminal.calibrated(done)


# -- answers ------------------------------------------------------------------------------------


@cli.command()
@click.argument("question")
@bot_option
@json_option
def ask(question: str, bot: str, as_json: bool) -> None:
    """Answer QUESTION from the knowledge base, with sources; both are kept in the transcripts."""
    from rag_service.conversing import Conversing  # noqa: PLC0415

    terminal = Terminal(as_json)
    with _service() as service, Conversing(service, _known(service, bot)) as conversing:
        terminal.replied(conversing.ask(_text(question, "question"), terminal.say))


@cli.command()
@bot_option
def chat(bot: str) -> None:
    """Talk with a bot until Ctrl-D; what was said before is taken into account."""
    from rag_service.conversing import Conversing  # noqa: PLC0415

    terminal = Terminal(as_json=False)
    with _service() as service, Conversing(service, _known(service, bot)) as conversing:
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
    limit: int, offset: int, order: str, as_csv: bool, as_json: bool, **filters: str | None
) -> None:
    """Show what was asked and answered."""
    from rag_service.transcripts import csv_lines, item, read_filter  # noqa: PLC0415

    where = read_filter(filters)
    ascending = order == "asc"
    terminal = Terminal(as_json)
    with _service() as service:
        if as_csv:
            for part in csv_lines(service.store.export(where, ascending=ascending)):
                click.echo(part, nl=False)
            return
        _, rows = service.store.transcripts(where, limit=limit, offset=offset, ascending=ascending)
    terminal.transcripts([item(row) for row in rows])


def _known(service: Any, bot_id: str) -> str:
    if not service.store.has_bot(bot_id):
        raise click.ClickException(
            f"no bot {bot_id!r}: `rag-service bot list` shows those there are"
        )
    return bot_id


def _text(argument: str, what: str) -> str:
    text = argument.encode(errors="replace").decode()  # an argument may be any bytes
    if not text.strip():
        raise click.UsageError(f"the {what} is blank")
    return text


# -- looking after it ---------------------------------------------------------------------------


@cli.command()
@json_option
def check(as_json: bool) -> None:
    """Compare the rows with both views and say what is wrong."""
    with _service() as service:
        faults = list(service.store.check())
    Terminal(as_json).faults(faults)
    sys.exit(1 if faults else 0)


@cli.command()
@click.option("--bot", help="Only this bot.")
def reindex(bot: str | None) -> None:
    """Make the views again from the rows, without the embedding model."""
    with _service() as service:
        for name in [bot] if bot else service.store.bots():
            service.store.reindex(name)
            click.echo(f"{name}: made again", err=True)


@cli.command()
@json_option
def doctor(as_json: bool) -> None:
    """Tell what is configured, which hosts could be contacted, and whether all is in place."""
    from rag_service.examining import examine  # noqa: PLC0415

    findings = examine(load_settings())
    Terminal(as_json).findings(findings)
    sys.exit(0 if all(finding.ok for finding in findings) else 1)


# -- tokens and bots ----------------------------------------------------------------------------


@cli.group()
def token() -> None:
    """Create, list, rotate and revoke the tokens that open the API."""


@token.command("create")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(get_args(Scope)))
@click.option("--bot", help="The only bot it may use.")
@click.option(
    "--rate", "rates", multiple=True, metavar="CLASS=LIMIT", help="For instance data=off."
)
def create_token(
    name: str, scopes: tuple[Scope, ...], bot: str | None, rates: tuple[str, ...]
) -> None:
    """Create a token and print it, this once."""
    with _service() as service:
        click.echo(service.access.create(name, list(scopes), bot, _rates(rates)))
    click.echo(f"Keep it: {name!r} is not shown again.", err=True)


@token.command("list")
@json_option
def list_tokens(as_json: bool) -> None:
    """Show the tokens there are, without the tokens themselves."""
    with _service() as service:
        rows = [
            {
                "name": token.name,
                "scopes": token.scopes,
                "bot_id": token.bot_id,
                "rates": token.rates,
                "created_at": token.created_at,
            }
            for token in service.access.tokens()
        ]
    Terminal(as_json).table("Tokens", rows)


@token.command("rotate")
@click.argument("name")
def rotate_token(name: str) -> None:
    """Put a new token in place of the old one, which is void at once."""
    with _service() as service:
        click.echo(service.access.rotate(name))


@token.command("revoke")
@click.argument("name")
def revoke_token(name: str) -> None:
    """Make a token void at once."""
    with _service() as service:
        service.access.revoke(name)
    click.echo(f"{name!r} is revoked.", err=True)


def _rates(given: tuple[str, ...]) -> dict[str, str]:
    rates = {}
    for pair in given:
        kind, equals, rate = pair.partition("=")
        if not equals:
            classes = ", ".join(get_args(RateClass))
            raise click.UsageError(f"--rate {pair}: use CLASS=LIMIT, where CLASS is {classes}")
        rates[kind] = rate
    return rates


@cli.group()
def bot() -> None:
    """Create and list bots; each has its own knowledge."""


@bot.command("create")
@click.argument("name")
def create_bot(name: str) -> None:
    """Create an empty bot."""
    from rag_service.pushes import read_bot_id  # noqa: PLC0415

    try:
        bot_id = read_bot_id(name)
    except ValueError as error:
        raise click.UsageError(f"the name {error}") from error
    with _service() as service:
        service.store.create_bot(bot_id)


@bot.command("list")
@json_option
def list_bots(as_json: bool) -> None:
    """Show the bots there are."""
    with _service() as service:
        rows = [{"bot_id": name, **about} for name, about in service.store.bots().items()]
    Terminal(as_json).table("Bots", rows)
