"""The terms of a text, as chunks and queries are compared by: folded, stemmed, or in pieces."""

import re
from collections.abc import Callable
from functools import lru_cache
from itertools import groupby

import tantivy

from rag_service.texts.scripts import WORD, all_pieces, fold, pieces, split_scripts

TEXTS_READ = 1024
"""The texts whose terms are remembered, about 10 MB of them: questions meet the same passages."""
_LONGEST_TERM = 128


def _stemmer(language: str, tokenizer: tantivy.Tokenizer) -> tantivy.TextAnalyzer:
    return (
        tantivy.TextAnalyzerBuilder(tokenizer)
        .filter(tantivy.Filter.remove_long(_LONGEST_TERM))
        .filter(tantivy.Filter.lowercase())
        .filter(tantivy.Filter.ascii_fold())
        .filter(tantivy.Filter.stemmer(language))
        .build()
    )


_STEMMERS = {
    language: (re.compile(f"[{letters}]"), _stemmer(language, tantivy.Tokenizer.whitespace()))
    for language, letters in {
        "arabic": "\u0600-\u06ff\u0750-\u077f",
        "greek": "\u0370-\u03ff\u1f00-\u1fff",
        "russian": "\u0400-\u052f",
        "tamil": "\u0b80-\u0bff",
    }.items()
}
"""By script: languages that share one are cut alike in pages and queries, if not as well."""
_LAST_LATIN = "\u024f"
_ENGLISH = _stemmer("english", tantivy.Tokenizer.whitespace())
_PLAIN = _stemmer("english", tantivy.Tokenizer.simple())
"""Finds the words of ASCII by itself, and the same ones."""


def terms_of(text: str) -> list[str]:
    """What a chunk is found by: its words, lower-cased, folded and stemmed, and in scripts without
    spaces overlapping pieces."""
    return _terms(text, all_pieces)


@lru_cache(TEXTS_READ)
def terms_read(text: str) -> list[str]:
    """`terms_of` a candidate, not to be changed."""
    return terms_of(text)


def terms_asked(query: str) -> list[str]:
    """What a query looks up; among `terms_of` each text that has its words."""
    return _terms(query, pieces)


def _terms(text: str, cut: Callable[[str], list[str]]) -> list[str]:
    if text.isascii():
        return _PLAIN.analyze(text)
    spaced, runs = split_scripts(fold(text))
    terms = []
    for stemmer, words in groupby(WORD.findall(spaced), _stemmer_of):
        terms += stemmer.analyze(" ".join(words))
    return terms + [piece for run in runs for piece in cut(run)]


def _stemmer_of(word: str) -> tantivy.TextAnalyzer:
    if word[0] > _LAST_LATIN:
        for letter, stemmer in _STEMMERS.values():
            if letter.match(word):
                return stemmer
    return _ENGLISH
