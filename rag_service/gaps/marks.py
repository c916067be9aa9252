"""What a question is about in particular: codes, numbers and names. Pure.

Two questions may be put in the same words and be about different things: "error E42" and "error
E43", the Pro plan and the Enterprise plan. Marks tell them apart.
"""

import re
from itertools import pairwise

from rag_service.knowledge.finding.codes import codes_in
from rag_service.texts.scripts import WORD, fold
from rag_service.texts.stems import informative, stems

_ENGLISH = 0.4
"""Of the other words, those that mean nothing by themselves: a guess. Where fewer are known the
question may be in a language that writes every noun with a capital."""
_SHOUTED = 0.5
"""Of the words. Where more have a capital, a capital means nothing."""
_BEGINS_ANEW = re.compile(r"[.!?:\n\"(]")
"""Between two words, where what follows has a capital anyhow."""


def codes_of(question: str) -> str:
    """Those of `codes_in` in one spelling and order; empty where there are none."""
    return " ".join(sorted({_bare(code.text) for code in codes_in(question)}))


def numbers_of(question: str) -> frozenset[str]:
    """As folded words."""
    return frozenset(word for word in WORD.findall(fold(question)) if word.isdecimal())


def names_of(question: str) -> frozenset[str]:
    """As folded words. A name has a capital inside of it or is all capitals; in an English
    question, any word with a capital that does not begin a sentence is one."""
    matches = list(WORD.finditer(question))
    words = [match[0] for match in matches]
    capitals = sum(word[0].isupper() for word in words)
    if capitals > _SHOUTED * len(words) and len(words) > 1:
        return frozenset()
    plain = [word for word in words if not word[0].isupper()]
    known = len(plain) - len(informative(stems(" ".join(plain))))
    names = {word for word in words if _is_spelt_as_name(word)}
    if plain and known >= _ENGLISH * len(plain):
        names |= {
            match[0]
            for before, match in pairwise(matches)
            if match[0][0].isupper()
            and _BEGINS_ANEW.search(question, before.end(), match.start()) is None
        }
    return frozenset(
        fold(name).casefold() for name in names if len(name) > 1 and informative(stems(name))
    )


def _bare(code: str) -> str:
    return "".join(letter for letter in fold(code).casefold() if letter.isalnum())


def _is_spelt_as_name(word: str) -> bool:
    return any(map(str.isupper, word[1:])) and any(map(str.isalpha, word))
