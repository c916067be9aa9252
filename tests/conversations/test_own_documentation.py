"""Asked about its own documentation, the service answers what a newcomer asks, and only that."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from shelf import with_compiled

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import Service, assemble
from rag_service.conversations.messages import Sender
from rag_service.conversations.store import NewMessage
from rag_service.conversations.turns import Answered, Asked
from rag_service.documents import Document
from rag_service.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "ARCHITECTURE.md", "WEBHOOKS.md", "benchmarks/README.md"]

# questions, and what the answer has to say, in one of its wordings
ANSWERED = [
    ("Which file formats can I upload?", "DOCX"),
    ("How do I back up my data?", ".backup"),
    ("What embedding model is used by default?", "all-MiniLM-L6-v2"),
    ("Which Python version do I need?", "3.11"),
    ("How do I start the service?", "make run"),
    ("Which port does it listen on?", "8000"),
    ("Does it work without an internet connection?", "no download at run time|offline"),
    ("How do I push a page to the knowledge base?", "/knowledge"),
    ("How can I see which questions were not answered?", "has_rag_context=no"),
    ("What is the default rate limit for chat?", "100/minute"),
    ("How do I allow webhooks to reach private addresses?", "RAG_WEBHOOK_ALLOW_PRIVATE"),
    ("How are webhooks signed?", "Standard Webhooks"),
    ("How long are failed webhook deliveries retried?", "for a day|10 h"),
    ("How do I use Ollama as the language model?", "openai:NAME"),
    ("What happens to scanned PDFs without text?", "refused"),
    ("Can I delete the indexes folder?", "may be deleted"),
    ("How do batch jobs survive a restart?", "inherits"),
    ("What is the largest body that I can send?", "20"),
    ("How do I import contacts from a CSV file?", "contact import"),
    ("Which operating systems are supported?", "Linux"),
    ("How do I start it?", "make run"),
    ("how to run the tests", "make test"),
    ("Can it read scanned PDFs?", "text recognition|scans|Scans"),
    ("How do I allow my web shop's page to call it from a browser?", "RAG_CORS_ORIGINS"),
    ("where is everything stored?", "rag.db"),
    ("is my data safe if the power goes out", "on disk"),
    ("do I need a GPU?", "processor|no CUDA"),
]

UNANSWERED = [
    "How do I run it on Windows?",
    "Is there a mobile app?",
    "How much does a licence cost per seat?",
    "Can users log in with their Google account?",
    "How do I train the model on my own voice recordings?",
    "Which phone number does the support have?",
    "Does it translate answers into French automatically?",
    "How long do I have to boil an egg?",
    "Who won the football world cup in 1998?",
    "Do you ship parcels to Norway on Sundays?",
]

SMALL_TALK = ["Hello!", "Thanks, that helps", "Who are you?", "Danke, tschüss"]


@pytest.fixture(scope="module")
def documented(tmp_path_factory: pytest.TempPathFactory, compiled: Path) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("documented")
    settings = Settings(data_dir=folder / "data", index_dir=folder / "indexes")
    with_compiled(settings, compiled)
    documents = [
        Document(
            source_url=f"https://example.com/{name}",
            content=(ROOT / name).read_text(encoding="utf-8"),
            format="markdown",
        )
        for name in PAGES
    ]
    with assemble(settings) as service:
        service.knowledge.upsert(ALL_BOTS, documents)
        yield service


def asked(service: Service, question: str) -> Answered:
    async def ask() -> Answered:
        said = NewMessage(role="user", text=question, sender=Sender(type="user"))
        events = [
            e
            async for e in service.assistant.answer(
                Asked(scope=ALL_BOTS, bot_id="default", said=said)
            )
        ]
        assert isinstance(events[-1], Answered)
        return events[-1]

    return asyncio.run(ask())


@pytest.mark.parametrize(("question", "fact"), ANSWERED)
def test_what_the_documentation_tells_is_answered_with_the_fact(documented, question, fact):
    answer = asked(documented, question)
    assert answer.has_rag_context
    assert any(wording in answer.row.text for wording in fact.split("|"))


@pytest.mark.parametrize("question", UNANSWERED)
def test_what_the_documentation_does_not_tell_is_not_answered(documented, settings, question):
    answer = asked(documented, question)
    assert not answer.has_rag_context, answer.row.text
    assert answer.row.text == settings.nothing_found


@pytest.mark.parametrize("remark", SMALL_TALK)
def test_small_talk_has_a_friendly_reply(documented, settings, remark):
    answer = asked(documented, remark)
    assert not answer.has_rag_context
    assert answer.row.metadata["small_talk"]
    assert answer.row.text != settings.nothing_found
