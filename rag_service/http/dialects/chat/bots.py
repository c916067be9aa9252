"""/bots, in the chat dialect: each bot has knowledge of its own."""

from typing import Annotated, Any

from litestar import Request, get, post
from litestar.di import NamedDependency
from msgspec import Struct

from rag_service.assembly import Service
from rag_service.documents import DEFAULT_BOT
from rag_service.fields import Field, read_bot_id
from rag_service.http.documenting import errors, json_body, operation
from rag_service.http.envelopes import Success
from rag_service.http.guarding import need, scope_of
from rag_service.http.parameters import read_body
from rag_service.http.threads import Threads
from rag_service.knowledge import bots

AnyRequest = Request[Any, Any, Any]


class Bot(Struct, frozen=True, kw_only=True, rename="camel"):
    id: str
    created_at: str | None
    documents: int
    chunks: int


class Bots(Struct, frozen=True, kw_only=True):
    bots: list[Bot]


class NewBot(Struct, frozen=True, kw_only=True):
    id: Annotated[str, Field("Its name.", read_bot_id, also=("botId", "name"))]


@post(
    "/bots",
    status_code=201,
    guards=[need("admin")],
    tags=["bots"],
    summary="Create a bot",
    operation_class=operation(body=json_body(NewBot, {"id": "support"})),
    responses=errors(400, 409, 413, chat=True),
)
async def create_bot(
    request: AnyRequest, service: NamedDependency[Service], threads: NamedDependency[Threads]
) -> Success[Bot]:
    """Pushing knowledge to a bot creates it too."""
    bot_id = (await read_body(request, NewBot)).id
    await threads.write(service.store.bots.create, scope_of(request), bot_id)
    made = (await threads.read(service.store.bots.all, scope_of(request)))[bot_id]
    return Success(data=_shown(made))


@get(
    "/bots",
    guards=[need(None)],
    tags=["bots"],
    summary="List bots",
    operation_class=operation(),
    responses=errors(chat=True),
)
async def list_bots(
    request: AnyRequest, service: NamedDependency[Service], threads: NamedDependency[Threads]
) -> Success[Bots]:
    """Those that the token may use; `default` always exists."""
    every = await threads.read(service.store.bots.all, scope_of(request))
    if scope_of(request).admits(DEFAULT_BOT):
        every.setdefault(DEFAULT_BOT, bots.Bot(DEFAULT_BOT, None, 0, 0))
    shown = [_shown(bot) for _, bot in sorted(every.items())]
    return Success(data=Bots(bots=shown))


def _shown(bot: bots.Bot) -> Bot:
    return Bot(id=bot.bot_id, created_at=bot.created_at, documents=bot.documents, chunks=bot.chunks)


handlers = [create_bot, list_bots]
