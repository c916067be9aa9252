"""The body of a push: every rule of POST /knowledge, and every fault named at once."""

import json
from contextlib import suppress
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_service.documents import Document, Format
from rag_service.errors import Invalid
from rag_service.fields import (
    is_left_out,
    read_body,
    read_bot_id,
    read_content_type,
    read_object,
    read_source_url,
)
from rag_service.knowledge.pushes import read_push

URL = "https://example.com/a"
FIELDS = ["content", "source_url", "bot_id", "content_type", "title", "metadata", "format"]
FORMATS = ", ".join(get_args(Format))
any_text = st.text(st.characters(exclude_categories=()))
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=8,
)


def push(**changes) -> Document:
    return read_push({"content": "We open at nine.", "source_url": URL, **changes})


def faults(**changes) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        push(**changes)
    for name in caught.value.params:
        assert name in str(caught.value)
    return caught.value.params


# -- read_push ------------------------------------------------------------------------------------


def test_two_fields_are_enough():
    assert push() == Document(
        source_url=URL,
        content="We open at nine.",
        bot_id="default",
        content_type="manual",
        title="",
        metadata={},
        format="auto",
    )


def test_every_field_is_read_and_others_are_ignored():
    document = push(
        bot_id=" shop ",
        content_type=" page ",
        title="  Opening \n hours ",
        metadata={"tags": ["a", 1, None]},
        format="markdown",
        embedding="not ours",
    )
    assert document == Document(
        source_url=URL,
        content="We open at nine.",
        bot_id="shop",
        content_type="page",
        title="Opening hours",
        metadata={"tags": ["a", 1, None]},
        format="markdown",
    )


@pytest.mark.parametrize("name", FIELDS[2:])
def test_null_is_as_good_as_nothing(name):
    assert push(**{name: None}) == push()


@pytest.mark.parametrize("name", ["content", "source_url"])
def test_a_required_field_is_required(name):
    assert faults(**{name: None}) == {name: "is required"}
    with pytest.raises(Invalid) as caught:
        read_push({"content": "x", "source_url": URL} | {name: None})
    assert caught.value.params == {name: "is required"}


def test_all_faults_are_named_at_once():
    with pytest.raises(Invalid) as caught:
        read_push({name: [1] for name in FIELDS})
    assert caught.value.params == {
        "content": "must be a string",
        "source_url": "must be a string",
        "bot_id": "must be a string",
        "content_type": "must be a string",
        "title": "must be a string",
        "metadata": "must be an object",
        "format": f"must be one of {FORMATS}",
    }
    assert str(caught.value) == f"Invalid parameter(s): {', '.join(FIELDS)}"
    with pytest.raises(Invalid) as caught:
        read_push({})
    assert caught.value.params == {"content": "is required", "source_url": "is required"}


@pytest.mark.parametrize(
    "content", ["", " ", "\n\t\r", "\x00", "\ufeff", "\u200b \u00a0", "\u3000"]
)
def test_blank_content_is_refused(content):
    assert faults(content=content) == {"content": "must not be blank"}


def test_content_is_kept_as_given():
    for content in ("  a  ", "a\x00b", "\ufeffa", "a" * 100_000):
        assert push(content=content).content == content


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a#part-2",
        "https://example.com/a?b=c d&e=ü#x y",
        "HTTPS://Example.COM/%7Ea/../b/",
        "file:///srv/docs/a.md",
        "upload://report.pdf",
        "mxchat://manual/12",
        "urn:isbn:0451450523",
        "mailto:someone@example.com",
        "a+b-c.1:x",
        "x:" + "y" * 4094,
    ],
)
def test_a_url_is_kept_as_given(url):
    assert push(source_url=url).source_url == url
    assert push(source_url=f" \n{url}\t ").source_url == url


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "must not be blank"),
        ("  \n", "must not be blank"),
        ("example.com/a", "must be an absolute URI"),
        ("/a", "must be an absolute URI"),
        ("//example.com", "must be an absolute URI"),
        ("1http://a", "must be an absolute URI"),
        ("ht tp://a", "must be an absolute URI"),
        ("ü://a", "must be an absolute URI"),
        ("https:", "must be an absolute URI"),
        ("https: //a", "must be an absolute URI"),
        (":a", "must be an absolute URI"),
        ("https://a/\x00", "must not contain control characters"),
        ("https://a/\nb", "must not contain control characters"),
        ("x:" + "y" * 4095, "must have at most 4096 characters"),
        (7, "must be a string"),
        (["https://a"], "must be a string"),
    ],
)
def test_what_is_no_absolute_uri_is_refused(url, reason):
    assert faults(source_url=url)["source_url"].startswith(reason)
    with pytest.raises(ValueError, match=reason):
        read_source_url(url)


@pytest.mark.parametrize("bot_id", ["a", "shop_1.b:c@d-e", "0", "A" * 100])
def test_a_bot_id_is_taken(bot_id):
    assert push(bot_id=bot_id).bot_id == bot_id == read_bot_id(f" {bot_id}\n")


@pytest.mark.parametrize("bot_id", ["-a", "_a", "a b", "a/b", "ä", "A" * 101, 7.5, True, {}])
def test_a_bot_id_that_is_none_is_refused(bot_id):
    assert faults(bot_id=bot_id)["bot_id"].startswith("must be")


@pytest.mark.parametrize("label", ["a", "a b", "Übersicht", "x" * 200])
def test_a_content_type_is_a_free_label(label):
    assert push(content_type=label).content_type == label == read_content_type(f" {label} ")


@pytest.mark.parametrize("label", ["a\nb", "a\x7f", "x" * 201, 7.5, []])
def test_a_content_type_that_cannot_be_shown_is_refused(label):
    assert set(faults(content_type=label)) == {"content_type"}


def test_a_title_is_made_one_line_of_a_bearable_length():
    assert push(title="a\x00b\x1b[31m\ud800").title == "a b [31m\ufffd"
    assert push(title="").title == ""
    assert len(push(title="x" * 5000).title) == 2000


@pytest.mark.parametrize("metadata", ["a", [["a", 1]], 7, True])
def test_metadata_is_an_object(metadata):
    assert faults(metadata=metadata) == {"metadata": "must be an object"}


@pytest.mark.parametrize("format_", ["auto", "text", "markdown", "html", "csv", "json", "eml"])
def test_a_format_is_taken(format_):
    assert push(format=format_).format == format_


@pytest.mark.parametrize("format_", ["Text", "PDF", " text", 1, [], {}, ["text"]])
def test_a_format_that_is_unknown_is_refused(format_):
    assert faults(format=format_) == {"format": f"must be one of {FORMATS}"}


@pytest.mark.parametrize("format_", ["auto", "text", "pdf", "docx", "pptx", "xlsx"])
def test_a_file_comes_as_base64(format_):
    document = push(content=None, content_base64="JVBERi0=", format=format_)
    assert (document.content, document.data) == (b"%PDF-", b"%PDF-")


def test_a_file_of_a_binary_format_is_no_text():
    assert "content_base64" in faults(format="docx")["format"]


def test_it_is_either_text_or_a_file():
    assert "one of them" in faults(content_base64="JVBERi0=")["content_base64"]
    assert faults(content=None, content_base64="") == {"content": "is required"}
    for bad in ("a", "%%%%", "JVBE\n", "JVBERi0", 7, "\u00e4===", []):
        assert "must be" in faults(content=None, content_base64=bad)["content_base64"]


@given(body=st.dictionaries(st.sampled_from(FIELDS) | any_text, anything, max_size=7))
def test_no_object_raises_anything_but_invalid(body):
    try:
        document = read_push(body)
    except Invalid as error:
        assert error.params
        assert set(error.params) <= set(FIELDS)
    else:
        assert document.content == body["content"]
        assert document.source_url == body["source_url"].strip()


@given(
    content=any_text.filter(str.strip), url=any_text, metadata=st.dictionaries(any_text, anything)
)
def test_what_is_taken_is_taken_again(content, url, metadata):
    try:
        document = push(content=content, source_url=f"x:{url}", metadata=metadata)
    except Invalid:
        return
    again = push(content=document.content, source_url=document.source_url, metadata=metadata)
    assert again.source_url == document.source_url
    assert again.content == document.content


# -- read_body ------------------------------------------------------------------------------------


def test_a_body_is_a_json_object():
    assert read_body(b'{"a": [1, "\xc3\xbc"]}') == {"a": [1, "ü"]}
    assert read_body('{"a": "ü"}') == {"a": "ü"}
    assert read_body(" {} \n") == {}


@pytest.mark.parametrize("body", [b"[]", b"null", b"1", b'"a"', b"true"])
def test_other_json_is_refused(body):
    with pytest.raises(Invalid, match="not a JSON object"):
        read_body(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"{}{}",
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b"\xff",
        b"\x00",
        b'{"a": "\xed\xa0\x80"}',
        '{"a": "\ud800"}',
        '{"a": 1}'.encode("utf-16"),
    ],
)
def test_what_is_not_json_is_refused(body):
    with pytest.raises(Invalid, match="the body is not JSON"):
        read_body(body)


@pytest.mark.parametrize("bracket", [b"[", b'{"a":'])
@pytest.mark.parametrize("depth", [1000, 100_000])
def test_a_body_that_is_nested_too_deeply_is_refused(bracket, depth):
    close = b"]" if bracket == b"[" else b"}"
    for body in (b'{"metadata":' + bracket * depth, bracket * depth + b"1" + close * depth):
        with pytest.raises(Invalid):
            read_body(body)


@given(body=st.binary() | any_text)
def test_no_bytes_raise_anything_but_invalid(body):
    with suppress(Invalid):
        assert isinstance(read_body(body), dict)


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text()), max_size=5))
def test_any_json_object_is_read_without_its_blank_fields(body):
    assert read_object(json.dumps(body)) == body
    assert read_object(json.dumps(body, ensure_ascii=False).encode()) == body
    fields = {name: value for name, value in body.items() if not is_left_out(value)}
    assert read_body(json.dumps(body)) == fields


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"a": "x\\ud83d"}', "x\ufffd"),
        (b'{"a": "\\ude00 y \\ud83d\\ude00"}', "\ufffd y \U0001f600"),
        (b'{"a": "\\\\ud83d"}', "\\ud83d"),
        (b'{"a": "\\\\\\ud83d!"}', "\\\ufffd!"),
        (b'{"a": "\\ud83d\\ud83d\\ude00"}', "\ufffd\U0001f600"),
    ],
)
def test_half_an_emoji_costs_one_character(body, text):
    assert read_body(body) == {"a": text}


def test_a_byte_order_mark_before_a_body_is_passed_over():
    assert read_body(b'\xef\xbb\xbf{"a": 1}') == read_body('\ufeff{"a": 1}') == {"a": 1}


def test_what_is_blank_is_as_good_as_nothing():
    blank = push(bot_id="", content_type=" ", title="\n", metadata="", format="\u200b")
    assert blank == push()
    assert push(metadata=[]) == push()


def test_text_that_says_the_same_is_the_same():
    assert push(content="Cafe\u0301", source_url="https://a/e\u0301") == push(
        content="Caf\u00e9", source_url="https://a/\u00e9"
    )
    assert push(bot_id=42, content_type=7).bot_id == "42"
