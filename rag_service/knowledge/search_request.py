"""What is asked of a search, over HTTP and on the command line alike."""

from typing import Annotated, Literal, get_args

from msgspec import Struct, field

from rag_service.fields import Field, flag, integer, one_of, read_bot_id, read_content_type, text
from rag_service.knowledge.filters import FILTER, Filter, both, has_label
from rag_service.knowledge.store import Mode

LONGEST_QUERY = 20_000
Group = Literal["chunk", "document"]
_MODES: tuple[Mode, ...] = get_args(Mode)
_GROUPS: tuple[Group, ...] = get_args(Group)


class SearchRequest(Struct, frozen=True, kw_only=True):
    query: Annotated[str, Field("What to look for.", text(LONGEST_QUERY), also=("q",))]
    bot_id: Annotated[
        str | None,
        Field(
            "The bot whose knowledge is searched; that of the token, or `default`, without it.",
            read_bot_id,
        ),
    ] = None
    k: Annotated[int, Field("How many passages.", integer(1, 100))] = 5
    content_type: Annotated[
        str | None, Field("Only documents with this label.", read_content_type)
    ] = None
    wanted: Annotated[Filter | None, FILTER] = field(default=None, name="filter")
    mode: Annotated[Mode, Field("What finds them.", one_of(_MODES))] = "hybrid"
    group: Annotated[
        Group,
        Field("`document` shows each document once, with its best passage.", one_of(_GROUPS)),
    ] = "chunk"
    explain: Annotated[bool, Field("Adds `evidence`: what the confidence rests on.", flag)] = False

    @property
    def filter(self) -> Filter | None:
        """Of the label and the metadata."""
        return both(has_label(self.content_type) if self.content_type else None, self.wanted)
