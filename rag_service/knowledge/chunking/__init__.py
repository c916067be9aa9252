"""A document is cut where its author would: at headings, between blocks, then lines and sentences.

Every character that is not white space is in exactly one chunk, and no chunk is longer than what
the embedder reads.
"""

from rag_service.documents import Chunk, ParsedDocument
from rag_service.knowledge.chunking.headers import (
    TARGET_TOKENS,
    Headers,
    Offsets,
    TokenOffsets,
)
from rag_service.knowledge.chunking.packs import SMALL_SECTION_TOKENS, fit, pack
from rag_service.knowledge.chunking.pieces import LONGEST_CHUNK, pieces
from rag_service.knowledge.chunking.tokens import SLICE, Tokens

__all__ = [
    "LONGEST_CHUNK",
    "PIPELINE_VERSION",
    "SLICE",
    "SMALLEST_WINDOW",
    "SMALL_SECTION_TOKENS",
    "TARGET_TOKENS",
    "Offsets",
    "TokenOffsets",
    "split",
]
PIPELINE_VERSION = 4
"""Raise it whenever the same document would give other chunks: stored ones are then rebuilt."""
SMALLEST_WINDOW = 16
"""Tokens. With fewer, a single character under its title may not fit."""


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
    headers = Headers(parsed.title, window, token_offsets)
    headers.measure(block.headings for block in parsed.blocks)
    cut = list(pieces(parsed, Tokens(parsed.text, token_offsets), headers))
    spans = fit(parsed.text, list(pack(cut, headers)), headers, token_offsets)
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
