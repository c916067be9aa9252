"""Each part of the store shows and changes nothing outside the scope that it is asked with."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from shelf import bots, page, paragraphs, push, stored

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import Service
from rag_service.contacts.store import ContactChanges, ContactFields, ContactFilter
from rag_service.conversations.messages import Sender
from rag_service.conversations.store import NewMessage, TranscriptFilter
from rag_service.errors import Forbidden, NotFound
from rag_service.events.store import Secret, Webhook, WebhookChanges
from rag_service.knowledge.filters import has_label
from rag_service.knowledge.jobs import Job, JobCounts
from rag_service.knowledge.store import Calibration, DocumentFilter
from rag_service.storage import Store

MOMENT = "2026-05-12T09:30:00.000Z"
MINE = bots("mine", "also")
SAID = NewMessage(role="user", text="Ours.", sender=Sender(type="user", id="u1"))
PAGE = {"limit": 9, "offset": 0}


class Theirs:
    """What another bot has."""

    def __init__(self, service: Service) -> None:
        push(service, page("a", paragraphs("heron", "egret"), bot_id="theirs"))
        store = service.store
        self.store = store
        self.document = stored(service, "a", "theirs").info.document_id
        self.message = store.messages.add(ALL_BOTS, "theirs", "c", SAID, create=True).message_id
        self.contact = store.contacts.add(ALL_BOTS, ContactFields(email="a@e.com")).contact_id
        store.webhooks.add(ALL_BOTS, hook("whk_1", "theirs"))
        store.webhooks.add(ALL_BOTS, hook("whk_0", None))
        store.jobs.add(job("job_1", bots("theirs", "mine")))
        store.jobs.add(job("job_0", ALL_BOTS))


@pytest.fixture
def theirs(service: Service) -> Iterator[Theirs]:
    """Nothing may have changed it at the end."""
    theirs = Theirs(service)
    before = everything(theirs)
    yield theirs
    assert everything(theirs) == before


def hook(webhook_id: str, bot_id: str | None) -> Webhook:
    return Webhook(
        id=webhook_id,
        url="https://e.com/",
        events=["*"],
        bot_id=bot_id,
        description="",
        secrets=[Secret(value="whsec_x")],
        enabled=True,
        reason=None,
        failures=0,
        failing_since=None,
        created_at=MOMENT,
        updated_at=MOMENT,
    )


def job(job_id: str, scope: Any) -> Job:
    return Job(
        id=job_id,
        state="queued",
        scope=scope,
        owner="srv_1",
        total=1,
        counts=JobCounts(),
        offset=0,
        error=None,
        created_at=MOMENT,
        started_at=None,
        finished_at=None,
    )


def everything(theirs: Theirs) -> list[Any]:
    store, scope = theirs.store, ALL_BOTS
    return [
        store.knowledge.documents(scope, DocumentFilter(), **PAGE),
        store.transcripts.page(scope, TranscriptFilter(), ascending=True, **PAGE),
        store.contacts.page(scope, ContactFilter(), ascending=True, **PAGE),
        store.webhooks.all(scope),
        store.jobs.get(scope, "job_1"),
        store.jobs.get(scope, "job_0"),
        store.knowledge.calibrations(scope),
        store.bots.all(scope),
    ]


NOT_FOUND: list[Callable[[Store, Theirs], Any]] = [
    lambda store, theirs: store.knowledge.document(MINE, theirs.document),
    lambda store, theirs: store.conversations.find(MINE, "c"),
    lambda store, theirs: store.messages.get(MINE, theirs.message),
    lambda store, theirs: store.messages.get(MINE, "1"),
    lambda store, theirs: store.transcripts.add_translation(MINE, theirs.message, "de", "x"),
    lambda store, theirs: store.transcripts.add_click(MINE, "mine", "c", None, "https://e.com"),
    lambda store, theirs: store.webhooks.get(MINE, "whk_1"),
    lambda store, theirs: store.webhooks.get(MINE, "whk_0"),
    lambda store, theirs: store.webhooks.change(MINE, "whk_1", WebhookChanges(enabled=False)),
    lambda store, theirs: store.webhooks.rotate_secret(MINE, "whk_1", "whsec_y", None),
    lambda store, theirs: store.webhooks.remove(MINE, "whk_1"),
    lambda store, theirs: store.deliveries.page(MINE, "whk_1", None, **PAGE),
    lambda store, theirs: store.deliveries.redeliver(MINE, "whk_1", None),
    lambda store, theirs: store.jobs.get(MINE, "job_1"),
    lambda store, theirs: store.jobs.get(MINE, "job_0"),
    lambda store, theirs: store.jobs.failed_lines(MINE, "job_1", **PAGE),
    lambda store, theirs: store.jobs.cancel(MINE, "job_1"),
]
FORBIDDEN: list[Callable[[Store, Theirs], Any]] = [
    lambda store, theirs: store.bots.create(MINE, "theirs"),
    lambda store, theirs: store.bots.has(MINE, "theirs"),
    lambda store, theirs: store.bots.has(MINE, "nobody"),
    lambda store, theirs: store.knowledge.known(MINE, [("theirs", "https://e.com/")]),
    lambda store, theirs: store.knowledge.remove(MINE, "theirs", ["https://example.com/a"]),
    lambda store, theirs: store.knowledge.matching(MINE, "theirs", has_label("manual")),
    lambda store, theirs: store.knowledge.remove_matching(MINE, "theirs", has_label("manual"), 1),
    lambda store, theirs: store.knowledge.respell(MINE, "theirs", ["herom"]),
    lambda store, theirs: store.knowledge.own_vectors(MINE, "theirs", [b"x"]),
    lambda store, theirs: store.knowledge.calibrate(MINE, "theirs", Calibration()),
    lambda store, theirs: store.conversations.create(MINE, "theirs", "d", title=None, metadata={}),
    lambda store, theirs: store.conversations.get(MINE, "theirs", "c"),
    lambda store, theirs: store.conversations.page(MINE, "theirs", since=None, **PAGE),
    lambda store, theirs: store.conversations.change(MINE, "theirs", "c", title="x", metadata={}),
    lambda store, theirs: store.messages.add(MINE, "theirs", "c", SAID),
    lambda store, theirs: store.messages.last(MINE, "theirs", "c", limit=1),
    lambda store, theirs: store.continuations.owns(MINE, "theirs", "c", b"x", None),
    lambda store, theirs: store.continuations.conversation_after(MINE, "theirs", b"x"),
    lambda store, theirs: store.continuations.repeated(MINE, "theirs", b"x", ""),
    lambda store, theirs: store.webhooks.add(MINE, hook("whk_2", "theirs")),
    lambda store, theirs: store.webhooks.add(MINE, hook("whk_2", None)),
    lambda store, theirs: store.contacts.get(MINE, theirs.contact),
    lambda store, theirs: store.contacts.add(MINE, ContactFields(email="b@e.com")),
    lambda store, theirs: store.contacts.change(MINE, theirs.contact, ContactChanges(name="x")),
    lambda store, theirs: store.contacts.page(MINE, ContactFilter(), ascending=True, **PAGE),
    lambda store, theirs: store.contacts.export(MINE, ContactFilter(), ascending=True),
    lambda store, theirs: store.contacts.put(MINE, [ContactFields(email="b@e.com")]),
    lambda store, theirs: store.contacts.delete(MINE, theirs.contact, conversations=True),
    lambda store, theirs: store.contacts.conversations(MINE, theirs.contact, **PAGE),
]


@pytest.mark.parametrize("use", NOT_FOUND)
def test_a_row_outside_the_scope_is_not_found(
    theirs: Theirs, use: Callable[[Store, Theirs], Any]
) -> None:
    with pytest.raises(NotFound):
        use(theirs.store, theirs)


@pytest.mark.parametrize("use", FORBIDDEN)
def test_a_bot_outside_the_scope_is_forbidden(
    theirs: Theirs, use: Callable[[Store, Theirs], Any]
) -> None:
    with pytest.raises(Forbidden):
        use(theirs.store, theirs)


def test_lists_show_what_the_scope_admits(theirs: Theirs, service: Service) -> None:
    store = theirs.store
    assert store.knowledge.documents(MINE, DocumentFilter(), **PAGE) == (0, [])
    labelled = DocumentFilter(metadata=has_label("manual"))
    assert store.knowledge.documents(MINE, labelled, **PAGE) == (0, [])
    assert store.transcripts.page(MINE, TranscriptFilter(), ascending=True, **PAGE) == (0, [])
    assert list(store.transcripts.export(MINE, TranscriptFilter(), ascending=True)) == []
    assert store.transcripts.delete(MINE, ["c"], cascade=True).transcripts == 0
    assert store.events.page(MINE, None, types=None, limit=9)[0] == []
    assert store.webhooks.all(MINE) == []
    assert store.bots.all(MINE) == {}
    assert store.jobs.page(MINE, None, **PAGE) == (0, [])
    covering = bots("theirs", "mine", "also")
    assert [one.id for one in store.jobs.page(covering, "queued", **PAGE)[1]] == ["job_1"]
    assert store.jobs.page(covering, "failed", **PAGE) == (0, [])
    assert [one.id for one in store.jobs.page(ALL_BOTS, None, limit=1, offset=0)[1]] == ["job_1"]
    passage = stored(service, "a", "theirs").passages[0]
    assert store.knowledge.around(ALL_BOTS, [passage])[passage.chunk_id] != ("", "")
    assert store.knowledge.around(MINE, [passage]) == {passage.chunk_id: ("", "")}
    assert store.jobs.get(bots("theirs", "mine", "also"), "job_1").id == "job_1"
