"""What people do with gaps: answer one, and say what they think of an answer."""

from collections.abc import Sequence

from msgspec import Struct

from rag_service.access.scope import Scope
from rag_service.conversations.lookup import SMALL_TALK
from rag_service.conversations.messages import Rating
from rag_service.conversations.signals import Signal, make_signal
from rag_service.conversations.store import MessageStore, TranscriptRow
from rag_service.documents import Document
from rag_service.errors import Conflict, Invalid
from rag_service.gaps.forecast import Forecast, Forecaster
from rag_service.gaps.gap import Gap
from rag_service.gaps.ledger import Ledger
from rag_service.gaps.store import FeedbackStore, GapStore
from rag_service.knowledge.base import KnowledgeBase
from rag_service.knowledge.upserts import Upserted

LONGEST_TITLE = 200
LONGEST_WORDING = 1000
"""Characters of a question that a page holds."""


class GapAnswer(Struct, frozen=True, kw_only=True):
    """What somebody writes for a gap. `questions` are messages of it whose wording the page holds
    as well."""

    text: str
    source_url: str | None = None
    title: str | None = None
    content_type: str = "faq"
    questions: Sequence[str] = ()


class Answered(Struct, frozen=True, kw_only=True):
    """The gap as it stands now, and what the push of the page did."""

    gap: Gap
    push: Upserted


class GapDesk:
    def __init__(
        self,
        gaps: GapStore,
        feedback: FeedbackStore,
        messages: MessageStore,
        knowledge: KnowledgeBase,
        ledger: Ledger,
        forecaster: Forecaster,
    ) -> None:
        self._gaps = gaps
        self._feedback = feedback
        self._messages = messages
        self._knowledge = knowledge
        self._ledger = ledger
        self._forecaster = forecaster

    def answer(self, scope: Scope, gap_id: str, answer: GapAnswer) -> Answered:
        """Push a question-and-answer page, and ask the gap's questions again.

        The gap closes when they are answered by then, and not by decree. Raises NotFound, and
        Invalid for a message that is not of the gap.
        """
        gap = self._gaps.get(scope, gap_id)
        page = self._page(scope, gap, answer)
        (push,) = self._knowledge.upsert(scope, [page])
        self._gaps.note_answer(scope, gap.gap_id, page.source_url)
        self._ledger.ask_gap_again(gap.gap_id, gap.bot_id)
        return Answered(gap=self._gaps.get(scope, gap.gap_id), push=push)

    def preview(self, scope: Scope, gap_id: str, answer: GapAnswer) -> tuple[Answered, Forecast]:
        """What `answer` would do, changing nothing."""
        gap = self._gaps.get(scope, gap_id)
        page = self._page(scope, gap, answer)
        push = self._knowledge.preview(scope, page)
        return Answered(gap=gap, push=push), self._forecaster.push(scope, [page])

    def rate(
        self, scope: Scope, message_id: str, rating: Rating | None, comment: str
    ) -> TranscriptRow:
        """Raises NotFound, and Conflict for a message that answers nothing."""
        row = self._messages.get(scope, message_id)
        if row.role != "assistant" or row.reply_to is None:
            raise Conflict(f"the message {message_id!r} is no answer, and cannot be rated")
        signal = self._signal(scope, row) if rating == "down" else None
        self._feedback.rate(scope, row.message_id, rating, comment, signal)
        return self._messages.get(scope, row.message_id)

    def _signal(self, scope: Scope, answer: TranscriptRow) -> Signal | None:
        """What a rejected answer leaves of its question; nothing, of small talk."""
        question = self._messages.get(scope, answer.reply_to or "")
        if SMALL_TALK in question.metadata:
            return None
        searched_as = answer.metadata.get("searched_as", question.text)
        found = self._knowledge.search(scope, searched_as, answer.bot_id, k=1)
        return make_signal(found, "rejected")

    def _page(self, scope: Scope, gap: Gap, answer: GapAnswer) -> Document:
        title = answer.title or gap.title[:LONGEST_TITLE]
        asked = [answer.title or gap.title, *self._wordings(scope, gap, answer.questions)]
        lines = [f"Q: {' '.join(text.split())[:LONGEST_WORDING]}" for text in dict.fromkeys(asked)]
        return Document(
            source_url=answer.source_url or f"gap://{gap.bot_id}/{gap.gap_id}",
            bot_id=gap.bot_id,
            content_type=answer.content_type,
            title=title,
            content="\n".join([*lines, f"A: {answer.text.strip()}"]),
            format="text",
        )

    def _wordings(self, scope: Scope, gap: Gap, message_ids: Sequence[str]) -> list[str]:
        if not message_ids:
            return []
        _, items = self._gaps.questions(scope, gap.gap_id, limit=gap.questions, offset=0)
        texts = {item.message_id: item.text for item in items}
        strange = [one for one in message_ids if one not in texts]
        if strange:
            raise Invalid(
                f"{strange[0]!r} is no question of this gap",
                {"questions": f"{strange[0]!r} is no question of this gap"},
            )
        return [texts[one] for one in message_ids]
