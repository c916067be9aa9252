"""The blocks of a document in pieces that fit a chunk, cut at lines, sentences or spaces."""

import re
from collections.abc import Iterator

from msgspec import Struct

from rag_service.documents import Block, ParsedDocument
from rag_service.knowledge.chunking.headers import Headers, Path
from rag_service.knowledge.chunking.tokens import Tokens

LONGEST_CHUNK = 2_000
"""Characters. A word of a million letters is one unknown token to a WordPiece tokenizer."""
_SENTENCE_END = re.compile(r"[.!?\u2026][\"'\u201d\u2019)\]]*\s|[\u3002\uff01\uff1f]")
_SPACE = re.compile(r"\s")
_INK = re.compile(r"\S")


class Span(Struct, frozen=True, kw_only=True, gc=False):
    """A piece of a block, or a chunk in the making."""

    start: int
    end: int
    tokens: int
    path: Path
    is_heading: bool = False
    page: int | None = None
    lead: tuple[int, int] | None = None
    """Start and end of what is repeated above it."""

    def read(self, text: str) -> str:
        """What it says, with its lead."""
        own = text[self.start : self.end]
        return own if self.lead is None else f"{text[slice(*self.lead)]}\n{own}"


def pieces(parsed: ParsedDocument, tokens: Tokens, headers: Headers) -> Iterator[Span]:
    """The blocks in order, those that are too long for a chunk in pieces."""
    firsts = tokens.before_each([block.start for block in parsed.blocks])
    lasts = tokens.before_each([block.end for block in parsed.blocks])
    lead: list[Span] = []
    for block, first, last in zip(parsed.blocks, firsts, lasts, strict=True):
        room, length = _room_below(lead, block.start, headers.target(block.headings))
        is_heading = block.kind == "heading"
        if last - first <= room and block.end - block.start <= length:
            cut = [_piece(block, block.start, block.end, last - first)]
        else:
            cut = list(_cut(parsed.text, block, tokens, room, length))
        lead = [*lead, *cut] if is_heading else []
        lead = lead[-8:]
        yield from cut


def _room_below(lead: list[Span], start: int, target: int) -> tuple[int, int]:
    """Tokens and characters that a block's first piece may have, with the headings before it."""
    for above in (lead, lead[-1:]):
        taken = sum(heading.tokens for heading in above)
        length = start - above[0].start if above else 0
        if taken <= target // 2 and length <= LONGEST_CHUNK // 2:
            return target - taken, LONGEST_CHUNK - length
    return target, LONGEST_CHUNK


def _piece(
    block: Block, start: int, end: int, tokens: int, lead: tuple[int, int] | None = None
) -> Span:
    return Span(
        start=start,
        end=end,
        tokens=tokens,
        path=block.headings,
        is_heading=block.kind == "heading",
        page=block.page,
        lead=lead,
    )


def _cut(text: str, block: Block, tokens: Tokens, room: int, length: int) -> Iterator[Span]:
    """Pieces of about equal size, all but the first below the block's lead."""
    lead, taken = _lead(block, tokens, room, length)
    room, length = room - taken, length - (lead[1] - lead[0] + 1 if lead else 0)
    last = tokens.before(block.end)
    ink = _INK.search(text, block.start, block.end)
    while ink is not None:
        at = ink.start()
        first = tokens.before(at)
        by_tokens = -(-(last - first) // room)
        by_length = -(-(block.end - at) // length)
        above = lead if lead and at >= lead[1] else None
        repeated = taken if above else 0
        if max(by_tokens, by_length) <= 1:
            yield _piece(block, at, block.end, last - first + repeated, above)
            return
        most = min(at + length, tokens.end(first + room)) if last - first > room else at + length
        if by_tokens >= by_length:
            ideal = tokens.end(first + -(-(last - first) // by_tokens))
        else:
            ideal = at + -(-(block.end - at) // by_length)
        cut = boundary(text, at, min(ideal, most), min(most, block.end), block.kind)
        end = at + len(text[at:cut].rstrip())
        yield _piece(block, at, end, tokens.before(end) - first + repeated, above)
        ink = _INK.search(text, cut, block.end)


def _lead(
    block: Block, tokens: Tokens, room: int, length: int
) -> tuple[tuple[int, int] | None, int]:
    """What is repeated above each piece but the first, and its tokens; nothing if it is long."""
    lead = (block.start, block.start + block.lead)
    taken = tokens.before(lead[1]) - tokens.before(lead[0])
    if not 0 < taken <= room // 3 or block.lead > length // 3:
        return None, 0
    return lead, taken


def boundary(text: str, start: int, ideal: int, most: int, kind: str) -> int:
    """The best place to cut within (start, most], near `ideal`: no piece is much under a half."""
    least = start + max(1, (ideal - start) // 2)
    lines = [text.rfind("\n", least, ideal + 1), text.find("\n", ideal, most)]
    at_lines = [line + 1 for line in lines if line >= 0]
    if at_lines and kind != "paragraph":
        return _nearest(at_lines, ideal)
    ends = [match.end() for match in _SENTENCE_END.finditer(text, least - 1, most + 1)]
    sentences = [end for end in ends if end <= most or text[end - 1].isspace()]
    if sentences:
        paragraphs = [end for end in sentences if text[end - 1] == "\n"]
        return _nearest(paragraphs or sentences, ideal)
    if at_lines:
        return _nearest(at_lines, ideal)
    spaces = [match.end() for match in _SPACE.finditer(text, least, most + 1)]
    return _nearest(spaces, ideal) if spaces else max(ideal, least)


def _nearest(positions: list[int], ideal: int) -> int:
    return min(positions, key=lambda position: abs(position - ideal))
