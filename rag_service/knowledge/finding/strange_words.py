"""The words of a query that a typing error may be in, and the query with better ones."""

import re
from collections.abc import Mapping

from rag_service.knowledge.embedder import Embedder

_WORD = re.compile(r"(?<![\w.@/#:-])[^\W\d_]{4,}(?![\w@/#:-]|\.\w)")
_MOST_WORDS = 64
"""A longer query was not typed by anybody."""


def strange_words(query: str, embedder: Embedder) -> list[str]:
    """Those that the model knows only in pieces: a word that it has whole is spelled as it should
    be. What is no ordinary word, such as a code or a name, is left alone."""
    words = [word for word in dict.fromkeys(_WORD.findall(query)) if _is_ordinary(word, query)]
    if not 0 < len(words) <= _MOST_WORDS:
        return []
    pieces = embedder.token_offsets(words)
    return [word for word, parts in zip(words, pieces, strict=True) if len(parts) > 1]


def respelled(query: str, better: Mapping[str, str]) -> str:
    """The query with a better word for each that has one."""
    return _WORD.sub(lambda word: better.get(word[0], word[0]), query) if better else query


def _is_ordinary(word: str, query: str) -> bool:
    """Without capitals inside, and with one at its beginning only where a sentence begins."""
    if word.islower():
        return True
    begins = query.lstrip().startswith(word)
    return begins and word[1:].islower()
