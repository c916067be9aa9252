"""`serve`, and `openapi`, which tells what is served."""

import click

from rag_service.access.tokens import FIRST_SCOPES
from rag_service.cli.group import cli, known_bot, open_service, settings_of, tell
from rag_service.cli.terminal import Terminal
from rag_service.mcp import NEEDS_EXTRA, is_installed


@cli.command()
@click.option("--host", help="The address to listen on; RAG_HOST otherwise.")
@click.option("--port", type=click.IntRange(0, 65535), help="RAG_PORT otherwise; 0 for a free one.")
@click.option("--first-token", is_flag=True, help="Create a token and show it, if there is none.")
def serve(host: str | None, port: int | None, first_token: bool) -> None:
    """Serve over HTTP until interrupted."""
    from rag_service.http.server import serve as run  # noqa: PLC0415

    settings = settings_of(host=host, port=port)
    token = _first_token() if first_token else None
    terminal = Terminal(as_json=False)
    run(settings, started=lambda url: terminal.welcome(url, token))


@cli.command()
@click.option("--bot", help="Only this bot; all of them without it.")
def mcp(bot: str | None) -> None:
    """Serve the Model Context Protocol over standard input and output."""
    if not is_installed():
        raise click.ClickException(NEEDS_EXTRA)
    from rag_service.mcp.stdio import serve as run  # noqa: PLC0415

    with open_service(upgrade=tell) as service:
        run(service, None if bot is None else known_bot(service, bot))


@cli.command()
def openapi() -> None:
    """Print the OpenAPI document, from which clients can be generated."""
    from rag_service.http.app import openapi_document  # noqa: PLC0415

    click.echo(openapi_document(settings_of()))


def _first_token() -> str | None:
    with open_service(upgrade=tell) as service:
        if service.access.tokens():
            return None
        token: str = service.access.create("first", [*FIRST_SCOPES])
        return token
