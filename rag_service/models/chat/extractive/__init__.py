"""Sentences of the passages that answer the question, word for word, each with its citation.

No weights and no network. What a passage says is never obeyed: it is only counted and quoted.
A passage is read in pieces (`pieces`), each is weighed (`likelihood`), and the answer is what is
likeliest for its length (`selection`): a sentence or two, the cells of a table that were asked for.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping, Sequence

from rag_service.conversations.chat_model import Nearness
from rag_service.conversations.messages import Usage
from rag_service.conversations.prompting import Prompt
from rag_service.documents import Passage, Vectors
from rag_service.models.chat.extractive.likelihood import Closer
from rag_service.models.chat.extractive.pieces import Piece, read_pieces
from rag_service.models.chat.extractive.selection import (
    MOST_CHARACTERS,
    MOST_SENTENCES,
    Selection,
    select,
)
from rag_service.models.chat.extractive.similarity import below_headings, similarities
from rag_service.texts.sentences import NearSpan

__all__ = ["MOST_CHARACTERS", "MOST_SENTENCES", "ExtractiveModel"]


class ExtractiveModel:
    """Answers with at most `sentences` sentences, or the lines of one list."""

    name = "extractive"
    reads_around = False
    context_tokens = None
    quotes = True

    def __init__(self, sentences: int = MOST_SENTENCES, nearness: Nearness | None = None) -> None:
        self._sentences = sentences
        self._nearness = nearness

    async def stream(self, prompt: Prompt) -> AsyncGenerator[str | Usage, None]:
        """Word by word. Nothing only when there is no passage."""
        answer = await asyncio.to_thread(
            self.answer, prompt.question, prompt.passages, prompt.near, prompt.vector
        )
        for word in _WORD.findall(answer):
            yield word

    async def close(self) -> None:
        """Holds nothing."""

    def answer(
        self,
        question: str,
        passages: Sequence[Passage],
        near: Mapping[str, Sequence[NearSpan]] | None = None,
        vector: Vectors | None = None,
    ) -> str:
        """Blocking, and linear in the length of the passages; `near` is by chunk id, and `vector`
        the question's. Where both that and `nearness` are given, the likeliest pieces are embedded.
        """
        pieces: list[Piece] = []
        alike: list[float] = []
        for at, passage in enumerate(passages):
            read = read_pieces(at, passage)
            pieces += read
            alike += similarities(passage.text, read, (near or {}).get(passage.chunk_id, ()))
        if not pieces:
            return "[1]" if passages else ""
        closer = self._closer(passages, pieces, vector)
        return _written(pieces, select(question, pieces, alike, self._sentences, closer))

    def _closer(
        self, passages: Sequence[Passage], pieces: Sequence[Piece], vector: Vectors | None
    ) -> Closer | None:
        nearness = self._nearness
        if nearness is None or vector is None:
            return None
        return lambda numbers: nearness(
            vector, [below_headings(passages[pieces[at].passage], pieces[at]) for at in numbers]
        )


_WORD = re.compile(r"\S+\s*|\s+")
_ELLIPSIS = "\u2026"
_LOOSE_END = " ,;:\u2013\u2014"


def _written(pieces: Sequence[Piece], selection: Selection) -> str:
    """Passage after passage, the likeliest first; each in reading order, with its citation."""
    groups = []
    for passage in dict.fromkeys(pieces[at].passage for at in selection.spans):
        numbers = sorted(at for at in selection.spans if pieces[at].passage == passage)
        parts = [_quoted(selection.texts[at], selection.spans[at]) for at in numbers]
        text = parts[0] if len(parts) > 1 else parts[0].removeprefix("- ")
        for former, at, part in zip(numbers, numbers[1:], parts[1:], strict=False):
            text += _join(pieces[former], pieces[at], text, part)
        gap = "\n" if pieces[numbers[-1]].kind == "code" else " "
        groups.append(f"{text}{gap}[{passage + 1}]")
    return ("\n\n" if any("\n" in text for text in groups) else " ").join(groups)


def _join(former: Piece, piece: Piece, text: str, part: str) -> str:
    """What is added to the text: the part, and what stands between them."""
    column, colon, value = part.partition(": ")
    last = text.rpartition("\n")[2]
    is_alike = bool(piece.row) and former.intro == piece.intro and ";" not in last + part
    if is_alike and colon and last.startswith(column + colon):
        return f", {value}"
    if former.kind == piece.kind == "sentence" and not text[-1].isalnum():
        return part if text[-1] > "\u2fff" else f" {part}"
    return f"\n{part}"


def _quoted(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """The spans in reading order; an ellipsis stands for what is left out."""
    told = f"{_ELLIPSIS} " if spans[0][0] else ""
    end = spans[0][0]
    for start, stop in spans:
        if text[end:start].strip():
            told = f"{told.rstrip(_LOOSE_END)} {_ELLIPSIS} "
        elif start > end:
            told += text[end:start]
        told += text[start:stop]
        end = stop
    return told if end == len(text) else f"{told.rstrip(_LOOSE_END)} {_ELLIPSIS}"
