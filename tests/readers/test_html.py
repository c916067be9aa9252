import re

import pytest
from hypothesis import given
from promises import any_text, golden, keeps_promises, markup, read

from rag_service.readers import detect

PIECES = re.findall(
    r"\w+",
    "p div span b i a ul ol li dl dt dd table tr td th caption h1 h2 h6 pre code br hr title head "
    "body html main article nav footer form aside script style template svg select option font",
)


@pytest.mark.parametrize("name", ["library.html", "fragment.html"])
def test_html_reads_like_the_golden_file(name: str) -> None:
    found, expected = golden(name)
    assert found == expected


@given(any_text)
def test_any_text_keeps_the_promises(content: str) -> None:
    assert keeps_promises(read(content, "html"))


@given(markup(*(f"<{name}>" for name in PIECES), *(f"</{name}>" for name in PIECES), " ", "\n"))
def test_any_tags_keep_the_promises(content: str) -> None:
    assert keeps_promises(read(content, "html"))


@given(
    markup("<div>", "</div>", "<p>", "x", "&#0;", "&#1;", "&#12;", "&shy;", "&nbsp;", "&#xD800;")
)
def test_any_entities_keep_the_promises(content: str) -> None:
    assert keeps_promises(read(content, "html"))


@pytest.mark.parametrize(
    "content",
    [
        "<!DOCTYPE html><p>a",
        "\n<!-- a --><?xml version='1.0'?>\n<HTML lang=en>",
        "<p>One</p>\n<p>Two</p>",
        "Intro\n<p>One</p>\n<p>Two</p>\n<ul>\n<li>x</ul>",
    ],
)
def test_html_is_detected(content: str) -> None:
    assert detect(content) == "html"


def test_the_title_is_the_documents_own_or_the_pages_or_the_first_heading() -> None:
    page = "<html><head><title>Page &amp;\n title</title></head><h1>Heading</h1><svg><title>x"
    assert read(page, title="Own").title == "Own"
    assert read(page).title == "Page & title"
    assert read("<h2>a</h2><h1>Heading</h1>", "html").title == "Heading"


def test_what_stands_beside_the_main_part_is_read() -> None:
    page = "<aside>side</aside><form>find</form><main>text<footer>by me</footer></main><footer>x"
    assert read(page, "html").text.split() == ["side", "find", "text", "by", "me", "x"]


def test_a_page_of_nothing_but_navigation_is_read_nevertheless() -> None:
    assert read("<nav><ul><li>Home</ul></nav>", "html").text == "- Home"


def test_a_form_around_the_whole_page_is_read() -> None:
    assert read("<form><main>text</main></form>", "html").text == "text"


@pytest.mark.parametrize(
    "box",
    [
        '<div class="cookie-banner">We use cookies. <a href="/c">More</a></div>',
        '<div id="cookieconsent"><p>We use cookies.</div>',
        '<ul class="breadcrumb"><li><a href="/">Home</a><li>Fees</ul>',
        '<div class="post share-buttons"><a href="x">Tweet</a> <a href="y">Post</a></div>',
        '<ul><li><a href="#a">One</a><li><a href="#b">Two</a><li><a href="#c">Three</a></ul>',
        '<div class="skip-link"><a href="#main">Skip to content</a></div>',
    ],
)
def test_what_is_there_to_get_around_is_left_out(box: str) -> None:
    assert read(f"<p>Fees are low.</p>{box}<p>Hours are long.</p>", "html").text == (
        "Fees are low.\n\nHours are long."
    )


@pytest.mark.parametrize(
    "box",
    [
        '<div class="cookies-recipe">Bake the cookies.</div>',
        '<div class="breadcrumb-page"><h1>Bake the cookies.</h1></div>',
        '<div class="toc-page">' + "Bake the cookies. " * 200 + "</div>",
        '<ul><li><a href="/a">Bake the cookies.</a><li><a href="/b">b</a><li><a href="/c">c</a>',
        '<ul><li><a href="#a">a</a><li><a href="#b">b</a><li><a href="#c">c</a> Bake the cookies.',
        '<div class="shared">Bake the cookies.</div>',
    ],
)
def test_what_only_looks_like_it_is_read(box: str) -> None:
    assert "Bake the cookies." in read(f"<p>Fees are low.</p>{box}", "html").text


def test_scripts_and_styles_are_left_out() -> None:
    page = "a<script>1</script><style>2</style><template>3</template><noscript>4</noscript><svg>5"
    assert read(page, "html").text == "a"


def test_words_are_not_broken_by_soft_hyphens() -> None:
    assert read("<p>week&shy;days and&ZeroWidthSpace;nights", "html").text == "weekdays andnights"


def test_what_is_nested_too_deep_keeps_its_text() -> None:
    page = "<title>T</title><script>no</script>" + "<div>" * 3_000 + "a &amp; b<br>c"
    parsed = read(page, "html")
    assert parsed.text.split() == ["a", "&", "b", "c"]


def test_sloppy_pages_keep_their_structure() -> None:
    page = "<ul>" + "<li><b>item<p>x<font color=red>y" * 2_000 + "</ul><h1>End</h1>"
    assert read(page, "html").blocks[-1].headings == ("End",)


@pytest.mark.parametrize(
    "content",
    [
        "<div>" * 100_000 + "x",
        "<ul><li>" * 50_000 + "x",
        "<ul><li><a href=#>a</a>" * 200 + "<p class=toc>x" * 5_000,
        "<ul><li>" * 450 + "x",
        "<p>" * 100_000 + "x",
        "<span><div></span></div>" * 20_000 + "x",
        "<span></div>" * 50_000 + "x",
        "<div>" * 20_000 + "</p>" * 20_000 + "x",
        "".join(f"<p><font size={size}>x</p>" for size in range(20_000)),
        "".join(f"<font size={size}>" for size in range(20_000)) + "x",
        "<form><div></form>" * 20_000 + "x",
        "<table><tr><td>" * 20_000 + "x",
        "<b><p>" * 20_000 + "x",
        "<div>" * 3_000 + "&#" + "9" * 10_000 + ";",
        "<a " + "b=c " * 50_000,
        "<!--" * 100_000,
        "<script>" * 100_000,
        "<" * 1_000_000,
        "&" * 1_000_000,
        "a" * 1_000_000,
    ],
    ids=lambda content: content[:12],
)
def test_hostile_html_is_read_whatever_it_may_be(content: str) -> None:
    assert keeps_promises(read(content, "html"))
    assert keeps_promises(read(content))


def test_cells_that_span_stand_in_each_row_and_column() -> None:
    page = (
        "<table><tr><th rowspan=2>Pool<th colspan=2>Summer<tr><th>opens<th>closes"
        "<tr><td rowspan=2>North<td>8:00<td>21:00<tr><td colspan=2>closed</table>"
    )
    assert read(page, "html").text.split("\n") == [
        "Pool | Summer opens | Summer closes",
        "North | 8:00 | 21:00",
        "North | closed | closed",
    ]


def test_what_is_left_out_is_told_in_words() -> None:
    page = "<nav><a href=/>Home</a> <a href=/b>Jobs</a></nav><p>x</p><div hidden>not seen</div>"
    parsed = read(page, "html")
    assert parsed.text == "x"
    assert [kind.sentence for kind in parsed.left_out] == [
        "2 words of navigation",
        "2 words of hidden parts",
    ]


def test_contact_data_in_a_footer_of_links_is_read() -> None:
    page = (
        "<p>x</p><footer><ul><li><a href=/a>About</a><li><a href=/b>Jobs</a>"
        "<li><a href=/c>Press</a></ul><p>Mill Lane 4, <a href=tel:116>116</a></p></footer>"
    )
    assert read(page, "html").text == "x\n\nMill Lane 4, 116"


def test_a_hidden_answer_that_the_page_can_open_is_read() -> None:
    page = "<button aria-controls=a>Parking?</button><div id=a hidden>Behind the house.</div>"
    assert read(page, "html").text == "Parking?\n\nBehind the house."


def test_the_controls_of_a_form_show_their_texts() -> None:
    page = (
        "<form><label>Time <select><option>8:00<option>9:00</select></label>"
        "<input type=hidden value=no><input type=submit value=Book></form>"
    )
    assert read(page, "html").text == "Time 8:00, 9:00 Book"


@pytest.mark.parametrize(
    "source",
    [
        "<select>" + "<option>x" * 200_000,
        "<select>" + "<optgroup label=a><option>x" * 100_000,
        "".join(f"<a href=#i{n}>z</a><div hidden id=i{n}>q</div>" for n in range(40_000)),
        "<nav><a href=x>y</a></nav>" * 50_000,
        "<table>" + "<td colspan=9999 rowspan=9999>x" * 2_000,
    ],
)
@pytest.mark.timeout(60)
def test_a_hostile_page_does_not_take_the_square_of_its_length(source: str) -> None:
    assert keeps_promises(read(source, "html"))


def test_cells_that_span_everything_take_no_square_of_memory() -> None:
    rows = "<tr><td rowspan=65534 colspan=1000>x</td></tr>" * 2_000
    assert len(read(f"<table>{rows}</table>", "html").text) < 2_000_000
