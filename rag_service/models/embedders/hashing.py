"""Bag of hashed words: no weights at all. For tests and dry runs."""

import re
from collections.abc import Sequence
from zlib import crc32

import numpy as np

from rag_service.documents import Vectors
from rag_service.errors import ModelUnavailable
from rag_service.knowledge.embedder import Offsets, Span

_WORD = re.compile(r"\w+|[^\w\s]")


class HashingEmbedder:
    window = 64
    languages: frozenset[str] = frozenset()

    def __init__(self, dimension: str) -> None:
        if not (re.fullmatch("[0-9]{1,4}", dimension) and 1 <= int(dimension) <= 4096):
            raise ModelUnavailable(f"hashing:{dimension}: the dimension is a number from 1 to 4096")
        self.dimension = int(dimension)
        self.name = f"hashing:{self.dimension}"

    def token_offsets(self, texts: Sequence[str]) -> list[Offsets]:
        return [
            np.array([m.span() for m in _WORD.finditer(text)], np.int32).reshape(-1, 2)
            for text in texts
        ]

    def known_share(self, text: str) -> float:
        return 1.0

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for word in _WORD.findall(text.lower())[: self.window]:
                row[crc32(word.encode(errors="replace")) % self.dimension] += 1
            if not row.any():
                row[0] = 1
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)

    def embed_spans(
        self, texts: Sequence[str], spans: Sequence[Sequence[Span]]
    ) -> tuple[Vectors, list[Vectors]]:
        """Words have no context here, so a span is a text of its own."""
        parts = [
            self.embed_passages([text[start:end] for start, end in some])
            for text, some in zip(texts, spans, strict=True)
        ]
        return self.embed_passages(texts), parts

    def embed_few(self, texts: Sequence[str]) -> Vectors:
        return self.embed_passages(texts)

    def embed_query(self, text: str) -> Vectors:
        return self.embed_passages([text])
