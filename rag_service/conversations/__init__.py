"""What is said.

A question comes in (`turns.Asked`); out goes an answer with its sources, piece by piece, and both
are kept. `assistant` answers, `replies` pays the answers that were promised, and `transcripts`
shows what was said. `store` and `chat_model` are what it needs of others.
"""
