"""Exports of WordPress: all that visitors read is there, and the rest is told."""

import pytest
from files import wordpress
from hypothesis import given
from hypothesis import strategies as st
from promises import read

from rag_service.readers.editor_blocks import MOST_REUSED
from rag_service.readers.shortcodes import without_shortcodes
from rag_service.readers.wordpress import Export

HTTPS = ("http://wordpress.org/export/1.2/", "https://wordpress.org/export/1.3/")


def text(content: str) -> str:
    (post,) = Export(wordpress(("A", "publish"), content=content)).posts()
    return read(post.html, "html").text


def told(data: bytes, types: list[str] | None = None) -> list[str]:
    export = Export(data, types)
    list(export.posts())
    return [kind.sentence for kind in export.left_out]


@pytest.mark.parametrize("kind", ["post", "page", "faq", "product", "docs", "tribe_events"])
def test_every_published_type_is_taken_unless_some_are_named(kind: str) -> None:
    data = wordpress(("A", "publish"), ("B", "publish"), kind=kind)
    assert len(list(Export(data).posts())) == 2
    assert told(data) == []
    assert told(data, ["other"]) == [f"2 entries of type {kind}"]


def test_what_is_not_published_is_told_by_type_and_status() -> None:
    data = wordpress(("A", "publish"), ("B", "draft"), ("C", "private"), ("D", "draft"))
    assert told(data) == [
        "2 entries of type post with status draft",
        "1 post with status private",
    ]
    locked = wordpress(("A", "publish"), more="<wp:post_password>x</wp:post_password>")
    assert told(locked) == ["1 post with a password"]
    assert told(wordpress(("A", "publish"), kind="attachment")) == ["1 media file"]
    assert told(wordpress(("A", "publish"), kind="revision")) == []


def test_the_version_of_a_namespace_does_not_matter() -> None:
    data = wordpress(("A", "publish")).replace(*(one.encode() for one in HTTPS))
    assert [post.title for post in Export(data).posts()] == ["A"]


@pytest.mark.parametrize(
    "shortcode",
    [
        '[vc_toggle title="May dogs come?" open="false" el_id="17"]Yes.[/vc_toggle]',
        "[accordion-item title='May dogs come?']Yes.[/accordion-item]",
        '[et_pb_toggle title="May dogs come?" open_toggle_text_color="#fff"]Yes.[/et_pb_toggle]',
        "[av_toggle title=&#8220;May dogs come?&#8221;]Yes.[/av_toggle]",
        '[my_faq question="May dogs come?" answer="Yes."]',
        '[sp_tab tab_title="May dogs come?"]Yes.[/sp_tab]',
    ],
)
def test_what_a_visitor_reads_in_an_attribute_is_a_paragraph(shortcode: str) -> None:
    assert text(f"Before.{shortcode}After.") == "Before.\n\nMay dogs come?\n\nYes.\n\nAfter."


def test_what_attributes_only_set_is_no_text() -> None:
    found = text(
        '[et_pb_text admin_label="Text" text_font="Arial" text_orientation="center" '
        'title_level="h3" content_width="80%" title="#333"]Hello.[/et_pb_text]'
    )
    assert found == "Hello."


def test_answers_do_not_run_into_each_other() -> None:
    assert text("[a_b]One.[/a_b][a_b]Two.[/a_b]") == "One.\n\nTwo."


def test_brackets_that_are_no_shortcodes_stay() -> None:
    content = "It said [sic] so [1], see [[gallery]] and a[0] = b[i]."
    assert text(content) == "It said [sic] so [1], see [gallery] and a[0] = b[i]."


def test_a_gallery_is_its_captions() -> None:
    items = wordpress(("A", "publish"), content='[gallery ids="7, 8"]')
    picture = b"""<item><title>p</title><wp:post_id>7</wp:post_id>
        <wp:post_type>attachment</wp:post_type><wp:status>inherit</wp:status>
        <excerpt:encoded xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"
        ><![CDATA[The old crane]]></excerpt:encoded></item></channel>"""
    (post,) = Export(items.replace(b"</channel>", picture)).posts()
    assert read(post.html, "html").text == "The old crane"


def test_a_reusable_block_stands_where_it_is_used() -> None:
    items = wordpress(("A", "publish"), content='<p>One</p><!-- wp:block {"ref":9} /-->')
    block = b"""<item><title>b</title><wp:post_id>9</wp:post_id>
        <wp:post_type>wp_block</wp:post_type><wp:status>publish</wp:status>
        <content:encoded><![CDATA[<p>Two</p><!-- wp:block {"ref":9} /-->]]></content:encoded>
        </item></channel>"""
    (post,) = Export(items.replace(b"</channel>", block)).posts()
    assert read(post.html, "html").text.split() == ["One", *["Two"] * 5]


def test_a_block_that_is_its_attributes_is_shown_by_them() -> None:
    content = (
        '<!-- wp:my/notice {"title":"Closed","color":"#fff","items":[{"text":"On Sundays"}]} /-->'
    )
    assert text(content) == "Closed\n\nOn Sundays"


@given(st.text("[]/ab=\"' \n"))
def test_text_without_letters_of_markup_loses_no_word(content: str) -> None:
    assert without_shortcodes(content.replace("[", "("), {}) == content.replace("[", "(")


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece", ['[a "', "[a b='x", '<!-- wp:a {"t":"', '<!-- wp:block {"ref":1', "[x title='a']"]
)
def test_a_hostile_entry_does_not_take_the_square_of_its_length(piece: str) -> None:
    data = wordpress(("A", "publish"), content="x" + piece * (1_000_000 // len(piece)))
    assert len(list(Export(data).posts())) == 1


def test_reusable_blocks_within_each_other_are_no_bomb() -> None:
    items = wordpress(("A", "publish"), content='<!-- wp:block {"ref":9} /-->')
    within = '<p>more</p><!-- wp:block {"ref":9} /-->' * 100
    block = f"""<item><title>b</title><wp:post_id>9</wp:post_id>
        <wp:post_type>wp_block</wp:post_type><wp:status>publish</wp:status>
        <content:encoded><![CDATA[{within}]]></content:encoded></item></channel>"""
    (post,) = Export(items.replace(b"</channel>", block.encode())).posts()
    assert len(post.html) < 3 * MOST_REUSED
