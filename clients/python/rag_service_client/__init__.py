"""A client of rag-service, for programs that wait (`Client`) and for asyncio (`AsyncClient`).

Both have the same methods, one for each public route. Answers are structs (`types`), whatever fails
is an `ApiError`, and streams end the work on the other side when they are closed.
"""

from rag_service_client import types
from rag_service_client.asynchronous import AsyncClient
from rag_service_client.errors import ApiError
from rag_service_client.synchronous import Client
from rag_service_client.webhooks import WebhookError, WebhookEvent, verify_webhook

__all__ = [
    "ApiError",
    "AsyncClient",
    "Client",
    "WebhookError",
    "WebhookEvent",
    "types",
    "verify_webhook",
]
