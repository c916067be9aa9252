"""The HTTP application: settings in, Litestar out."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, Router
from litestar.config.cors import CORSConfig
from litestar.datastructures import MutableScopeHeaders, State
from litestar.di import Provide
from litestar.serialization import encode_json
from litestar.types import Message, Scope

from rag_service.assembly import Service, assemble
from rag_service.events.fan_out import FanOut
from rag_service.http import page, schema_page
from rag_service.http.answer_schemas import AnswerSchemas
from rag_service.http.dialects import mcp, openai
from rag_service.http.dialects.chat import (
    bots,
    chat,
    contact_imports,
    contacts,
    conversations,
    deliveries,
    webhooks,
)
from rag_service.http.dialects.knowledge import (
    batch,
    deletes,
    gap_report,
    gaps,
    knowledge,
    leads,
    operating,
    search,
    transcripts,
    upload,
)
from rag_service.http.dialects.messages import events, feedback, messages
from rag_service.http.dialects.widget import script, visitors, visits
from rag_service.http.documenting import RATE_HEADERS
from rag_service.http.envelopes import CHAT, KNOWLEDGE, MESSAGES, OPENAI, answer_error, rate_headers
from rag_service.http.health import health
from rag_service.http.threads import Threads
from rag_service.http.tolerance import tolerant
from rag_service.mcp.endpoint import Endpoint
from rag_service.settings import Settings, load_settings

log = logging.getLogger(__name__)


def create_app(settings: Settings | None = None) -> Litestar:
    """Runs its background process while its lifespan lasts, over the settings in its state."""
    settings = settings or load_settings()

    @asynccontextmanager
    async def run_service(app: Litestar) -> AsyncIterator[None]:
        with assemble(app.state.settings, upgrade=log.warning) as service:
            threads = Threads()
            fan_out = FanOut(service.store.events, service.supervisor)
            endpoint = Endpoint(service)
            app.state.update({"service": service, "threads": threads})
            app.state.update({"fan_out": fan_out, "mcp": endpoint})
            try:
                async with (
                    service.jobs.running(),
                    service.replies.running(),
                    service.dispatcher.running(),
                    service.caretaker.running(service.store.events.on_write),
                    service.gap_watch.running(service.store.events.on_write),
                    fan_out.running(),
                    endpoint.running(),
                ):
                    yield
            finally:
                await service.webhooks.close()
                await service.assistant.close()
                threads.close()

    of_knowledge = [
        health,
        *knowledge.handlers,
        *deletes.handlers,
        *batch.handlers,
        *upload.handlers,
        *search.handlers,
        *transcripts.handlers,
        *leads.handlers,
        *gap_report.handlers,
        *gaps.handlers,
        *operating.handlers,
    ]
    of_chat = [
        *bots.handlers,
        *chat.handlers,
        *feedback.of_chat,
        *conversations.handlers,
        *webhooks.handlers,
        *deliveries.handlers,
        *contacts.handlers,
        *contact_imports.handlers,
    ]
    of_messages = [*messages.handlers, *feedback.of_messages, *events.handlers]
    app = _App(
        [
            *mcp.handlers,
            *of_knowledge,
            *of_chat,
            *of_messages,
            Router(KNOWLEDGE, route_handlers=of_knowledge),
            Router(CHAT, route_handlers=of_chat),
            Router(MESSAGES, route_handlers=of_messages),
            script.widget_script,
            *visitors.handlers,
            Router(OPENAI, route_handlers=openai.handlers),
            schema_page.assets(),
            *page.handlers(settings.prefix),
        ],
        lifespan=[run_service],
        dependencies={
            "service": Provide(_service, sync_to_thread=False),
            "threads": Provide(_threads, sync_to_thread=False),
            "fan_out": Provide(_fan_out, sync_to_thread=False),
        },
        exception_handlers={Exception: answer_error},
        before_send=[_add_rate_headers, visits.answer_its_origin],
        openapi_config=schema_page.config(settings.prefix),
        plugins=[AnswerSchemas()],
        logging_config=None,
        request_max_body_size=settings.max_body_bytes,
        cors_config=_cors(settings.origins) if settings.origins else None,
    )
    app.path_prefix = settings.prefix
    app.state.settings = settings
    return app


def openapi_document(settings: Settings | None = None) -> bytes:
    """As JSON. No server is started, and no model or row is read."""
    app = create_app(settings)
    return encode_json(app.openapi_schema.to_schema())


class _App(Litestar):
    path_prefix = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope, receive, send = tolerant(scope, receive, send, self.path_prefix)
            scope = visits.apart(scope)
        await super().__call__(scope, receive, send)


def _cors(origins: list[str]) -> CORSConfig:
    return CORSConfig(
        allow_origins=origins,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=[
            *("authorization", "content-type", "last-event-id", "accept"),
            *("mcp-protocol-version", "mcp-method", "mcp-name"),
        ],
        expose_headers=["x-job-id", "location", "retry-after", "retry-after-ms", *RATE_HEADERS],
    )


async def _add_rate_headers(message: Message, scope: Scope) -> None:
    if message["type"] == "http.response.start":
        allowance = scope.get("state", {}).get("allowance")
        if allowance is not None:
            headers = MutableScopeHeaders.from_message(message)
            headers.update(rate_headers(allowance))


def _service(state: State) -> Service:
    service: Service = state.service
    return service


def _threads(state: State) -> Threads:
    threads: Threads = state.threads
    return threads


def _fan_out(state: State) -> FanOut:
    fan_out: FanOut = state.fan_out
    return fan_out
