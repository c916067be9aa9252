"""A causal language model of Hugging Face's, from a folder, in this process.

Nothing is fetched, no code of the folder runs, and weights are safetensors, never a pickle.
"""

import asyncio
import logging
import os
import re
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rag_service.conversations import Message, Role, Usage
from rag_service.errors import AnswerFailed, InvalidSettings
from rag_service.prompting import Prompt

MAX_NEW_TOKENS = 512

_WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
_SPEAKERS = {"system": "", "user": "User: ", "assistant": "Assistant: "}
_NEXT_QUESTION = "\nUser:"

log = logging.getLogger(__name__)


class LocalModel:
    """Loaded when it first answers. One answer at a time; others wait, the event loop does not."""

    reads_around = True
    quotes = False

    def __init__(self, path: str) -> None:
        self._folder = _model_folder(path)
        self.name = f"local:{self._folder.name}"
        self._worker = ThreadPoolExecutor(1, "answer-model")
        self._network: _Network | None = None  # the worker's
        self._closed = threading.Event()

    async def stream(self, prompt: Prompt) -> AsyncGenerator[str | Usage, None]:
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[str | Usage | AnswerFailed | None] = asyncio.Queue()
        left = threading.Event()

        def tell(piece: str | Usage | AnswerFailed | None) -> None:
            try:
                loop.call_soon_threadsafe(pieces.put_nowait, piece)
            except RuntimeError:  # the loop is closed, and so nobody reads
                left.set()

        waiting = self._worker.submit(self._answer, prompt.messages, tell, left)
        try:
            while (piece := await pieces.get()) is not None:
                if isinstance(piece, AnswerFailed):
                    raise piece
                yield piece
        finally:
            left.set()
            waiting.cancel()

    async def close(self) -> None:
        """Answers under way end with AnswerFailed."""
        self._closed.set()
        await asyncio.to_thread(self._worker.shutdown)

    def _answer(
        self,
        messages: Sequence[Message],
        tell: Callable[[str | Usage | AnswerFailed | None], None],
        left: threading.Event,
    ) -> None:
        try:
            if not self._closed.is_set():
                self._network = self._network or _Network(self._folder)
                self._network.answer(messages, tell, lambda: left.is_set() or self._closed.is_set())
            tell(AnswerFailed("the service is stopping") if self._closed.is_set() else None)
        except AnswerFailed as error:
            tell(error)
        except Exception as error:  # the answer ends here, the thread goes on
            log.exception("%s", self._folder)
            failure = AnswerFailed(
                "the answer model cannot be loaded, or failed: see the log, and check the folder "
                "in RAG_CHAT_MODEL"
            )
            failure.__cause__ = error
            tell(failure)


def _model_folder(path: str) -> Path:
    folder = Path(os.path.expanduser(path))  # noqa: PTH111  Path's raises for "~nobody"
    if not path or not (folder / "config.json").is_file():
        raise InvalidSettings(
            f"RAG_CHAT_MODEL: {str(folder)!r} is no folder of a model: it needs a config.json"
        )
    if not any((folder / file).is_file() for file in _WEIGHTS):
        raise InvalidSettings(
            f"RAG_CHAT_MODEL: {str(folder)!r} has no {_WEIGHTS[0]}: weights in other formats are "
            "not read"
        )
    return folder.resolve()


class _Network:
    """Tokenizer and weights. One thread at a time."""

    def __init__(self, folder: Path) -> None:
        os.environ["HF_HUB_OFFLINE"] = "1"  # also where the user has network: nothing is fetched
        import torch  # noqa: PLC0415  takes seconds, like the next
        from transformers import (  # noqa: PLC0415
            AutoModelForCausalLM,
            AutoTokenizer,
            GenerationConfig,
        )
        from transformers.utils import logging  # noqa: PLC0415

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        ours = {"local_files_only": True, "trust_remote_code": False}
        self._torch = torch
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, **ours)
        model: Any = AutoModelForCausalLM.from_pretrained(
            folder, use_safetensors=True, dtype="auto", **ours
        )
        if torch.cuda.is_available():
            model = model.to("cuda")
        elif model.dtype == torch.float16:  # which processors are slow at, or lack
            model = model.to(torch.bfloat16)
        self._model = model.eval()
        self._ends = _ends(self._tokenizer, model.generation_config)
        # what the folder says on sampling is left out: one question has one answer
        model.generation_config = GenerationConfig(  # type: ignore[no-untyped-call]
            do_sample=False,
            eos_token_id=sorted(self._ends) or None,
            pad_token_id=min(self._ends, default=0),
            repetition_penalty=model.generation_config.repetition_penalty,
        )
        self._context = _context(self._tokenizer, model.config)
        controls = [re.escape(c) for c in self._tokenizer.get_added_vocab() if not c.isspace()]
        self._controls = re.compile("|".join(controls) or "(?!)")

    def answer(
        self,
        messages: Sequence[Message],
        tell: Callable[[str | Usage], None],
        stop: Callable[[], bool],
    ) -> None:
        """Asks `stop` before each token."""
        from transformers import StoppingCriteriaList  # noqa: PLC0415

        torch, ids = self._torch, self._ids(messages)
        room = min(MAX_NEW_TOKENS, self._context - len(ids))
        if room < 1:
            raise AnswerFailed(
                f"the prompt has {len(ids)} tokens and the answer model reads {self._context}: "
                "lower RAG_CHAT_CONTEXT_TOKENS"
            )
        until = "" if self._tokenizer.chat_template else _NEXT_QUESTION
        pieces = _Pieces(self._decode, self._ends, tell, until)

        def stops(ids: Any, scores: Any, **_: Any) -> Any:
            return torch.full((len(ids),), stop() or pieces.over, device=ids.device)

        inputs = torch.tensor([ids], device=self._model.device)
        self._model.generate(
            input_ids=inputs,
            attention_mask=torch.ones_like(inputs),
            max_new_tokens=room,
            streamer=pieces,
            stopping_criteria=StoppingCriteriaList([stops]),
        )
        tell(Usage(prompt_tokens=len(ids), completion_tokens=pieces.tokens))

    def _ids(self, messages: Sequence[Message]) -> list[int]:
        from jinja2 import TemplateError  # noqa: PLC0415

        plain = [Message(message.role, self._as_text(message.text)) for message in messages]
        if not self._tokenizer.chat_template:
            said = [_SPEAKERS[message.role] + message.text for message in plain]
            return list(self._tokenizer("\n\n".join([*said, "Assistant:"])).input_ids)
        try:
            whole = self._templated(plain)
        except TemplateError:
            whole = self._templated(_alternating(plain))
        return list(self._tokenizer(whole, add_special_tokens=False).input_ids)

    def _templated(self, messages: Sequence[Message]) -> str:
        turns = [{"role": message.role, "content": message.text} for message in messages]
        rendered: str = self._tokenizer.apply_chat_template(
            turns,
            tokenize=False,
            add_generation_prompt=True,
            enable_thinking=False,  # of templates that know it: thoughts are no answer
        )
        return rendered

    def _as_text(self, text: str) -> str:
        """What reads as a control token, and would begin a turn of its own, is taken apart."""
        sound = text.encode("utf-8", "replace").decode()
        return self._controls.sub(lambda control: f"{control[0][:1]} {control[0][1:]}", sound)

    def _decode(self, ids: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(
            ids, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text


class _Pieces:
    """A streamer: tokens -> pieces of whole characters, up to where the text says `until`."""

    def __init__(
        self,
        decode: Callable[[Sequence[int]], str],
        ends: set[int],
        tell: Callable[[str], None],
        until: str,
    ) -> None:
        self.over = False
        self.tokens = -1
        self._decode, self._ends, self._tell, self._until = decode, ends, tell, until
        self._ids: list[int] = []
        self._from = self._to = 0  # of the tokens that are decoded once more, for their spaces
        self._held = ""

    def put(self, tokens: Any) -> None:
        self.tokens += 1
        if self.tokens and not self.over and (token := int(tokens[0])) not in self._ends:
            self._ids.append(token)
            self._advance(whole=True)

    def end(self) -> None:
        if not self.over:
            self._advance(whole=False)
        self._say(self._held)

    def _advance(self, *, whole: bool) -> None:
        said = self._decode(self._ids[self._from : self._to])
        text = self._decode(self._ids[self._from :])
        if whole and text.endswith("\ufffd"):
            return  # a character that lacks some of its bytes
        self._from, self._to = self._to, len(self._ids)
        self._held += text[len(said) :]
        before, found, _ = self._held.partition(self._until) if self._until else ("", "", "")
        if found:
            self.over = True
            self._say(before)
            self._held = ""
            return
        overlap = next(
            n for n in range(len(self._until), -1, -1) if self._held.endswith(self._until[:n])
        )
        self._say(self._held[: len(self._held) - overlap])
        self._held = self._held[len(self._held) - overlap :]

    def _say(self, text: str) -> None:
        if text:
            self._tell(text)


def _ends(tokenizer: Any, generation: Any) -> set[int]:
    """A chat model ends a turn with another token than a text, and folders name either."""
    named = generation.eos_token_id
    ids = named if isinstance(named, list) else [named]
    return {token for token in [*ids, tokenizer.eos_token_id] if token is not None}


def _context(tokenizer: Any, config: Any) -> int:
    limits = (
        getattr(config.get_text_config(), "max_position_embeddings", None),
        tokenizer.model_max_length,
    )
    return int(min(limit for limit in limits if limit))


def _alternating(messages: Sequence[Message]) -> list[Message]:
    """The user and the assistant by turns, the user first: some templates take nothing else."""
    turns: list[Message] = []
    for message in messages:
        role: Role = "assistant" if message.role == "assistant" else "user"
        if turns and turns[-1].role == role:
            turns[-1] = Message(role, f"{turns[-1].text}\n\n{message.text}")
        elif turns or role == "user":
            turns.append(Message(role, message.text))
    return turns
