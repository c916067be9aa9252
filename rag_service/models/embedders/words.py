"""A tokenizer that reads each word by itself need not read the same word twice.

BERT's does: it cuts at white space and punctuation before anything else, so a text has the tokens
of its words. Most words of a corpus are a few thousand, so looking them up takes a third of the
time that reading them takes.
"""

from collections.abc import Callable
from itertools import chain, islice
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from rag_service.models.embedders.definition import Definition, Part

T = TypeVar("T")
Spans = NDArray[np.int32]

_MOST_WORDS = 50_000
_LONGEST_WORD = 40
"""Characters; longer ones are hardly ever met again."""
_SPAN = 8  # bytes: two numbers of 32 bits


def reads_words(definition: Definition) -> bool:
    """Whether a text's tokens are those of its words, put together."""
    special = [token.content for token in definition.added_tokens]
    return (
        definition.normalizer == Part("BertNormalizer")
        and definition.pre_tokenizer == Part("BertPreTokenizer")
        and definition.model.type == "WordPiece"
        and not any(any(char.isspace() for char in content) for content in special)
    )


class WordTokens:
    """Thread-safe. Takes no lone surrogates, like the tokenizer itself."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """`tokenizer` neither pads nor truncates."""
        self._ids = _Words(tokenizer, lambda encoding: encoding.ids)
        self._spans = _Words(tokenizer, _spans)

    def ids(self, text: str, most: int) -> list[int]:
        """At most `most`, without special tokens."""
        return list(islice(chain.from_iterable(map(self._ids.__getitem__, _words(text))), most))

    def offsets(self, text: str) -> Spans:
        """Shape (tokens, 2)."""
        words = _words(text)
        spans = list(map(self._spans.__getitem__, words))
        starts = np.zeros(len(words), np.int64)
        np.cumsum(np.fromiter(map(len, words[:-1]), np.int64) + 1, out=starts[1:])
        counts = np.fromiter(map(len, spans), np.int64, len(spans)) // _SPAN
        within = np.frombuffer(b"".join(spans), np.int32).reshape(-1, 2)
        return within + np.repeat(starts.astype(np.int32), counts)[:, None]

    def offsets_of(self, token: int, text: str) -> Spans:
        """Shape (n, 2): the spans of this token. Fast where no word has it, as in most texts."""
        found = [self._ids[word] for word in _words(text)]
        if not any(token in ids for ids in found):
            return np.zeros((0, 2), np.int32)
        those = np.array([*chain.from_iterable(found)], np.int64) == token
        return np.compress(those, self.offsets(text), axis=0)


def _words(text: str) -> list[str]:
    """One more than there are blanks; between two of them stands an empty word."""
    return text.replace("\n", " ").replace("\t", " ").split(" ")


def _spans(encoding: Encoding) -> bytes:
    return np.array(encoding.offsets, np.int32).tobytes()


class _Words(dict[str, T]):
    """What `read` makes of a word's encoding, kept for when it comes again."""

    def __init__(self, tokenizer: Tokenizer, read: Callable[[Encoding], T]) -> None:
        super().__init__()
        self._tokenizer = tokenizer
        self._read = read

    def __missing__(self, word: str) -> T:
        value = self._read(self._tokenizer.encode(word, add_special_tokens=False))
        if len(word) <= _LONGEST_WORD:
            if len(self) >= _MOST_WORDS:
                self.clear()
            self[word] = value
        return value
