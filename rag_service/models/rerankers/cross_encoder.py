"""A second look at the best passages, by a model that reads question and passage together."""

import os
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rag_service.errors import ModelUnavailable
from rag_service.models.embedders.model_folder import in_hub_cache


class CrossEncoderReranker:
    """A sentence-transformers cross-encoder on this machine: its folder, or its name.

    Loaded at the first use; blocking and thread-safe. Raises ModelUnavailable.
    """

    def __init__(self, spec: str) -> None:
        given = Path(os.path.expanduser(spec))  # noqa: PTH111  Path's raises for "~nobody"
        self._folder = given if given.is_dir() else in_hub_cache(spec, "RAG_RERANK_MODEL")
        os.environ["HF_HUB_OFFLINE"] = "1"  # also where the user has network: nothing is fetched
        from sentence_transformers import CrossEncoder  # noqa: PLC0415  takes seconds
        from torch import nn  # noqa: PLC0415

        try:
            self._model = CrossEncoder(
                str(self._folder), local_files_only=True, activation_fn=nn.Sigmoid()
            )
        except Exception as error:  # whatever the folder makes the library stumble over
            raise ModelUnavailable(f"{self._folder} is no cross-encoder: {error}") from error
        if self._model.num_labels != 1:
            raise ModelUnavailable(
                f"{self._folder} gives {self._model.num_labels} labels: "
                "RAG_RERANK_MODEL wants a cross-encoder with one score"
            )
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return self._folder.name

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """How well each text answers the question, in [0, 1]."""
        pairs = [(question, text) for text in texts]
        try:
            with self._lock:
                found = self._model.predict(pairs, show_progress_bar=False)
        except RuntimeError as error:
            raise ModelUnavailable(f"the reranking model failed: {error}") from error
        return [float(score) for score in np.asarray(found, np.float32)]
