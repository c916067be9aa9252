"""Small talk is a message in which nothing is left over when all its phrases are taken out."""

from msgspec import Struct

from rag_service.small_talk.phrase_book import ANY_LANGUAGE, Kind, phrase_book
from rag_service.small_talk.words import read_words

_MOST_WORDS = 40
"""A longer message says more than that; characters, in scripts without spaces."""
_FALLBACK = "en"
_QUESTIONS: frozenset[Kind] = frozenset(["about", "opening"])


class SmallTalk(Struct, frozen=True, kw_only=True):
    """`language` is an ISO 639-1 code, or None where the words are said in all of them."""

    kind: Kind
    language: str | None

    @property
    def asks(self) -> bool:
        """It is a question, of the assistant itself, that a page may happen to answer."""
        return self.kind in _QUESTIONS


def recognise(text: str) -> SmallTalk | None:
    """None when anything in the text is not small talk. Linear in the length of the text.

    Where several languages say it alike, it is the one with the most speakers.
    """
    read = read_words(text, _MOST_WORDS)
    if read is None or not text.strip():
        return None
    if not read.words:
        return SmallTalk(kind="reaction" if read.emoji else "signs", language=None)
    for language in phrase_book():
        if kind := language.kind_of(read.words):
            code = None if language.code == ANY_LANGUAGE else language.code
            return SmallTalk(kind=kind, language=code)
    return None


def reply(talk: SmallTalk) -> str:
    """A friendly answer in the language of the message, or in English where that is not clear."""
    replies = next(
        language.replies
        for language in phrase_book()
        if language.code == (talk.language or _FALLBACK)
    )
    return replies.get(talk.kind) or replies["other"]
