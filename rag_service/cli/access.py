"""`token` and `bot`."""

from typing import get_args

import click
import msgspec

from rag_service.access.caller import Permission, RateClass
from rag_service.access.scope import ALL_BOTS
from rag_service.cli.group import cli, json_option, open_service
from rag_service.cli.terminal import Terminal


@cli.group()
def token() -> None:
    """Create, list, rotate and revoke the tokens that open the API."""


@token.command("create")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(get_args(Permission)))
@click.option("--bot", help="The only bot it may use.")
@click.option(
    "--origin",
    "origins",
    multiple=True,
    help="A site whose pages may use it, with --scope widget: https://shop.example.",
)
@click.option(
    "--rate", "rates", multiple=True, metavar="CLASS=LIMIT", help="For instance data=off."
)
def create_token(
    name: str,
    scopes: tuple[Permission, ...],
    bot: str | None,
    origins: tuple[str, ...],
    rates: tuple[str, ...],
) -> None:
    """Create a token and print it, this once."""
    with open_service() as service:
        click.echo(service.access.create(name, list(scopes), bot, _rates(rates), origins))
    click.echo(f"Keep it: {name!r} is not shown again.", err=True)


@token.command("list")
@json_option
def list_tokens(as_json: bool) -> None:
    """Show the tokens there are, without the tokens themselves."""
    with open_service() as service:
        rows = [
            {
                "name": token.name,
                "scopes": token.scopes,
                "bot_id": token.bot_id,
                "rates": token.rates,
                "origins": token.origins,
                "created_at": token.created_at,
            }
            for token in service.access.tokens()
        ]
    Terminal(as_json).table("Tokens", rows)


@token.command("rotate")
@click.argument("name")
def rotate_token(name: str) -> None:
    """Put a new token in place of the old one, which is void at once."""
    with open_service() as service:
        click.echo(service.access.rotate(name))


@token.command("revoke")
@click.argument("name")
def revoke_token(name: str) -> None:
    """Make a token void at once."""
    with open_service() as service:
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
    from rag_service.fields import read_bot_id  # noqa: PLC0415

    try:
        bot_id = read_bot_id(name)
    except ValueError as error:
        raise click.UsageError(f"the name {error}") from error
    with open_service() as service:
        service.store.bots.create(ALL_BOTS, bot_id)


@bot.command("list")
@json_option
def list_bots(as_json: bool) -> None:
    """Show the bots there are."""
    with open_service() as service:
        rows = [msgspec.structs.asdict(one) for one in service.store.bots.all(ALL_BOTS).values()]
    Terminal(as_json).table("Bots", rows)
