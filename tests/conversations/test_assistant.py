import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec
import pytest
from msgspec.structs import replace

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import Service
from rag_service.conversations.assistant import Assistant
from rag_service.conversations.budgets import count_tokens
from rag_service.conversations.chat_model import ChatModel
from rag_service.conversations.messages import Sender, Usage
from rag_service.conversations.prompting import Prompt
from rag_service.conversations.store import NewMessage, PendingReply, TranscriptFilter
from rag_service.conversations.turns import Answered, Asked, Delta, Retrieved
from rag_service.documents import Document
from rag_service.errors import AnswerFailed, ConversationNotFound
from rag_service.models.chat.extractive import ExtractiveModel

HOURS = "Our shop in Bern opens at nine in the morning and closes at six."
OPENS = "When does our shop in Bern open in the morning"
UNKNOWN = "Zebra quantum xylophone"


class Scripted:
    """A model that says what it is told to, and then fails if it is told to."""

    name = "scripted"
    reads_around = True
    quotes = False

    def __init__(self, *pieces: str | Usage | Exception, pause: float = 0) -> None:
        self._pieces = pieces
        self._pause = pause
        self.prompts: list[Prompt] = []
        self.stopped = False

    async def stream(self, prompt: Prompt) -> AsyncGenerator[str | Usage, None]:
        self.prompts.append(prompt)
        try:
            for piece in self._pieces:
                await asyncio.sleep(self._pause)
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            self.stopped = True

    async def close(self) -> None:
        """Holds nothing."""


@pytest.fixture
def filled(service: Service) -> Service:
    documents = [Document(source_url="https://e.com/hours", content=HOURS, title="Hours")]
    service.knowledge.upsert(ALL_BOTS, documents)
    return service


def assistant(service: Service, model: ChatModel, context_tokens: int = 4096) -> Assistant:
    return Assistant(
        service.knowledge,
        service.store.messages,
        model,
        count=count_tokens,
        context_tokens=context_tokens,
        nothing_found="Nothing.",
    )


def asks(text: str = OPENS, conversation_id: str | None = None, create: bool = False) -> Asked:
    said = NewMessage(role="user", text=text, sender=Sender(type="user", id="u1"))
    return Asked(
        scope=ALL_BOTS, bot_id="default", said=said, conversation_id=conversation_id, create=create
    )


async def events(of: Assistant, asked: Asked) -> list[Retrieved | Delta | Answered]:
    return [event async for event in of.answer(asked)]


def rows(service: Service):
    total, found = service.store.transcripts.page(
        ALL_BOTS, TranscriptFilter(), limit=100, offset=0, ascending=True
    )
    assert total == len(found)
    return found


def test_a_turn_is_kept_with_its_decision_and_what_the_model_was_given(filled):
    model = Scripted("At ", "nine. [1]", Usage(prompt_tokens=7, completion_tokens=3))
    retrieved, *deltas, answered = asyncio.run(events(assistant(filled, model), asks()))
    assert [delta.text for delta in deltas] == ["At", " nine. [1]"]
    assert answered.usage == Usage(prompt_tokens=7, completion_tokens=3)
    question, answer = rows(filled)
    assert answered.row == answer
    assert (question.text, answer.text) == (OPENS, "At nine. [1]")
    assert question.has_rag_context is answer.has_rag_context is True
    assert question.context == answer.context
    assert [(source.text, source.used) for source in answer.context] == [(HOURS, True)]
    assert [source.text for source in retrieved.sources] == [HOURS]
    assert (answer.sender.id, answer.reply_to) == ("u1", question.message_id)
    assert answer.metadata["model"] == "scripted"
    assert answer.metadata["complete"] is True
    assert HOURS in model.prompts[0].messages[0].text


@pytest.fixture
def gates(service: Service) -> Service:
    colours = ["red", "green", "blue"]
    service.knowledge.upsert(
        ALL_BOTS,
        [
            Document(source_url=f"https://e.com/{n}", content=f"Gate {n} is painted {colour}.")
            for n, colour in enumerate(colours)
        ],
    )
    return service


PAINTED = "Which gate is painted green, red or blue?"


def test_an_answer_is_numbered_by_what_it_cites(gates):
    model = Scripted("It is so [", "3", "], and so [2, 3", "]. Not [9].")
    retrieved, *deltas, answered = asyncio.run(events(assistant(gates, model), asks(PAINTED)))
    given = [passage.text for passage in model.prompts[0].passages]
    assert [source.text for source in retrieved.sources] == given
    assert retrieved.related == []
    text = "It is so [1], and so [2][1]. Not."
    assert "".join(delta.text for delta in deltas) == answered.row.text == text
    assert [source.text for source in answered.sources] == [given[2], given[1]]
    assert [source.text for source in answered.related] == [given[0]]
    for row in rows(gates):
        assert [source.text for source in row.context] == [given[2], given[1], given[0]]
        assert [source.used for source in row.context] == [True, True, False]


def test_all_are_sources_of_an_answer_that_cites_none(gates):
    retrieved, *_, answered = asyncio.run(
        events(assistant(gates, Scripted("Gates.")), asks(PAINTED))
    )
    assert answered.sources == retrieved.sources
    assert answered.related == []


def test_what_a_quoting_model_cites_is_known_before_its_first_word(gates):
    of = assistant(gates, ExtractiveModel())
    retrieved, *_, answered = asyncio.run(events(of, asks("What colour is gate 1 painted?")))
    assert [source.text for source in retrieved.sources] == ["Gate 1 is painted green."]
    assert len(retrieved.related) == 2
    assert (answered.sources, answered.related) == (retrieved.sources, retrieved.related)
    assert answered.row.text == "Gate 1 is painted green. [1]"


def test_a_promised_answer_is_numbered_in_the_same_way(gates):
    said = NewMessage(role="user", text=PAINTED, sender=Sender(type="user"), wants_reply="srv_1")
    gates.store.messages.add(ALL_BOTS, "default", "c", said, create=True)
    owed = gates.store.replies.claim("srv_1", [])
    row = asyncio.run(assistant(gates, Scripted("So [3].")).pay(owed))
    assert row.text == "So [1]."
    for kept in rows(gates):
        assert [source.used for source in kept.context] == [True, False, False]


def test_a_language_model_reads_what_stands_around_a_passage(service):
    parts = [f"# Part {n}\n\n" + f"Gate {n} is painted in colour {n}. " * 8 for n in range(9)]
    service.knowledge.upsert(
        ALL_BOTS, [Document(source_url="https://e.com/g", content="\n\n".join(parts))]
    )
    model = Scripted("Green.")
    asyncio.run(
        events(assistant(service, model, 100_000), asks("In which colour is gate 4 painted?"))
    )
    read = model.prompts[0].passages
    whole = service.store.knowledge.document(ALL_BOTS, read[0].document_id).passages
    hits = {passage.ordinal for passage in read}
    around = {at for hit in hits for at in (hit - 1, hit + 1) if 0 <= at < len(whole)}
    shown = "\n".join(passage.text for passage in read)
    assert around - hits
    assert all(whole[at].text in shown for at in hits | around)
    assert len(shown) < sum(len(passage.text) for passage in whole) + 3 * len(whole)
    question, _ = rows(service)
    assert [source.text for source in question.context] == [passage.text for passage in read]


def test_without_context_no_model_is_asked(filled):
    model = Scripted("Anything.")
    found = asyncio.run(events(assistant(filled, model), asks(UNKNOWN)))
    assert [event.text for event in found if isinstance(event, Delta)] == ["Nothing."]
    assert model.prompts == []
    assert [(row.has_rag_context, row.context) for row in rows(filled)] == [(False, None)] * 2


def test_a_reader_who_leaves_stops_the_model_and_what_was_said_is_kept(filled):
    model = Scripted(*["word "] * 1000, pause=0.001)

    async def leave_early() -> None:
        async with aclosing(assistant(filled, model).answer(asks())) as answer:
            async for event in answer:
                if isinstance(event, Delta):
                    break

    asyncio.run(leave_early())
    answer = rows(filled)[1]
    assert (answer.text, answer.metadata["complete"]) == ("word", False)
    assert model.stopped


def test_a_cancelled_answer_is_kept_as_far_as_it_came(filled):
    model = Scripted("One. ", "Two. ", *["more "] * 1000, pause=0.01)

    async def cancel() -> None:
        told = []

        async def listen() -> None:
            async for event in assistant(filled, model).answer(asks()):
                told.append(event)

        task = asyncio.create_task(listen())
        async with asyncio.timeout(60):
            while len(told) < 4:  # what was found, and three pieces
                await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert rows(filled)[1].text.startswith("One. Two.")
    assert model.stopped


@pytest.mark.parametrize("said", [[], ["At ", "nine"]])
def test_when_the_model_fails_the_question_is_kept_and_what_was_said(filled, said):
    model = Scripted(*said, AnswerFailed("the model broke off"))
    with pytest.raises(AnswerFailed):
        asyncio.run(events(assistant(filled, model), asks()))
    kept = [(row.role, row.text, row.metadata.get("complete")) for row in rows(filled)]
    assert kept[0] == ("user", OPENS, None)
    assert kept[1:] == ([("assistant", "At nine", False)] if said else [])


# -- what a language model writes that is not for a reader ---------------------------------------


def test_what_is_left_of_the_prompt_is_not_shown(filled):
    model = Scripted("<sour", "ce 1>", "At nine [", "1][", "7].", "\n</so", "urce 1", ">")
    *_, answered = turn = asyncio.run(events(assistant(filled, model), asks()))
    shown = "".join(event.text for event in turn if isinstance(event, Delta))
    assert shown.strip() == answered.row.text == "At nine [1]."
    assert "model_declined" not in answered.row.metadata
    assert answered.sources


@pytest.mark.parametrize(
    "pieces",
    [["NO_ANSWER"], list("NO_ANSWER"), ['"NO', "_ANS", 'WER"', " because"], ["</source 1>"]],
)
def test_a_model_that_finds_no_answer_in_its_sources_declines(filled, pieces):
    retrieved, *deltas, answered = asyncio.run(events(assistant(filled, Scripted(*pieces)), asks()))
    assert [delta.text for delta in deltas] == ["Nothing."]
    question, answer = rows(filled)
    assert (answer.text, answer.metadata["model_declined"]) == ("Nothing.", True)
    assert question.has_rag_context is answer.has_rag_context is answered.has_rag_context is True
    assert answered.sources == []
    assert [source.text for source in question.context] == [HOURS]
    assert question.context == answer.context
    assert [source.used for source in answer.context] == [False]
    assert retrieved.sources


def test_a_model_that_declines_is_not_listened_to_any_longer(filled):
    model = Scripted("NO_ANSWER", *[" and on"] * 1000, AnswerFailed("it went on"))
    *_, answered = asyncio.run(events(assistant(filled, model), asks()))
    assert answered.row.text == "Nothing."
    assert model.stopped


def test_a_model_may_decline_in_words_of_its_own(filled):
    model = Scripted(
        "The sources do not ", "say when.", Usage(prompt_tokens=7, completion_tokens=3)
    )
    *_, answered = asyncio.run(events(assistant(filled, model), asks()))
    assert answered.row.text == "The sources do not say when."
    assert answered.row.metadata["model_declined"] is True
    assert answered.usage == Usage(prompt_tokens=7, completion_tokens=3)
    assert answered.sources == []


def test_a_promised_answer_is_declined_alike(filled):
    said = replace(asks().said, wants_reply=filled.replies.owner)
    question = filled.store.messages.add(ALL_BOTS, "default", "c", said, create=True)
    owed = PendingReply(
        message_id=question.message_id, conversation_id="c", bot_id="default", tries=0
    )
    row = asyncio.run(assistant(filled, Scripted("NO_", "ANSWER")).pay(owed))
    assert (row.text, row.has_rag_context) == ("Nothing.", True)
    assert row.metadata["model_declined"] is True


def test_a_follow_up_is_found_with_what_was_said_before(filled):
    model = Scripted("Yes.")

    async def talk() -> list[bool]:
        of = assistant(filled, model)
        decisions = []
        for question in (OPENS, "and?", UNKNOWN + " and more words"):
            async for event in of.answer(asks(question, "c", create=True)):
                if isinstance(event, Retrieved):
                    decisions.append(event.has_rag_context)
        return decisions

    assert asyncio.run(talk()) == [True, True, False]
    assert [message.text for message in model.prompts[1].messages[1:]] == [OPENS, "Yes.", "and?"]


@pytest.mark.parametrize("question", [OPENS, UNKNOWN, "Is AX-99 " + "Zürich 灯塔 E5 " * 1500])
def test_the_answers_row_keeps_in_short_what_the_decision_rests_on(filled, question):
    asyncio.run(events(assistant(filled, Scripted("Yes.")), asks(question)))
    asked, answer = rows(filled)
    evidence = answer.metadata["evidence"]
    weighed = filled.knowledge.search(ALL_BOTS, question, "default").evidence
    assert evidence["nearest"] == round(weighed.signs.nearest, 3)
    assert evidence["log_odds"] == round(weighed.log_odds, 3)
    weights = {name: round(value, 3) for name, value in weighed.weights.items()}
    assert {f"weight_{name}" for name in weights} <= evidence.keys()
    assert all(evidence[f"weight_{name}"] == value for name, value in weights.items())
    assert all(isinstance(value, int | float | str) for value in evidence.values())
    assert len(msgspec.json.encode(evidence)) < 1000
    assert "evidence" not in asked.metadata
    assert "searched_as" not in answer.metadata


def test_a_follow_ups_row_keeps_how_it_was_searched(filled):
    async def talk() -> None:
        of = assistant(filled, Scripted("Yes."))
        for question in (OPENS, "and?"):
            await events(of, asks(question, "c", create=True))

    asyncio.run(talk())
    first, second = (row.metadata for row in rows(filled) if row.role == "assistant")
    assert "searched_as" not in first
    assert second["searched_as"] == f"{OPENS}\nand?"


def test_small_talk_has_no_evidence(filled):
    for remark in ("Thank you!", "Who are you?"):
        asyncio.run(events(assistant(filled, Scripted("Yes.")), asks(remark)))
    assert all("evidence" not in row.metadata for row in rows(filled))


def test_small_talk_asks_no_model(filled):
    model = Scripted("Anything.")
    *_, answered = asyncio.run(events(assistant(filled, model), asks("Thank you!")))
    assert model.prompts == []
    assert [row.metadata["small_talk"] for row in rows(filled)] == ["thanks", "thanks"]
    assert answered.row.text not in ("", "Nothing.")


def test_a_yes_to_a_question_of_the_assistant_is_an_answer_to_it(filled):
    model = Scripted("At nine. Shall I tell you when it closes? [1]")

    async def talk() -> list[bool]:
        of = assistant(filled, model)
        asked = [asks(text, "c", create=True) for text in (OPENS, "Yes, please")]
        return [(await events(of, one))[0].has_rag_context for one in asked]

    assert asyncio.run(talk()) == [True, True]
    assert model.prompts[1].messages[-1].text == "Yes, please"
    assert all("small_talk" not in row.metadata for row in rows(filled))


def test_what_does_not_fit_is_left_out_and_told(filled):
    model = Scripted("Yes.")

    async def talk() -> Answered:
        of = assistant(filled, model, context_tokens=600)
        for _ in range(6):
            last = (await events(of, asks(f"{OPENS}. " * 5, "c", create=True)))[-1]
        return last

    last = asyncio.run(talk())
    assert last.row.metadata["cut"]["history"] > 0
    assert model.prompts[-1].tokens <= 450
    assert model.prompts[-1].messages[-1].text.startswith(OPENS)


def test_an_unknown_conversation_is_not_made_unless_asked_for(filled):
    with pytest.raises(ConversationNotFound):
        asyncio.run(events(assistant(filled, Scripted()), asks(conversation_id="c")))
    assert rows(filled) == []


def test_nothing_is_kept_of_a_conversation_that_was_deleted_meanwhile(filled):
    async def delete_while_it_answers() -> None:
        of = assistant(filled, Scripted("One. ", "Two."))
        async for event in of.answer(asks(conversation_id="c", create=True)):
            if isinstance(event, Retrieved):
                filled.store.transcripts.delete(ALL_BOTS, ["c"], cascade=True)

    with pytest.raises(ConversationNotFound):
        asyncio.run(delete_while_it_answers())
    assert rows(filled) == []
