"""What somebody answers a gap with, over HTTP and by a tool alike."""

from typing import Annotated

from msgspec import Struct

from rag_service.fields import (
    Field,
    list_of,
    read_content_type,
    read_label,
    read_source_url,
    text,
)
from rag_service.gaps.desk import LONGEST_TITLE, GapAnswer

LONGEST_ANSWER = 1_000_000
"""Characters."""
MOST_IDS = 1000


class AnswerRequest(Struct, frozen=True, kw_only=True):
    answer: Annotated[str, Field("The answer, as a visitor shall read it.", text(LONGEST_ANSWER))]
    source_url: Annotated[
        str | None,
        Field("The key of the page; `gap://BOT/GAP_ID` when left out.", read_source_url),
    ] = None
    title: Annotated[
        str | None,
        Field("The question it answers; the gap's title when left out.", text(LONGEST_TITLE)),
    ] = None
    content_type: Annotated[str, Field("The label of the page.", read_content_type)] = "faq"
    questions: Annotated[
        list[str],
        Field(
            "Messages of the gap whose wording the page holds as well.",
            list_of(read_label, MOST_IDS),
        ),
    ] = []

    @property
    def answered(self) -> GapAnswer:
        return GapAnswer(
            text=self.answer,
            source_url=self.source_url,
            title=self.title,
            content_type=self.content_type,
            questions=self.questions,
        )
