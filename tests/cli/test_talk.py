"""`ask`, `chat` and `transcripts`."""

import csv
import io
import json
import subprocess
import sys

import pytest
from shell import Shell, golden

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import Service, assemble
from rag_service.conversations.messages import Sender
from rag_service.conversations.store import NewMessage
from rag_service.documents import Document
from rag_service.settings import Settings

HOURS = "Our shop in Bern opens at nine in the morning."
OPENS = "When does our shop in Bern open in the morning?"


@pytest.fixture
def filled(shell: Shell, settings: Settings) -> Shell:
    with assemble(settings) as service:
        page = Document(source_url="https://example.com/hours", content=HOURS, title="Hours")
        service.knowledge.upsert(ALL_BOTS, [page])
        service.store.bots.create(ALL_BOTS, "shop")
    return shell


def talk(service: Service, *texts: str) -> None:
    for text in texts:
        said = NewMessage(role="user", text=text, sender=Sender(type="user"), has_rag_context=False)
        service.store.messages.add(ALL_BOTS, "default", "c", said, create=True)


def test_ask_answers_with_its_sources_and_keeps_the_turn(filled):
    result = filled.quick("ask", OPENS)
    assert result.exit_code == 0
    reply = json.loads(result.stdout)
    assert reply["response"].startswith(HOURS)
    assert reply["has_rag_context"] is True
    assert [source["source_url"] for source in reply["sources"]] == ["https://example.com/hours"]
    rows = json.loads(filled.quick("transcripts", "--order", "asc").stdout)
    assert [row["message"] for row in rows] == [OPENS, reply["response"]]
    assert {row["session_id"] for row in rows} == {reply["conversation_id"]}


def test_ask_on_a_terminal(filled):
    code, shown = filled.on_a_terminal("ask", OPENS)
    assert code == 0
    golden("ask.txt", shown)


def test_ask_says_that_nothing_was_found(filled):
    result = filled.quick("ask", "Zebra quantum xylophone?", RAG_NOTHING_FOUND="No idea.")
    assert json.loads(result.stdout)["response"] == "No idea."


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["ask", " "], "the question is blank"),
        (["ask", OPENS, "--bot", "nobody"], "no bot 'nobody'"),
        (["transcripts", "--since", "someday"], "'--since': must be a date"),
        (["transcripts", "--limit", "1001"], "'--limit': must be at least 1 and at most 1000"),
    ],
)
def test_what_cannot_be_asked_is_said(filled, words, message):
    result = filled.quick(*words)
    assert result.exit_code in (1, 2)
    assert message in result.stderr
    assert result.stdout == ""


def test_chat_remembers_what_was_said(filled):
    done = subprocess.run(
        [sys.executable, "-m", "rag_service", "chat"],
        input=f"{OPENS}\n\nand?\n",
        env=filled.environ(),
        cwd=filled.folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    first, second = (json.loads(part) for part in done.stdout.replace("}\n{", "}\0{").split("\0"))
    assert first["conversation_id"] == second["conversation_id"]
    assert second["has_rag_context"] is True


def test_transcripts_takes_the_filters_of_the_api(filled, settings):
    with assemble(settings) as service:
        talk(service, "One", "Two", "Three")
    for words, expected in [
        ([], ["Three", "Two", "One"]),
        (["--limit", "1", "--offset", "1"], ["Two"]),
        (["-q", "tw"], ["Two"]),
        (["--has-rag-context", "yes"], []),
        (["--has-rag-context", "no", "--order", "asc"], ["One", "Two", "Three"]),
        (["--role", "assistant"], []),
        (["--session", "c", "--since", "yesterday", "--bot", "default"], ["Three", "Two", "One"]),
        (["--bot", "shop"], []),
        (["--until", "yesterday"], []),
    ]:
        result = filled.quick("transcripts", *words)
        assert [row["message"] for row in json.loads(result.stdout)] == expected


def test_transcripts_as_csv_have_no_formulas(filled, settings):
    with assemble(settings) as service:
        talk(service, "=1+1", 'a "quoted"\nline', "+49 30 1234")
    result = filled.quick("transcripts", "--csv", "--order", "asc")
    rows = list(csv.DictReader(io.StringIO(result.stdout, newline="")))
    assert [row["message"] for row in rows] == ["'=1+1", 'a "quoted"\nline', "'+49 30 1234"]
    assert {row["has_rag_context"] for row in rows} == {"no"}


def test_transcripts_on_a_terminal(filled, settings):
    with assemble(settings) as service:
        talk(service, "A question", "\x1b[31mred")
    code, shown = filled.on_a_terminal("transcripts")
    assert code == 0
    assert "A question" in shown
    assert "Transcripts" in shown
