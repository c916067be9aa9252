import re

from hypothesis import given
from hypothesis import strategies as st

from rag_service.conversations.citations import Citations


def read(text: str, passages: int, size: int = 1) -> tuple[str, Citations]:
    citations = Citations(passages)
    parts = [text[at : at + size] for at in range(0, len(text), size)]
    return "".join(map(citations.read, parts)) + citations.end(), citations


def test_numbers_follow_the_order_of_citation():
    text, citations = read("So [4]. Or [2], [4] and [1, 2].", 5)
    assert text == "So [1]. Or [2], [1] and [3][2]."
    assert citations.part("abcde") == (["d", "b", "a"], ["c", "e"])


def test_what_is_no_number_of_a_passage_stays():
    said = "See [6], [0], [a], [], list[ 1 ] and [12"
    assert read(said, 5)[0] == said.replace("[ 1 ]", "[1]")
    assert read("[1] of nothing", 0)[0] == "[1] of nothing"


def test_without_citations_all_count_as_cited():
    _, citations = read("Yes.", 2)
    assert citations.part(["a", "b"]) == (["a", "b"], [])


pieces = st.lists(st.sampled_from(["[", "]", "1", "2", "3", "9", ",", ";", " ", "so", "\n"]))


@given(pieces, st.integers(1, 5), st.integers(0, 4))
def test_how_an_answer_comes_does_not_matter(parts: list[str], size: int, passages: int):
    text = "".join(parts)
    told, citations = read(text, passages, size)
    assert told == read(text, passages, max(1, len(text)))[0]
    used, rest = citations.part(range(passages))
    assert sorted([*used, *rest]) == list(range(passages))


@given(st.lists(st.integers(1, 9), max_size=9))
def test_every_number_in_the_text_is_that_of_a_source(numbers: list[int]):
    told, citations = read("".join(f"word [{number}] " for number in numbers), 9)
    used, _ = citations.part(range(1, 10))
    again = [int(number) for number in re.findall(r"\[(\d)\]", told)]
    assert [used[number - 1] for number in again] == numbers
