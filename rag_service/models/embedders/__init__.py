"""Text -> unit vectors. The contract, and the one place that picks an implementation."""

import logging
from pathlib import Path

from rag_service.errors import ModelUnavailable
from rag_service.knowledge.embedder import Embedder

log = logging.getLogger(__name__)


def load_embedder(spec: str, cache: Path) -> Embedder:
    """Turn RAG_EMBEDDING_MODEL into an embedder; imports only what that one needs.

    `spec` is the name of a sentence-transformers model that is on this machine or the path of its
    folder, after `sentence-transformers:` or `openvino:` to say what runs it, or
    `hashing:DIMENSION`. `cache` is a folder for compiled models.
    Raises ModelUnavailable when the model is missing or its weights are not those expected.
    """
    try:
        return _load(spec, cache)
    except OSError as error:
        raise ModelUnavailable(f"the embedding model {spec!r} cannot be read: {error}") from error


def _load(spec: str, cache: Path) -> Embedder:
    runner, _, model = spec.rpartition(":") if not Path(spec).exists() else ("", "", spec)
    match runner:
        case "hashing":
            from rag_service.models.embedders.hashing import HashingEmbedder  # noqa: PLC0415

            return HashingEmbedder(model)
        case "sentence-transformers":
            return _sentence_transformers(model, cache)
        case "openvino":
            return _openvino(model, cache)
        case "":
            return _best(model, cache)
    raise ModelUnavailable(
        f"unknown runner {runner!r} in the embedding model {spec!r}: use a name or a folder, "
        "or put `openvino:`, `sentence-transformers:` or `hashing:` in front"
    )


def _best(model: str, cache: Path) -> Embedder:
    """OpenVINO on a CPU; plain sentence-transformers on a GPU or where OpenVINO is missing."""
    from rag_service.models.embedders.model_folder import has_gpu, has_openvino  # noqa: PLC0415

    if has_gpu() or not has_openvino():
        log.info("embedding with sentence-transformers")
        return _sentence_transformers(model, cache)
    return _openvino(model, cache)


def _sentence_transformers(model: str, cache: Path) -> Embedder:
    from rag_service.models.embedders.model_folder import find_model  # noqa: PLC0415
    from rag_service.models.embedders.sentence_transformers import (  # noqa: PLC0415
        SentenceTransformersEmbedder,
    )

    return SentenceTransformersEmbedder(find_model(model, cache))


def _openvino(model: str, cache: Path) -> Embedder:
    from rag_service.models.embedders.model_folder import find_model  # noqa: PLC0415
    from rag_service.models.embedders.openvino import OpenVinoEmbedder  # noqa: PLC0415

    return OpenVinoEmbedder(find_model(model, cache), cache)
