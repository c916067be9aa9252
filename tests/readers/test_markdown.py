import pytest
from hypothesis import given
from promises import any_text, golden, keeps_promises, markup, read

from rag_service.readers import detect
from rag_service.readers.markdown import LONGEST_INLINE


@pytest.mark.parametrize("name", ["handbook.md", "readme.md"])
def test_markdown_reads_like_the_golden_file(name: str) -> None:
    found, expected = golden(name)
    assert found == expected


@given(any_text)
def test_any_text_keeps_the_promises(content: str) -> None:
    assert keeps_promises(read(content, "markdown"))


@given(
    markup(
        *(
            "# ",
            "## ",
            "\n",
            "\n\n",
            "- ",
            "1. ",
            "> ",
            "    ",
            "```\n",
            "~~~",
            "`",
            "*",
            "**",
            "_",
        ),
        *("[", "](", ")", "![", "]: ", "|", "|-|\n", "---\n", "===\n", "<div>", "</div>", "<!--"),
        *("<T>", "<br>", "<h1>", "<table><td>", "\\", "&amp;", "&#1;", "&#0;", "  \n", "~~", "\t"),
    )
)
def test_any_markup_keeps_the_promises(content: str) -> None:
    assert keeps_promises(read(content, "markdown"))


@pytest.mark.parametrize(
    "content",
    [
        "## Heading\ntext",
        "# Heading\n\ntext",
        "text\n\n```\ncode\n```",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "See [the manual](https://example.org/manual).",
        "- **bold** item\n- another",
        "---\ntitle: Fees\n---\ntext",
        '<p align="center"><b>Tidy</b></p>\n\n## Install\n',
    ],
)
def test_clear_markup_is_detected(content: str) -> None:
    assert detect(content) == "markdown"


def test_the_title_is_the_documents_own_before_any_in_the_text() -> None:
    content = "---\ntitle: 'Front: matter'\n---\n# First\n\n# Second"
    assert read(content, title="Own").title == "Own"
    assert read(content).title == "Front: matter"
    assert read("## Zeroth\n\n# First\n\n# Second").title == "First"
    assert read("## Zeroth\n\ntext").title == ""


def test_front_matter_is_not_part_of_the_text() -> None:
    assert read("---\n# set by hand\ndraft: true\n---\n\n## Fees\n").text == "Fees"


def test_a_rule_at_the_start_is_no_front_matter() -> None:
    assert read("---\n\nSome text\n\n---\n\nmore", "markdown").text == "Some text\n\nmore"


def test_each_block_has_the_headings_above_it() -> None:
    parsed = read("intro\n\n# A\n\n### B\n\nb\n\n## C\n\nc\n\n# D\n\nd", "markdown")
    paths = [(parsed.text[b.start : b.end], b.headings) for b in parsed.blocks]
    assert paths == [
        ("intro", ()),
        ("A", ("A",)),
        ("B", ("A", "B")),
        ("b", ("A", "B")),
        ("C", ("A", "C")),
        ("c", ("A", "C")),
        ("D", ("D",)),
        ("d", ("D",)),
    ]


def test_a_heading_within_a_quote_is_not_one_of_the_document() -> None:
    parsed = read("# A\n\n> # B\n\nc", "markdown")
    assert [b.headings for b in parsed.blocks] == [("A",)] * 3


def test_code_is_kept_verbatim() -> None:
    parsed = read("```py\n\n  if a:\n      *b*  \n\n# c\n```\n", "markdown")
    assert parsed.text == "  if a:\n      *b*  \n\n# c"
    assert [b.kind for b in parsed.blocks] == ["code"]


@pytest.mark.parametrize("opener", ["> ", "- ", "1. "])
def test_what_is_nested_too_deep_is_read_as_text(opener: str) -> None:
    parsed = read(opener * 200 + "treasure", "markdown")
    assert "treasure" in parsed.text
    assert "treasure" in read(opener * 20 + "treasure", "markdown").text


def test_a_giant_paragraph_keeps_its_markup() -> None:
    content = "*a* " * LONGEST_INLINE
    assert read(content, "markdown").text == content.strip()


@pytest.mark.parametrize(
    "content",
    [
        "[" * 1_000_000,
        ">" * 100_000,
        "- " * 100_000,
        "".join("  " * depth + "- a\n" for depth in range(500)),
        "*" * 100_000,
        "*a **b " * 20_000,
        "![" * 100_000,
        "![" * 5_000 + "a" + "](u)" * 5_000,
        "[" * 5_000 + "a" + "](u)" * 5_000,
        "[a\n" * 20_000,
        "[a]: b 'c\n" * 10_000,
        "> - a\n" * 10_000,
        "<!--" * 50_000,
        "<x\n\n" * 10_000,
        "<div>\n\n" * 10_000,
        "|a" * 5_000 + "\n" + "|-" * 5_000 + "\n" + "|a\n" * 50,
        "`a``b```" * 20_000,
        "a" * 1_000_000,
        "a" + " " * 100_000 + "b",
        "---\ntitle: a" + " " * 100_000 + "b\n---\n",
        "# " + "a " * 100_000,
    ],
    ids=lambda content: content[:8],
)
def test_hostile_markdown_is_read_whatever_it_may_be(content: str) -> None:
    assert keeps_promises(read(content, "markdown"))
    assert keeps_promises(read(content))
