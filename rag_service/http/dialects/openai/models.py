"""/v1/models: the bots that a token may use, and the embedding model."""

from datetime import datetime
from typing import Any, Literal

from litestar import Request, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from rag_service.access.caller import Caller
from rag_service.access.scope import Scope
from rag_service.assembly import Service
from rag_service.documents import DEFAULT_BOT
from rag_service.errors import Forbidden, ModelNotFound
from rag_service.http.documenting import openai_errors, operation
from rag_service.http.guarding import caller_of, need
from rag_service.http.threads import Threads

AnyRequest = Request[Any, Any, Any]


class Model(Struct, frozen=True, kw_only=True):
    """`created` is in Unix seconds, and 0 for what was there from the beginning."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: Literal["rag-service"] = "rag-service"


class ModelList(Struct, frozen=True, kw_only=True):
    object: Literal["list"] = "list"
    data: list[Model]


@get(
    "/models",
    guards=[need(None)],
    tags=["openai"],
    summary="List the models",
    operation_class=operation(),
    responses=openai_errors(),
)
async def list_models(
    request: AnyRequest, service: NamedDependency[Service], threads: NamedDependency[Threads]
) -> ModelList:
    """The bots that the token may use, the one called `default` first, and the embedding model."""
    return ModelList(data=await _models(caller_of(request), service, threads))


@get(
    "/models/{model_id:str}",
    guards=[need(None)],
    tags=["openai"],
    summary="Show a model",
    operation_class=operation(),
    responses=openai_errors(400, 404),
)
async def show_model(
    request: AnyRequest,
    model_id: FromPath[str],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> Model:
    """One that the token may not use is unknown to it."""
    for model in await _models(caller_of(request), service, threads):
        if model.id == model_id:
            return model
    raise ModelNotFound(model_id)


async def need_bot_model(scope: Scope, name: str, service: Service, threads: Threads) -> str:
    """The bot of this name. Raises ModelNotFound, also where it is outside the scope."""
    if not scope.admits(name) or not await threads.read(service.store.bots.has, scope, name):
        raise ModelNotFound(name)
    return name


async def _models(caller: Caller, service: Service, threads: Threads) -> list[Model]:
    if not (caller.has("chat") or caller.has("knowledge")):
        raise Forbidden("This token lacks the scope 'chat' or 'knowledge'.")
    bots = await threads.read(service.store.bots.all, caller.scope)
    created = {name: _seconds(bot.created_at) for name, bot in bots.items()}
    if caller.scope.admits(DEFAULT_BOT):
        created = {DEFAULT_BOT: 0} | created
    created.setdefault(service.embedding_model(), 0)
    return [Model(id=name, created=moment) for name, moment in created.items()]


def _seconds(moment: str | None) -> int:
    return 0 if moment is None else int(datetime.fromisoformat(moment).timestamp())


handlers = [list_models, show_model]
