"""Which words of a question are codes and names, and when do they stand for what nobody has?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_service.documents import Passage
from rag_service.knowledge.finding.codes import (
    codes_in,
    lone_names,
    stands_for_others,
    unknown_names,
)


def passage(text: str = "", title: str = "", heading: str = "") -> Passage:
    return Passage(
        chunk_id="c",
        document_id="d",
        source_url="https://e.com/x",
        title=title,
        heading=heading,
        page=None,
        text=text,
        ordinal=0,
    )


def texts(query: str) -> list[str]:
    return [code.text for code in codes_in(query)]


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("What does E417 mean?", ["E417"]),
        ("QZ-2009-K", ["QZ-2009-K"]),
        ("Was bedeutet der Fehler F-08?", ["F-08"]),
        ("Que signifie l'erreur H12b ?", ["H12b"]),
        ("¿Tienen la pieza KR7-220?", ["KR7-220"]),
        ("Что значит ошибка Е55?", ["Е55"]),  # noqa: RUF001
        ("エラー E77 とは", ["E77"]),
        ("is part 90210 in stock", ["90210"]),
        ("CVE-2031-1234 and CVE-2031-9999", ["CVE-2031-1234", "CVE-2031-9999"]),
        ("call +41 44 555 01 02 now", ["+41 44 555 01 02"]),
        ("VAT number DE123456789?", ["DE123456789"]),
    ],
)
def test_codes_are_found_in_any_sentence(query, codes):
    assert texts(query) == codes


@pytest.mark.parametrize(
    "query",
    [
        "When do you open?",
        "Is it open from 9:00 to 18:30?",
        "Does the tank hold 25l or 30 kg?",
        "What happened in 1998 and 2024?",
        "Is the 1st of May 2025 a holiday?",
        "What is on 2025-05-12?",
        "Is 50% off for a 3-course dinner true?",
        "Wie viel kosten 12,50 Euro?",
        "Why can't my webhook call a machine at 192.168.0.10?",
        "Is 10.0.0.0/8 open, or 127.0.0.1:8080?",
        "Why is https://shop7.example.com/a1?b=c2 down?",
        "Can anna7@example.com see it?",
        "",
        "?!",
    ],
)
def test_quantities_times_and_dates_are_no_codes(query):
    assert texts(query) == []


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("QZ-2009-K", "Order qz2009k here."),
        ("QZ2009K", "Part QZ 2009 K fits."),
        ("E417", "Error E-417: no paper."),
        ("+41 44 555 01 02", "Call +41 44 555 0102."),
    ],
)
def test_a_code_is_found_however_it_is_spaced(code, text):
    (found,) = codes_in(code)
    assert found.stands_in(passage(text))
    assert found.stands_in(passage(heading=text))


@pytest.mark.parametrize(
    ("code", "text"),
    [("E417", "E4170 and XE417 and E471"), ("QZ-2009-K", "QZ-2009-KL, QZ-2008-K")],
)
def test_a_neighbour_of_a_code_is_another_one(code, text):
    (found,) = codes_in(code)
    assert not found.stands_in(passage(text))


@given(st.text(st.characters(exclude_categories=()), max_size=200))
def test_any_query_has_a_few_codes_that_stand_in_itself(query):
    found = codes_in(query)
    assert len(found) <= 8
    assert len({code.text for code in found}) == len(found)
    assert all(code.stands_in(passage(query)) for code in found)


KNOWN = "how much is the plan pro basic of who in room what costs one zürich"


def is_absent(word: str) -> bool:
    return word.casefold() not in KNOWN.split()


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("How much is the Platinum plan?", ["Platinum"]),
        ("how much is the platinum plan", []),
        ("HOW MUCH IS THE PLATINUM PLAN", []),
        ("Who in the room is Ruth Okafor?", ["Ruth", "Okafor"]),
        ("what costs room 31 in Zürich", ["31"]),
        ("Platinum", []),
        ("I'm Ruth, and I've a room. What costs one?", ["Ruth"]),
        ("Wie teuer ist der Versand nach Polen?", []),
    ],
)
def test_names_are_words_with_a_capital_that_no_chunk_has(query, names):
    assert unknown_names(query, is_absent) == names


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("How much is the Platinum plan?", ["Platinum"]),
        ("what is the plan in the Paris room", ["Paris"]),
        ("How much is room 31?", []),
        ("who is Ruth Okafor", ["Ruth"]),
        ("In what room is the plan of President Okafor?", ["President"]),
        ("Who is in Room Okafor?", []),
        ("What is the value added tax (VAT) of one?", []),
        ("I am Ruth of Zürich. How much is the basic plan?", []),
        ("Was kostet das Zimmer in der Hauptstadt?", []),
    ],
)
def test_a_query_is_about_names_that_nothing_explains(query, names):
    assert lone_names(query, is_absent) == names


@given(st.text(st.characters(exclude_categories=()), max_size=200))
def test_lone_names_are_words_of_the_query_that_no_chunk_has(query):
    assert all(name in query and is_absent(name) for name in lone_names(query, is_absent))


PLANS = [passage("It costs 20.", "Pro plan"), passage("It costs 5.", heading="Basic plan")]
ROOMS = [passage("Seats 12.", "Room 30"), passage("Seats 9.", heading="Room 32")]


@pytest.mark.parametrize(
    ("query", "passages", "name"),
    [
        ("How much is the Platinum plan?", PLANS, "Platinum"),
        ("How much is the Pro plan?", PLANS, None),
        ("how much is the Platinum one", PLANS, None),
        ("what costs room 31", ROOMS, "31"),
        ("what costs the Platinum plan", ROOMS, None),
        ("", ROOMS, None),
    ],
)
def test_a_name_stands_for_others_where_headings_have_them_in_its_place(query, passages, name):
    assert stands_for_others(query, is_absent, passages) == name
