"""What is kept: `list` and `delete`."""

import click
import msgspec

from rag_service.access.scope import ALL_BOTS
from rag_service.cli.group import (
    bot_option,
    cli,
    filter_option,
    json_option,
    known_bot,
    open_service,
)
from rag_service.cli.terminal import Terminal
from rag_service.knowledge.filters import Filter
from rag_service.knowledge.store import DocumentFilter


@cli.command("list")
@click.option("--bot", help="Only this bot's documents.")
@filter_option
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@click.option("--offset", type=click.IntRange(0), default=0, show_default=True)
@json_option
def list_documents(
    bot: str | None, only: Filter | None, limit: int, offset: int, as_json: bool
) -> None:
    """List documents, newest first."""
    terminal = Terminal(as_json)
    with open_service() as service:
        scope = ALL_BOTS.only(None if bot is None else known_bot(service, bot))
        where = DocumentFilter(metadata=only)
        _, found = service.store.knowledge.documents(scope, where, limit=limit, offset=offset)
    rows = [msgspec.structs.asdict(one) for one in found]
    terminal.table("Documents", rows, ["source_url", "title", "content_type", "metadata"])


@cli.command()
@click.argument("urls", nargs=-1, metavar="[URL]...")
@bot_option
@filter_option
@click.option(
    "--confirm", type=click.IntRange(0), help="With --filter: how many documents that deletes."
)
@json_option
def delete(
    urls: tuple[str, ...], bot: str, only: Filter | None, confirm: int | None, as_json: bool
) -> None:
    """Delete documents by URL, or those that --filter leaves.

    Without --confirm a filter deletes nothing, and tells how many documents it leaves.
    """
    if bool(urls) is (only is not None):
        raise click.UsageError("name a URL or more, or give a --filter")
    is_dry = not urls and confirm is None
    with open_service() as service:
        bot = known_bot(service, bot)
        if urls:
            removed = service.knowledge.remove(ALL_BOTS, bot, list(dict.fromkeys(urls)))
        elif is_dry:
            removed = service.knowledge.matching(ALL_BOTS, bot, only)
        else:
            removed = service.knowledge.remove_matching(ALL_BOTS, bot, only, confirm)
    terminal = Terminal(as_json)
    if is_dry and not terminal.is_json:
        terminal.line(f"Nothing is deleted yet: to do it, add --confirm {len(removed)}")
    terminal.fields(
        {
            "bot_id": bot,
            "dry_run": is_dry,
            "urls_deleted": len(removed),
            "entries_removed": sum(removed.values()),
        }
    )
