"""What people say when they ask nothing: phrases of each language, and how they are put together.

In `phrases.toml` a comma parts phrases, `(a | b)` is one of them, and `[a | b]` one of them or
nothing.
"""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

import msgspec
from msgspec import Struct

from rag_service.small_talk.words import read_words

Kind = Literal[
    "about",
    "opening",
    "complaint",
    "well_being",
    "wishes",
    "farewell",
    "thanks",
    "apology",
    "praise",
    "greeting",
    "laughter",
    "acknowledgement",
    "reaction",
    "signs",
]
"""The first of those in a message is what the message is."""

ANY_LANGUAGE = "any"
"""The name of what is said in all languages."""
_KINDS: tuple[Kind, ...] = get_args(Kind)
_FILLER = len(_KINDS)
_NOTATION = re.compile(r"[()\[\]|,]|[^\s()\[\]|,]+")
_LONGEST_PHRASE = 100
_RUN = re.compile(r"(.)\1+")
_DRAWN_OUT = re.compile(r"([^\W\d])\1\1|([aeiouy])\2$")
_ECHO = re.compile(r"([^\W\d]{2})\1+[^\W\d]?")

_Way = tuple[bool, int, int, int]
"""To cut up a message: whether it has no phrase, its pieces, its phrases, and their first kind."""


class _State:
    """Of the automaton that reads phrases: what may come next, and what ends here."""

    def __init__(self) -> None:
        self.next: dict[str, list[_State]] = {}
        self.ends: list[int] = []


class _Entry(Struct, frozen=True, forbid_unknown_fields=True):
    """What `phrases.toml` holds of a language."""

    phrases: dict[Kind, str] = {}
    fillers: str = ""
    """What may stand beside a phrase: whom it is said to, and how much it is meant."""
    same: dict[str, str] = {}
    """Other spellings, and words that are several."""
    replies: dict[Kind | Literal["other"], str] = {}


class Language:
    """The phrases of one language, with those that are said everywhere."""

    def __init__(self, code: str, entry: _Entry, everywhere: _Entry) -> None:
        self.code = code
        self.replies = entry.replies
        same = (everywhere.same | entry.same).items()
        self._same = {"".join(_read(word)): _read(meant) for word, meant in same}
        self._known = set(self._same)
        self._start = _State()
        # of a phrase that is of two kinds, the first one in the table counts
        self._order = [_KINDS.index(kind) for kind in entry.phrases | everywhere.phrases]
        self._order.append(_FILLER)
        for source in (everywhere, entry):
            self._add(source.fillers, _FILLER)
            for kind, phrases in source.phrases.items():
                self._add(phrases, _KINDS.index(kind))
        self._by_short = {_RUN.sub(r"\1", word): word for word in sorted(self._known, key=len)}

    def kind_of(self, words: Sequence[str]) -> Kind | None:
        """What they are, when all of them belong to phrases and fillers; with a phrase at least."""
        meant: list[str] = []
        for word in words:
            parts = self._meant(word)
            if not self._known.issuperset(parts):
                return None  # most questions have such a word, and soon
            meant += parts
        # of the ways to cut them up to each position, the one of the fewest phrases and fillers
        best: list[_Way | None] = [(True, 0, 0, _FILLER), *([None] * len(meant))]
        for start in range(len(meant)):
            if (before := best[start]) is None:
                continue
            for end, kind in self._pieces(meant, start):
                empty, pieces, phrases, first = before
                said = kind != _FILLER
                way = empty and not said, pieces + 1, phrases + said, min(first, kind)
                known = best[end]
                best[end] = way if known is None else min(known, way)
        whole = best[-1]
        return _KINDS[whole[3]] if whole is not None and not whole[0] else None

    def _pieces(self, words: Sequence[str], start: int) -> Iterator[tuple[int, int]]:
        """Where phrases that begin there end, and their kinds."""
        states = {self._start}
        for at in range(start, len(words)):
            states = {after for state in states for after in state.next.get(words[at], ())}
            if not states:
                return
            ends = [self._order.index(kind) for state in states for kind in state.ends]
            if ends:
                yield at + 1, self._order[min(ends)]

    def _meant(self, word: str) -> tuple[str, ...]:
        """The words it stands for; one that is drawn out ("heyyy", "hahahaha") is cut short."""
        if word not in self._known:
            if _DRAWN_OUT.search(word):
                short = self._by_short.get(_RUN.sub(r"\1", word), word)
                word = short if len(short) < len(word) else word
            elif echo := _ECHO.fullmatch(word):
                word = echo[1] * 2
        return self._same.get(word, (word,))

    # -- reading the notation ------------------------------------------------------------------

    def _add(self, phrases: str, kind: int) -> None:
        tokens = deque(_NOTATION.findall(phrases))
        for state in self._grow(tokens, {self._start}) - {self._start}:
            state.ends.append(kind)

    def _grow(self, tokens: deque[str], starts: set[_State]) -> set[_State]:
        """Add alternatives, up to the bracket that closes them; where they end."""
        ends: set[_State] = set()
        here = starts
        while tokens:
            token = tokens.popleft()
            if token in "|,":
                ends |= here
                here = starts
            elif token in "([":
                after = self._grow(tokens, here)
                here = after | here if token == "[" else after
            elif token in ")]":
                break
            else:
                for word in _read(token):
                    self._known.add(word)
                    for part in self._same.get(word, (word,)):
                        here = _step(here, part)
        return ends | here


@cache
def phrase_book() -> list[Language]:
    """What is said everywhere, and then the languages in the order of their speakers."""
    content = files(__package__).joinpath("phrases.toml").read_bytes()
    entries = msgspec.toml.decode(content, type=dict[str, _Entry])
    everywhere = entries[ANY_LANGUAGE]
    return [Language(code, entry, everywhere) for code, entry in entries.items()]


@cache
def _read(text: str) -> tuple[str, ...]:
    read = read_words(text, _LONGEST_PHRASE)
    return tuple(read.words) if read else ()


def _step(states: set[_State], word: str) -> set[_State]:
    after = _State()
    for state in states:
        state.next.setdefault(word, []).append(after)
    return {after}
