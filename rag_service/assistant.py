"""The second use case: answer a question from the knowledge base, and remember it."""

from asyncio import to_thread
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from anyio import CancelScope
from msgspec import Struct
from msgspec.structs import asdict, replace

from rag_service import following
from rag_service.chat_models import ChatModel
from rag_service.citations import Citations
from rag_service.conversations import Cut, Message, Source, Usage
from rag_service.documents import Passage
from rag_service.errors import ConversationNotFound
from rag_service.ids import new_id
from rag_service.knowledge_base import Found, KnowledgeBase
from rag_service.prompting import Prompt, compose
from rag_service.stores.conversations import ConversationStore, Owed, Said, TranscriptRow

PASSAGES = 5
REMEMBERED = 20
"""Messages of a conversation that may enter the prompt."""
PROMPT_SHARE = 0.75
"""Of the model's context; the rest is left for the answer."""


class Asked(Struct, frozen=True, kw_only=True):
    """A question as it comes in. Without a `conversation_id` it begins a conversation.

    `create` makes one of that id where there is none.
    """

    bot_id: str
    said: Said
    conversation_id: str | None = None
    create: bool = False


class Retrieved(Struct, frozen=True, kw_only=True):
    """The question is kept. `sources` is what the answer will cite, where the model quotes; else
    all that the model is given."""

    conversation_id: str
    has_rag_context: bool
    sources: list[Source]
    related: list[Source]


class Delta(Struct, frozen=True):
    """The answer goes on."""

    text: str


class Answered(Struct, frozen=True, kw_only=True):
    """The answer is kept. [1] in its text is the first of `sources`; `related` is not cited."""

    row: TranscriptRow
    has_rag_context: bool
    sources: list[Source]
    related: list[Source]
    usage: Usage


AnswerEvent = Retrieved | Delta | Answered


class Assistant:
    """`nothing_found` is the answer to a question without context: no model is asked then."""

    def __init__(
        self,
        knowledge: KnowledgeBase,
        store: ConversationStore,
        model: ChatModel,
        *,
        count: Callable[[str], int],
        context_tokens: int,
        nothing_found: str,
    ) -> None:
        self._knowledge = knowledge
        self._store = store
        self._model = model
        self._count = count
        self._budget = int(context_tokens * PROMPT_SHARE)
        self._nothing_found = nothing_found

    async def answer(self, asked: Asked) -> AsyncGenerator[AnswerEvent, None]:
        """Retrieved, then Deltas, then Answered.

        The question is on disk before the first Delta. A reader that leaves stops the model; what
        was said until then is kept, as it is when the model fails. Raises NotFound,
        AnswerFailed and what a search raises.
        """
        bot_id = asked.bot_id
        conversation_id = asked.conversation_id or new_id("conv")
        may_create = asked.create or asked.conversation_id is None
        history = await to_thread(self._history, bot_id, conversation_id, None, may_create)
        lookup = await to_thread(self._look_up, asked.said.text, bot_id, history)
        question = await to_thread(
            self._store.say,
            bot_id,
            conversation_id,
            _with_context(asked.said, lookup),
            create=may_create,
        )
        citations = Citations(len(lookup.sources))
        coming = self._pieces(lookup, citations)
        if self._model.quotes:  # what it cites is known before its first word is told
            coming = _again([piece async for piece in coming])
        sources, related = citations.part(lookup.sources)
        yield Retrieved(
            conversation_id=conversation_id,
            has_rag_context=lookup.has_rag_context,
            sources=sources,
            related=related,
        )
        pieces: list[str] = []
        usage: list[Usage] = []
        complete = False
        row = None
        try:
            async with aclosing(coming) as stream:
                async for piece in stream:
                    if isinstance(piece, Usage):
                        usage.append(piece)
                    else:
                        pieces.append(piece)
                        yield Delta(piece)
            complete = True
        finally:
            used = usage[-1] if usage else self._usage(lookup, pieces)
            if complete or pieces:
                with CancelScope(shield=True):  # kept even when nobody is left to hear it
                    said = self._said(question, lookup, pieces, used, complete)
                    said = replace(said, context=_marked(lookup.sources, citations))
                    row = await to_thread(self._store.say, bot_id, conversation_id, said)
        assert row is not None
        sources, related = citations.part(lookup.sources)
        yield Answered(
            row=row,
            has_rag_context=lookup.has_rag_context,
            sources=sources,
            related=related,
            usage=used,
        )

    async def pay(self, owed: Owed) -> TranscriptRow:
        """Give an answer that was promised. Raises NotFound when nobody waits for it any more."""
        question = await to_thread(self._store.message, owed.message_id)
        bot_id, conversation_id = owed.bot_id, owed.conversation_id
        history = await to_thread(
            self._history, bot_id, conversation_id, question.message_id, False
        )
        lookup = await to_thread(self._look_up, question.text, bot_id, history)
        citations = Citations(len(lookup.sources))
        pieces: list[str] = []
        used = None
        async with aclosing(self._pieces(lookup, citations)) as stream:
            async for piece in stream:
                if isinstance(piece, Usage):
                    used = piece
                else:
                    pieces.append(piece)
        used = used or self._usage(lookup, pieces)
        said = _with_context(self._said(question, lookup, pieces, used, True), lookup)
        said = replace(said, context=_marked(lookup.sources, citations))
        return await to_thread(self._store.say, bot_id, conversation_id, said)

    async def close(self) -> None:
        await self._model.close()

    # -- how -----------------------------------------------------------------------------------

    def _history(
        self, bot_id: str, conversation_id: str, before: str | None, may_be_new: bool
    ) -> list[Message]:
        try:
            rows = self._store.said(bot_id, conversation_id, limit=REMEMBERED, before=before)
        except ConversationNotFound:
            if not may_be_new:
                raise
            return []
        return [Message(row.role, row.text) for row in rows if row.role != "system"]

    def _look_up(self, question: str, bot_id: str, history: list[Message]) -> "_Lookup":
        found = self._knowledge.search(question, bot_id, k=PASSAGES)
        longer = following.in_context(question, history)
        if longer is not None:
            with_history = self._knowledge.search(longer, bot_id, k=PASSAGES)
            texts = (_text(hit.passage) for hit in with_history.hits)
            if following.is_answered_by(question, texts):
                found = max(found, with_history, key=lambda one: one.confidence)
        if not found.has_rag_context:
            return _Lookup(found=found, prompt=None, sources=[])
        passages = [hit.passage for hit in found.hits]
        prompt = compose(
            question,
            passages,
            history,
            budget=self._budget,
            count=self._count,
            around=self._knowledge.around(passages) if self._model.reads_around else None,
        )
        return _Lookup(found=found, prompt=prompt, sources=_sources(found, prompt))

    async def _pieces(
        self, lookup: "_Lookup", citations: Citations
    ) -> AsyncGenerator[str | Usage, None]:
        if lookup.prompt is None:
            yield self._nothing_found
            return
        async with aclosing(self._model.stream(lookup.prompt)) as stream:
            async for piece in stream:
                if isinstance(piece, Usage):
                    yield piece
                elif text := citations.read(piece):
                    yield text
        if rest := citations.end():
            yield rest

    def _usage(self, lookup: "_Lookup", pieces: list[str]) -> Usage:
        read = lookup.prompt.tokens if lookup.prompt else 0
        written = self._count("".join(pieces)) if lookup.prompt else 0
        return Usage(prompt_tokens=read, completion_tokens=written)

    def _said(
        self,
        question: TranscriptRow,
        lookup: "_Lookup",
        pieces: list[str],
        usage: Usage,
        complete: bool,
    ) -> Said:
        metadata = {
            "model": self._model.name if lookup.prompt else None,
            "confidence": lookup.found.confidence,
            "complete": complete,
            "usage": asdict(usage),
        }
        if lookup.prompt and lookup.prompt.cut != Cut():
            metadata["cut"] = asdict(lookup.prompt.cut)
        return Said(
            role="assistant",
            text="".join(pieces).strip(),
            sender=replace(question.sender, type="assistant"),
            metadata=metadata,
            reply_to=question.message_id,
            answers=question.message_id,
        )


class _Lookup(Struct, frozen=True, kw_only=True):
    """What was found, and the prompt made of it where it is an answer."""

    found: Found
    prompt: Prompt | None
    sources: list[Source]

    @property
    def has_rag_context(self) -> bool:
        return self.found.has_rag_context


def _with_context(said: Said, lookup: _Lookup) -> Said:
    return replace(said, has_rag_context=lookup.has_rag_context, context=lookup.sources or None)


async def _again(pieces: list[str | Usage]) -> AsyncGenerator[str | Usage, None]:
    for piece in pieces:
        yield piece


def _marked(sources: list[Source], citations: Citations) -> list[Source] | None:
    used, _ = citations.part(sources)
    return [replace(source, used=source in used) for source in sources] or None


def _text(passage: Passage) -> str:
    return f"{passage.title} {passage.heading} {passage.text}"


def _sources(found: Found, prompt: Prompt) -> list[Source]:
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
