"""Documents come in, are cut and embedded, and passages that answer a question go out.

`base.KnowledgeBase` is the use case, `imports` does many documents at once, and `evaluation` tells
how good a search is. `store`, `bots`, `views`, `jobs`, `embedder` and `reranker` are what it needs
of others.
"""
