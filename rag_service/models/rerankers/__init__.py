"""A question and passages -> how well each answers it. The place that picks an implementation."""

from rag_service.knowledge.reranker import Reranker


def load_reranker(spec: str) -> Reranker:
    """The cross-encoder that RAG_RERANK_MODEL names. Raises ModelUnavailable."""
    from rag_service.models.rerankers.cross_encoder import CrossEncoderReranker  # noqa: PLC0415

    return CrossEncoderReranker(spec)
