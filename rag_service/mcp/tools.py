"""The tools: what each is called, takes, may do and answers. Knows no protocol."""

from asyncio import to_thread
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from rag_service.access.caller import Caller, Permission, RateClass
from rag_service.assembly import Service
from rag_service.conversations.messages import Sender
from rag_service.conversations.store import NewMessage
from rag_service.conversations.turns import Answered, Asked
from rag_service.documents import Document
from rag_service.errors import BotNotFound, RagError
from rag_service.gaps.gap import Gap
from rag_service.knowledge.upserts import Upserted
from rag_service.mcp import requests
from rag_service.mcp.answers import (
    Answer,
    AnsweredGap,
    AnswerSource,
    DeletedPage,
    FetchedPage,
    Found,
    FoundPage,
    GapsFound,
    PushedPage,
)
from rag_service.mcp.quotations import quoted
from rag_service.readers.text import clean


class Tool(Struct, frozen=True, kw_only=True):
    """`permissions` are those of its route, all of them wanted. `run` raises what its use case
    does."""

    name: str
    title: str
    about: str
    takes: type[Struct]
    answers: type[Struct]
    run: Callable[[Service, Caller, Any], Awaitable[Struct]]
    permissions: tuple[Permission, ...]
    rate: RateClass | None = None
    """Counted beside that of each request."""
    reads_only: bool = False
    replaces: bool = False
    """What was there before may be gone."""
    is_idempotent: bool = True

    def is_for(self, caller: Caller) -> bool:
        return all(map(caller.has, self.permissions))


async def _search(service: Service, caller: Caller, asked: requests.Search) -> Found:
    found = await to_thread(
        service.knowledge.search,
        caller.scope,
        asked.query,
        asked.bot_id or caller.scope.default_bot,
        k=asked.k,
        only=asked.filter,
        by_document=True,
    )
    return Found(
        results=[
            FoundPage(
                id=hit.passage.document_id,
                title=hit.passage.title or hit.passage.source_url,
                url=hit.passage.source_url,
                text=quoted(hit.passage.text),
                heading=hit.passage.heading,
                score=hit.score,
            )
            for hit in found.hits
        ],
        has_rag_context=found.has_rag_context,
        confidence=found.confidence,
        bot_id=found.bot_id,
    )


async def _fetch(service: Service, caller: Caller, asked: requests.Fetch) -> FetchedPage:
    stored = await to_thread(service.store.knowledge.document, caller.scope, asked.id)
    info = stored.info
    return FetchedPage(
        id=info.document_id,
        title=info.title or info.source_url,
        text=quoted(stored.text),
        url=info.source_url,
        metadata=info.metadata,
        bot_id=info.bot_id,
        content_type=info.content_type,
        updated_at=info.updated_at,
    )


async def _ask(service: Service, caller: Caller, asked: requests.Ask) -> Answer:
    bot_id = asked.bot_id or caller.scope.default_bot
    if not await to_thread(service.store.bots.has, caller.scope, bot_id):
        raise BotNotFound(bot_id)
    said = NewMessage(role="user", text=clean(asked.question), sender=Sender(type="user"))
    turn = Asked(
        scope=caller.scope,
        bot_id=bot_id,
        said=said,
        conversation_id=asked.conversation_id,
        only=asked.filter,
    )
    async for event in service.assistant.answer(turn):
        if isinstance(event, Answered):
            return Answer(
                answer=event.row.text,
                has_rag_context=event.has_rag_context,
                sources=[
                    AnswerSource(
                        title=one.title or one.source_url,
                        url=one.source_url,
                        text=quoted(one.text),
                        score=one.score,
                    )
                    for one in event.sources
                ],
                conversation_id=event.row.conversation_id,
                message_id=event.row.message_id,
            )
    raise RagError("the answer did not end")


async def _list_gaps(service: Service, caller: Caller, asked: requests.ListGaps) -> GapsFound:
    total, gaps = await to_thread(
        service.store.gaps.page,
        caller.scope.only(asked.bot_id),
        asked.filter(),
        sort=asked.sort,
        descending=asked.order == "desc",
        limit=asked.limit,
        offset=asked.offset,
    )
    return GapsFound(total=total, gaps=[_marked(gap) for gap in gaps])


async def _answer_gap(service: Service, caller: Caller, asked: requests.AnswerGap) -> AnsweredGap:
    done = await to_thread(service.desk.answer, caller.scope, asked.gap_id, asked.answered)
    service.jobs.changed({done.gap.bot_id})
    return AnsweredGap(gap=_marked(done.gap), page=_pushed(done.push))


async def _push_page(service: Service, caller: Caller, asked: requests.PushPage) -> PushedPage:
    page = Document(
        source_url=asked.source_url,
        content=asked.content,
        bot_id=asked.bot_id or caller.scope.default_bot,
        content_type=asked.content_type,
        title=asked.title,
        metadata=asked.metadata,
    )
    (report,) = await to_thread(service.knowledge.upsert, caller.scope, [page])
    service.jobs.changed({page.bot_id})
    return _pushed(report)


async def _delete_page(service: Service, caller: Caller, asked: requests.DeletePage) -> DeletedPage:
    bot_id, url = asked.bot_id or caller.scope.default_bot, asked.source_url
    removed = await to_thread(service.knowledge.remove, caller.scope, bot_id, [url])
    service.jobs.changed({bot_id})
    return DeletedPage(
        source_url=url,
        bot_id=bot_id,
        deleted=url in removed,
        entries_removed=removed.get(url, 0),
    )


def _pushed(report: Upserted) -> PushedPage:
    return PushedPage(
        id=report.document_id,
        source_url=report.source_url,
        bot_id=report.bot_id,
        unchanged=report.unchanged,
        chunks=report.chunks,
        warnings=report.warnings,
    )


def _marked(gap: Gap) -> Gap:
    """Its title is a visitor's question, and its best match a passage."""
    match = gap.best_match
    if match is not None:
        match = replace(match, text=quoted(match.text))
    return replace(gap, title=quoted(gap.title), best_match=match)


TOOLS = (
    Tool(
        name="search",
        title="Search the knowledge base",
        about="Find the pages that answer a query, best first, each with its best passage. "
        "`fetch` gives a whole page.",
        takes=requests.Search,
        answers=Found,
        run=_search,
        permissions=("knowledge",),
        reads_only=True,
    ),
    Tool(
        name="fetch",
        title="Read a page",
        about="Read a whole page by its id.",
        takes=requests.Fetch,
        answers=FetchedPage,
        run=_fetch,
        permissions=("knowledge",),
        reads_only=True,
    ),
    Tool(
        name="ask",
        title="Ask the assistant",
        about="Answer a question from the knowledge base, with sources. Question and answer are "
        "kept in the transcripts.",
        takes=requests.Ask,
        answers=Answer,
        run=_ask,
        permissions=("chat",),
        rate="chat",
        is_idempotent=False,
    ),
    Tool(
        name="list_gaps",
        title="List what could not be answered",
        about="List the questions that visitors asked and the knowledge base did not answer, "
        "those of most people first.",
        takes=requests.ListGaps,
        answers=GapsFound,
        run=_list_gaps,
        permissions=("transcripts",),
        reads_only=True,
    ),
    Tool(
        name="answer_gap",
        title="Answer a gap",
        about="Write the page that answers a gap, in place of one that was written for it before, "
        "and ask its questions again.",
        takes=requests.AnswerGap,
        answers=AnsweredGap,
        run=_answer_gap,
        permissions=("transcripts", "knowledge"),
        replaces=True,
    ),
    Tool(
        name="push_page",
        title="Write a page",
        about="Store a page in place of the former one of its `source_url`.",
        takes=requests.PushPage,
        answers=PushedPage,
        run=_push_page,
        permissions=("knowledge",),
        replaces=True,
    ),
    Tool(
        name="delete_page",
        title="Delete a page",
        about="Delete the page of this `source_url`.",
        takes=requests.DeletePage,
        answers=DeletedPage,
        run=_delete_page,
        permissions=("knowledge",),
        replaces=True,
    ),
)
