"""Codes, numbers and names that a question is about. Pure.

A part number, an error code or the name of a plan is not answered by its neighbour: "AX-1005-B" by
the page of AX-1003-B, or the Enterprise plan by the Pro plan. Other words may say the same in many
ways; these cannot.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from msgspec import Struct

from rag_service.documents import Passage
from rag_service.texts.stems import informative, stems

_TOKEN = re.compile(r"\+?[^\W_]+(?:[-./_:#][^\W_]+)*")
_PHONE = re.compile(r"(?<![^\W_])\+?\d[\d ()/.-]{5,30}\d")
_QUANTITY = re.compile(r"[\d.,:/-]+(?:st|nd|rd|th|s|%|[^\W\d_]{1,3})?|\d+(?:[.,]\d+)?-[^\W\d_]{2,}")
_ADDRESS = re.compile(
    r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?:[:/]\d+)?(?![\w.]\w)|\b[a-z]+://\S+|[^\s@]+@[^\s@]+\.\w+",
    re.I,
)
"""Of a machine, a page or a mailbox: mostly the asker's own, or an example."""
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
_GAP = r"[\W_]{0,2}"
_PART = re.compile(r"[^\W\d_]+|\d+")
_LONG_NUMBER = 4
_PHONE_DIGITS = 7
_MOST = 8
"""Codes of one question that are looked at."""


class Code(Struct, frozen=True):
    """As it was written, and the pattern that finds it however it is spaced or hyphenated."""

    text: str
    pattern: re.Pattern[str]

    def stands_in(self, passage: Passage) -> bool:
        return any(
            self.pattern.search(part) is not None
            for part in (passage.title, passage.heading, passage.text, passage.source_url)
        )


def codes_in(query: str) -> list[Code]:
    """Words with digits in them, long numbers and telephone numbers; no quantities, times, years,
    and no addresses.

    In the order in which they come, each once.
    """
    found: dict[str, Code] = {}
    query = _ADDRESS.sub(" ", query)
    for match in _PHONE.finditer(query):
        digits = sum(letter.isdigit() for letter in match[0])
        if digits >= _PHONE_DIGITS and not _is_date(match[0]):
            found[match[0]] = _code(match[0])
    rest = query
    for text in found:
        rest = rest.replace(text, " ")
    before = ""
    for match in _TOKEN.finditer(rest):
        token = match[0].rstrip(".:")
        if any(map(str.isdigit, token)) and _is_code(token, before):
            found.setdefault(token, _code(token))
        before = token
    return list(found.values())[:_MOST]


def _is_code(token: str, before: str) -> bool:
    bare = token.lstrip("+")
    if bare.isdecimal():
        is_named = not before or bool(informative(stems(before)))  # not "the 1200" or "over 5000"
        return len(bare) >= _LONG_NUMBER and _YEAR.fullmatch(bare) is None and is_named
    return _QUANTITY.fullmatch(bare) is None and any(map(str.isalpha, bare))


def _is_date(text: str) -> bool:
    numbers = re.findall(r"\d+", text)
    return len(numbers) in (2, 3) and any(_YEAR.fullmatch(number) for number in numbers)


def _code(text: str) -> Code:
    parts = _GAP.join(map(re.escape, _PART.findall(text)))
    return Code(text, re.compile(rf"(?<![^\W_]){parts}(?![^\W_])", re.I))


_WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
_MOSTLY = 0.5
_QUESTION = re.compile(r"[^.!?\n]*\?")
_PRONOUN = re.compile(r"I['\u2019]")
_GERMAN = re.compile(
    r"\b(?:[Dd](?:er|as|em)|[Ee]in(?:e[mnrs]?)?|und|oder|[Ii]st|sind|[Ww](?:ie|ann|arum|er|elche[nrs]?)"
    r"|ich|wir|zum|zur|vom|f\u00fcr|nach|nicht|[Kk]ann|muss|[Gg]ibt|meine?)\b"
)
"""Words of German, and of few other languages that questions are likely to be in."""
Pairs = Sequence[tuple[str, str]]
"""Words that follow each other in a title or a heading."""


def unknown_names(query: str, is_absent: Callable[[str], bool]) -> list[str]:
    """Names, acronyms and numbers of the query that no chunk has.

    A name is a word with a capital that begins no sentence, where not most words have one, and
    where the query is not in German, which begins every noun so.
    """
    return [
        name.text
        for name in _words(query)
        if (name.is_name or any(map(str.isdigit, name.text))) and is_absent(name.text)
    ]


def lone_names(query: str, is_absent: Callable[[str], bool]) -> list[str]:
    """Those unknown names that the query is about: "the Paris office", "connect Slack".

    Not a surname or what else follows a capital ("President Biden"), which pages may leave out, nor
    what stands in brackets to explain another word, nor what is said before the question ("I am
    Ruth. How do I ...?").
    """
    query = " ".join(_QUESTION.findall(query)) or query
    return [
        name.text
        for name in _words(query)
        if name.is_name
        and not name.is_explained
        and not any(map(str.isdigit, name.text))
        and is_absent(name.text)
    ]


def stands_for_others(
    query: str, is_absent: Callable[[str], bool], passages: Iterable[Passage]
) -> str | None:
    """A name or number of the query that no chunk has where titles and headings have others in its
    place: "Enterprise plan" beside "Pro plan", "room 12" beside "Room 11". None where there is none
    """
    words = _WORD.findall(query)
    labels = [_WORD.findall(f"{p.title} {p.heading}") for p in passages]
    pairs = [pair for label in labels for pair in pairwise(label)]
    for place, (before, word) in enumerate(pairwise(words)):
        if word.isdecimal() and is_absent(word) and _numbers_follow(before, pairs):
            return str(word)
        is_name = place > 0 and before[0].isupper() and is_absent(before)
        if is_name and not is_absent(word) and _names_precede(word, pairs):
            return str(before)
    return None


class _Word(Struct, frozen=True):
    text: str
    is_name: bool
    is_explained: bool


def _words(query: str) -> list[_Word]:
    found = list(_WORD.finditer(query))
    texts = [match[0] for match in found]
    shouts = sum(text[0].isupper() for text in texts) > _MOSTLY * len(texts)
    tells = not shouts and _GERMAN.search(query) is None
    words = []
    for place, (text, match) in enumerate(zip(texts, found, strict=True)):
        gap = query[found[place - 1].end() : match.start()] if place else "."
        begins = any(stop in gap for stop in ".!?:\n")
        is_name = tells and not begins and text[0].isupper() and len(text) > 1
        before = texts[place - 1] if place > 1 and gap == " " else ""
        words.append(
            _Word(
                text,
                is_name and _PRONOUN.match(text) is None,
                is_explained="(" in gap or (len(before) > 1 and before[0].isupper()),
            )
        )
    return words


def _numbers_follow(word: str, pairs: Pairs) -> bool:
    wanted = word.casefold()
    return any(one.casefold() == wanted and other.isdecimal() for one, other in pairs)


def _names_precede(word: str, pairs: Pairs) -> bool:
    wanted = word.casefold()
    return any(other.casefold() == wanted and one[0].isupper() for one, other in pairs)
