import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from shelf import bots

from rag_service.access.scope import ALL_BOTS, Scope
from rag_service.conversations.messages import Sender, Source
from rag_service.conversations.store import NewMessage, TranscriptFilter, TranscriptRow
from rag_service.errors import Conflict, ConversationNotFound, Invalid, NotFound
from rag_service.settings import Settings
from rag_service.storage import Store, open_store
from rag_service.storage.sqlite.driver import sqlite3

USER = Sender(type="user", id="u1", email="u@example.com", name="Uta", page_url="https://e.com/p")
ASSISTANT = Sender(type="assistant")
SOURCE = Source(source_url="https://e.com/p", chunk_id="chk_1", title="P", score=0.5, text="open")
LATER = "9999-01-01T00:00:00.000Z"


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    with open_store(settings, lambda: ("hashing:64", 64)) as store:
        yield store


def asks(text: str = "When are you open?", **more: Any) -> NewMessage:
    return NewMessage(**{"role": "user", "text": text, "sender": USER, **more})


def answers(row: TranscriptRow, text: str = "At nine.", **more: Any) -> NewMessage:
    message = {"role": "assistant", "text": text, "sender": ASSISTANT, "answers": row.message_id}
    return NewMessage(**message, **more)


def say(store: Store, said: NewMessage, conversation_id: str = "c", bot_id: str = "default") -> Any:
    return store.messages.add(ALL_BOTS, bot_id, conversation_id, said, create=True)


def found(
    store: Store,
    *,
    scope: Scope = ALL_BOTS,
    limit: int = 1000,
    offset: int = 0,
    ascending: bool = True,
    **where: Any,
):
    total, rows = store.transcripts.page(
        scope, TranscriptFilter(**where), limit=limit, offset=offset, ascending=ascending
    )
    return total, [row.text for row in rows]


# -- saying ------------------------------------------------------------------------------------


def test_a_row_comes_back_as_it_was_said(store):
    said = asks(metadata={"a": [1, {"b": None}]}, has_rag_context=True, context=[SOURCE])
    row = say(store, said)
    assert (row.role, row.text, row.sender, row.metadata) == (
        "user",
        said.text,
        USER,
        said.metadata,
    )
    assert (row.has_rag_context, row.context, row.bot_id) == (True, [SOURCE], "default")
    assert store.messages.last(ALL_BOTS, "default", "c", limit=10) == [row]
    assert (
        store.messages.get(ALL_BOTS, row.message_id)
        == store.messages.get(ALL_BOTS, str(row.id))
        == row
    )


@pytest.mark.parametrize("decision", [True, False])
def test_an_answer_carries_the_decision_and_context_of_its_question(store, decision):
    context = [SOURCE] if decision else None
    question = say(store, asks(has_rag_context=decision, context=context))
    answer = say(store, answers(question))
    assert (answer.has_rag_context, answer.context) == (decision, context)


def test_a_late_answer_brings_the_decision_to_its_question(store):
    question = say(store, asks(wants_reply="srv"))
    assert question.has_rag_context is None
    say(store, answers(question, has_rag_context=True, context=[SOURCE]))
    assert [
        (row.has_rag_context, row.context)
        for row in store.messages.last(ALL_BOTS, "default", "c", limit=9)
    ] == [(True, [SOURCE])] * 2
    assert found(store, role="user", has_rag_context=True) == (1, [question.text])


def test_an_answer_that_is_owed_is_given_once(store):
    question = say(store, asks(wants_reply="srv"))
    owed = store.replies.claim("srv", [])
    assert (owed.message_id, owed.conversation_id, owed.tries) == (question.message_id, "c", 0)
    assert store.replies.claim("srv", ["c"]) is None
    assert store.replies.claim("another", []) is None
    say(store, answers(question, has_rag_context=False))
    with pytest.raises(Conflict):
        say(store, answers(question, has_rag_context=False))
    assert store.replies.claim("srv", []) is None
    assert found(store) == (2, [question.text, "At nine."])


def test_an_answer_is_owed_until_the_last_try(store):
    question = say(store, asks(wants_reply="srv"))
    store.replies.give_up(question.message_id, "no model", final=False)
    assert store.replies.claim("srv", []).tries == 1
    assert store.replies.debtors() == ["srv"]
    assert store.replies.inherit("srv", "heir") == 1
    assert store.replies.claim("srv", []) is None
    store.replies.give_up(question.message_id, "no model", final=True)
    assert store.replies.claim("heir", []) is None
    assert store.replies.debtors() == []


def test_nothing_is_said_in_a_conversation_that_is_not_there(store):
    with pytest.raises(ConversationNotFound, match=r"Conversation not found: c\."):
        store.messages.add(ALL_BOTS, "default", "c", asks())
    assert found(store) == (0, [])
    assert store.events.page(ALL_BOTS, None, types=None, limit=10)[0] == []


def test_a_reply_names_a_message_of_its_conversation(store):
    here, there = say(store, asks()), say(store, asks(), "other")
    assert say(store, asks(reply_to=here.message_id)).reply_to == here.message_id
    with pytest.raises(NotFound):
        say(store, asks(reply_to=there.message_id))


def test_conversations_of_the_same_id_are_apart_in_each_bot(store):
    say(store, asks("one"))
    say(store, asks("two"), bot_id="b2")
    assert [row.text for row in store.messages.last(ALL_BOTS, "b2", "c", limit=9)] == ["two"]
    assert store.conversations.find(ALL_BOTS, "c").bot_id == "b2"
    assert store.conversations.find(bots("default"), "c").bot_id == "default"
    with pytest.raises(ConversationNotFound):
        store.conversations.find(bots("b3"), "c")


def test_history_is_the_newest_and_stops_before_a_message(store):
    rows = [say(store, asks(f"q{n}")) for n in range(5)]
    assert [row.text for row in store.messages.last(ALL_BOTS, "default", "c", limit=2)] == [
        "q3",
        "q4",
    ]
    before = store.messages.last(ALL_BOTS, "default", "c", limit=2, before=rows[3].message_id)
    assert [row.text for row in before] == ["q1", "q2"]


def test_many_threads_may_speak_at_once(store):
    def speak(name: str) -> None:
        for n in range(10):
            say(store, asks(f"{name}{n}"), f"c{n % 3}")

    threads = [threading.Thread(target=speak, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    total, rows = store.transcripts.page(
        ALL_BOTS, TranscriptFilter(), limit=100, offset=0, ascending=True
    )
    assert total == 40
    assert [row.id for row in rows] == sorted(row.id for row in rows)
    assert [row.created_at for row in rows] == sorted(row.created_at for row in rows)
    assert (
        sum(store.conversations.get(ALL_BOTS, "default", f"c{n}").messages for n in range(3)) == 40
    )


# -- conversations -----------------------------------------------------------------------------


def test_the_last_active_conversation_comes_first(store):
    for name in ("a", "b", "c"):
        say(store, asks(f"in {name}"), name)
    time.sleep(0.002)  # times are kept to the millisecond
    say(store, asks("again"), "a")
    total, page = store.conversations.page(ALL_BOTS, "default", since=None, limit=2, offset=0)
    assert (total, [one.conversation_id for one in page]) == (3, ["a", "c"])
    assert (page[0].preview, page[0].messages) == ("in a", 2)
    assert store.conversations.page(ALL_BOTS, "default", since=LATER, limit=2, offset=0) == (0, [])
    assert store.conversations.page(ALL_BOTS, "unknown", since=None, limit=2, offset=0) == (0, [])


def test_a_conversation_is_created_once_and_changed(store):
    made = store.conversations.create(ALL_BOTS, "default", "c", title="T", metadata={"a": 1})
    with pytest.raises(Conflict):
        store.conversations.create(ALL_BOTS, "default", "c", title=None, metadata={})
    changed = store.conversations.change(ALL_BOTS, "default", "c", title="U", metadata={"b": 2})
    assert (made.title, changed.title, changed.metadata) == ("T", "U", {"a": 1, "b": 2})
    changed = store.conversations.change(ALL_BOTS, "default", "c", title=None, metadata={"a": None})
    assert (changed.title, changed.metadata) == ("U", {"b": 2})
    assert store.conversations.get(ALL_BOTS, "default", "c") == changed
    with pytest.raises(ConversationNotFound):
        store.conversations.change(ALL_BOTS, "default", "d", title="U", metadata={})


# -- events ------------------------------------------------------------------------------------


def test_what_is_said_is_an_event_behind_any_cursor(store):
    row = say(store, asks())
    (began, asked), cursor = store.events.page(ALL_BOTS, None, types=None, limit=10)
    assert (began.type, asked.type) == ("conversation.created", "message.created")
    assert asked.data["message"]["id"] == row.message_id
    assert store.events.page(ALL_BOTS, began.id, types=None, limit=10)[0] == [asked]
    assert store.events.page(ALL_BOTS, cursor, types=None, limit=10) == ([], cursor)
    say(store, asks(), bot_id="b2")
    only = store.events.page(bots("b2"), cursor, types=["message.created"], limit=10)[0]
    assert [event.bot_id for event in only] == ["b2"]
    assert store.events.page(bots("default"), cursor, types=None, limit=10)[0] == []
    with pytest.raises(Invalid):
        store.events.page(ALL_BOTS, "nothing", types=None, limit=10)


# -- transcripts -------------------------------------------------------------------------------

decisions = st.sampled_from([None, False, True])
some_said = st.lists(
    st.tuples(
        st.sampled_from(["default", "b2"]),
        st.sampled_from(["c1", "c2", "c3"]),
        st.sampled_from(["user", "assistant", "system"]),
        decisions,
        st.sampled_from(["How do I open it?", 'say "SELL" now', "öffnen", "它多少钱", "x"]),
    ),
    max_size=25,
)
filters = st.fixed_dictionaries(
    {
        "bot_ids": st.sampled_from([None, ["default"], ["b2"], ["default", "b2"], ["nobody"]]),
        "session_id": st.sampled_from([None, None, "c1", "nowhere"]),
        "role": st.sampled_from([None, "user", "assistant", "system"]),
        "has_rag_context": decisions,
        "q": st.sampled_from([None, None, "open", "SELL", '"', "ÖFF", "多少", "x", "nothing"]),
        "since": st.integers(-1, 25),
        "until": st.integers(-1, 25),
    }
)


@hypothesis_settings(max_examples=60)
@given(said=some_said, where=filters, ascending=st.booleans(), data=st.data())
def test_pages_and_exports_are_what_the_filter_says(tmp_path_factory, said, where, ascending, data):
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"), embedding_model="hashing:64")
    with open_store(settings, lambda: ("hashing:64", 64)) as store:
        rows = [
            say(store, NewMessage(role=r, text=t, sender=USER, has_rag_context=d), c, b)
            for b, c, r, d, t in said
        ]
        moments = {}
        for side in ("since", "until"):
            place = where[side]
            moments[side] = rows[place].created_at if 0 <= place < len(rows) else None
        expected = [row for row in rows if matches(row, {**where, **moments})]
        if not ascending:
            expected.reverse()
        named = where.pop("bot_ids")
        scope = ALL_BOTS if named is None else bots(*named)
        filter_ = TranscriptFilter(**{**where, **moments})
        limit = data.draw(st.integers(1, 10))
        offset = data.draw(st.integers(0, 12))
        page = store.transcripts.page(
            scope, filter_, limit=limit, offset=offset, ascending=ascending
        )
        assert page == (len(expected), expected[offset : offset + limit])
        exported = [
            row
            for group in store.transcripts.export(scope, filter_, ascending=ascending)
            for row in group
        ]
        assert exported == expected


def matches(row: TranscriptRow, where: dict[str, Any]) -> bool:
    return all(
        [
            where["bot_ids"] is None or row.bot_id in where["bot_ids"],
            where["session_id"] in (None, row.conversation_id),
            where["role"] in (None, row.role),
            where["has_rag_context"] in (None, row.has_rag_context),
            where["q"] is None or where["q"].casefold() in row.text.casefold(),
            where["since"] is None or row.created_at >= where["since"],
            where["until"] is None or row.created_at <= where["until"],
        ]
    )


def test_pages_reach_over_many_blocks_of_rows(store, settings):
    texts = [f"m{n}" for n in range(3000)]
    say(store, asks(texts[0]))
    copy = """insert into messages (message_id, conversation, bot, kind, text, created_at, sender,
        metadata) select ?, conversation, bot, kind, ?, created_at, sender, metadata
        from messages where id = 1"""
    with closing(sqlite3.connect(settings.data_dir / "rag.db")) as connection:
        connection.executemany(copy, [(text, text) for text in texts[1:]])
        connection.commit()
    for offset in (0, 1, 1022, 1023, 1024, 2040, 2999, 3000):
        assert found(store, limit=7, offset=offset) == (3000, texts[offset : offset + 7])
        back = found(store, limit=7, offset=offset, ascending=False, scope=bots("default"))
        assert back == (3000, texts[::-1][offset : offset + 7])
    assert [
        len(group)
        for group in store.transcripts.export(ALL_BOTS, TranscriptFilter(), ascending=True)
    ] == [1000] * 3


@hypothesis_settings(max_examples=40)
@given(
    days=st.lists(st.integers(1, 9), min_size=1, max_size=14),
    since=st.integers(0, 10),
    until=st.integers(0, 10),
    more=st.sampled_from([{}, {}, {"role": "user"}, {"q": "m"}, {"scope": bots("default")}]),
    ascending=st.booleans(),
    data=st.data(),
)
def test_a_clock_that_was_wrong_changes_no_order_and_no_page(
    tmp_path_factory, days, since, until, more, ascending, data
):
    """Rows are in the order they were said in, and a time finds those that have it."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"), embedding_model="hashing:64")
    with open_store(settings, lambda: ("hashing:64", 64)) as store:
        say(store, asks("first"))
        store_rows_of(settings, days)
        first = store.messages.get(ALL_BOTS, "1").created_at
        everything = [("first", first), *((f"m{n}", day(d)) for n, d in enumerate(days))]
        times = {"since": day(since), "until": day(until)}
        filter_ = {**{k: times[k] for k in data.draw(st.sets(st.sampled_from([*times])))}, **more}
        expected = [
            text
            for text, at in everything
            if filter_.get("since", "") <= at <= filter_.get("until", "~")
            and filter_.get("q", "") in text
        ]
        if not ascending:
            expected.reverse()
        limit, offset = data.draw(st.integers(1, 9)), data.draw(st.integers(0, 9))
        page = found(store, limit=limit, offset=offset, ascending=ascending, **filter_)
        assert page == (len(expected), expected[offset : offset + limit])
        scope = filter_.pop("scope", ALL_BOTS)
        exported = store.transcripts.export(scope, TranscriptFilter(**filter_), ascending=ascending)
        assert [row.text for group in exported for row in group] == expected


def day(number: int) -> str:
    return f"2026-01-{number + 1:02}T00:00:00.000Z"


def store_rows_of(settings: Settings, days: list[int]) -> None:
    """As a clock that jumps would have stamped them, over several blocks of ids."""
    copy = """insert into messages (id, message_id, conversation, bot, kind, text, created_at,
        sender, metadata) select ?, ?, conversation, bot, kind, ?, ?, sender, metadata
        from messages where id = 1"""
    with closing(sqlite3.connect(settings.data_dir / "rag.db")) as connection:
        rows = [(400 * n + 2, f"m{n}", f"m{n}", day(number)) for n, number in enumerate(days)]
        connection.executemany(copy, rows)
        connection.commit()


def test_a_row_after_a_wrong_clock_has_its_own_time(store, settings):
    say(store, asks("first"))
    with closing(sqlite3.connect(settings.data_dir / "rag.db")) as connection:
        connection.execute("update messages set created_at = ?", [LATER])
        connection.commit()
    assert say(store, asks("second")).created_at < LATER
    assert found(store) == (2, ["first", "second"])


# -- deleting ----------------------------------------------------------------------------------


def test_a_deleted_session_leaves_nothing_in_the_file(store, settings):
    secret = "Xylophone-4711"
    for name in ("c", "kept"):
        text = secret if name == "c" else "harmless"
        context = [Source(source_url="s:1", chunk_id="chk", title=text, score=1, text=text)]
        metadata = {"note": text}
        row = say(store, asks(text, metadata=metadata, has_rag_context=True, context=context), name)
        say(store, answers(row, text), name)
        say(store, asks(text, wants_reply="srv"), name)
        store.transcripts.add_translation(ALL_BOTS, row.message_id, "de", text)
        store.transcripts.add_click(
            ALL_BOTS, "default", name, row.message_id, f"https://e.com/{text}"
        )
    gone = store.transcripts.delete(ALL_BOTS, ["c", "unknown"], cascade=True)
    assert (gone.transcripts, gone.translations, gone.clicks) == (3, 1, 1)
    assert found(store) == (3, ["harmless"] * 3)
    assert found(store, q=secret) == (0, [])
    assert store.replies.claim("srv", []).conversation_id == "kept"
    assert secret.encode() not in b"".join(
        path.read_bytes() for path in settings.data_dir.glob("rag.db*")
    )
    with pytest.raises(ConversationNotFound):
        store.messages.add(ALL_BOTS, "default", "c", answers(row))


def test_without_cascade_translations_and_clicks_stay(store, settings):
    row = say(store, asks())
    store.transcripts.add_translation(ALL_BOTS, row.message_id, "de", "Wann?")
    store.transcripts.add_translation(ALL_BOTS, row.message_id, "de", "Wann denn?")
    store.transcripts.add_click(ALL_BOTS, "default", "c", None, "https://e.com")
    gone = store.transcripts.delete(ALL_BOTS, ["c"], cascade=False)
    assert (gone.transcripts, gone.translations, gone.clicks) == (1, 0, 0)
    assert [count(settings, table) for table in ("messages", "translations", "clicks")] == [0, 1, 1]
    gone = store.transcripts.delete(ALL_BOTS, ["c"], cascade=True)
    assert (gone.transcripts, gone.translations, gone.clicks) == (0, 1, 1)


def test_only_sessions_of_the_bots_given_are_deleted(store):
    for bot_id in ("default", "b2"):
        say(store, asks(bot_id), bot_id=bot_id)
    assert store.transcripts.delete(bots("b2"), ["c"], cascade=True).transcripts == 1
    assert store.transcripts.delete(bots("b3"), ["c"], cascade=True).transcripts == 0
    assert found(store) == (1, ["default"])


def test_clicks_belong_to_a_conversation(store):
    with pytest.raises(ConversationNotFound):
        store.transcripts.add_click(ALL_BOTS, "default", "c", None, "https://e.com")


def count(settings: Settings, table: str) -> int:
    with closing(sqlite3.connect(Path(settings.data_dir) / "rag.db")) as connection:
        return int(connection.execute(f"select count(*) from {table}").fetchone()[0])
