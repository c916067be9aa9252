"""The second use case: answer a question from the knowledge base, and remember it."""

import re
from asyncio import to_thread
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any

from anyio import CancelScope
from msgspec.structs import asdict, replace

from rag_service.access.scope import ALL_BOTS, Scope
from rag_service.conversations import follow_up as following
from rag_service.conversations.chat_model import ChatModel
from rag_service.conversations.lookup import (
    SMALL_TALK,
    Lookup,
    evidence_of,
    signed,
    sources_of,
    text_of,
    with_context,
)
from rag_service.conversations.messages import Cut, Message, Usage
from rag_service.conversations.prompting import compose
from rag_service.conversations.reply import Reply, marked
from rag_service.conversations.reply_text import ReplyText
from rag_service.conversations.signals import make_signal, signal_of
from rag_service.conversations.store import MessageStore, NewMessage, PendingReply, TranscriptRow
from rag_service.conversations.turns import Answered, AnswerEvent, Asked, Delta, Retrieved
from rag_service.errors import ConversationNotFound
from rag_service.ids import new_id
from rag_service.knowledge.base import KnowledgeBase
from rag_service.knowledge.filters import Filter
from rag_service.small_talk import SmallTalk, recognise
from rag_service.small_talk import reply as friendly

PASSAGES = 5
REMEMBERED = 20
"""Messages of a conversation that may enter the prompt."""
PROMPT_SHARE = 0.75
"""Of the model's context; the rest is left for the answer."""
_ASKED_BACK = re.compile(r"[?\uff1f\u061f]\s*(?:\[\d+\]\s*)*$")


class Assistant:
    """`nothing_found` is the answer to a question without context: no model is asked then.

    Small talk, if it is to be known as such, has a friendly reply of its kind, or else
    `small_talk_reply`; nothing is looked up for it, unless it is a question about the assistant.

    A question that is not answered leaves a signal, and so does one that is answered with less
    confidence than `weak_below`.
    """

    def __init__(
        self,
        knowledge: KnowledgeBase,
        messages: MessageStore,
        model: ChatModel,
        *,
        count: Callable[[str], int],
        context_tokens: int,
        nothing_found: str,
        small_talk: bool = True,
        small_talk_reply: str = "",
        weak_below: float | None = None,
    ) -> None:
        self._knowledge = knowledge
        self._messages = messages
        self._model = model
        self._count = count
        self._budget = int(context_tokens * PROMPT_SHARE)
        self._nothing_found = nothing_found
        self._small_talk = small_talk
        self._small_talk_reply = small_talk_reply
        self._weak_below = weak_below

    async def answer(self, asked: Asked) -> AsyncGenerator[AnswerEvent, None]:
        """Retrieved, then Deltas, then Answered.

        The question is on disk before the first Delta. A reader that leaves stops the model; what
        was said until then is kept, as it is when the model fails. Raises NotFound,
        AnswerFailed and what a search raises.
        """
        scope, bot_id = asked.scope, asked.bot_id
        conversation_id = asked.conversation_id or new_id("conv")
        may_create = asked.create or asked.conversation_id is None
        history = asked.history
        if history is None:
            history = await to_thread(
                self._history, scope, bot_id, conversation_id, None, may_create
            )
        lookup = await to_thread(
            self._look_up,
            scope,
            asked.said.text,
            bot_id,
            history,
            only=asked.only,
            instructions=asked.instructions,
        )
        question = await to_thread(self._ask, asked, conversation_id, may_create, lookup)
        reply, answer_id = Reply(lookup, asked.most_tokens), new_id("msg")
        coming = self._pieces(lookup, reply)
        if self._model.quotes:  # what it cites is known before its first word is told
            coming = _again([piece async for piece in coming])
        sources, related = reply.citations.part(lookup.sources)
        yield Retrieved(
            conversation_id=conversation_id,
            has_rag_context=lookup.has_rag_context,
            sources=sources,
            related=related,
            answer_id=answer_id,
        )
        row = None
        try:
            async with aclosing(coming) as pieces:
                async for piece in pieces:
                    yield Delta(piece)
        finally:
            if reply.complete or reply.pieces:
                with CancelScope(shield=True):  # kept even when nobody is left to hear it
                    said = self._said(question, lookup, reply)
                    said = replace(said, context=marked(lookup.sources, reply))
                    said = signed(said, asked, answer_id)
                    row = await to_thread(self._messages.add, scope, bot_id, conversation_id, said)
        assert row is not None
        sources, related = reply.citations.part(lookup.sources)
        if reply.declined:
            sources, related = [], lookup.sources
        yield Answered(
            row=row,
            has_rag_context=lookup.has_rag_context,
            sources=sources,
            related=related,
            usage=self._usage(lookup, reply),
        )

    async def pay(self, owed: PendingReply) -> TranscriptRow:
        """Give an answer that was promised. Raises NotFound when nobody waits for it any more."""
        scope = ALL_BOTS.only(owed.bot_id)
        question = await to_thread(self._messages.get, scope, owed.message_id)
        bot_id, conversation_id = owed.bot_id, owed.conversation_id
        history = await to_thread(
            self._history, scope, bot_id, conversation_id, question.message_id, False
        )
        lookup = await to_thread(self._look_up, scope, question.text, bot_id, history)
        reply = Reply(lookup)
        async with aclosing(self._pieces(lookup, reply)) as pieces:
            async for _ in pieces:
                pass  # nobody reads along
        said = self._with_context(self._said(question, lookup, reply), lookup)
        said = replace(said, context=marked(lookup.sources, reply))
        return await to_thread(self._messages.add, scope, bot_id, conversation_id, said)

    async def close(self) -> None:
        await self._model.close()

    # -- how -----------------------------------------------------------------------------------

    def _history(
        self,
        scope: Scope,
        bot_id: str,
        conversation_id: str,
        before: str | None,
        may_be_new: bool,
    ) -> list[Message]:
        try:
            rows = self._messages.last(
                scope, bot_id, conversation_id, limit=REMEMBERED, before=before
            )
        except ConversationNotFound:
            if not may_be_new:
                raise
            return []
        return [
            Message(row.role, row.text, small_talk=SMALL_TALK in row.metadata)
            for row in rows
            if row.role != "system"
        ]

    def _ask(
        self, asked: Asked, conversation_id: str, may_create: bool, lookup: Lookup
    ) -> TranscriptRow:
        if asked.question_id is not None:
            return self._messages.get(asked.scope, asked.question_id)
        said = self._with_context(asked.said, lookup)
        return self._messages.add(
            asked.scope, asked.bot_id, conversation_id, said, create=may_create
        )

    def _look_up(
        self,
        scope: Scope,
        question: str,
        bot_id: str,
        history: Sequence[Message],
        *,
        only: Filter | None = None,
        instructions: str = "",
    ) -> Lookup:
        talk = self._recognise(question, history)
        if talk is not None and not talk.asks:
            return Lookup(found=None, prompt=None, sources=[], small_talk=talk)
        found = self._knowledge.search(scope, question, bot_id, k=PASSAGES, only=only)
        longer = None if talk else following.in_context(question, history)
        if longer is not None:
            with_history = self._knowledge.search(scope, longer, bot_id, k=PASSAGES, only=only)
            texts = (text_of(hit.passage) for hit in with_history.hits)
            if following.is_answered_by(question, texts):
                found = max(found, with_history, key=lambda one: one.confidence)
        if not found.has_rag_context:
            return Lookup(found=found, prompt=None, sources=[], small_talk=talk)
        passages = [hit.passage for hit in found.hits]
        prompt = compose(
            question,
            passages,
            history,
            budget=self._budget,
            count=self._count,
            instructions=instructions,
            near={hit.passage.chunk_id: hit.sentences for hit in found.hits},
            vector=found.vector,
            around=self._knowledge.around(scope, passages) if self._model.reads_around else None,
        )
        return Lookup(found=found, prompt=prompt, sources=sources_of(found, prompt))

    def _recognise(self, question: str, history: Sequence[Message]) -> SmallTalk | None:
        talk = recognise(question) if self._small_talk else None
        if talk and talk.kind == "acknowledgement" and _asked_back(history):
            return None  # "yes" is an answer where the assistant has asked
        return talk

    async def _pieces(self, lookup: Lookup, reply: Reply) -> AsyncGenerator[str, None]:
        """What the reader is shown; `reply` keeps it, and what else is known of it."""
        async with aclosing(self._shown(lookup, reply)) as shown:
            async for piece in shown:
                if text := reply.add(reply.citations.read(piece)):
                    yield text
                if reply.cut_off:
                    break
        if not reply.cut_off and (rest := reply.add(reply.citations.end())):
            yield rest
        reply.complete = True

    async def _shown(self, lookup: Lookup, reply: Reply) -> AsyncGenerator[str, None]:
        prompt = lookup.prompt
        if lookup.small_talk is not None:
            yield self._small_talk_reply or friendly(lookup.small_talk)
            return
        if prompt is None:
            yield self._nothing_found
            return
        text = ReplyText(len(prompt.passages)) if self._model.reads_around else None
        async with aclosing(self._model.stream(prompt)) as stream:
            async for piece in stream:
                if isinstance(piece, Usage):
                    reply.usage = piece
                else:
                    yield text.push(piece) if text else piece
                if text and text.refused:
                    break
        if text:
            yield text.end()
            reply.declined = text.declined
            if reply.declined and not "".join(reply.pieces).strip():
                yield self._nothing_found

    def _usage(self, lookup: Lookup, reply: Reply) -> Usage:
        if reply.usage:
            return reply.usage
        read = lookup.prompt.tokens if lookup.prompt else 0
        written = self._count("".join(reply.pieces)) if lookup.prompt else 0
        return Usage(prompt_tokens=read, completion_tokens=written)

    def _said(self, question: TranscriptRow, lookup: Lookup, reply: Reply) -> NewMessage:
        metadata: dict[str, Any] = {
            "model": self._model.name if lookup.prompt else None,
            "confidence": lookup.found.confidence if lookup.found else None,
            "complete": reply.complete,
            "usage": asdict(self._usage(lookup, reply)),
            **lookup.marks,
        }
        if lookup.found and lookup.small_talk is None:
            metadata |= evidence_of(question.text, lookup.found)
        if reply.declined:
            metadata["model_declined"] = True
        if reply.cut_off:
            metadata["cut_off"] = True
        if lookup.prompt and lookup.prompt.cut != Cut():
            metadata["cut"] = asdict(lookup.prompt.cut)
        declined = lookup.found if reply.declined else None
        return NewMessage(
            signal=make_signal(declined, "weak") if declined else None,
            role="assistant",
            text="".join(reply.pieces).strip(),
            sender=replace(question.sender, type="assistant"),
            metadata=metadata,
            reply_to=question.message_id,
            answers=question.message_id,
            question_metadata=lookup.marks,
        )

    def _with_context(self, said: NewMessage, lookup: Lookup) -> NewMessage:
        signal = signal_of(lookup.found, self._weak_below) if lookup.found else None
        return with_context(replace(said, signal=said.signal or signal), lookup)


def _asked_back(history: Sequence[Message]) -> bool:
    last = history[-1] if history else None
    return (
        last is not None
        and last.role == "assistant"
        and not last.small_talk
        and _ASKED_BACK.search(last.text) is not None
    )


async def _again(pieces: list[str]) -> AsyncGenerator[str, None]:
    for piece in pieces:
        yield piece
