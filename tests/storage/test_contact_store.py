"""Contacts as a store keeps them: one for each email, linked to what they said, gone for good."""

import threading
from collections.abc import Iterator
from contextlib import closing
from random import Random
from typing import Any

import pytest
from sqlite_utils import Database

from rag_service.access.scope import ALL_BOTS
from rag_service.contacts.store import Contact, ContactChanges, ContactFields, ContactFilter
from rag_service.contacts.store import ContactStore as Contract
from rag_service.conversations.messages import Sender
from rag_service.conversations.store import NewMessage
from rag_service.errors import Conflict, ConversationNotFound, Invalid, NotFound
from rag_service.settings import Settings
from rag_service.storage import Store, open_store
from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.sqlite.schema import schema

ALL = ContactFilter()


def opened(settings: Settings) -> Any:
    return open_store(settings, lambda: ("hashing:64", 64))


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    with opened(settings) as store:
        yield store


def add(store: Store, **fields: Any) -> Contact:
    return store.contacts.add(ALL_BOTS, ContactFields(**fields))


def change(store: Store, contact: Contact, **changes: Any) -> Contact:
    return store.contacts.change(ALL_BOTS, contact.contact_id, ContactChanges(**changes))


def say(store: Store, session: str, user: str | None, *, bot: str = "default", type_: Any = "user"):
    sender = Sender(type=type_, id=user)
    role: Any = type_ if type_ in ("user", "system") else "assistant"
    said = NewMessage(role=role, text=f"{user} says", sender=sender)
    return store.messages.add(ALL_BOTS, bot, session, said, create=True)


def found(
    store: Store, *, limit: int = 1000, offset: int = 0, ascending: bool = True, **where: Any
):
    total, contacts = store.contacts.page(
        ALL_BOTS, ContactFilter(**where), limit=limit, offset=offset, ascending=ascending
    )
    return total, [contact.contact_id for contact in contacts]


def happened(store: Store) -> list[Any]:
    types = ["contact.created", "contact.updated"]
    return store.events.page(ALL_BOTS, None, types=types, limit=1000)[0]


def files_with(settings: Settings, word: str) -> list[str]:
    return [
        path.name
        for path in settings.data_dir.glob("rag.db*")
        if word.encode() in path.read_bytes()
    ]


# -- fields ------------------------------------------------------------------------------------


def test_a_contact_comes_back_as_it_was_added(store):
    metadata = {"plan": "pro", "seats": [1, {"a": None}]}
    made = add(
        store, email="A@example.com", name="Ann", phone="+49301", user_id="u1", metadata=metadata
    )
    assert isinstance(store.contacts, Contract)
    assert made.contact_id.startswith("con_")
    assert (made.email, made.name, made.phone) == ("A@example.com", "Ann", "+49301")
    assert (made.user_id, made.metadata) == ("u1", metadata)
    assert made.created_at == made.updated_at
    assert (made.conversations, made.status) == (0, "orphan")
    assert store.contacts.get(ALL_BOTS, made.contact_id) == made


def test_an_email_is_that_of_one_contact_whatever_its_case(store):
    first = add(store, email="Ann@example.com")
    with pytest.raises(Conflict, match=first.contact_id):
        add(store, email="ANN@example.com")
    other = add(store, email="bob@example.com")
    with pytest.raises(Conflict, match=first.contact_id):
        change(store, other, email="aNN@example.com")
    assert store.contacts.get(ALL_BOTS, other.contact_id) == other
    assert change(store, first, email="ANN@example.com").email == "ANN@example.com"
    assert change(store, first, email=None, phone="+49301").email is None
    assert change(store, other, email="ann@example.com").email == "ann@example.com"


def test_many_may_have_no_email_and_the_same_phone_and_user(store):
    made = [add(store, phone="+49301", user_id="u1") for _ in range(3)]
    assert found(store) == (3, [contact.contact_id for contact in made])


def test_what_is_not_given_stays_and_none_removes(store):
    made = add(store, email="a@example.com", name="Ann", phone="+49301", metadata={"a": 1, "b": 2})
    changed = change(store, made, phone=None, metadata={"b": None, "c": 3})
    assert (changed.email, changed.name, changed.phone) == ("a@example.com", "Ann", None)
    assert changed.metadata == {"a": 1, "c": 3}
    assert changed.created_at == made.created_at
    assert changed.updated_at >= made.updated_at
    assert change(store, made, metadata=None).metadata == {}
    assert add(store, user_id="u2", metadata={"a": None, "b": 1}).metadata == {"b": 1}


def test_one_of_email_phone_and_user_id_is_left(store):
    with pytest.raises(Invalid) as refused:
        add(store, name="Ann")
    assert list(refused.value.params) == ["email"]
    made = add(store, email="a@example.com", name="Ann")
    with pytest.raises(Invalid):
        change(store, made, email=None)
    assert store.contacts.get(ALL_BOTS, made.contact_id) == made
    assert change(store, made, email=None, user_id="u1").user_id == "u1"


def test_what_is_not_there_is_not_found(store):
    for call in (
        lambda: store.contacts.get(ALL_BOTS, "con_0"),
        lambda: store.contacts.change(ALL_BOTS, "con_0", ContactChanges(name="x")),
        lambda: store.contacts.delete(ALL_BOTS, "con_0", conversations=True),
        lambda: store.contacts.conversations(ALL_BOTS, "con_0", limit=1, offset=0),
    ):
        with pytest.raises(NotFound, match="con_0"):
            call()


# -- events ------------------------------------------------------------------------------------


def test_each_change_is_an_event_and_no_change_is_none(store):
    made = add(store, email="a@example.com", metadata={"a": 1})
    assert change(store, made, email="a@example.com", metadata={"a": 1, "b": None}) == made
    assert [event.type for event in happened(store)] == ["contact.created"]
    changed = change(store, made, metadata={"a": True})  # which Python takes for 1
    created, updated = happened(store)
    assert (updated.type, updated.bot_id) == ("contact.updated", "")
    told = dict.fromkeys(("name", "phone", "user_id"))
    assert created.data == {
        "contact": {
            "contact_id": made.contact_id,
            "email": "a@example.com",
            **told,
            "metadata": {"a": 1},
            "created_at": made.created_at,
            "updated_at": made.updated_at,
        }
    }
    assert updated.data["contact"]["metadata"] == {"a": True}
    assert updated.data["contact"]["updated_at"] == changed.updated_at


def test_a_refused_change_leaves_no_event(store):
    add(store, email="a@example.com")
    with pytest.raises(Conflict):
        add(store, email="A@example.com")
    with pytest.raises(Invalid):
        store.contacts.put(
            ALL_BOTS, [ContactFields(email="b@example.com"), ContactFields(name="nobody")]
        )
    assert len(happened(store)) == 1
    assert found(store)[0] == 1


def test_events_go_with_their_contact_and_no_other(store):
    gone, kept = add(store, email="a@example.com"), add(store, email="b@example.com")
    change(store, gone, name="Ann")
    store.contacts.delete(ALL_BOTS, gone.contact_id, conversations=False)
    (event,) = happened(store)
    assert event.data["contact"]["contact_id"] == kept.contact_id


def test_threads_agree_on_who_came_first(store):
    refused = []

    def create():
        try:
            add(store, email="a@example.com")
        except Conflict as error:
            refused.append(error)

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 7
    assert found(store)[0] == 1


# -- conversations -----------------------------------------------------------------------------


def test_a_conversation_belongs_to_the_user_who_spoke_in_it(store):
    say(store, "s1", "u1")
    say(store, "s1", "u1")
    say(store, "s2", "u2")
    ann = add(store, user_id="u1")
    say(store, "s3", "u1", bot="two")
    say(store, "s1", "u1", bot="two")
    for type_ in ("agent", "system", "assistant"):
        say(store, "s4", "u1", type_=type_)
    say(store, "s5", None)
    total, page = store.contacts.conversations(ALL_BOTS, ann.contact_id, limit=10, offset=0)
    assert total == 3
    assert [(one.bot_id, one.conversation_id) for one in page] == [
        ("two", "s1"),
        ("two", "s3"),
        ("default", "s1"),
    ]
    assert page[2].messages == 2
    assert store.contacts.get(ALL_BOTS, ann.contact_id).conversations == 3
    assert store.contacts.conversations(ALL_BOTS, ann.contact_id, limit=1, offset=1) == (
        3,
        page[1:2],
    )
    nobody = add(store, email="a@example.com")
    assert store.contacts.conversations(ALL_BOTS, nobody.contact_id, limit=1, offset=0) == (0, [])


def test_a_status_follows_the_conversations(store):
    ann, orphan = add(store, user_id="u1"), add(store, user_id="u2")

    def status() -> str:
        return store.contacts.get(ALL_BOTS, ann.contact_id).status

    say(store, "s1", "u1")
    say(store, "s2", "u1")
    assert status() == "active"
    store.transcripts.delete(ALL_BOTS, ["s1"], cascade=True)
    assert status() == "active"
    store.transcripts.delete(ALL_BOTS, ["s2"], cascade=False)
    assert status() == "chat_deleted"
    for wanted, contacts in (("orphan", [orphan]), ("chat_deleted", [ann]), ("active", [])):
        ids = [contact.contact_id for contact in contacts]
        assert found(store, status=wanted) == (len(ids), ids)
    say(store, "s3", "u1")
    assert status() == "active"
    assert found(store, status="active") == (1, [ann.contact_id])
    assert change(store, ann, user_id="u3").status == "orphan"


# -- deleting ----------------------------------------------------------------------------------


def test_a_delete_leaves_the_conversations_unless_told(store):
    ann = add(store, user_id="u1")
    say(store, "s1", "u1")
    assert store.contacts.delete(ALL_BOTS, ann.contact_id, conversations=False) == 0
    assert store.conversations.get(ALL_BOTS, "default", "s1").messages == 1
    with pytest.raises(NotFound):
        store.contacts.get(ALL_BOTS, ann.contact_id)
    again = add(store, user_id="u1")
    assert again.conversations == 1
    assert store.contacts.delete(ALL_BOTS, again.contact_id, conversations=True) == 1
    with pytest.raises(ConversationNotFound):
        store.conversations.get(ALL_BOTS, "default", "s1")


def test_conversations_of_the_same_id_that_are_not_linked_stay(store):
    ann = add(store, user_id="u1")
    mine = say(store, "s1", "u1")
    other = say(store, "s1", "u2", bot="two")
    for message in (mine, other):
        store.transcripts.add_translation(ALL_BOTS, message.message_id, "de", "Hallo")
        store.transcripts.add_click(ALL_BOTS, message.bot_id, "s1", None, "https://example.com/")
    assert store.contacts.delete(ALL_BOTS, ann.contact_id, conversations=True) == 1
    assert store.conversations.get(ALL_BOTS, "two", "s1").messages == 1
    gone = store.transcripts.delete(ALL_BOTS, ["s1"], cascade=True)
    assert (gone.transcripts, gone.translations, gone.clicks) == (1, 1, 1)


def test_nothing_of_a_deleted_contact_is_left_in_the_file(settings):
    with opened(settings) as store:
        ann = add(
            store,
            email="zanzi-one@example.com",
            name="Zanziia",
            user_id="zanzi-user",
            metadata={"note": "zanzi-note"},
        )
        change(store, ann, email="zanzi-two@example.com", name="Zanziina")
        say(store, "s1", "zanzi-user")
        assert store.contacts.delete(ALL_BOTS, ann.contact_id, conversations=True) == 1
        for word in ("zanzi", "Zanzi"):
            assert files_with(settings, word) == []
    assert files_with(settings, "anzi") == []


def test_indexes_that_have_split_leave_nothing_either(settings):
    numbers = list(range(3000))
    Random(7).shuffle(numbers)
    with opened(settings) as store:
        # a delete before does not matter
        store.transcripts.delete(ALL_BOTS, ["nothing"], cascade=True)
        for start in range(0, 3000, 500):
            group = numbers[start : start + 500]
            store.contacts.put(
                ALL_BOTS,
                [
                    ContactFields(email=f"gone{n:04}@example.com", user_id=f"gone-user{n:04}")
                    for n in group
                ],
            )
        for number in numbers[:400]:
            say(store, f"s{number}", f"gone-user{number:04}")
        kept = add(store, email="kept@example.com")
        contacts = store.contacts.page(ALL_BOTS, ALL, limit=3001, offset=0, ascending=True)[1]
        for contact in contacts:
            if contact != kept and contact.user_id in {f"gone-user{n:04}" for n in numbers[:25]}:
                store.contacts.delete(ALL_BOTS, contact.contact_id, conversations=True)
        data = (settings.data_dir / "rag.db").read_bytes()
        for number in numbers[:25]:
            assert f"gone{number:04}".encode() not in data
            assert f"gone-user{number:04}".encode() not in data
        assert f"gone{numbers[25]:04}".encode() in data


# -- pages -------------------------------------------------------------------------------------


def test_pages_of_many_contacts_are_all_of_them_in_order(store):
    count = 20_000
    wanted = [f"n{number}@example.com" for number in range(count)]
    for start in range(0, count, 2000):
        group = [ContactFields(email=email) for email in wanted[start : start + 2000]]
        assert store.contacts.put(ALL_BOTS, group) == ["created"] * 2000
    for ascending, emails in ((True, wanted), (False, wanted[::-1])):
        for offset in (0, 1, 9_999, 19_950, 19_999, 20_000, 10**12):
            total, page = store.contacts.page(
                ALL_BOTS, ALL, limit=100, offset=offset, ascending=ascending
            )
            assert total == count
            assert [contact.email for contact in page] == emails[offset : offset + 100]
        exported = [
            contact.email
            for group in store.contacts.export(ALL_BOTS, ALL, ascending=ascending)
            for contact in group
        ]
        assert exported == emails
    matching = [email for email in wanted if "n1999" in email]
    total, page = store.contacts.page(
        ALL_BOTS, ContactFilter(search="N1999"), limit=5, offset=5, ascending=True
    )
    assert (total, [contact.email for contact in page]) == (len(matching), matching[5:10])


def test_an_export_misses_only_what_is_deleted_meanwhile(store):
    store.contacts.put(ALL_BOTS, [ContactFields(email=f"n{n}@example.com") for n in range(2500)])
    groups = store.contacts.export(ALL_BOTS, ALL, ascending=True)
    first = next(groups)
    late = store.contacts.page(ALL_BOTS, ALL, limit=2, offset=2000, ascending=True)[1]
    store.contacts.delete(ALL_BOTS, late[0].contact_id, conversations=False)
    add(store, email="late@example.com")
    emails = [contact.email for group in (first, *groups) for contact in group]
    assert emails == [f"n{n}@example.com" for n in range(2500) if n != 2000]


def test_a_search_looks_at_every_field_whatever_its_case(store):
    ann = add(store, email="Ann@Example.com", name="ÄNNE Straße", phone="+4930123", user_id="U_1")
    bob = add(store, user_id="bob%", metadata={"note": "ann"})
    both, only_ann = [ann.contact_id, bob.contact_id], [ann.contact_id]
    for search, ids in (
        ("ann@", only_ann),
        ("EXAMPLE", only_ann),
        ("änne strasse", only_ann),
        ("30123", only_ann),
        ("u_1", only_ann),
        ("_", only_ann),
        ("%", [bob.contact_id]),
        ("b", [bob.contact_id]),
        ("nn", only_ann),
        ("", both),
        ("note", []),
        ("com\nänne", only_ann),
    ):
        assert found(store, search=search) == (len(ids), ids), search
    change(store, ann, email="new@example.com")
    assert found(store, search="ann@") == (0, [])
    assert found(store, search="NEW@") == (1, only_ann)


def test_since_holds_its_end(store):
    made = [add(store, user_id=f"u{n}") for n in range(3)]
    moment = made[1].created_at
    ids = [contact.contact_id for contact in made if contact.created_at >= moment]
    assert found(store, since=moment) == (len(ids), ids)
    assert found(store, since="9999") == (0, [])


# -- many at once ------------------------------------------------------------------------------


def put(store: Store, **fields: Any) -> str:
    (outcome,) = store.contacts.put(ALL_BOTS, [ContactFields(**fields)])
    return outcome


def test_a_put_finds_its_contact_by_email(store):
    assert put(store, email="a@example.com", name="Ann", metadata={"a": 1}) == "created"
    assert put(store, email="A@Example.com", phone="+49301", metadata={"b": 2}) == "updated"
    _, (contact,) = store.contacts.page(ALL_BOTS, ALL, limit=2, offset=0, ascending=True)
    assert (contact.email, contact.name, contact.phone) == ("A@Example.com", "Ann", "+49301")
    assert contact.metadata == {"a": 1, "b": 2}
    assert put(store, email="A@Example.com", name="Ann") == "unchanged"
    assert len(happened(store)) == 2


def test_a_put_without_email_finds_the_only_one_of_its_user(store):
    made = add(store, email="a@example.com", user_id="u1")
    assert put(store, user_id="u1", name="Ann") == "updated"
    assert store.contacts.get(ALL_BOTS, made.contact_id).name == "Ann"
    add(store, phone="+49301", user_id="u1")
    assert put(store, user_id="u1", name="Which?") == "created"
    assert put(store, user_id="u2") == "created"
    assert found(store)[0] == 4


def test_a_put_with_a_phone_alone_finds_the_only_one_with_no_more(store):
    add(store, email="a@example.com", phone="+49301")
    assert put(store, phone="+49301", name="Ann") == "created"
    assert put(store, phone="+49301", name="Ann") == "unchanged"
    assert put(store, phone="+49301", name="Anna") == "updated"
    add(store, phone="+49301")
    assert put(store, phone="+49301", name="Anna") == "created"


def test_of_two_in_a_group_the_later_changes_the_earlier(store):
    group = [
        ContactFields(email="a@example.com", name="Ann"),
        ContactFields(email="a@example.com", name="Anna"),
        ContactFields(email="a@example.com", name="Anna"),
    ]
    assert store.contacts.put(ALL_BOTS, group) == ["created", "updated", "unchanged"]
    assert store.contacts.put(ALL_BOTS, []) == []


# -- bases from before -------------------------------------------------------------------------


def test_conversations_from_before_contacts_are_linked(settings):
    settings.data_dir.mkdir()
    with closing(sqlite3.connect(settings.data_dir / "rag.db", isolation_level=None)) as file:
        schema.apply(Database(file), stop_before="m009_contacts")
        file.execute("insert into bots (name, created_at) values ('default', '')")
        for number, sender in enumerate(
            (
                '{"type":"user","id":"u1"}',
                '{"type":"user","id":"u1"}',
                '{"type":"agent","id":"u1"}',
                '{"type":"user","id":null}',
                '{"type":"user","id":""}',
            )
        ):
            name = f"s{max(number, 1)}"
            file.execute(
                """insert or ignore into conversations (conversation_id, bot, metadata, created_at,
                updated_at) values (?, 1, '{}', '', '')""",
                [name],
            )
            file.execute(
                """insert into messages (message_id, conversation, bot, kind, text, created_at,
                sender, metadata) values (?, (select id from conversations
                where conversation_id = ?), 1, 0, 'x', '', ?, '{}')""",
                [f"msg_{number}", name, sender],
            )
    with open_store(settings, lambda: ("hashing:64", 64), upgrade=print) as store:
        ann = add(store, user_id="u1")
        total, page = store.contacts.conversations(ALL_BOTS, ann.contact_id, limit=10, offset=0)
        assert (total, [one.conversation_id for one in page]) == (1, ["s1"])
