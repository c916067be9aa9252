"""ODT and ODP: the same promises as for Word and PowerPoint."""

from office_parts import odf
from promises import read_file, refusal

from rag_service.documents import ParsedDocument


def odt(body: str, **more: str) -> ParsedDocument:
    return read_file(odf(body, **more))


def told(parsed: ParsedDocument) -> list[str]:
    return [left.sentence for left in parsed.left_out]


def p(text: str) -> str:
    return f"<text:p>{text}</text:p>"


def number(level: int, format: str, **more: str) -> str:
    others = "".join(f' {name.replace("_", ":", 1).replace("_", "-")}="{value}"'
                     for name, value in more.items())  # fmt: skip
    return (
        f'<text:list-level-style-number text:level="{level}" style:num-format="{format}"{others}/>'
    )


def test_headings_and_items_have_the_numbers_that_are_shown() -> None:
    outline = (
        '<text:outline-style><text:outline-level-style text:level="1" style:num-format="1"/>'
        '<text:outline-level-style text:level="2" style:num-format="1" text:display-levels="2"/>'
        "</text:outline-style>"
    )
    look = (
        '<text:list-style style:name="L">'
        + number(1, "I", style_num_suffix=".", text_start_value="3")
        + number(2, "a", style_num_prefix="(", style_num_suffix=")")
        + "</text:list-style>"
    )
    inner = f"<text:list><text:list-item>{p('b')}</text:list-item></text:list>"
    body = (
        '<text:h text:outline-level="1">Scope</text:h><text:h text:outline-level="2">Due</text:h>'
        f'<text:list text:style-name="L"><text:list-item>{p("a")}{inner}</text:list-item>'
        f"<text:list-item>{p('c')}</text:list-item></text:list>"
        '<text:h text:outline-level="1">Rent</text:h>'
    )
    parsed = odt(body, styles=outline + look)
    assert parsed.text == "1 Scope\n\n1.1 Due\n\nIII. a\n  (a) b\nIV. c\n\n2 Rent"
    assert parsed.title == "1 Scope"


def test_a_list_goes_on_when_it_says_so() -> None:
    look = (
        f'<text:list-style style:name="L">{number(1, "1", style_num_suffix=".")}</text:list-style>'
    )
    one = (
        '<text:list text:style-name="L"{}><text:list-item>'
        + p("x")
        + "</text:list-item></text:list>"
    )
    body = one.format("") + p("-") + one.format(' text:continue-numbering="true"') + p("-")
    assert odt(body + one.format(""), automatic=look).text.split("\n\n") == [
        "1. x", "-", "2. x", "-", "1. x"
    ]  # fmt: skip


def test_blanks_tabs_and_breaks_are_what_they_say() -> None:
    text = 'a<text:s text:c="3"/>b<text:tab/>c<text:line-break/>\n   d <text:span>e</text:span>'
    assert odt(p(text)).text == "a   b\tc\n d e"


def test_deleted_and_hidden_text_is_left_out_and_notes_are_kept() -> None:
    hidden = (
        '<style:style style:name="H" style:family="text"><style:text-properties '
        'text:display="none"/></style:style>'
    )
    note = (
        "<text:note><text:note-citation>1</text:note-citation><text:note-body>"
        f"{p('Noted')}</text:note-body></text:note>"
    )
    body = (
        f"<text:tracked-changes><text:changed-region>{p('gone')}</text:changed-region>"
        "</text:tracked-changes>"
        + p(f'One{note}<text:span text:style-name="H">secret</text:span>')
        + f'<text:section text:display="none">{p("unseen")}</text:section>'
        + p("Two<office:annotation><text:p>remark</text:p></office:annotation>")
    )
    parsed = odt(body, automatic=hidden)
    assert parsed.text == "One\n\nNoted\n\nTwo"
    assert told(parsed) == ["1 piece of hidden text", "1 hidden section", "1 comment"]


def test_merged_cells_are_in_each_of_their_rows_and_columns() -> None:
    def cell(text: str, more: str = "") -> str:
        return f"<table:table-cell {more}>{p(text)}</table:table-cell>"

    covered = "<table:covered-table-cell/>"
    rows = (
        "<table:table-header-rows><table:table-row>"
        + cell("wide", 'table:number-columns-spanned="2"') + covered + cell("c")
        + "</table:table-row><table:table-row>" + cell("x") + cell("y") + cell("z")
        + "</table:table-row></table:table-header-rows><table:table-row>"
        + cell("high", 'table:number-rows-spanned="2"') + cell("1") + cell("2")
        + "</table:table-row><table:table-row>" + covered + cell("3") + cell("4")
        + "</table:table-row>"
    )  # fmt: skip
    parsed = odt(f"<table:table>{rows}</table:table>")
    assert parsed.text == "wide | wide | c\nx | y | z\nhigh | 1 | 2\nhigh | 3 | 4"
    assert parsed.text[: parsed.blocks[0].lead].count("\n") == 1


def test_empty_cells_without_end_cost_nothing() -> None:
    row = (
        f"<table:table-row><table:table-cell>{p('a')}</table:table-cell><table:table-cell "
        'table:number-columns-repeated="99999999"/></table:table-row><table:table-row '
        'table:number-rows-repeated="99999999"><table:table-cell/></table:table-row>'
    )
    assert odt(f"<table:table>{row}{row}</table:table>").text == "a\na"


def test_slides_are_read_by_their_place_with_notes_and_without_prompts() -> None:
    def frame(text: str, y: int, role: str = "", more: str = "") -> str:
        return (
            f'<draw:frame svg:x="1cm" svg:y="{y}cm" svg:width="5cm" svg:height="1cm" '
            f'presentation:class="{role}" {more}><draw:text-box>{p(text)}</draw:text-box>'
            "</draw:frame>"
        )

    hidden = (
        '<style:style style:name="Off" style:family="drawing-page"><style:drawing-page-properties '
        'presentation:visibility="hidden"/></style:style>'
    )
    body = (
        "<draw:page>"
        + frame("below", 9)
        + frame("above", 4)
        + frame("Enter text", 5, "outline", 'presentation:placeholder="true"')
        + frame("Title", 12, "title")
        + f"<presentation:notes>{frame('Said', 1, 'notes')}</presentation:notes></draw:page>"
        + f'<draw:page draw:style-name="Off">{frame("unseen", 1)}</draw:page>'
    )
    parsed = read_file(odf(body, kind="presentation", automatic=hidden))
    assert parsed.text == "Title\n\nabove\n\nbelow\n\nSaid"
    assert parsed.title == "Title"
    assert {block.page for block in parsed.blocks} == {1}
    assert told(parsed) == ["1 hidden slide (slide 2)"]


def test_a_file_without_text_is_refused() -> None:
    assert refusal(odf("")) == "holds no text"
