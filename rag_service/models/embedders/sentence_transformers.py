"""The plain path: sentence-transformers as it is, on a GPU or on a CPU without OpenVINO."""

import os
import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rag_service.documents import Vectors
from rag_service.errors import ModelUnavailable
from rag_service.knowledge.embedder import Offsets, Span
from rag_service.models.embedders.model_folder import ModelFolder
from rag_service.models.embedders.pooling import pool_spans
from rag_service.models.embedders.tokens import ModelTokens

_QUANTUM = 64  # texts between two chances for a question


class SentenceTransformersEmbedder:
    def __init__(self, folder: ModelFolder) -> None:
        os.environ["HF_HUB_OFFLINE"] = "1"  # also where the user has network: nothing is fetched
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
        from safetensors import SafetensorError  # noqa: PLC0415
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415  takes seconds
        from transformers.utils import logging  # noqa: PLC0415

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            self._model = SentenceTransformer(str(folder.path), local_files_only=True)
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            raise ModelUnavailable(f"{folder.path} cannot be loaded: {error}") from error
        self._tokens = ModelTokens(folder)
        self._lock = threading.Lock()
        self._asking = threading.Semaphore(1)
        self._query_prefix, self._passage_prefix = folder.prompts
        self._pools_means = folder.pools_means
        self.name = folder.name
        self.languages = folder.languages
        self.window = self._tokens.window - len(self._tokens.offsets([self._passage_prefix])[0])
        self.dimension = self.embed_query("dimension").shape[1]

    def token_offsets(self, texts: Sequence[str]) -> list[Offsets]:
        return self._tokens.offsets(texts)

    def known_share(self, text: str) -> float:
        return self._tokens.known_share(text)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for start in range(0, len(texts), _QUANTUM):
            some = order[start : start + _QUANTUM]
            with self._asking:  # a waiting question goes first
                pass
            with self._lock:
                vectors[some] = self._encode([texts[i] for i in some], query=False)
        return vectors

    def embed_spans(
        self, texts: Sequence[str], spans: Sequence[Sequence[Span]]
    ) -> tuple[Vectors, list[Vectors]]:
        vectors = self.embed_passages(texts)
        if not (self._pools_means and any(spans)):
            return vectors, [
                np.repeat(vectors[at : at + 1], len(some), axis=0) for at, some in enumerate(spans)
            ]
        parts = []
        for at, text in enumerate(texts):
            with self._asking:  # a waiting question goes first
                pass
            prompted = self._passage_prefix + text
            places = self._tokens.places([prompted], len(self._passage_prefix))[0]
            with self._lock:
                states = self._states(prompted)
            parts.append(pool_spans(vectors[at], states, places, spans[at]))
        return vectors, parts

    def embed_few(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        with self._asking, self._lock:
            return self._encode(list(texts), query=False)

    def embed_query(self, text: str) -> Vectors:
        with self._asking, self._lock:
            return self._encode([text], query=True)

    def _states(self, text: str) -> NDArray[np.float32]:
        """Of all tokens, shape (tokens, dimension)."""
        plain = text.encode("utf-8", "replace").decode("utf-8")
        found = self._model.encode(
            [plain], prompt="", output_value="token_embeddings", show_progress_bar=False
        )
        return np.asarray(found[0].float().cpu(), np.float32)

    def _encode(self, texts: list[str], *, query: bool) -> Vectors:
        encode = self._model.encode_query if query else self._model.encode_document
        prefix = self._query_prefix if query else self._passage_prefix
        plain = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        try:
            vectors = encode(
                plain, prompt=prefix, normalize_embeddings=True, show_progress_bar=False
            )
        except RuntimeError as error:
            raise ModelUnavailable(f"the embedding model failed: {error}") from error
        return np.ascontiguousarray(vectors, np.float32)
