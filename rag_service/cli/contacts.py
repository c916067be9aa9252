"""`contact`."""

import sys
from typing import BinaryIO

import click

from rag_service.access.scope import ALL_BOTS
from rag_service.cli.group import cli, json_option, open_service
from rag_service.cli.terminal import Terminal

search_option = click.option(
    "--search", help="Only those with this in their email, name, phone or user id."
)


@cli.group()
def contact() -> None:
    """List, import and export the people you know."""


@contact.command("list")
@search_option
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@click.option("--offset", type=click.IntRange(0), default=0)
@json_option
def list_contacts(search: str | None, limit: int, offset: int, as_json: bool) -> None:
    """Show them, the newest first."""
    from rag_service.contacts.store import ContactFilter  # noqa: PLC0415

    where = ContactFilter(search=search)
    with open_service() as service:
        _, found = service.store.contacts.page(
            ALL_BOTS, where, limit=limit, offset=offset, ascending=False
        )
    Terminal(as_json).contacts(found)


@contact.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--region", help="The country, as DE, of phones that do not begin with a plus.")
@json_option
def import_file(file: BinaryIO, region: str | None, as_json: bool) -> None:
    """Create or change those in FILE: CSV with a header of email, name, phone, user_id, metadata.

    Other columns become keys of the metadata. An empty cell changes nothing, so the same command
    again changes nothing either.
    """
    from rag_service.contacts.fields import read_region  # noqa: PLC0415
    from rag_service.contacts.files import ContactFile, import_contacts  # noqa: PLC0415

    try:
        contacts = ContactFile(file.read(), None if region is None else read_region(region))
    except ValueError as error:
        raise click.UsageError(f"--region {error}") from error
    terminal = Terminal(as_json)
    with open_service() as service, terminal.progress("Importing", contacts.lines) as advance:
        report = import_contacts(service.store.contacts, ALL_BOTS, contacts, advance)
    terminal.imported(report)
    sys.exit(1 if report.failed else 0)


@contact.command("export")
@search_option
def export_file(search: str | None) -> None:
    """Print them as CSV that can be imported again, the oldest first."""
    from rag_service.contacts.files import csv_lines  # noqa: PLC0415
    from rag_service.contacts.store import ContactFilter  # noqa: PLC0415

    with open_service() as service:
        groups = service.store.contacts.export(
            ALL_BOTS, ContactFilter(search=search), ascending=True
        )
        for part in csv_lines(groups):
            click.echo(part, nl=False)
