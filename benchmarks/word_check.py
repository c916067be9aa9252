"""Is every word of a file in what was read of it, or told to be left out?

The words of a file are found a second time and in another way (`word_sources`), without layout,
tables and headings, so that a reader cannot be wrong in the same way.

    .venv/bin/python benchmarks/word_check.py FOLDER      one line for each file that lost words
"""

import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from word_sources import SOURCES, Passage

from rag_service.documents import LeftOut, ParsedDocument
from rag_service.errors import RagError
from rag_service.knowledge.pushes import read_push
from rag_service.readers import parse
from rag_service.readers.containers import pushes_of

TOLD = {
    "page edge": re.compile("page edge|running head"),
    "boilerplate": re.compile("navigation|menu|boilerplate|banner|breadcrumb|cookie"),
    "hidden": re.compile("hidden|invisible"),
    "chart": re.compile("chart|diagram"),
    "head or foot": re.compile("header|footer"),
    "comment": re.compile("comment"),
    "attachment": re.compile("attach|embedded file"),
}
"""By the kind of a passage: what is told (`LeftOut.one`) when its words may be missing.

A passage without a kind is the body of a document. It may never be missing, whatever is told."""

_WORD = re.compile(r"[^\W_]+")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")
_IN_A_WORD = re.compile(r"(?<=\w)(?:[-\u2010\u2011\ufffe\x02]\s*|['\u2019])(?=\w)")


class Check(NamedTuple):
    """What became of the words of one file."""

    words: int
    lost: Counter[str]
    """In the file, not in what was read, and not accounted for."""
    told: Counter[str]
    """Missing, in passages of a kind that was told, and no more passages than were told."""

    @property
    def share_kept(self) -> float:
        """Of the words that were not told to be left out; 1.0 where there are none."""
        due = self.words - self.told.total()
        return 1 - self.lost.total() / due if due else 1.0


def check_file(name: str, data: bytes) -> Check:
    """Reads the file as the service does. Raises RagError where that refuses it, and KeyError
    where there is no second way to find its words (`word_sources.SOURCES`)."""
    passages = list(SOURCES[Path(name).suffix.lower()](data))
    documents = [read_push(push) for push in pushes_of(name, data, f"upload://{name}")]
    return check(passages, [parse(document) for document in documents])


def check(passages: Iterable[Passage], read: Sequence[ParsedDocument]) -> Check:
    """Counts every occurrence: a word that stands in a file twice has to be read twice.

    Bodies come first, then what may be missing and is there as a whole, so that what is left out
    has no word of theirs.
    """
    words = [word for parsed in read for word in words_of(f"{parsed.title}\n{parsed.text}")]
    whole = f" {' '.join(words)} "
    passages = sorted(
        passages,
        key=lambda passage: (
            passage.kind != "" and 1 + (f" {' '.join(words_of(passage.text))} " not in whole)
        ),
    )
    available = _Words(words)
    allowed = _Allowed([one for parsed in read for one in parsed.left_out])
    lost: Counter[str] = Counter()
    told: Counter[str] = Counter()
    total = 0
    for passage in passages:
        source = words_of(passage.text)
        total += len(source)
        missing = available.take(source)
        if missing:
            (told if allowed.take(passage, missing) else lost).update(missing)
    return Check(total, lost, told)


def words_of(text: str) -> list[str]:
    """In lower case and without accents of form (NFKC). What a hyphen or an apostrophe joins, also
    over the end of a line, is one word."""
    text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))
    return _WORD.findall(_IN_A_WORD.sub("", text).casefold())


class _Words:
    """The words that were read; each of them is found once."""

    def __init__(self, words: Sequence[str]) -> None:
        self._left = Counter(words)
        self._joined = Counter(a + b for a, b in pairwise(words))

    def take(self, source: Sequence[str]) -> list[str]:
        """The words that are not there. Two neighbours may have become one word, or one word two:
        where lines end, and where blanks within words were mended."""
        missing = []
        at = 0
        while at < len(source):
            pair = source[at : at + 2]
            is_torn = len(pair) == 2 and not all(self._left[word] > 0 for word in pair)
            if is_torn and self._found("".join(pair), self._left):
                at += 2
            elif self._found(source[at], self._left) or self._found(source[at], self._joined):
                at += 1
            else:
                missing.append(source[at])
                at += 1
        return missing

    def _found(self, word: str, words: Counter[str]) -> bool:
        if words[word] <= 0:
            return False
        words[word] -= 1
        return True


class _Allowed:
    """What was told; each thing told accounts for as many passages as its count says."""

    def __init__(self, left_out: Sequence[LeftOut]) -> None:
        self._told = left_out
        self._counts = [one.count for one in left_out]

    def take(self, passage: Passage, missing: Sequence[str]) -> bool:
        for number, one in enumerate(self._told):
            if not passage.kind or self._counts[number] < _amount(passage, missing, one):
                continue
            place_fits = not one.where or not passage.where or passage.where in one.where
            if place_fits and TOLD[passage.kind].search(one.one):
                self._counts[number] -= _amount(passage, missing, one)
                return True
        return False


def _amount(passage: Passage, missing: Sequence[str], told: LeftOut) -> int:
    """Where words are told, that many. Of what is only counted as things, one at least is told."""
    if told.one.startswith("word "):
        return min(len(missing), len(passage.text.split()))
    return passage.counts


def main() -> None:
    for line in lost_in(Path(argument) for argument in sys.argv[1:]):
        print(line)


def lost_in(folders: Iterable[Path]) -> Iterator[str]:
    """A line for each file that lost words or was refused."""
    for file in sorted(file for folder in folders for file in folder.rglob("*")):
        if file.suffix.lower() not in SOURCES or not file.is_file():
            continue
        try:
            found = check_file(file.name, file.read_bytes())
        except RagError as error:
            reason = getattr(error, "params", {}).get("content") or error
            yield f"{file.name}: refused: {reason}"
            continue
        if found.lost:
            examples = " ".join(word for word, _ in found.lost.most_common(12))
            lost = f"{found.lost.total()} of {found.words} words lost"
            yield f"{file.name}: {lost}, {found.told.total()} told: {examples}"


if __name__ == "__main__":
    main()
