"""What a question is about in particular: codes, numbers and names. Pure.

Two questions may be put in the same words and be about different things: "error E42" and "error
E43", the Pro plan and the Enterprise plan. Marks tell them apart.
"""

import re

from msgspec import Struct

from rag_service.knowledge.finding.codes import codes_in
from rag_service.texts.scripts import WORD, fold
from rag_service.texts.stems import informative, stems

_ENGLISH = 0.4
"""Of the other words, those that mean nothing by themselves: a guess. Where fewer are known the
question may be in a language that writes every noun with a capital."""
_SHOUTED = 0.5
"""Of the words. Where more have a capital, a capital means nothing."""
_ENDS_SENTENCE = re.compile(r"[.!?:\n\"(]\s*$")


class Marks(Struct, frozen=True):
    """`codes` is empty, or the question's codes in one spelling."""

    codes: str
    numbers: frozenset[str]
    names: frozenset[str]
    """As folded words."""


def marks_of(question: str) -> Marks:
    """Codes are those of `codes_in`. A name has a capital inside of it or is all capitals; in an
    English question, any word with a capital that does not begin a sentence is one."""
    codes = sorted({_bare(code.text) for code in codes_in(question)})
    return Marks(" ".join(codes), _numbers(question), _names(question))


def _bare(code: str) -> str:
    return "".join(letter for letter in fold(code).casefold() if letter.isalnum())


def _numbers(question: str) -> frozenset[str]:
    return frozenset(word for word in WORD.findall(fold(question)) if word.isdecimal())


def _names(question: str) -> frozenset[str]:
    words = [(match[0], match.start()) for match in WORD.finditer(question)]
    capitals = sum(word[0].isupper() for word, _ in words)
    if capitals > _SHOUTED * len(words) and len(words) > 1:
        return frozenset()
    plain = [word for word, _ in words if not word[0].isupper()]
    known = len(plain) - len(informative(stems(" ".join(plain))))
    is_english = bool(plain) and known >= _ENGLISH * len(plain)
    return frozenset(
        fold(word).casefold()
        for word, place in words
        if len(word) > 1
        and (_is_spelt_as_name(word) or (is_english and _is_capital(word, question[:place])))
        and informative(stems(word))
    )


def _is_spelt_as_name(word: str) -> bool:
    return any(map(str.isupper, word[1:])) and any(map(str.isalpha, word))


def _is_capital(word: str, before: str) -> bool:
    return word[0].isupper() and bool(before.strip()) and _ENDS_SENTENCE.search(before) is None
