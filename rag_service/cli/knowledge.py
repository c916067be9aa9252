"""What is pushed, found, and measured: `ingest`, `search`, `evaluate`, `calibrate`."""

import os
import sys
from pathlib import Path

import click

from rag_service.access.scope import ALL_BOTS
from rag_service.cli.group import (
    FieldType,
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
from rag_service.fields import field_of
from rag_service.knowledge.filters import Filter, both, has_label
from rag_service.knowledge.pushes import Push
from rag_service.knowledge.search_request import SearchRequest
from rag_service.knowledge.store import Mode


@cli.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--bot", type=FieldType(field_of(Push, "bot_id")), help="The bot of documents that name none."
)
@click.option(
    "--content-type",
    type=FieldType(field_of(Push, "content_type")),
    help="The label of documents that have none.",
)
@click.option("--strict", is_flag=True, help="Fail documents of which something is left out.")
@click.option("--attachments", is_flag=True, help="Read what is attached to mails as well.")
@click.option("--types", help="Of a WordPress export only these types, such as post,page.")
@json_option
def ingest(
    paths: tuple[Path, ...],
    bot: str | None,
    content_type: str | None,
    strict: bool,
    attachments: bool,
    types: str | None,
    as_json: bool,
) -> None:
    """Push folders, files of any format, or .jsonl files of POST /knowledge bodies.

    What is left out of a file is told.

    What has not changed costs nothing, so after an interruption the same command goes on.
    """
    from rag_service.cli.ingest import Ingest  # noqa: PLC0415
    from rag_service.readers.containers import Within, read_types  # noqa: PLC0415

    if hasattr(os, "nice"):
        os.nice(19)  # a server beside it goes first
    terminal = Terminal(as_json)
    with open_service() as service:
        within = Within(attachments=attachments, types=read_types(types) if types else None)
        ingest = Ingest(service, paths, bot, content_type, strict=strict, within=within)
        report = ingest.run(terminal.progress)
    terminal.ingested(report)
    sys.exit(1 if report.failed or report.interrupted else 0)


@cli.command()
@click.argument("query")
@bot_option
@field_option(SearchRequest, "k", "-k")
@field_option(SearchRequest, "mode", "--mode")
@field_option(SearchRequest, "content_type", "--content-type")
@filter_option
@click.option("--by-document", is_flag=True, help="Each document once, with its best passage.")
@click.option("--explain", is_flag=True, help="Tell what the confidence rests on.")
@json_option
def search(
    query: str,
    bot: str,
    k: int,
    mode: Mode,
    content_type: str | None,
    only: Filter | None,
    by_document: bool,
    explain: bool,
    as_json: bool,
) -> None:
    """Print the passages that answer QUERY best."""
    query = text_of(query, "query")
    only = both(has_label(content_type) if content_type else None, only)
    with open_service() as service:
        found = service.knowledge.search(
            ALL_BOTS, query, bot, k=k, mode=mode, only=only, by_document=by_document
        )
    Terminal(as_json).found(found, explain=explain)


@cli.command()
@click.argument(
    "file", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@bot_option
@field_option(SearchRequest, "mode", "--mode")
@click.option(
    "--against",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="What an earlier run printed with --json.",
)
@click.option(
    "--golden", is_flag=True, help="The questions of closed gaps and those rated up, not a FILE."
)
@json_option
def evaluate(
    file: Path | None, bot: str, mode: Mode, against: Path | None, golden: bool, as_json: bool
) -> None:
    """Measure the search with the questions in FILE.

    A JSON object a line: {"question": "...", "source_urls": ["..."]} with the URLs that answer it;
    none for a question that the bot should not answer.
    """
    from rag_service.cli.evaluate import evaluate as run  # noqa: PLC0415
    from rag_service.cli.evaluate import golden_questions, read_earlier, read_file  # noqa: PLC0415

    if (file is None) is not golden:
        raise click.UsageError("name a FILE of questions, or say --golden")
    questions = [] if file is None else read_file(file)
    earlier = read_earlier(against) if against else None
    terminal = Terminal(as_json)
    with open_service() as service:
        bot = known_bot(service, bot)
        questions = questions or golden_questions(service, bot)
        report = run(service, questions, bot, mode, earlier, terminal.progress)
    terminal.evaluated(report)


@cli.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, exists=True))
@bot_option
@click.option("--reset", is_flag=True, help="Go back to the default.")
@json_option
def calibrate(file: Path | None, bot: str, reset: bool, as_json: bool) -> None:
    """Fit the confidence of a bot to the questions in FILE, which are as for `evaluate`."""
    from rag_service.cli.evaluate import calibrate as run  # noqa: PLC0415
    from rag_service.cli.evaluate import read_file  # noqa: PLC0415

    if (file is None) is not reset:
        raise click.UsageError("name a FILE of questions, or say --reset")
    terminal = Terminal(as_json)
    with open_service() as service:
        if file is None:
            service.store.knowledge.calibrate(ALL_BOTS, known_bot(service, bot), None)
            return
        done = run(service, read_file(file), known_bot(service, bot), terminal.progress)
        terminal.calibrated(done)
