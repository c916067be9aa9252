"""What a reader did not take is counted by kind, and told in a sentence."""

from rag_service.readers.outline import Outline


def told(outline: Outline) -> list[str]:
    return [kind.sentence for kind in outline.parsed("").left_out]


def test_what_is_of_one_kind_adds_up_with_each_place_once() -> None:
    outline = Outline()
    outline.leave_out("chart", "charts", where="slide 1")
    outline.leave_out("chart", "charts", count=2, where="slide 3")
    outline.leave_out("chart", "charts", where="slide 3")
    outline.leave_out("page without text", "pages without text")
    assert told(outline) == ["4 charts (slide 1, slide 3)", "1 page without text"]


def test_of_many_places_the_first_are_told() -> None:
    outline = Outline()
    for page in range(1, 1_201):
        outline.leave_out("drawing", "drawings", where=f"page {page}")
    assert told(outline) == [
        "1,200 drawings (page 1, page 2, page 3, page 4, page 5 and 1,195 more)"
    ]


def test_a_document_of_which_all_was_taken_tells_nothing() -> None:
    assert told(Outline()) == []
