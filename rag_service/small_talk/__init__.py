"""Small talk: messages that ask nothing of the knowledge base, in 25 languages.

A text comes in; out goes what kind of small talk it is, or None where anything in it may be a
question, and the words that answer it. The phrases and replies stand in `phrases.toml`.
"""

from rag_service.small_talk.phrase_book import Kind
from rag_service.small_talk.recognition import SmallTalk, recognise, reply

__all__ = ["Kind", "SmallTalk", "recognise", "reply"]
