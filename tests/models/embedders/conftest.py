import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from models import tiny_models

from rag_service.knowledge.embedder import Embedder
from rag_service.models.embedders import load_embedder

Load = Callable[[str], Embedder]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the tiny models; one for all workers of this run."""
    base = tmp_path_factory.getbasetemp()
    return tiny_models((base.parent if base.name.startswith("popen") else base) / "models")


@pytest.fixture(scope="session")
def load(folder: Path, compiled: Path) -> Load:
    """An embedder by its specification, in which `tiny` and `prompted` are the tiny models."""

    @cache
    def load(spec: str) -> Embedder:
        runner, _, model = spec.rpartition(":")
        if model in ("tiny", "prompted"):
            spec = f"{runner}:{folder / model}"
        with warnings.catch_warnings():
            if runner == "sentence-transformers":
                warnings.simplefilter("ignore")  # third parties', while they are imported
            return load_embedder(spec, compiled)

    return load
