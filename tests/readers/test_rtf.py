"""RTF: what a word processor shows is read, and what it does not show is left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from promises import blocks, read_file, read_or_refuse, refusal

from rag_service.documents import ParsedDocument

# ruff: noqa: RUF001
FONTS = (
    r"{\fonttbl{\f0\froman\fcharset0 Times;}{\f1\fnil\fcharset204 Arial;}{\f2\fcharset2 Symbol;}"
    r"{\f3\fcharset128 MS Mincho;}{\f4\fcharset161{\*\falt Other;}Arial Greek;}}"
)
STYLES = r"{\stylesheet{\s0 Normal;}{\s1 heading 1;}{\s2\outlinelevel1 Mine;}{\s5 Title;}}"


def rtf(body: str, head: str = FONTS + STYLES) -> ParsedDocument:
    """As ASCII, which is what programs write."""
    return read_file(rf"{{\rtf1\ansi\ansicpg1252\deff0 {head} {body}}}".encode("latin-1"))


def said(body: str, head: str = FONTS + STYLES) -> list[str]:
    return [block[2] for block in blocks(rtf(body, head))]


def told(parsed: ParsedDocument) -> list[str]:
    return [left_out.sentence for left_out in parsed.left_out]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (r"\'e9t\'e9", "été"),
        (r"{\f1 \'cf\'f0\'e8\'e2\'e5\'f2}, \'e9", "Привет, é"),
        (r"{\f3 \'93\'fa\'96\'7b}", "日本"),
        (r"{\f3 \'83\'5c\'83\}}", "ソマ"),
        (r"{\f4 \'c1\'e2}", "Αβ"),
        (r"{\f2 a\'b7}", "α•"),
        (r"{\f2 \u-3999?}", "α"),
        (r"\u8364?5", "€5"),
        (r"\uc2\u26085\'93\'fa!", "日!"),
        (r"{\uc0\u26085}\u26085?!", "日日!"),
        (r"\u55357?\u56832?", "😀"),
        (r"\u-4051 ?", "\uf02d"),
        (r"a\emdash b\~c\_d\-e\lquote f\rquote\{\\\}", "a—b\u00a0c-de‘f’{\\}"),
        (r"{\upr{Gru?}{\*\ud{Gru\u223?}}}", "Gruß"),
        ("a\\\r\nb", "a"),
        ("w\r\nord", "word"),
    ],
)
def test_characters_are_read_in_the_code_page_of_their_font(source: str, text: str) -> None:
    assert said(source + r"\par")[0].replace("\ufffd", "\uf02d") == text


def test_the_code_page_of_the_file_counts_where_no_font_has_one() -> None:
    russian = rb"{\rtf1\ansi\ansicpg1251{\fonttbl{\f0 Arial;}}\f0 \'cf\'f0\'e8\'e2\'e5\'f2\par}"
    assert read_file(russian).text == "Привет"
    careless = russian.replace(b"\\f0 Arial", b"\\f0\\fcharset0 Arial")
    assert read_file(careless).text == "Привет"
    western = russian.replace(b"ansi\\ansicpg1251", b"mac").replace(b"\\'cf\\'f0", b"\\'8e")
    assert read_file(western).text[0] == "é"


def test_headings_are_told_by_style_or_outline_level() -> None:
    source = r"\s5 Book\par\pard\s1 One\par\pard\s2 Two\par\pard\outlinelevel2 Three\par\pard End"
    parsed = rtf(source)
    assert parsed.title == "Book"
    assert blocks(parsed)[-1] == ("paragraph", ("One", "Two", "Three"), "End")


def test_the_title_is_that_of_the_file_where_no_paragraph_is() -> None:
    info = r"{\info{\title Boats \'e9t\'e9}{\author Ana}{\operator Bo}}"
    parsed = rtf("Text.", FONTS + info)
    assert (parsed.title, parsed.text) == ("Boats été", "Text.")


ROW = r"\trowd\trgaph70\cellx1000\cellx2000\cellx3000 "


def test_a_table_keeps_its_grid() -> None:
    merged = r"\trowd\clvmgf\cellx1010\cellx3000 "
    below = r"\trowd\clvmrg\cellx1000\cellx2000\clmgf\cellx2500\clmrg\cellx3000 "
    source = (
        rf"Before\par{ROW}\pard\intbl A\cell B\cell C\cell\row"
        rf"{merged}\pard\intbl a\par b\cell wide\cell\row"
        rf"{below}\pard\intbl\cell c\cell d\cell\cell\row\pard After"
    )
    assert said(source) == [
        "Before",
        "A | B | C | C\na b | wide | wide | wide\na b | c | d | d",
        "After",
    ]


def test_the_definition_of_a_row_may_stand_before_its_end() -> None:
    source = rf"{ROW}\pard\intbl A\cell B\cell C\cell\pard\intbl {{{ROW}\row}}" * 2
    assert said(source + r"\pard After") == ["A | B | C\nA | B | C", "After"]


def test_head_rows_stand_above_each_piece_of_a_table() -> None:
    head = ROW.replace(r"\trgaph70", r"\trhdr")
    parsed = rtf(rf"{head}A\cell B\cell C\cell\row " * 2 + rf"{ROW}a\cell b\cell c\cell\row")
    assert parsed.text[: parsed.blocks[0].lead] == "A | B | C\nA | B | C"


def test_a_table_within_a_cell_is_part_of_its_text() -> None:
    nested = (
        r"\pard\intbl\itap2 x\nestcell y\nestcell{\*\nesttableprops\trowd\cellx500\cellx900"
        r"\nestrow}{\nonesttables\par}"
    )
    source = rf"{ROW}\pard\intbl A\par{nested * 2}\pard\intbl B\cell C\cell D\cell\row\pard End"
    assert said(source) == ["A x, y; x, y B | C | D", "End"]


def test_a_frame_around_text_is_that_text() -> None:
    source = r"\trowd\cellx9000\pard\intbl Note:\par Mind the gap.\cell\row\pard End"
    assert said(source) == ["Note:", "Mind the gap.", "End"]


LISTS = (
    r"{\*\listtable{\list\listtemplateid1{\listlevel\levelnfc0\levelstartat3{\leveltext"
    r"\leveltemplateid9\'02\'00.;}{\levelnumbers\'01;}}{\listlevel\levelnfc4\levelstartat1"
    r"{\leveltext\'04\'00.\'01);}{\levelnumbers\'01\'03;}}\listid77}"
    r"{\list{\listlevel\levelnfc23{\leveltext\'01\u-3913 ?;}}\listid78}}"
    r"{\*\listoverridetable{\listoverride\listid77\listoverridecount0\ls1}"
    r"{\listoverride\listid78\listoverridecount0\ls2}}"
)


def test_items_have_the_numbers_that_their_list_counts() -> None:
    source = (
        r"\ls1 one\par\ilvl1 a\par b\par\pard\ls1 two\par\ilvl1 c\par\pard\ls2 dot\par\pard End"
    )
    assert said(source, FONTS + LISTS) == [
        "3. one\n  3.a) a\n  3.b) b\n4. two\n  4.a) c\n- dot",
        "End",
    ]


def test_items_have_the_numbers_that_the_file_shows() -> None:
    source = (
        r"{\listtext\pard\plain 7)\tab}\ls1 seven\par{\listtext\f2\'b7\tab}dot\par"
        r"{\pntext\f2\'b7\tab}{\*\pn\pnlvlblt{\pntxtb\'b7}}old\par"
    )
    assert said(source, FONTS + LISTS) == ["7) seven\n- dot\n- old"]


def test_a_number_of_a_heading_stands_before_it() -> None:
    assert said(r"{\listtext 2.1\tab}\s1 Scope\par") == ["2.1 Scope"]


def test_fields_show_their_results() -> None:
    link = r'{\field{\*\fldinst{HYPERLINK "http://a.example"}}{\fldrslt{\ul the site}}}'
    box = r"{\field{\*\fldinst FORMCHECKBOX {\*\formfield{\fftype1\ffres25\ffdefres1}}}{\fldrslt}}"
    choice = (
        r"{\field{\*\fldinst FORMDROPDOWN {\*\formfield{\fftype2\ffres1{\*\ffname x}"
        r"{\*\ffl Red}{\*\ffl Blue}}}}}"
    )
    symbol = r'{\field{\*\fldinst SYMBOL 252 \\f "Wingdings" \\s 10}{\fldrslt}}'
    assert said(f"See {link} {box} {choice} {symbol}.") == ["See the site ☒ Blue ✓."]


def test_notes_and_boxes_stand_below_their_paragraph() -> None:
    note = r"{\super\chftn{\footnote\pard\plain {\super\chftn} Or \u8364?4.\par Or none.}}"
    box = (
        r"{\shp{\*\shpinst{\sp{\sn gtextUNICODE}{\sv DRAFT}}{\sp{\sn a}{\sv 1}}"
        r"{\shptxt In a box.\par}}{\shprslt lost}}"
    )
    assert said(rf"Costs 3{note}.\par Next {box}.\par End") == [
        "Costs 3.",
        "Or €4.",
        "Or none.",
        "Next  DRAFT .",
        "In a box.",
        "End",
    ]


def test_headers_are_read_once_and_page_numbers_are_told() -> None:
    edges = (
        r"{\header\pard Harbour office\par}{\footer\pard Page {\field{\*\fldinst PAGE}"
        r"{\fldrslt 3}} of \chpgn\par}"
    )
    parsed = rtf(rf"{edges}One.\par\sect{edges}Two.")
    assert [block[2] for block in blocks(parsed)] == ["Harbour office", "One.", "Two."]
    assert told(parsed) == ["2 lines that count the pages (page edges)"]


def test_what_is_not_shown_is_left_out_and_told() -> None:
    parsed = rtf(
        r"Seen{\v  hidden}{\deleted  gone}{\v0  too}.{\*\unknown lost}{\xe index}"
        r"{\*\shppict{\pict\pngblip 89504e47}}{\nonshppict{\pict 0100}}"
        r"{\object\objemb{\*\objdata 0105}{\result shown}}{\*\annotation Why?}\par"
    )
    assert parsed.text == "Seen too.shown"
    assert told(parsed) == [
        "1 picture",
        "1 embedded object",
        "1 comment",
        "1 paragraph with hidden text",
    ]


def test_a_table_of_contents_is_told() -> None:
    parsed = rtf(r"{\field{\*\fldinst TOC \\o}{\fldrslt One 1\par Two 2\par Three 3}}\par Text.")
    assert (parsed.text, told(parsed)) == ("Text.", ["3 lines of the table of contents"])


def test_an_equation_stands_on_a_line() -> None:
    source = (
        r"{\mmath{\*\moMath{\mf{\mfPr{\mtype bar}}{\mnum{\mr 1}}{\mden{\mr 2}}}"
        r"{\msSup{\me{\mr x}}{\msup{\mr 2}}}}}"
    )
    assert said(source) == ["1/2x^2"]


def test_binary_data_is_no_text() -> None:
    data = rb"{\rtf1 One {\pict\bin5 }}}}}} two.\par}"
    assert read_file(data, "rtf").text == "One  two."


def test_a_file_that_is_cut_off_is_read_as_far_as_it_goes() -> None:
    parsed = read_file(rb"{\rtf1\ansi One.\par Tw", "rtf")
    assert parsed.text == "One.\n\nTw"
    assert told(parsed) == ["1 end of a file that is cut off"]


def test_what_is_no_rtf_is_refused() -> None:
    assert "is no RTF file" in refusal(b"Plain.", "rtf")
    assert "holds no text" in refusal(rb"{\rtf1\ansi}", "rtf")


_WORDS = (
    r"\par \cell \row \trowd\cellx900 \intbl \itap2 \nestcell \nestrow \u-9 \u55357? \uc0 \'e9 \' "
    r"\f1 \f3\'93 \v \deleted \s1 \ls1 \ilvl8 \bin3 \* \outlinelevel3 {\footnote {\header {\field "
    r"{\*\fldinst {\fldrslt {\pict {\*\x {\listtext {\upr {\*\ud { } } } {\fonttbl {\stylesheet "
    r"{\*\listtable {\list {\listlevel {\leveltext {\info {\shptxt {\mf \\"
)
words = st.sampled_from(_WORDS.split(" "))


@given(st.lists(words | st.text("ab;é{}\\ \n", max_size=5), max_size=60).map("".join))
def test_any_rtf_is_read_or_refused(body: str) -> None:
    read_or_refuse(rf"{{\rtf1 {FONTS}{STYLES}{LISTS}{body}".encode("latin-1"), "rtf")
