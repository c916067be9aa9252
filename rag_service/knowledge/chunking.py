"""A document is cut where its author would: at headings, between blocks, then lines and sentences.

Every character that is not white space is in exactly one chunk, and no chunk is longer than what
the embedder reads.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from rag_service.documents import Block, Chunk, ParsedDocument

PIPELINE_VERSION = 4
"""Raise it whenever the same document would give other chunks: stored ones are then rebuilt."""

TARGET_TOKENS = 200
"""A chunk is one thought, about a paragraph or three; longer ones blur into the mean of several."""

SMALL_SECTION_TOKENS = 32
"""A section smaller than this says too little to be found alone, so the next one joins it."""

LONGEST_CHUNK = 2_000
"""Characters. A word of a million letters is one unknown token to a WordPiece tokenizer."""

LONGEST_HEADER = 400
"""Characters of a title or a heading path; what is longer is cut before anyone tokenizes it."""

SMALLEST_WINDOW = 16
"""Tokens. With fewer, a single character under its title may not fit."""

SLICE = 262_144
"""Characters that are tokenized at once: a tokenizer takes some 100 bytes per character."""

SURE_MARGIN = 8
"""Tokens. Counts add up at white space, but for a token or so with some tokenizers; a chunk that
comes closer to the window than this is measured again as a whole."""

BATCH = 1_024
"""Headings, or chunks to be measured again, that are tokenized at once."""

Offsets = NDArray[np.int32]
"""As the embedders give them, which this layer does not import: shape (tokens, 2), [start, end)."""

TokenOffsets = Callable[[Sequence[str]], list[Offsets]]
Path = tuple[str, ...]

_SENTENCE_END = re.compile(r"[.!?\u2026][\"'\u201d\u2019)\]]*\s|[\u3002\uff01\uff1f]")
_SPACE = re.compile(r"\s")
_INK = re.compile(r"\S")


def split(parsed: ParsedDocument, window: int, token_offsets: TokenOffsets) -> list[Chunk]:
    """In reading order; nothing if the text is blank. Linear in the length of the text.

    `window` is in tokens, special tokens left out: `embedded_text` of a chunk never has more.
    A chunk aims at TARGET_TOKENS; its `heading` is the path that all of its blocks share. Title
    and heading are cut where they would take more than about a quarter of the window. Counts on a
    tokenizer that never joins words across white space. ValueError if the window is too small.
    """
    if window < SMALLEST_WINDOW:
        raise ValueError(f"window is {window} tokens, and has to be {SMALLEST_WINDOW} at least")
    if not parsed.blocks:
        return []
    headers = _Headers(parsed.title, window, token_offsets)
    headers.measure(block.headings for block in parsed.blocks)
    pieces = list(_pieces(parsed, _Tokens(parsed.text, token_offsets), headers))
    spans = _fit(parsed.text, list(_pack(pieces, headers)), headers, token_offsets)
    return [
        Chunk(
            ordinal=ordinal,
            start=span.start,
            end=span.end,
            title=headers.title,
            heading=headers.heading(span.path),
            text=span.read(parsed.text),
            page=span.page,
        )
        for ordinal, span in enumerate(spans)
    ]


class _Headers:
    """What stands above each chunk's text, and how many tokens that takes of the window."""

    def __init__(self, title: str, window: int, token_offsets: TokenOffsets) -> None:
        self.window = window
        self._token_offsets = token_offsets
        title = title.strip()[:LONGEST_HEADER]
        ((self.title, self._title_tokens),) = self._measured([(title,)], window // 6)
        self._room = window // 4 - self._title_tokens
        self._headings: dict[Path, tuple[str, int]] = {(): ("", 0)}

    def measure(self, paths: Iterable[Path]) -> None:
        """Prepare for these paths, and for what any of them have in common."""
        wanted: dict[Path, None] = {}
        for path in paths:
            while path not in self._headings and path not in wanted:
                wanted[path] = None
                path = path[:-1]
        todo = list(wanted)
        for at in range(0, len(todo), BATCH):
            batch = todo[at : at + BATCH]
            measured = self._measured([_inmost(path) for path in batch], self._room)
            self._headings.update(zip(batch, measured, strict=True))

    def heading(self, path: Path) -> str:
        return self._headings[path][0]

    def tokens(self, path: Path) -> int:
        return self._title_tokens + self._headings[path][1]

    def target(self, path: Path) -> int:
        """How many tokens of text a chunk under these headings may have."""
        return min(TARGET_TOKENS, self.window - self.tokens(path))

    def embedded(self, path: Path, text: str) -> str:
        return "\n".join(part for part in (self.title, self.heading(path), text) if part)

    def _measured(self, paths: list[Path], limit: int) -> list[tuple[str, int]]:
        """Each path as one line and its tokens; outer headings go first where the limit is less."""
        lines = [" > ".join(path) for path in paths]
        found = self._token_offsets(lines)
        counts = [len(offsets) for offsets in found]
        long = [index for index, count in enumerate(counts) if count > limit]
        for index in long:
            lines[index] = _shortened(paths[index], found[index], limit)
        if long:
            again = self._token_offsets([lines[index] for index in long])
            for index, offsets in zip(long, again, strict=True):
                counts[index] = len(offsets)
                if len(offsets) > 2 * limit:  # a tokenizer that counts more after each cut
                    lines[index], counts[index] = "", 0
        return list(zip(lines, counts, strict=True))


def _inmost(path: Path) -> Path:
    """As many headings as LONGEST_HEADER allows, from the innermost outwards."""
    room = LONGEST_HEADER
    kept: list[str] = []
    for heading in reversed(path):
        if kept and len(heading) > room:
            break
        kept.append(heading[:LONGEST_HEADER])
        room -= len(heading) + len(" > ")
    return tuple(reversed(kept))


def _shortened(path: Path, offsets: Offsets, limit: int) -> str:
    ends = offsets[:, 1]
    line = " > ".join(path)
    at = 0
    for heading in path[:-1]:
        at += len(heading) + len(" > ")
        if len(ends) - int(np.searchsorted(ends, at, "right")) <= limit:
            return line[at:]
    first = int(np.searchsorted(ends, at, "right"))
    if len(ends) - first <= limit or limit < 1:
        return line[at:] if limit > 0 else ""
    end = int(ends[first + limit - 1])
    space = line.rfind(" ", at, end + 1)
    return line[at : space if space > at else end].rstrip()


class _Tokens:
    """Where each token of the text ends, found once; a span's tokens are those that end in it."""

    def __init__(self, text: str, token_offsets: TokenOffsets) -> None:
        ends = [
            token_offsets([text[start:end]])[0][:, 1] + np.int32(start)
            for start, end in _slices(text)
        ]
        self._ends: NDArray[np.int32] = ends[0] if len(ends) == 1 else np.concatenate(ends)

    def before(self, position: int) -> int:
        """How many tokens end at this character or before it."""
        # any other type of number has numpy convert the whole array first
        return int(self._ends.searchsorted(np.int32(position), "right"))

    def before_each(self, positions: Sequence[int]) -> list[int]:
        found = self._ends.searchsorted(np.asarray(positions, np.int32), "right")
        return [int(count) for count in found]

    def end(self, count: int) -> int:
        """Where the first `count` tokens of the text end."""
        return int(self._ends[min(count, len(self._ends)) - 1]) if count and len(self._ends) else 0


def _slices(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    while start < len(text):
        end = min(start + SLICE, len(text))
        if end < len(text):
            half = start + SLICE // 2
            end = max(text.rfind(" ", half, end), text.rfind("\n", half, end)) + 1 or end
        yield start, end
        start = end


class _Span(Struct, frozen=True, kw_only=True, gc=False):
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


def _pieces(parsed: ParsedDocument, tokens: _Tokens, headers: _Headers) -> Iterator[_Span]:
    """The blocks in order, those that are too long for a chunk in pieces."""
    firsts = tokens.before_each([block.start for block in parsed.blocks])
    lasts = tokens.before_each([block.end for block in parsed.blocks])
    lead: list[_Span] = []
    for block, first, last in zip(parsed.blocks, firsts, lasts, strict=True):
        room, length = _room_below(lead, block.start, headers.target(block.headings))
        is_heading = block.kind == "heading"
        if last - first <= room and block.end - block.start <= length:
            pieces = [_piece(block, block.start, block.end, last - first)]
        else:
            pieces = list(_cut(parsed.text, block, tokens, room, length))
        lead = [*lead, *pieces] if is_heading else []
        lead = lead[-8:]
        yield from pieces


def _room_below(lead: list[_Span], start: int, target: int) -> tuple[int, int]:
    """Tokens and characters that a block's first piece may have, with the headings before it."""
    for above in (lead, lead[-1:]):
        taken = sum(heading.tokens for heading in above)
        length = start - above[0].start if above else 0
        if taken <= target // 2 and length <= LONGEST_CHUNK // 2:
            return target - taken, LONGEST_CHUNK - length
    return target, LONGEST_CHUNK


def _piece(
    block: Block, start: int, end: int, tokens: int, lead: tuple[int, int] | None = None
) -> _Span:
    return _Span(
        start=start,
        end=end,
        tokens=tokens,
        path=block.headings,
        is_heading=block.kind == "heading",
        page=block.page,
        lead=lead,
    )


def _cut(text: str, block: Block, tokens: _Tokens, room: int, length: int) -> Iterator[_Span]:
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
        cut = _boundary(text, at, min(ideal, most), min(most, block.end), block.kind)
        end = at + len(text[at:cut].rstrip())
        yield _piece(block, at, end, tokens.before(end) - first + repeated, above)
        ink = _INK.search(text, cut, block.end)


def _lead(
    block: Block, tokens: _Tokens, room: int, length: int
) -> tuple[tuple[int, int] | None, int]:
    """What is repeated above each piece but the first, and its tokens; nothing if it is long."""
    lead = (block.start, block.start + block.lead)
    taken = tokens.before(lead[1]) - tokens.before(lead[0])
    if not 0 < taken <= room // 3 or block.lead > length // 3:
        return None, 0
    return lead, taken


def _boundary(text: str, start: int, ideal: int, most: int, kind: str) -> int:
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


def _pack(pieces: list[_Span], headers: _Headers) -> Iterator[_Span]:
    """Chunks: consecutive pieces up to the target; a section that needs several shares evenly."""
    left = _left_of_section(pieces)
    chunk: list[_Span] = []
    for piece, rest in zip(pieces, left, strict=True):
        if chunk and _is_full(chunk, piece, rest, headers):
            keep = _headings_to_keep(chunk, piece, headers)
            if keep < len(chunk):
                yield _joined(chunk[: len(chunk) - keep])
                chunk = chunk[len(chunk) - keep :]
        chunk.append(piece)
    yield _joined(chunk)


def _left_of_section(pieces: list[_Span]) -> list[int]:
    """For each piece, the tokens from its start to the end of its section."""
    left: list[int] = []
    path: Path | None = None
    for piece in reversed(pieces):
        same = path is not None and piece.path == path
        left.append(piece.tokens + (left[-1] if same else 0))
        path = piece.path
    return left[::-1]


def _is_full(chunk: list[_Span], piece: _Span, rest: int, headers: _Headers) -> bool:
    if not _fits(chunk, piece, headers):
        return True
    if chunk[-1].is_heading:
        return False
    size = sum(part.tokens for part in chunk)
    if piece.path != chunk[-1].path:
        return size >= SMALL_SECTION_TOKENS
    shares = -(-(size + rest) // headers.target(piece.path))
    return size * shares >= size + rest


def _fits(chunk: list[_Span], piece: _Span, headers: _Headers) -> bool:
    size = sum(part.tokens for part in chunk) + piece.tokens
    if piece.page != chunk[0].page:  # a passage is on one page
        return False
    return size <= headers.target(piece.path) and piece.end - chunk[0].start <= LONGEST_CHUNK


def _headings_to_keep(chunk: list[_Span], piece: _Span, headers: _Headers) -> int:
    """How many headings at the end of the chunk go along with the piece that they announce."""
    keep = 0
    while keep < len(chunk) and chunk[-keep - 1].is_heading:
        if not _fits(chunk[len(chunk) - keep - 1 :], piece, headers):
            break
        keep += 1
    return keep


def _joined(parts: list[_Span]) -> _Span:
    path = parts[0].path
    for part in parts:
        while part.path[: len(path)] != path:
            path = path[:-1]
    tokens = sum(part.tokens for part in parts)
    return _Span(
        start=parts[0].start,
        end=parts[-1].end,
        tokens=tokens,
        path=path,
        page=parts[0].page,
        lead=parts[0].lead,
    )


def _fit(
    text: str, spans: list[_Span], headers: _Headers, token_offsets: TokenOffsets
) -> list[_Span]:
    """The spans again, but those that turn out to be too long in halves."""

    def is_sure(span: _Span) -> bool:
        at_words = (span.start == 0 or text[span.start - 1].isspace()) and (
            span.end == len(text) or text[span.end].isspace()
        )
        return at_words and headers.tokens(span.path) + span.tokens + SURE_MARGIN <= headers.window

    fitting = [span for span in spans if is_sure(span)]
    doubtful = [span for span in spans if not is_sure(span)]
    while doubtful:
        halves: list[_Span] = []
        for at in range(0, len(doubtful), BATCH):
            batch = doubtful[at : at + BATCH]
            found = token_offsets([headers.embedded(span.path, span.read(text)) for span in batch])
            for span, offsets in zip(batch, found, strict=True):
                if len(offsets) <= headers.window or span.end - span.start == 1:
                    fitting.append(span)
                else:
                    halves += _halves(text, span)
        doubtful = halves
    return sorted(fitting, key=lambda span: span.start)


def _halves(text: str, span: _Span) -> Iterator[_Span]:
    middle = (span.start + span.end + 1) // 2
    lead = span.lead if span.end - span.start > LONGEST_HEADER else None
    cut = _boundary(text, span.start, middle, span.end - 1, "paragraph")
    for start, end in ((span.start, cut), (cut, span.end)):
        part = text[start:end]
        if part and not part.isspace():
            start, end = start + len(part) - len(part.lstrip()), start + len(part.rstrip())
            yield _Span(start=start, end=end, tokens=0, path=span.path, page=span.page, lead=lead)
