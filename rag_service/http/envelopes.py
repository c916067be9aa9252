"""The envelope of each dialect, and the one place that pairs errors with statuses and codes.

Which dialect answers is decided by the path, so that an unknown path, a wrong method or a failure
before any handler still speaks to the client in its own terms.
"""

import logging
import re
from typing import Any, Generic, Literal, TypeVar

from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, ValidationException
from msgspec import Struct

from rag_service.access.rates import Allowance
from rag_service.assembly import Service
from rag_service.errors import (
    AnswerFailed,
    AnswerTimedOut,
    BadSession,
    BadToken,
    BotNotFound,
    Conflict,
    ConversationNotFound,
    Forbidden,
    Invalid,
    ModelNotFound,
    NotFound,
    NotInstalled,
    NoTokens,
    RagError,
    RateLimited,
    TooLarge,
    Unsupported,
)
from rag_service.http.parameters import NotJson

T = TypeVar("T")

log = logging.getLogger(__name__)

KNOWLEDGE = "/wp-json/mxchat/v1"
CHAT = "/api/v1"
MESSAGES = "/v1"
_OF_CHAT = (CHAT, "/bots", "/bot", "/chat", "/webhooks", "/contacts", "/widget")
OPENAI = "/v1"
OF_OPENAI = tuple(
    f"{OPENAI}/{name}"
    for name in ("models", "chat", "completions", "embeddings", "responses", "vector_stores")
)
"""What is below these is answered as OpenAI does."""
_OF_MESSAGES = (MESSAGES, "/messages", "/events")


class KnowledgeErrorData(Struct, frozen=True, kw_only=True, omit_defaults=True):
    status: int
    params: dict[str, str] = {}


class KnowledgeError(Struct, frozen=True, kw_only=True):
    """The error of the knowledge dialect. `data.params` names every parameter at fault."""

    code: str
    message: str
    data: KnowledgeErrorData


class Success(Struct, Generic[T], frozen=True, kw_only=True):
    """The success of the chat dialect."""

    success: Literal[True] = True
    data: T
    error: None = None


class ChatFault(Struct, frozen=True, kw_only=True):
    code: str
    message: str


class ChatError(Struct, frozen=True, kw_only=True):
    """The error of the chat dialect."""

    success: bool = False
    data: None = None
    error: ChatFault


class MessagesError(Struct, frozen=True, kw_only=True):
    """The error of the messages dialect."""

    status: str = "error"
    message: str
    data: None = None


class OpenAIFault(Struct, frozen=True, kw_only=True):
    """`param` is the first parameter at fault; `message` tells of each."""

    message: str
    type: str
    param: str | None
    code: str | None


class OpenAIError(Struct, frozen=True, kw_only=True):
    """The error of the OpenAI dialect."""

    error: OpenAIFault


class _Kind(Struct, frozen=True):
    """What a kind of error is called: HTTP status, knowledge code, chat code, OpenAI code."""

    status: int
    knowledge: str
    chat: str
    openai: str | None = None


_KINDS: dict[type[Exception], _Kind] = {
    NoTokens: _Kind(401, "mxchat_rest_disabled", "INVALID_API_KEY", "invalid_api_key"),
    BadToken: _Kind(401, "mxchat_rest_unauthorized", "INVALID_API_KEY", "invalid_api_key"),
    BadSession: _Kind(401, "mxchat_rest_unauthorized", "INVALID_SESSION"),
    Forbidden: _Kind(403, "mxchat_rest_forbidden", "FORBIDDEN", "insufficient_permissions"),
    RateLimited: _Kind(
        429, "mxchat_rest_rate_limited", "RATE_LIMIT_EXCEEDED", "rate_limit_exceeded"
    ),
    BotNotFound: _Kind(404, "mxchat_rest_not_found", "BOT_NOT_FOUND"),
    ModelNotFound: _Kind(404, "mxchat_rest_not_found", "NOT_FOUND", "model_not_found"),
    ConversationNotFound: _Kind(404, "mxchat_rest_not_found", "CONVERSATION_NOT_FOUND"),
    NotFound: _Kind(404, "mxchat_rest_not_found", "NOT_FOUND"),
    Conflict: _Kind(409, "rest_conflict", "CONFLICT"),
    Unsupported: _Kind(415, "rest_unsupported_media_type", "UNSUPPORTED_MEDIA_TYPE"),
    TooLarge: _Kind(413, "rest_content_too_large", "CONTENT_TOO_LARGE"),
    NotJson: _Kind(400, "rest_invalid_json", "INVALID_REQUEST"),
    Invalid: _Kind(400, "rest_invalid_param", "INVALID_REQUEST"),
    AnswerTimedOut: _Kind(504, "mxchat_rest_model_timeout", "MODEL_TIMEOUT", "model_timeout"),
    AnswerFailed: _Kind(502, "mxchat_rest_model_failed", "MODEL_FAILED", "model_failed"),
    NotInstalled: _Kind(501, "rest_not_installed", "NOT_INSTALLED"),
    RagError: _Kind(500, "mxchat_rest_failed", "INTERNAL_ERROR", "internal_error"),
}
_HTTP_KINDS = {
    404: _Kind(404, "rest_no_route", "NOT_FOUND"),
    405: _Kind(405, "rest_method_not_allowed", "METHOD_NOT_ALLOWED"),
    413: _Kind(413, "rest_content_too_large", "CONTENT_TOO_LARGE"),
}
_BAD_REQUEST = _Kind(400, "rest_invalid_param", "INVALID_REQUEST")
_UNFORESEEN = _Kind(500, "mxchat_rest_internal_error", "INTERNAL_ERROR", "internal_error")

_MESSAGES = {
    404: "No route was found matching the URL.",
    405: "This method is not allowed here.",
    413: "The body is too large.",
    500: "Something went wrong on the server; its log tells what.",
}
_OPENAI_TYPES = {403: "permission_error", 429: "rate_limit_error"}
_PATH = re.compile(r"""(?<![\w:/.-])(?:~?/|\.{1,2}/|[A-Za-z]:\\|(?:[\w.-]+/){2,})[^\s'",;:)\]]+""")


def answer_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Any exception -> an answer in the dialect of the path, without a trace of our insides."""
    kind, message, params = _describe(error)
    if kind.status >= 500:
        log.error("%s %s", request.method, request.url.path, exc_info=error)
        message = without_paths(message, request.app.state.service)
    body = _render(request.url.path, kind, message, params)
    return Response(
        body, status_code=kind.status, headers=_headers(error), media_type=MediaType.JSON
    )


def fault_of(error: Exception, service: Service) -> ChatFault:
    """An error in the midst of a stream, as the chat dialect puts it."""
    kind, message, _ = _told(error, service)
    return ChatFault(code=kind.chat, message=message)


def openai_error_of(error: Exception, service: Service) -> OpenAIError:
    """The same, as the OpenAI dialect puts it."""
    return _openai(*_told(error, service))


def _told(error: Exception, service: Service) -> tuple[_Kind, str, dict[str, str]]:
    kind, message, params = _describe(error)
    if kind.status >= 500:
        log.error("a stream ended early", exc_info=error)
        message = without_paths(message, service)
    return kind, message, params


def without_paths(message: str, service: Service) -> str:
    """What went wrong, without where on this machine: that is for the log."""
    settings = service.settings
    for folder, name in ((settings.data_dir, "DATA_DIR"), (settings.index_dir, "INDEX_DIR")):
        if folder.is_absolute():
            message = message.replace(str(folder), f"RAG_{name}")
    return _PATH.sub("(path)", message)


def _describe(error: Exception) -> tuple[_Kind, str, dict[str, str]]:
    if isinstance(error, RagError):
        kind = next(_KINDS[cls] for cls in type(error).__mro__ if cls in _KINDS)
        return kind, str(error), error.params if isinstance(error, Invalid) else {}
    if isinstance(error, ValidationException):
        params = _params(error)
        return _BAD_REQUEST, f"Invalid parameter(s): {', '.join(params)}", params
    if isinstance(error, HTTPException) and error.status_code < 500:
        kind = _HTTP_KINDS.get(error.status_code, _BAD_REQUEST)
        return kind, _MESSAGES.get(kind.status, "The request cannot be read."), {}
    return _UNFORESEEN, _MESSAGES[500], {}


def _params(error: ValidationException) -> dict[str, str]:
    faults = error.extra if isinstance(error.extra, list) else []
    found = {
        str(fault.get("key", "request")): str(fault.get("message", "is invalid"))
        for fault in faults
        if isinstance(fault, dict)
    }
    return found or {"request": "is invalid"}


def _render(path: str, kind: _Kind, message: str, params: dict[str, str]) -> Struct:
    if _is_below(path, OF_OPENAI):
        return _openai(kind, message, params)
    reasons = _reasons(params)
    if _is_below(path, _OF_CHAT):
        return ChatError(error=ChatFault(code=kind.chat, message=reasons or message))
    if _is_below(path, _OF_MESSAGES):
        text = "Invalid or expired token." if kind.status == 401 else reasons or message
        return MessagesError(message=text)
    data = KnowledgeErrorData(status=kind.status, params=params)
    return KnowledgeError(code=kind.knowledge, message=message, data=data)


def _openai(kind: _Kind, message: str, params: dict[str, str]) -> OpenAIError:
    if kind.status >= 500:
        type_ = "server_error"
    else:
        type_ = _OPENAI_TYPES.get(kind.status, "invalid_request_error")
    return OpenAIError(
        error=OpenAIFault(
            message=_reasons(params) or message,
            type=type_,
            param=next(iter(params), "model" if kind.openai == "model_not_found" else None),
            code=kind.openai,
        )
    )


def _reasons(params: dict[str, str]) -> str:
    return "; ".join(f"{name}: {reason}" for name, reason in params.items())


def _is_below(path: str, prefixes: tuple[str, ...]) -> bool:
    return any(path == prefix or path.startswith(prefix + "/") for prefix in prefixes)


def _headers(error: Exception) -> dict[str, str]:
    headers = {}
    if isinstance(error, RateLimited):
        headers = rate_headers(Allowance(limit=error.limit, remaining=0, reset=error.reset))
        headers["Retry-After"] = str(error.retry_after)
        headers["Retry-After-Ms"] = str(1000 * error.retry_after)
    if isinstance(error, NoTokens | BadToken):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, MethodNotAllowedException):
        headers |= {k: v for k, v in (error.headers or {}).items() if k.lower() == "allow"}
    return headers


def rate_headers(allowance: Allowance) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(allowance.limit),
        "X-RateLimit-Remaining": str(allowance.remaining),
        "X-RateLimit-Reset": str(allowance.reset),
    }
