import pytest
from hypothesis import given
from promises import any_text, golden, keeps_promises, markup, read

from rag_service.readers import detect
from rag_service.readers.text import clean


@pytest.mark.parametrize("name", ["pool.txt", "notes.rst"])
def test_plain_text_reads_like_the_golden_file(name: str) -> None:
    found, expected = golden(name)
    assert found == expected


@given(any_text)
def test_any_text_keeps_the_promises(content: str) -> None:
    assert keeps_promises(read(content, "text"))


@given(any_text | markup("Q:", "A:", "\n", "\n\n", " ", "Question 1:", "answer.", "\r\n", "\f"))
def test_reading_text_again_changes_nothing(content: str) -> None:
    parsed = read(content, "text")
    assert keeps_promises(parsed)
    assert read(parsed.text, "text") == parsed


@given(any_text)
def test_any_text_can_be_pushed_without_a_format(content: str) -> None:
    assert keeps_promises(read(content))


def test_printable_text_stays_the_same_character_by_character() -> None:
    content = "  Fees:\t2 * 3 * 4\n\n\n   <5% & more_or_less_ \u2028 \u00ad \u200b\n# no heading\nx"
    assert read(content).text == content


def test_control_characters_go_and_line_ends_become_newlines() -> None:
    assert read("a\r\nb\rc\fd\x00\x1b\x7fe\tf\ud800", "text").text == "a\nb\nc\nde\tf\ufffd"


def test_control_characters_that_were_those_of_windows_are_what_was_meant() -> None:
    assert clean("\x93It\x92s 4 \x80\x85\x94\x81") == "\u201cIt\u2019s 4 \u20ac\u2026\u201d"


def test_a_byte_order_mark_is_no_text() -> None:
    assert read("\ufeffHello", "text").text == "Hello"


def test_blank_text_has_no_blocks() -> None:
    assert read(" \n\t\n ", "text").blocks == []
    assert read("").blocks == []


def test_a_question_and_its_answer_are_one_block() -> None:
    parsed = read("Intro\n\nQ: One?\n\nA: Yes.\nQ: Two?\nA: No.\n\nQ: Three?\n\nNot an answer")
    blocks = [parsed.text[b.start : b.end] for b in parsed.blocks]
    assert blocks == [
        "Intro",
        "Q: One?\n\nA: Yes.",
        "Q: Two?\nA: No.",
        "Q: Three?",
        "Not an answer",
    ]


def test_the_title_is_the_documents_own_on_one_line() -> None:
    assert read("text", title=" A\n title\x00 ").title == "A title"


@pytest.mark.parametrize(
    "content",
    [
        "Just a sentence.",
        "- eggs\n- milk",
        "# a comment\nkey = value",
        "a < b and c > d; see <p> and </p>",
        "Title\n=====\n\n* ``code`` and **bold**, :ref:`x`\n",
        "a[0](1) and f[x](y)",
        "2 * 3 * 4 and snake_case_name",
        "---\nno matter\n---\n",
        "Section\n~~~~~~~\n\ntext",
    ],
)
def test_what_has_no_clear_markup_is_text(content: str) -> None:
    assert detect(content) == "text"
    assert read(content).text == content


@pytest.mark.parametrize(
    "content",
    [
        "a" * 1_000_000,
        " " * 1_000_000 + "a",
        "\n " * 300_000 + "a",
        "Q: a\n" * 50_000,
        "<!-- --> " * 20_000,
        "<!--" * 50_000,
        ":" * 200_000,
        "|" + " " * 200_000 + "-",
        "`" * 200_000,
        "**a" * 50_000,
        "[" * 200_000,
        "# " + " " * 200_000,
        "---\n" + "# \n" * 50_000,
        "\x00" * 200_000,
    ],
    ids=lambda content: content[:8],
)
def test_hostile_content_is_read_whatever_it_may_be(content: str) -> None:
    assert keeps_promises(read(content))
    assert keeps_promises(read(content, "text"))
