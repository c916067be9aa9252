"""What a question means after what was said before it. Pure; needs no language model."""

import re
from collections.abc import Iterable, Sequence

from rag_service.conversations.messages import Message
from rag_service.small_talk import recognise
from rag_service.texts.stems import informative, stems

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)?")
_REFERS = frozenset(
    """it its that this those these they them their theirs he his him she her hers then one
    ones both same other others another either neither such else""".split()  # noqa: SIM905
)
_CONTINUES = re.compile(r"\s*(?:and|but|or|also|so|then|what about|how about)\b", re.I)
_FEW_WORDS = 3
_MOST_TURNS = 3


def in_context(question: str, history: Sequence[Message]) -> str | None:
    """The question below those it goes on from, for retrieval; None when it stands by itself.

    It goes on when it says so ("and for Canada?"), refers to something ("how much is it?"), or has
    too few words to mean anything alone. Small talk in between is passed over.
    """
    asked = [
        message.text for message in history if message.role == "user" and not message.small_talk
    ]
    if not asked or not _goes_on(question):
        return None
    before: list[str] = []
    for earlier in reversed(asked[-_MOST_TURNS:]):
        before.insert(0, earlier)
        if not _goes_on(earlier):
            break
    return "\n".join([*before, question])


def is_answered_by(question: str, texts: Iterable[str]) -> bool:
    """Whether texts that were found with what was said before can be about this question.

    "And for Canada?" wants a text that speaks of Canada; a question that refers to what was said
    ("how much is it?"), or has no word of its own, as a "yes, please" has none, takes any.
    """
    own = set() if recognise(question) else set(informative(stems(question)))
    return _refers(question) or not own or any(own & set(stems(text)) for text in texts)


def _goes_on(question: str) -> bool:
    return (
        len(_WORD.findall(question)) <= _FEW_WORDS
        or _CONTINUES.match(question) is not None
        or _refers(question)
    )


def _refers(question: str) -> bool:
    return not _REFERS.isdisjoint(word.lower() for word in _WORD.findall(question))
