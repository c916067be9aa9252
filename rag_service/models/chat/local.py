"""A causal language model of Hugging Face's, from a folder, in this process.

Nothing is fetched, no code of the folder runs, and weights are safetensors, never a pickle.
"""

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from rag_service.conversations.messages import Message, Usage
from rag_service.errors import InvalidSettings
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

_WEIGHTS = ("model.safetensors", "model.safetensors.index.json")


class LocalModel(InProcessModel):
    """Raises InvalidSettings where `path` is no such folder."""

    def __init__(self, path: str) -> None:
        folder = _model_folder(path)
        super().__init__(folder, partial(_Network, folder), _window(folder))


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


def _window(folder: Path) -> int | None:
    """What the model reads, if its folder tells without being loaded."""
    try:
        config = msgspec.json.decode((folder / "config.json").read_bytes(), type=_Config)
    except msgspec.MsgspecError:
        return None  # loading it tells what is wrong
    return config.max_position_embeddings


class _Config(msgspec.Struct):
    max_position_embeddings: int | None = None


class _Network:
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
        self._controls = controls_in(
            [token for token in self._tokenizer.get_added_vocab() if not token.isspace()]
        )

    def answer(
        self,
        messages: Sequence[Message],
        tell: Callable[[str | Usage], None],
        stop: Callable[[], bool],
    ) -> None:
        from transformers import StoppingCriteriaList  # noqa: PLC0415

        torch, ids = self._torch, self._ids(messages)
        room = min(MAX_NEW_TOKENS, self._context - len(ids))
        if room < 1:
            raise too_long(len(ids), self._context)
        until = "" if self._tokenizer.chat_template else NEXT_QUESTION
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

        plain = [as_text(self._controls, message) for message in messages]
        if not self._tokenizer.chat_template:
            return list(self._tokenizer(as_dialogue(plain)).input_ids)
        try:
            whole = self._templated(plain)
        except TemplateError:
            whole = self._templated(alternating(plain))
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
