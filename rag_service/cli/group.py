"""The command that all others are added to, and what they share."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
import msgspec
from msgspec import Struct

from rag_service import __version__
from rag_service.access.scope import ALL_BOTS
from rag_service.documents import DEFAULT_BOT
from rag_service.errors import Invalid, RagError
from rag_service.fields import Declared, field_of
from rag_service.knowledge.search_request import SearchRequest
from rag_service.settings import Settings, load_settings


class Group(click.Group):
    """Our errors end a command with their message and exit code 1, never with a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except RagError as error:
            raise click.ClickException(_told(error)) from error


def _told(error: RagError) -> str:
    """With the reasons, where its message only names what is at fault."""
    params = error.params if isinstance(error, Invalid) else {}
    reasons = [f"{name}: {why}" for name, why in params.items() if why not in str(error)]
    return "; ".join(reasons) or str(error)


class FieldType(click.ParamType[Any]):
    """A value that is read as the field of a request is."""

    name = "text"

    def __init__(self, field: Declared) -> None:
        self._read = field.field.read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return self._read(value)
        except ValueError as error:
            return self.fail(str(error), param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str | None:
        schema = self._read.schema
        if "enum" in schema:
            return f"[{'|'.join(schema['enum'])}]"
        return str(schema.get("type", "json")).upper()


def field_option(request: type[Struct], name: str, *flags: str) -> Callable[[Any], Any]:
    """An option that is a field of a request: read, explained, and left out as over HTTP."""
    field = field_of(request, name)
    default = field.default
    return click.option(
        *flags,
        field.attribute,
        type=FieldType(field),
        default=default,
        show_default=default is not None,
        help=field.field.about,
    )


filter_option = click.option(
    "--filter",
    "only",
    type=FieldType(field_of(SearchRequest, "filter")),
    help='Only documents whose metadata suit this JSON, such as {"topic": "prices"}.',
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, as a pipe gets it.")
bot_option = click.option("--bot", default=DEFAULT_BOT, show_default=True, help="The bot to use.")


@click.group(cls=Group)
@click.version_option(__version__, prog_name="rag-service")
def cli() -> None:
    """A local-first knowledge service: push documents, find them, lose nothing."""


@contextmanager
def open_service(*, upgrade: Callable[[str], None] | None = None, **changes: Any) -> Iterator[Any]:
    from rag_service.assembly import assemble  # noqa: PLC0415  --help needs none of it

    with assemble(settings_of(**changes), upgrade) as service:
        yield service


def tell(progress: str) -> None:
    click.echo(progress, err=True)


def settings_of(**changes: Any) -> Settings:
    given = {name: value for name, value in changes.items() if value is not None}
    return msgspec.structs.replace(load_settings(), **given)


def known_bot(service: Any, bot_id: str) -> str:
    if not service.store.bots.has(ALL_BOTS, bot_id):
        raise click.ClickException(
            f"no bot {bot_id!r}: `rag-service bot list` shows those there are"
        )
    return bot_id


def text_of(argument: str, what: str) -> str:
    text = argument.encode(errors="replace").decode()  # an argument may be any bytes
    if not text.strip():
        raise click.UsageError(f"the {what} is blank")
    return text
