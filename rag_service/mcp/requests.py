"""The arguments of each tool, named and read as the fields of its route over HTTP."""

from typing import Annotated, Any

from msgspec import Struct

from rag_service.fields import (
    Field,
    field_of,
    integer,
    read_bot_id,
    read_label,
    read_source_url,
    text,
)
from rag_service.gaps.answer_request import AnswerRequest
from rag_service.gaps.gaps_request import GapsRequest
from rag_service.knowledge.filters import FILTER, Filter
from rag_service.knowledge.pushes import LABEL, Push
from rag_service.knowledge.search_request import LONGEST_QUERY

_BOT = Field(
    "The bot whose knowledge it is; that of the token, or `default`, without it.", read_bot_id
)
_URL = Field("An absolute URI; with `bot_id` the key of the page.", read_source_url)


class Search(Struct, frozen=True, kw_only=True):
    query: Annotated[
        str, Field("What to look for, best in the words of a question.", text(LONGEST_QUERY))
    ]
    bot_id: Annotated[str | None, _BOT] = None
    k: Annotated[int, Field("How many pages.", integer(1, 100))] = 5
    filter: Annotated[Filter | None, FILTER] = None


class Fetch(Struct, frozen=True, kw_only=True):
    id: Annotated[str, Field("The `id` of a result of `search`.", read_label)]


class Ask(Struct, frozen=True, kw_only=True):
    question: Annotated[str, Field("The question.", text(LONGEST_QUERY))]
    bot_id: Annotated[str | None, _BOT] = None
    conversation_id: Annotated[
        str | None, Field("Goes on with this conversation; a new one without it.", read_label)
    ] = None
    filter: Annotated[Filter | None, FILTER] = None


class ListGaps(GapsRequest, frozen=True, kw_only=True):
    limit: Annotated[int, Field("Gaps at most.", integer(1, 1000))] = 20


class AnswerGap(AnswerRequest, frozen=True, kw_only=True):
    gap_id: Annotated[str, Field("The gap, as `list_gaps` names it.", read_label)]


class PushPage(Struct, frozen=True, kw_only=True):
    content: Annotated[str, field_of(Push, "content").field]
    source_url: Annotated[str, _URL]
    bot_id: Annotated[str | None, _BOT] = None
    content_type: Annotated[str, LABEL] = "manual"
    title: Annotated[str, field_of(Push, "title").field] = ""
    metadata: Annotated[dict[str, Any], field_of(Push, "metadata").field] = {}


class DeletePage(Struct, frozen=True, kw_only=True):
    source_url: Annotated[str, _URL]
    bot_id: Annotated[str | None, _BOT] = None
