"""PDF: what is filled into forms and typed onto pages is read where it stands, or told."""

import pytest
from form_files import APPROVED, choice_field, form_pdf, note, text_field, tick_box
from hypothesis import given
from hypothesis import strategies as st
from promises import blocks, read_file

from rag_service.documents import ParsedDocument

HEAD = (50, 750, "Application for a berth in the harbour of Oslo")
LAST = (50, 100, "Return this page to the harbour office before the first of May.")


def read(*args: object, **options: object) -> ParsedDocument:
    return read_file(form_pdf(*args, **options), "pdf")  # type: ignore[arg-type]


def told(parsed: ParsedDocument) -> list[str]:
    return [one.sentence for one in parsed.left_out]


def test_values_stand_beside_their_labels() -> None:
    lines = [HEAD, (50, 700, "Name:"), (50, 670, "Boat:"), LAST]
    fields = [
        text_field("n1", (120, 695, 400, 715), "Anna Berg"),
        text_field("n2", (120, 665, 400, 685), "Seagull II"),
    ]
    parsed = read(lines, fields)
    assert blocks(parsed)[1][2] == "Name: | Anna Berg\nBoat: | Seagull II"
    assert parsed.text.endswith(LAST[2])


def test_a_value_stands_where_its_line_leaves_room_for_it() -> None:
    lines = [HEAD, (50, 700, "I, ____________________, own the boat ________ since 2019."), LAST]
    fields = [
        text_field("owner", (62, 696, 180, 712), "Anna Berg"),
        text_field("boat", (256, 696, 300, 712), "Seagull"),
    ]
    assert "I, Anna Berg, own the boat Seagull since 2019." in read(lines, fields).text


def test_a_field_without_a_label_has_its_name() -> None:
    fields = [
        text_field("form[0].harbour_fee[0]", (50, 400, 400, 420), "120 kroner"),
        text_field("x", (50, 300, 400, 320), "none", "/TU(Other boats)"),
    ]
    parsed = read([HEAD, LAST], fields)
    assert "harbour fee: 120 kroner" in parsed.text
    assert "Other boats: none" in parsed.text


def test_boxes_are_ticked_or_not_and_stand_before_their_words() -> None:
    lines = [HEAD, (70, 700, "Sailing boat"), (70, 680, "Motor boat"), (270, 680, "Raft"), LAST]
    fields = [
        tick_box("a", (50, 698, 62, 710), ticked=True),
        tick_box("b", (50, 678, 62, 690), ticked=False),
        tick_box("c", (250, 678, 262, 690), ticked=True),
    ]
    text = read(lines, fields).text
    assert "\u2612 Sailing boat" in text
    assert "\u2610 Motor boat" in text
    assert "\u2612 Raft" in text
    assert text.index("Motor") < text.index("Raft")


def test_a_choice_is_what_was_shown() -> None:
    field = choice_field("p", (120, 695, 300, 715), [("n", "North pier"), ("s", "South pier")], "s")
    text = read([HEAD, (50, 700, "Pier:"), LAST], [field]).text
    assert "Pier: | South pier" in text
    assert "North" not in text


def test_fields_in_a_ruled_table_are_in_its_cells() -> None:
    drawing = "".join(f"{x} 600 m {x} 690 l S\n" for x in (50, 200, 400))
    drawing += "".join(f"50 {y} m 400 {y} l S\n" for y in (600, 630, 660, 690))
    lines = [HEAD, (55, 670, "Boat"), (205, 670, "Length"), (55, 640, "First"), (55, 610, "Second")]
    lines += [(220, 610, "Yes"), (270, 610, "No"), LAST]
    fields = [
        text_field("l1", (201, 631, 399, 659), "9.50 m"),
        tick_box("y", (205, 608, 217, 620), ticked=False),
        tick_box("n", (255, 608, 267, 620), ticked=True),
    ]
    table = next(
        text for kind, _, text in blocks(read(lines, fields, drawing=drawing)) if kind == "table"
    )
    assert table == "Boat | Length\nFirst | 9.50 m\nSecond | \u2610 Yes \u2612 No"


def test_lines_of_a_value_stay_lines() -> None:
    field = text_field("why", (50, 500, 500, 600), "Water and power.\\rA short way.")
    text = read([HEAD, (50, 610, "Wishes"), LAST], [field]).text
    assert "Wishes" in text
    assert "Water and power.\nA short way." in text


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_a_page_with_nothing_but_fields_is_read(rotate: int) -> None:
    fields = [text_field("owner", (50, 700, 400, 720), "Anna Berg")]
    assert read([], fields, rotate=rotate).text == "owner: Anna Berg"


def test_what_is_typed_onto_a_page_is_read() -> None:
    lines = [HEAD, (50, 700, "Name:"), (50, 600, "The harbour is closed in winter."), LAST]
    notes = [
        note("FreeText", (90, 695, 300, 715), "Anna Berg", "/DA(/F 11 Tf)"),
        note("FreeText", (50, 400, 500, 440), "Paid in cash.\\rReceipt 17."),
        note("FreeText", (300, 598, 500, 612), "Ask Ole!"),
    ]
    parsed = read(lines, notes)
    found = [text for _, _, text in blocks(parsed)]
    assert "Name: Anna Berg" in parsed.text
    assert "Paid in cash.\nReceipt 17." in parsed.text
    assert "The harbour is closed in winter." in found
    assert found[-1] == "Ask Ole!"


def test_stamps_and_signatures_are_read_as_they_are_drawn() -> None:
    stamps = [
        note("Stamp", (400, 700, 500, 720), more=APPROVED),
        note("Link", (50, 50, 60, 60)),
        text_field("b", (120, 600, 300, 620), "Seagull"),
    ]
    parsed = read([HEAD, (50, 604, "Boat:"), LAST], stamps)
    assert "Approved" in parsed.text
    assert "Boat: | Seagull" in parsed.text
    assert told(parsed) == []


def test_what_is_not_seen_is_told() -> None:
    hidden = text_field("h", (120, 500, 300, 520), "secret sum").replace("/F 4", "/F 2")
    notes = [
        note("Text", (500, 700, 520, 720), "Is this right?"),
        note("Highlight", (50, 700, 100, 720), "Check."),
        note("FileAttachment", (500, 600, 520, 620)),
        note("Sound", (500, 500, 520, 520)),
        text_field("p", (120, 400, 300, 420), "hunter2", "/Ff 8192"),
        hidden,
    ]
    parsed = read([HEAD, LAST], notes)
    assert sorted(told(parsed)) == [
        "1 attached file (page 1)",
        "1 embedded recording (page 1)",
        "1 field with a password (page 1)",
        "1 hidden annotation (page 1)",
        "2 comments (page 1)",
    ]
    assert parsed.text == f"{HEAD[2]}\n\n{LAST[2]}"


VALUES = st.text("abcdefghij \n", min_size=1, max_size=30).filter(str.strip)
PLACES = st.tuples(st.integers(0, 500), st.integers(0, 760))


@given(st.lists(st.tuples(VALUES, PLACES), max_size=6), st.sampled_from([0, 90, 180, 270]))
def test_no_letter_is_lost_wherever_fields_lie(
    filled: list[tuple[str, tuple[int, int]]], rotate: int
) -> None:
    lines = [(50, 30 * n, f"Line {n} of ______ this page.") for n in range(1, 25)]
    fields = [
        text_field(str(n), (x, y, x + 90, y + 18), value.replace("\n", "\\r"))
        for n, (value, (x, y)) in enumerate(filled)
    ]
    text = read(lines, fields, rotate=rotate).text
    for letter in "abcdefghijLinpt0123456789":
        expected = sum(value.count(letter) for value, _ in filled)
        expected += sum(say.count(letter) for _, _, say in lines)
        assert text.count(letter) == expected
