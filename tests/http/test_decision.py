"""Is what the pages hold answered, and nothing else? By the default model, over HTTP."""

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from shelf import page, push, with_compiled

from rag_service.assembly import assemble
from rag_service.http.app import create_app
from rag_service.settings import Settings

Search = Callable[..., dict[str, Any]]

FEW = {
    "contact": "Write to office@harbour.example or call +47 22 555 917 between 8 and 15 o'clock.",
    "hours": "The boathouse is open Tuesday to Sunday from 8:30 to 17:00. It is closed on Mondays.",
    "tax": "Our tax number is NO918273645. Please print it on every invoice.",
    "members": "The boat holds 14 people. The yearly members' assembly is on 9 March 2027 at 6 pm.",
    "cabins": "# Cabins\n\n| Cabin | Price | Bunks |\n|---|---|---|\n"
    "| Heron | 120 euros | 2 |\n| Otter | 90 euros | 6 |\n",
    "F31": "# Fault F31\n\nThe bilge is full. Start the second pump.",
}
FAULTS = {
    "K11": "The ink is low.",
    "K12": "The tray is jammed. Open it.",
    "K20": "The lamp is old.",
}
PARTS = {"TR-2201-C": "a roller", "TR-2202-C": "a tray spring", "60311": "a fuser"}
PLACES = "office attic studio library ship tent kiosk clinic".split()  # noqa: SIM905
SEASONS = "spring summer autumn winter holidays nights".split()  # noqa: SIM905
HANDBOOK = {
    **{code: f"# Fault {code}\n\n{text}" for code, text in FAULTS.items()},
    **{code: f"# Part {code}\n\nPart {code} is {text}." for code, text in PARTS.items()},
    "silver": "# Silver tariff\n\nThe Silver tariff is 8 francs a month.",
    "lisbon": "# Lisbon\n\nThe door of the office in Lisbon has a code that changes every month: "
    "ask the porter for the code of the door.",
    "gold": "# Gold tariff\n\nThe Gold tariff is 30 francs a month.",
    **{
        f"{place}-{season}": f"# Printers in the {place} in {season}\n\nA note on printers that "
        f"stand in a {place} during {season}. Keep the paper dry and the {place} clean."
        for place, season in product(PLACES, SEASONS)
    },
}
LANGUAGES = {
    "en": "The sauna is heated every evening from six o'clock on.",
    "de": "Die Sauna wird jeden Abend ab sechs Uhr geheizt.",
    "fr": "Le sauna est chauffé tous les soirs à partir de six heures.",
    "th": "ซาวน่าเปิดทุกวันตั้งแต่หกโมงเย็น",
    "zh": "桑拿房每天晚上六点开始加热。",
}
BOTS = {
    "few": FEW,
    "handbook": HANDBOOK,
    "languages": LANGUAGES,
    "copies": {f"copy{n}": "The ferry to the island leaves at seven." for n in range(150)},
}


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory, compiled: Path) -> Iterator[Search]:
    folder = tmp_path_factory.mktemp("decision")
    settings = Settings(data_dir=folder / "data", index_dir=folder / "indexes", port=0)
    with_compiled(settings, compiled)
    with assemble(settings) as service:
        token = service.access.create("tests", ["admin"], rates={"data": "off"})
        for bot, pages in BOTS.items():
            push(service, *(page(name, text, bot_id=bot) for name, text in pages.items()))
    with TestClient(create_app(settings)) as client:
        client.headers["Authorization"] = f"Bearer {token}"

        def search(bot: str, query: str) -> dict[str, Any]:
            body = {"query": query, "bot_id": bot, "explain": True}
            answer = client.post("/search", json=body)
            assert answer.status_code == 200, answer.text
            return answer.json()

        yield search


def first(answer: dict[str, Any]) -> str:
    return answer["results"][0]["source_url"].removeprefix("https://example.com/")


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("+47 22 555 917", "contact"),
        ("NO918273645", "tax"),
        ("F31", "F31"),
        ("What does F31 mean?", "F31"),
        ("When is the yearly members' assembly?", "members"),
        ("When is the boathouse open?", "hours"),
        ("How many bunks does the Otter have?", "cabins"),
    ],
)
def test_of_few_documents_what_one_says_is_answered(search, query, name):
    answer = search("few", query)
    assert answer["has_rag_context"], answer["evidence"]
    assert first(answer) == name


@pytest.mark.parametrize(
    "query", ["What is the capital of Peru?", "NO111111111", "Do you rent bicycles?", "G44"]
)
def test_of_few_documents_nothing_else_is(search, query):
    answer = search("few", query)
    assert not answer["has_rag_context"], answer["evidence"]


@pytest.mark.parametrize(
    "query",
    ["K12", "What is K12?", "What does K12 mean?", "my printer shows K12", "K12 what should I do?"],
)
def test_a_code_is_found_in_any_sentence(search, query):
    answer = search("handbook", query)
    assert answer["has_rag_context"], answer["evidence"]
    assert first(answer) == "K12"
    assert answer["evidence"]["signs"]["codes_found"] == ["K12"]


@pytest.mark.parametrize(
    "query",
    [
        "TR-2203-C",
        "Do you have part TR-2203-C?",
        "part 60312",
        "What does fault K13 mean?",
        "How much is the Platinum tariff?",
    ],
)
def test_a_code_or_name_of_no_page_is_not_answered_by_its_neighbour(search, query):
    answer = search("handbook", query)
    assert not answer["has_rag_context"], answer["evidence"]


def test_a_place_of_no_page_is_not_answered_by_another_place(search):
    there = search("handbook", "What is the code of the door in the Lisbon office?")
    assert there["has_rag_context"], there["evidence"]
    elsewhere = search("handbook", "What is the code of the door in the Oslo office?")
    assert not elsewhere["has_rag_context"], elsewhere["evidence"]
    assert elsewhere["evidence"]["signs"]["lone_names"] == ["Oslo"]


def test_a_tariff_that_is_there_is_answered(search):
    answer = search("handbook", "How much is the Gold tariff?")
    assert answer["has_rag_context"], answer["evidence"]
    assert first(answer) == "gold"


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("When is the sauna heated?", "en"),
        ("Wann wird die Sauna geheizt?", "de"),
        ("Quand est-ce que le sauna est chauffé ?", "fr"),
        ("ซาวน่าเปิดตั้งแต่หกโมงเย็น", "th"),
        ("桑拿房每天晚上六点", "zh"),
    ],
)
def test_pages_in_several_languages_are_answered_in_theirs(search, query, name):
    answer = search("languages", query)
    assert answer["has_rag_context"], answer["evidence"]
    assert first(answer) == name


def test_many_copies_of_a_page_answer_like_one(search):
    answer = search("copies", "When does the ferry to the island leave?")
    assert answer["has_rag_context"], answer["evidence"]
    assert not search("copies", "How long do eggs have to boil?")["has_rag_context"]


@pytest.mark.parametrize(
    "query",
    [
        "x",
        "7",
        "?",
        "?!…—%$§",
        "-" * 200,
        "\N{PILE OF POO}",
        "ᚠᚢᚦᚨᚱᚲ",
        "ཁང་པ་འདི་ག་ཚོད་རེད།",
        "zebra " * 3333,
        "K99 " * 5000,
        "x" * 20_000,
    ],
    ids=lambda query: f"{query[:6]}-{len(query)}",
)
@pytest.mark.parametrize("bot", BOTS)
def test_what_asks_nothing_of_the_pages_is_not_answered(search, bot, query):
    answer = search(bot, query)
    assert not answer["has_rag_context"], answer["evidence"]
    assert 0 <= answer["confidence"] < 0.5
