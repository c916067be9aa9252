"""What a search takes without any service: sentence-transformers and a flat faiss index.

In a process of its own; `python plain_script.py MODEL_FOLDER VECTORS.npy`.
"""

import sys
import time
from typing import Any

import faiss
import numpy as np
from harness import answer_orders
from sentence_transformers import SentenceTransformer


class PlainScript:
    def __init__(self, model: str, vectors: str) -> None:
        self._model = SentenceTransformer(model, device="cpu", local_files_only=True)
        rows = np.load(vectors)
        self._index = faiss.IndexFlatIP(rows.shape[1])
        self._index.add(rows)

    def work(self, order: dict[str, Any]) -> dict[str, Any]:
        """The `k` best for each of `queries`, one after the other; latencies in seconds."""
        took = []
        for query in order["queries"]:
            start = time.perf_counter()
            vector = self._model.encode([query], normalize_embeddings=True, show_progress_bar=False)
            self._index.search(np.asarray(vector, np.float32), order["k"])
            took.append(time.perf_counter() - start)
        return {"latencies": took}


if __name__ == "__main__":
    answer_orders(PlainScript(sys.argv[1], sys.argv[2]).work)
