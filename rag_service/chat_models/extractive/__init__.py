"""Sentences of the passages that answer the question, word for word, each with its citation.

No weights and no network. What a passage says is never obeyed: it is only counted and quoted.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from itertools import pairwise

from rag_service.chat_models.extractive.likelihood import judge
from rag_service.chat_models.extractive.pieces import Piece, is_question, read_pieces
from rag_service.conversations import Usage
from rag_service.documents import Passage
from rag_service.prompting import Prompt
from rag_service.stems import informative, stems

MOST_SENTENCES = 4
MOST_CHARACTERS = 600
"""Of an answer, without its citations."""


class ExtractiveModel:
    """Answers with at most `sentences` sentences, or the lines of one list."""

    name = "extractive"
    reads_around = False
    context_tokens = None

    def __init__(self, sentences: int = MOST_SENTENCES) -> None:
        self._sentences = sentences

    async def stream(self, prompt: Prompt) -> AsyncGenerator[str | Usage, None]:
        """Word by word. Nothing only when there is no passage."""
        answer = await asyncio.to_thread(self.answer, prompt.question, prompt.passages)
        for word in _WORD.findall(answer):
            yield word

    async def close(self) -> None:
        """Holds nothing."""

    def answer(self, question: str, passages: Sequence[Passage]) -> str:
        """Pure, blocking, and linear in the length of the passages."""
        pieces = [
            piece for at, passage in enumerate(passages) for piece in read_pieces(at, passage)
        ]
        if not pieces:
            return "[1]" if passages else ""
        chosen = _choose(pieces, judge(question, pieces), self._sentences)
        return _written(pieces, chosen)


_WORD = re.compile(r"\S+\s*|\s+")


_ENOUGH = 0.85
"""Of the likelihood: by then the answer is probably among what was chosen."""
_CERTAIN = 0.8
"""The likelihood from which the answer to a question like this one is quoted alone."""
_PICKED = 2.0
"""How much likelier than the others of its list a line is when it is the only one asked for."""
_LEANS = re.compile(
    r"(?:it|its|they|their|he|his|she|her|this|these|those|such|however|but|and|also|therefore"
    r"|instead|then|another|both)\b",
    re.I,
)


def _choose(pieces: list[Piece], likelihoods: list[float], most: int) -> list[int]:
    """Numbers of pieces, what matters most first."""
    # rounded, since sums over sets differ from process to process in their last digits
    order = sorted(range(len(pieces)), key=lambda at: -round(likelihoods[at], 9))
    answer = _Answer(pieces, most)
    best = pieces[order[0]]
    entry = _below_topic(pieces, order[0])
    is_reply = best.place == 0 and is_question(best.topic)
    if is_reply and sum(likelihoods[at] for at in entry) > _CERTAIN:
        answer.take_all(entry)
        return answer.taken
    held = 0.0
    for at in order:
        if held > _ENOUGH or answer.sentences >= most:
            break
        held += likelihoods[at]
        if answer.take(at):
            answer.take_all(_needed(pieces, likelihoods, at))
    return answer.taken


class _Answer:
    """Takes what still fits and says something new; the first piece whatever it is."""

    def __init__(self, pieces: list[Piece], most: int) -> None:
        self._pieces = pieces
        self._most = most
        self._room = MOST_CHARACTERS
        self._said: list[set[str]] = []
        self._lists: set[tuple[int, str]] = set()
        self.sentences = 0
        """The lines of a list count as one."""
        self.taken: list[int] = []

    def take_all(self, numbers: list[int]) -> None:
        """Up to the first that does not fit."""
        for at in numbers:
            if not self.take(at):
                break

    def take(self, at: int) -> bool:
        piece = self._pieces[at]
        of_list = (piece.passage, piece.intro) if piece.intro and piece.kind == "line" else None
        more = of_list not in self._lists
        words = set(stems(piece.text))
        new = set(informative(words)) or words
        fits = len(piece.text) <= self._room and self.sentences + more <= self._most
        if self.taken and (not fits or any(new <= said for said in self._said)):
            return False
        self._room -= len(piece.text) + 1
        self.sentences += more
        self._said.append(words)
        if of_list:
            self._lists.add(of_list)
        self.taken.append(at)
        return True


def _below_topic(pieces: list[Piece], at: int) -> list[int]:
    """The numbers of all pieces that stand below the same topic."""
    passage, topic = pieces[at].passage, pieces[at].topic
    return [n for n, p in enumerate(pieces) if p.passage == passage and p.topic == topic]


def _needed(pieces: list[Piece], likelihoods: list[float], at: int) -> list[int]:
    """What a piece is read with: the sentence that it leans on, or the list that it is of."""
    piece = pieces[at]
    near = _below_topic(pieces, at)
    if piece.kind == "sentence" and at - 1 in near and _LEANS.match(piece.text):
        return [at - 1]
    intro = [n for n in near if piece.intro and pieces[n].text == piece.intro]
    lists = {piece.intro or piece.text, piece.text}
    lines = [n for n in near if n != at and pieces[n].intro in lists]
    others = max((likelihoods[n] for n in lines), default=0.0)
    is_picked = piece.intro and likelihoods[at] > _PICKED * others
    return intro if is_picked else intro + lines


def _written(pieces: list[Piece], chosen: list[int]) -> str:
    """Passage after passage, the likeliest first; each in reading order, with its citation."""
    groups = []
    for passage in dict.fromkeys(pieces[at].passage for at in chosen):
        group = [pieces[at] for at in sorted(chosen) if pieces[at].passage == passage]
        text = group[0].text if len(group) > 1 else group[0].text.removeprefix("- ")
        for former, piece in pairwise(group):
            runs_on = former.kind == piece.kind == "sentence" and not former.text[-1].isalnum()
            text += (" " if runs_on else "\n") + piece.text
        gap = "\n" if group[-1].kind == "code" else " "
        groups.append(f"{text}{gap}[{passage + 1}]")
    return ("\n\n" if any("\n" in text for text in groups) else " ").join(groups)
