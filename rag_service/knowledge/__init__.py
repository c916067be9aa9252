"""Documents come in, are cut and embedded, and passages that answer a question go out.

`base` is the use case; `store`, `embedder` and `reranker` are what it needs of others.
"""
