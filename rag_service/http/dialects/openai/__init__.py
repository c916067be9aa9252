"""OpenAI's API, for the clients that speak it: a bot is a model.

Chat completions and responses are answered by the use case that answers in the other dialects, and
carry their sources as citations. Requests that a front end makes for itself, such as for a title,
are answered without it, and nothing of them is kept.
"""

from rag_service.http.dialects.openai import (
    chat_completions,
    embeddings,
    models,
    responses,
    vector_stores,
)

handlers = [
    *models.handlers,
    *chat_completions.handlers,
    *responses.handlers,
    *embeddings.handlers,
    *vector_stores.handlers,
]
