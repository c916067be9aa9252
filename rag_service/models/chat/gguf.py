"""A language model in one GGUF file, run by llama.cpp in this process.

Nothing is fetched. llama.cpp is asked by calls, token by token. Its binding also opens an HTTP
server, and has no switch for that: here it listens on a socket in a folder that is gone when the
model is loaded, so nobody can connect, and it wants a key that nobody was told.
"""

import logging
import os
import secrets
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rag_service.conversations.messages import Message, Usage
from rag_service.errors import AnswerFailed, InvalidSettings
from rag_service.models.chat.gguf_file import read_file, read_window
from rag_service.models.chat.in_process import (
    MAX_NEW_TOKENS,
    NEXT_QUESTION,
    InProcessModel,
    alternating,
    as_dialogue,
    as_text,
    controls_in,
    too_long,
)

BATCH = 128
"""Tokens of a prompt that are read at once; a reader that leaves waits for them at most."""
_STEP = 256
"""Contexts of llama.cpp are multiples of it."""

log = logging.getLogger(__name__)


class GgufModel(InProcessModel):
    """Raises InvalidSettings where `path` is no such file, or the extra is not installed.

    `context_tokens` bounds the memory that the model takes; it never reads more than its file says.
    """

    def __init__(self, path: str, *, context_tokens: int) -> None:
        if find_spec("xllamacpp") is None:
            raise InvalidSettings(
                "RAG_CHAT_MODEL: local:FILE.gguf needs a package: pip install 'rag-service[gguf]'"
            )
        file = Path(os.path.expanduser(path))  # noqa: PTH111  Path's raises for "~nobody"
        if not file.is_file():
            raise InvalidSettings(f"RAG_CHAT_MODEL: there is no file {str(file)!r}")
        window = _rounded(min(context_tokens, read_window(file)))
        super().__init__(file.resolve(), partial(_Network, file.resolve(), window), window)


class _Network:
    def __init__(self, path: Path, window: int) -> None:
        import xllamacpp  # noqa: PLC0415  a hundred megabytes

        file = read_file(path)
        self._window = window
        self._has_template = file.has_template
        self._controls = controls_in(file.controls)
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx = window
        params.n_parallel = 1
        params.n_batch = params.n_ubatch = min(BATCH, window)
        params.cache_ram_mib = 0  # or prompts of former questions pile up in memory
        params.verbosity = 1  # errors
        params.warmup = False
        threads = _threads()
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
        params.ui = params.endpoint_props = params.endpoint_slots = False
        params.api_keys = [secrets.token_urlsafe()]
        with tempfile.TemporaryDirectory() as folder:
            params.hostnames = [str(Path(folder, "none.sock"))]
            self._server = xllamacpp.Server(params)

    def answer(
        self,
        messages: Sequence[Message],
        tell: Callable[[str | Usage], None],
        stop: Callable[[], bool],
    ) -> None:
        plain = [as_text(self._controls, message) for message in messages]
        reader = _Reader(tell, stop, self._window)
        if not self._has_template:
            text = {"prompt": as_dialogue(plain), "stop": [NEXT_QUESTION]}
            self._server.handle_completions(_request(text), reader.read)
        elif not self._ask(plain, reader):
            self._ask(alternating(plain), reader)
        reader.end()

    def _ask(self, messages: Sequence[Message], reader: "_Reader") -> bool:
        """False where it failed before it began: some templates take no such messages."""
        turns = [{"role": message.role, "content": message.text} for message in messages]
        chat = {
            "messages": turns,
            "chat_template_kwargs": {"enable_thinking": False},  # thoughts are no answer
        }
        reader.error = None
        try:
            self._server.handle_chat_completions(_request(chat), reader.read)
        except ValueError as error:  # what a template raises
            reader.error = {"message": str(error)}
        return reader.error is None or reader.begun or "n_prompt_tokens" in reader.error


class _Reader:
    """Chunks as OpenAI's API has them -> pieces and usage."""

    def __init__(
        self, tell: Callable[[str | Usage], None], stop: Callable[[], bool], window: int
    ) -> None:
        self._tell, self._stop, self._window = tell, stop, window
        self._usage: Usage | None = None
        self.begun = False
        self.error: dict[str, Any] | None = None

    def read(self, chunk: dict[str, Any]) -> bool:
        """Whether to stop."""
        if error := chunk.get("error"):
            self.error = error
            return True
        for choice in chunk.get("choices", ()):
            text = choice["delta"].get("content") if "delta" in choice else choice.get("text")
            if text:
                self.begun = True
                self._tell(text)
        if usage := chunk.get("usage"):
            self._usage = Usage(
                prompt_tokens=usage["prompt_tokens"], completion_tokens=usage["completion_tokens"]
            )
        return self._stop()

    def end(self) -> None:
        if self.error and "n_prompt_tokens" in self.error:
            raise too_long(self.error["n_prompt_tokens"], self._window)
        if self.error:
            log.warning("%s", self.error)
            raise AnswerFailed("the answer model failed: see the log")
        if self._usage:
            self._tell(self._usage)


def _request(asked: dict[str, Any]) -> dict[str, Any]:
    return {
        **asked,
        "stream": True,
        "stream_options": {"include_usage": True},
        "return_progress": True,  # so that a reader can leave while the prompt is read
        "max_tokens": MAX_NEW_TOKENS,
        "temperature": 0,  # one question has one answer
    }


def _rounded(tokens: int) -> int:
    """Down, where llama.cpp would round up."""
    return max(_STEP, tokens // _STEP * _STEP)


def _threads() -> int:
    """Half of the processors. Threads wait for each other many times a token, and one that gets no
    core holds up all: on two cores that had other work too, SmolLM2-135M wrote 20 to 37 tokens a
    second with one thread, and 3 to 51 with two.
    """
    return max(1, (os.cpu_count() or 2) // 2)
