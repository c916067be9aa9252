"""Every word of a file is in what was read, or told. The words are found a second way."""

import sys
from pathlib import Path

import pytest
from msgspec.structs import replace
from promises import read_file

from rag_service.documents import LeftOut, ParsedDocument

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from made_files import MADE
from word_check import check, check_file
from word_sources import SOURCES, Passage

FORMATS = {".md": "markdown", ".txt": "text", ".tsv": "csv"}


@pytest.mark.parametrize("ending", MADE)
def test_no_word_of_a_file_is_lost(ending: str) -> None:
    found = check_file(f"made{ending}", MADE[ending]())
    assert found.words > 20
    assert dict(found.lost) == {}


@pytest.mark.parametrize("ending", MADE)
def test_the_check_fails_when_a_reader_drops_any_block(ending: str) -> None:
    """Each block in turn is taken out of what was read; its words are then missed."""
    data = MADE[ending]()
    parsed = read_file(data, FORMATS.get(ending, ending.removeprefix(".")))  # type: ignore[arg-type]
    for block in parsed.blocks:
        dropped = parsed.text[block.start : block.end]
        torn = replace(parsed, title="", text=parsed.text.replace(dropped, "", 1), left_out=[])
        lost = check(SOURCES[ending](data), [torn]).lost
        assert lost, f"nothing is missed without {dropped!r}"


def test_a_body_may_not_be_missing_whatever_is_told() -> None:
    told = [LeftOut(one="line at a page edge taken for a running head", many="lines", count=9)]
    found = check([Passage("one two", "", "page 1")], [_read("", told)])
    assert found.lost.total() == 2
    assert found.share_kept == 0.0


def test_a_running_head_is_accounted_for_where_it_is_told_and_as_often() -> None:
    edge = [Passage("harbour rules", "page edge", f"page {page}") for page in (1, 2, 3)]
    told = [
        LeftOut(one="running head", many="running heads", count=2, where=("page 1", "page 2")),
    ]
    found = check(edge, [_read("", told)])
    assert (found.told.total(), found.lost.total()) == (4, 2)
    assert check(edge, [_read("", [])]).lost.total() == 6


def test_a_word_that_stands_twice_has_to_be_read_twice() -> None:
    assert check([Passage("pier pier")], [_read("pier", [])]).lost == {"pier": 1}


def test_words_that_were_broken_or_mended_are_not_missed() -> None:
    source = [Passage("infor-\r\nmation ty pe well-known Grundstück")]
    assert not check(source, [_read("information type well-known Grundstu\u0308ck", [])]).lost


def test_words_of_menus_are_accounted_for_by_as_many_words_as_are_told() -> None:
    menu = list(SOURCES[".html"](b"<ul><li><a href=/a>One two</a><li><a href=/b>Three</a></ul>"))
    told = [LeftOut(one="word of navigation", many="words of navigation", count=2)]
    found = check(menu, [_read("", told)])
    assert (found.told.total(), found.lost.total()) == (2, 1)


def test_a_line_that_was_read_leaves_its_words_to_no_line_that_was_not() -> None:
    lines = [Passage("page one of two", "page edge"), Passage("all of it", "page edge")]
    told = [LeftOut(one="running head", many="running heads", count=1)]
    found = check(lines, [_read("all of it", told)])
    assert (found.told.total(), found.lost.total()) == (4, 0)


def test_a_word_of_a_web_page_goes_over_its_tags() -> None:
    source = b"<p>Under <a href=/>BY</a>-Lizenz, <b>Howard</b>'s</p><p>next</p>"
    assert [passage.text for passage in SOURCES[".html"](source) if passage.text] == [
        "Under BY-Lizenz, Howard's",
        "next",
    ]


def _read(text: str, left_out: list[LeftOut]) -> ParsedDocument:
    return ParsedDocument(title="", text=text, blocks=[], left_out=left_out)
