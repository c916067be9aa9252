"""Any server that speaks OpenAI's chat completions: Ollama, llama.cpp, vLLM, LM Studio, a cloud.

Contacts the host in RAG_CHAT_BASE_URL and no other: no proxy, no redirect and nothing else comes
from the environment.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import urlsplit

from rag_service.conversations.messages import Usage
from rag_service.conversations.prompting import Prompt
from rag_service.errors import AnswerFailed, AnswerTimedOut, InvalidSettings

try:
    import openai
except ModuleNotFoundError as error:
    raise InvalidSettings(
        "RAG_CHAT_MODEL: openai:NAME needs a package: pip install 'rag-service[remote]'"
    ) from error

_CONNECT_S = 10.0
_RETRIES = 2
_HEADERS = {
    *("host", "connection", "accept", "accept-encoding", "user-agent"),
    *("content-type", "content-length"),
}
"""What a server needs, with the key. More would describe this machine, or come from OPENAI_*."""

_FOREIGN = (
    *(openai.OpenAIError, TimeoutError),
    *(ValueError, TypeError, AttributeError, LookupError),  # an answer of another shape
)
_UNREACHABLE = (
    "the server of the answer model cannot be reached: is it running at RAG_CHAT_BASE_URL?"
)
_BROKE_OFF = "the server of the answer model broke off in mid-answer: try again, and see its log"
_NO_ANSWER = (
    "the server of the answer model sent something that is no answer: does RAG_CHAT_BASE_URL "
    "speak OpenAI's chat completions?"
)

log = logging.getLogger(__name__)


class OpenAiModel:
    """Tries three times until there is a first piece, and never after it.

    The first piece has `timeout_s` from the call, and each later one from the piece before.
    """

    reads_around = True
    context_tokens = None
    quotes = False

    def __init__(self, name: str, *, base_url: str, api_key: str, timeout_s: float) -> None:
        if not name:
            raise InvalidSettings("RAG_CHAT_MODEL: openai: lacks the model's name: openai:NAME")
        self._host = _host(base_url)
        self._key = api_key.strip()
        if not (self._key.isascii() and self._key.isprintable()):
            raise InvalidSettings("RAG_CHAT_API_KEY has characters that cannot be sent")
        self.name = f"openai:{name}"
        self._model = name
        self._timeout_s = timeout_s
        self._client = openai.AsyncOpenAI(
            api_key=self._key or "none",  # it insists on one; `_strip` decides what is sent
            admin_api_key="",
            organization="",
            project="",
            webhook_secret="",
            base_url=base_url,
            max_retries=_RETRIES,
            timeout=openai.Timeout(None, connect=min(_CONNECT_S, timeout_s)),
            http_client=openai.DefaultAsyncHttpxClient(
                trust_env=False,
                follow_redirects=False,
                event_hooks={"request": [self._strip]},
            ),
        )

    async def stream(self, prompt: Prompt) -> AsyncGenerator[str | Usage, None]:
        by = self._deadline()
        answer = await self._ask(prompt, by)
        begun = finished = False
        usage = None
        try:
            while (chunk := await self._next(answer, by, begun)) is not None:
                text, ends, told = chunk
                begun, finished, usage = True, finished or ends, told or usage
                if text:
                    yield text
                by = self._deadline()
        finally:
            await answer.close()
        if not finished:
            raise AnswerFailed(_BROKE_OFF if begun else _NO_ANSWER)
        if usage:
            yield usage

    async def close(self) -> None:
        await self._client.close()

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self._timeout_s

    async def _ask(self, prompt: Prompt, by: float) -> openai.AsyncStream[Any]:
        messages: Any = [
            {"role": message.role, "content": message.text.encode("utf-8", "replace").decode()}
            for message in prompt.messages
        ]
        try:
            async with asyncio.timeout_at(by):
                return await self._client.chat.completions.create(
                    model=self._model,
                    messages=messages,
                    stream=True,
                    stream_options={"include_usage": True},
                )
        except _FOREIGN as error:
            raise self._failure(error, _UNREACHABLE) from self._cause(error)

    async def _next(
        self, answer: openai.AsyncStream[Any], by: float, begun: bool
    ) -> tuple[str, bool, Usage | None] | None:
        """A piece, whether it is the last, and the usage; None at the end."""
        try:
            async with asyncio.timeout_at(by):
                chunk = await anext(answer, None)
            return None if chunk is None else _read(chunk)
        except _FOREIGN as error:
            broken = _BROKE_OFF if begun else _NO_ANSWER
            raise self._failure(error, broken) from self._cause(error)

    async def _strip(self, request: Any) -> None:
        for name in set(request.headers) - _HEADERS:
            del request.headers[name]
        request.headers.pop("authorization", None)
        if self._key:
            request.headers["authorization"] = f"Bearer {self._key}"

    def _failure(self, error: Exception, broken: str) -> AnswerFailed:
        """Tells the reader what to do; what the server said goes to the log, without the key."""
        log.warning("%s: %s", self._host, self._redacted(f"{type(error).__name__}: {error}"))
        match error:
            case TimeoutError() | openai.APITimeoutError():
                return AnswerTimedOut(
                    f"the answer model took longer than {self._timeout_s:g} seconds; "
                    "RAG_CHAT_TIMEOUT_S allows more"
                )
            case openai.APIStatusError():
                return AnswerFailed(_refusal(error.status_code, self._model))
            case openai.APIConnectionError():
                return AnswerFailed(broken)
        return AnswerFailed(_NO_ANSWER)

    def _cause(self, error: Exception) -> Exception | None:
        """A server may repeat the key in its message, and a log prints causes."""
        return error if self._redacted(str(error)) == str(error) else None

    def _redacted(self, text: str) -> str:
        return text.replace(self._key, "***") if self._key else text


def _host(base_url: str) -> str:
    if not base_url:
        raise InvalidSettings(
            "RAG_CHAT_MODEL: openai:NAME needs RAG_CHAT_BASE_URL, for instance "
            "http://127.0.0.1:11434/v1"
        )
    try:
        url = urlsplit(base_url)
        if url.scheme in ("http", "https") and url.hostname and "@" not in url.netloc:
            return f"{url.hostname}:{url.port}" if url.port else url.hostname
    except ValueError:
        pass  # a port that is none, brackets without an address
    raise InvalidSettings(
        "RAG_CHAT_BASE_URL is not a URL that begins with http:// or https:// and has no user or "
        "password in it; a key goes into RAG_CHAT_API_KEY"
    )


def _read(chunk: Any) -> tuple[str, bool, Usage | None]:
    told = chunk.usage
    usage = told and Usage(
        prompt_tokens=int(told.prompt_tokens), completion_tokens=int(told.completion_tokens)
    )
    if not chunk.choices:
        return "", False, usage
    choice = chunk.choices[0]
    text = choice.delta.content or ""
    if not isinstance(text, str):
        raise TypeError(f"a piece of an answer is {type(text).__name__}")
    return text, choice.finish_reason is not None, usage


def _refusal(status: int, model: str) -> str:
    match status:
        case 401 | 403:
            reason = "refused the key: check RAG_CHAT_API_KEY"
        case 404:
            reason = (
                f"does not know the model {model!r}, or has no chat completions there: "
                "check RAG_CHAT_MODEL and RAG_CHAT_BASE_URL"
            )
        case 429:
            reason = "gets too many requests, or its quota is used up: try again later"
        case 400 | 413 | 422:
            reason = "refused the prompt: a lower RAG_CHAT_CONTEXT_TOKENS may help"
        case _ if 300 <= status < 400:
            reason = "sends us elsewhere, and we do not go: check RAG_CHAT_BASE_URL"
        case _:
            reason = "failed: try again, and see its log"
    return f"the server of the answer model {reason} (HTTP {status})"
