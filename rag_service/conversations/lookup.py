"""What was looked up for a question, and what both rows of the turn tell of it."""

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from rag_service.conversations.continuations import digest_after
from rag_service.conversations.messages import Message, Source
from rag_service.conversations.prompting import Prompt
from rag_service.conversations.store import NewMessage
from rag_service.conversations.turns import Asked
from rag_service.documents import Passage
from rag_service.knowledge.finding.explanations import summary
from rag_service.knowledge.finding.findings import Findings
from rag_service.small_talk import SmallTalk

LONGEST_SEARCHED_AS = 300
"""Characters that a row keeps of how its question was searched; the question itself comes last."""
SMALL_TALK = "small_talk"
"""The name in the metadata of both rows that tells of which kind a turn of small talk is."""


class Lookup(Struct, frozen=True, kw_only=True):
    """What was found, and the prompt made of it where it is an answer.

    Nothing is looked up for small talk that asks nothing.
    """

    found: Findings | None
    prompt: Prompt | None
    sources: list[Source]
    small_talk: SmallTalk | None = None

    @property
    def has_rag_context(self) -> bool:
        return self.found is not None and self.found.has_rag_context

    @property
    def marks(self) -> dict[str, str]:
        """What the metadata of both rows tell."""
        return {SMALL_TALK: self.small_talk.kind} if self.small_talk else {}


def with_context(said: NewMessage, lookup: Lookup) -> NewMessage:
    return replace(
        said,
        has_rag_context=lookup.has_rag_context,
        context=lookup.sources or None,
        metadata=said.metadata | lookup.marks,
    )


def signed(answer: NewMessage, asked: Asked, message_id: str) -> NewMessage:
    """With its id, and what a client that tells the whole conversation will know it by."""
    said = asked.retold.said if asked.retold else None
    spoken = Message("assistant", answer.text)
    return replace(
        answer,
        message_id=message_id,
        fingerprint=digest_after(said, spoken) if said else None,
        owner=asked.retold.owner if asked.retold else None,
    )


def evidence_of(question: str, found: Findings) -> dict[str, Any]:
    """What the decision rests on, and how the question was searched where not as it was asked."""
    searched_as = found.searched_as or found.query
    told: dict[str, Any] = {"evidence": summary(found.evidence)}
    if searched_as != question:
        told["searched_as"] = searched_as[-LONGEST_SEARCHED_AS:]
    return told


def sources_of(found: Findings, prompt: Prompt) -> list[Source]:
    scores = {hit.passage.chunk_id: hit.score for hit in found.hits}
    return [
        Source(
            source_url=passage.source_url,
            chunk_id=passage.chunk_id,
            title=passage.title,
            score=scores[passage.chunk_id],
            text=passage.text,
        )
        for passage in prompt.passages
    ]


def text_of(passage: Passage) -> str:
    return f"{passage.title} {passage.heading} {passage.text}"
