"""Consecutive pieces become chunks of about a target, and none is longer than is read."""

from collections.abc import Iterator

from rag_service.knowledge.chunking.headers import (
    BATCH,
    LONGEST_HEADER,
    Headers,
    Path,
    TokenOffsets,
)
from rag_service.knowledge.chunking.pieces import LONGEST_CHUNK, Span, boundary

SMALL_SECTION_TOKENS = 32
"""A section smaller than this says too little to be found alone, so the next one joins it."""
SURE_MARGIN = 8
"""Tokens. Counts add up at white space, but for a token or so with some tokenizers; a chunk that
comes closer to the window than this is measured again as a whole."""


def pack(pieces: list[Span], headers: Headers) -> Iterator[Span]:
    """Chunks: consecutive pieces up to the target; a section that needs several shares evenly."""
    left = _left_of_section(pieces)
    chunk: list[Span] = []
    for piece, rest in zip(pieces, left, strict=True):
        if chunk and _is_full(chunk, piece, rest, headers):
            keep = _headings_to_keep(chunk, piece, headers)
            if keep < len(chunk):
                yield _joined(chunk[: len(chunk) - keep])
                chunk = chunk[len(chunk) - keep :]
        chunk.append(piece)
    yield _joined(chunk)


def _left_of_section(pieces: list[Span]) -> list[int]:
    """For each piece, the tokens from its start to the end of its section."""
    left: list[int] = []
    path: Path | None = None
    for piece in reversed(pieces):
        same = path is not None and piece.path == path
        left.append(piece.tokens + (left[-1] if same else 0))
        path = piece.path
    return left[::-1]


def _is_full(chunk: list[Span], piece: Span, rest: int, headers: Headers) -> bool:
    if not _fits(chunk, piece, headers):
        return True
    if chunk[-1].is_heading:
        return False
    size = sum(part.tokens for part in chunk)
    if piece.path != chunk[-1].path:
        return size >= SMALL_SECTION_TOKENS
    shares = -(-(size + rest) // headers.target(piece.path))
    return size * shares >= size + rest


def _fits(chunk: list[Span], piece: Span, headers: Headers) -> bool:
    size = sum(part.tokens for part in chunk) + piece.tokens
    if piece.page != chunk[0].page:  # a passage is on one page
        return False
    return size <= headers.target(piece.path) and piece.end - chunk[0].start <= LONGEST_CHUNK


def _headings_to_keep(chunk: list[Span], piece: Span, headers: Headers) -> int:
    """How many headings at the end of the chunk go along with the piece that they announce."""
    keep = 0
    while keep < len(chunk) and chunk[-keep - 1].is_heading:
        if not _fits(chunk[len(chunk) - keep - 1 :], piece, headers):
            break
        keep += 1
    return keep


def _joined(parts: list[Span]) -> Span:
    path = parts[0].path
    for part in parts:
        while part.path[: len(path)] != path:
            path = path[:-1]
    tokens = sum(part.tokens for part in parts)
    return Span(
        start=parts[0].start,
        end=parts[-1].end,
        tokens=tokens,
        path=path,
        page=parts[0].page,
        lead=parts[0].lead,
    )


def fit(text: str, spans: list[Span], headers: Headers, token_offsets: TokenOffsets) -> list[Span]:
    """The spans again, but those that turn out to be too long in halves."""

    def is_sure(span: Span) -> bool:
        at_words = (span.start == 0 or text[span.start - 1].isspace()) and (
            span.end == len(text) or text[span.end].isspace()
        )
        return at_words and headers.tokens(span.path) + span.tokens + SURE_MARGIN <= headers.window

    fitting = [span for span in spans if is_sure(span)]
    doubtful = [span for span in spans if not is_sure(span)]
    while doubtful:
        halves: list[Span] = []
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


def _halves(text: str, span: Span) -> Iterator[Span]:
    middle = (span.start + span.end + 1) // 2
    lead = span.lead if span.end - span.start > LONGEST_HEADER else None
    cut = boundary(text, span.start, middle, span.end - 1, "paragraph")
    for start, end in ((span.start, cut), (cut, span.end)):
        part = text[start:end]
        if part and not part.isspace():
            start, end = start + len(part) - len(part.lstrip()), start + len(part.rstrip())
            yield Span(start=start, end=end, tokens=0, path=span.path, page=span.page, lead=lead)
