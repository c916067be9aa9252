"""What reads and writes text: embedding models, answer models, and cross-encoders.

Each folder has a chooser (`load_embedder`, `load_chat_model`, `load_reranker`) and a file an
implementation; a setting comes in, and the contract of a room goes out.
"""
