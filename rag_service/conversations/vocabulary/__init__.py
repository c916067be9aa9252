"""The vocabulary that prompts are counted with, in tiktoken's format: base64 and rank a line."""
