"""Looking after it: `check`, `reindex`, `upgrade`, `doctor`."""

import sys

import click

from rag_service.access.scope import ALL_BOTS
from rag_service.cli.group import cli, json_option, open_service, tell
from rag_service.cli.terminal import Terminal
from rag_service.settings import load_settings


@cli.command()
@json_option
def check(as_json: bool) -> None:
    """Compare the rows with both views and say what is wrong."""
    with open_service() as service:
        faults = list(service.store.views.check())
    Terminal(as_json).faults(faults)
    sys.exit(1 if faults else 0)


@cli.command()
@click.option("--bot", help="Only this bot.")
def reindex(bot: str | None) -> None:
    """Make the views again from the rows, without the embedding model."""
    with open_service() as service:
        for name in [bot] if bot else service.store.bots.all(ALL_BOTS):
            service.store.views.reindex(name)
            click.echo(f"{name}: made again", err=True)


@cli.command()
def upgrade() -> None:
    """Bring the rows of an earlier version up to date; a copy of them is kept beside them.

    `serve` does it by itself. No other command does, since a server may be using them.
    """
    with open_service(upgrade=tell):
        click.echo("rag.db is as this version keeps it", err=True)


@cli.command()
@json_option
def doctor(as_json: bool) -> None:
    """Tell what is configured, which hosts could be contacted, and whether all is in place."""
    from rag_service.cli.doctor import examine  # noqa: PLC0415

    findings = examine(load_settings())
    Terminal(as_json).findings(findings)
    sys.exit(0 if all(finding.ok for finding in findings) else 1)
