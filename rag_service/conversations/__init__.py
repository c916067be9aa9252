"""What is said: a question comes in, an answer with its sources goes out, and both are kept.

`assistant` answers; `store` and `chat_model` are what it needs of others.
"""
