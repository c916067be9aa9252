"""A model folder's own tokenizer, without the library that trained it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from rag_service.errors import ModelUnavailable
from rag_service.knowledge.embedder import Offsets
from rag_service.models.embedders.definition import definition_of, unknown_id
from rag_service.models.embedders.model_folder import ModelFolder
from rag_service.models.embedders.words import WordTokens, reads_words

_LONGEST = 512


class ModelTokens:
    """Thread-safe. The model reads `longest` tokens of a text, `window` without special ones."""

    def __init__(self, folder: ModelFolder) -> None:
        path = folder.path / "tokenizer.json"
        if not path.is_file():
            raise ModelUnavailable(
                f"{folder.path} has no tokenizer.json: put `sentence-transformers:` in front of it"
            )
        self._whole = _read(path.read_bytes())
        special = self._whole.num_special_tokens_to_add(False)
        self.longest = _longest(folder)
        self.window = self.longest - special
        around: list[int] = self._whole.encode("").ids
        self._around = around[:1], around[1:]
        self._clipped = None
        if not len(around) == special == 2:  # one before and one after, as in BERT and XLM-R
            self._clipped = _read(path.read_bytes())
            self._clipped.enable_truncation(self.longest)
        definition = definition_of(self._whole)
        self._unknown = unknown_id(self._whole, definition)
        fits = self._clipped is None and reads_words(definition)
        self._words = WordTokens(self._whole) if fits else None

    def offsets(self, texts: Sequence[str]) -> list[Offsets]:
        """Without special tokens and never clipped."""
        if self._words is not None:
            return [self._words.offsets(text) for text in _plain(texts)]
        encodings = self._whole.encode_batch(_plain(texts), add_special_tokens=False)
        return [np.array(e.offsets, np.int32).reshape(-1, 2) for e in encodings]

    def known_share(self, text: str) -> float:
        """As Embedder.known_share promises."""
        (text,) = _plain([text])
        spans = self._unknown_spans(text)
        if not len(spans):
            return 1.0
        unknown = np.zeros(len(text), np.bool_)
        for start, end in spans:
            unknown[start:end] = True
        counted = np.fromiter(map(str.isalnum, text), np.bool_, len(text))
        if not counted.any():
            counted = ~np.fromiter(map(str.isspace, text), np.bool_, len(text))
        return 1.0 - float(unknown[counted].sum() / max(1, counted.sum()))

    def _unknown_spans(self, text: str) -> Offsets:
        if self._unknown is None:
            return np.zeros((0, 2), np.int32)
        if self._words is not None:
            return self._words.offsets_of(self._unknown, text)
        encoding = self._whole.encode(text, add_special_tokens=False)
        spans = np.array(encoding.offsets, np.int32).reshape(-1, 2)
        return np.compress(np.array(encoding.ids, np.int64) == self._unknown, spans, axis=0)

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """What the model reads: clipped, with special tokens."""
        texts = _plain(texts)
        if self._clipped is not None:
            return [encoding.ids for encoding in self._clipped.encode_batch_fast(texts)]
        before, after = self._around
        if self._words is not None:
            return [[*before, *self._words.ids(text, self.window), *after] for text in texts]
        encodings: list[Encoding] = self._whole.encode_batch_fast(texts, add_special_tokens=False)
        return [[*before, *encoding.ids[: self.window], *after] for encoding in encodings]

    def places(self, texts: Sequence[str], offset: int) -> list[NDArray[np.int32]]:
        """For each token of `ids`, the place of its last character in the text after `offset`
        characters; -1 for special tokens and for those before."""
        texts = _plain(texts)
        if self._clipped is not None:
            ends = [_ends(encoding) for encoding in self._clipped.encode_batch(texts)]
        else:
            special = np.zeros(1, np.int32)
            ends = [
                np.concatenate([special, spans[: self.window, 1], special])
                for spans in self.offsets(texts)
            ]
        return [np.maximum(end - 1 - offset, -1) for end in ends]


def _ends(encoding: Encoding) -> NDArray[np.int32]:
    return np.array(encoding.offsets, np.int32).reshape(-1, 2)[:, 1]


def _longest(folder: ModelFolder) -> int:
    """As sentence-transformers finds it; newer folders keep it with the tokenizer."""
    given = folder.settings("sentence_bert_config.json").get("max_seq_length")
    if given:
        return int(given)
    limits = (
        folder.settings("tokenizer_config.json").get("model_max_length"),
        folder.settings("config.json").get("max_position_embeddings"),
    )
    return int(min((limit for limit in limits if limit and limit > 0), default=_LONGEST))


def _read(definition: bytes) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_buffer(definition)
    except Exception as error:
        raise ModelUnavailable(f"tokenizer.json cannot be read: {error}") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _plain(texts: Sequence[str]) -> list[str]:
    """Lone surrogates, which no tokenizer takes, become question marks of the same length."""
    return [
        text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
        for text in texts
    ]
