"""Files of text: their encodings, CSV, JSON, emails; and files that are not what they say."""

from collections.abc import Callable
from email.message import EmailMessage

import pytest
from files import pdf, wordpress
from growth import in_proportion
from hypothesis import given
from hypothesis import strategies as st
from promises import any_text, blocks, keeps_promises, read, read_file, read_or_refuse, refusal

from rag_service.documents import Format
from rag_service.errors import Unreadable
from rag_service.readers.wordpress import Export, is_wordpress_export

# ruff: noqa: RUF001
RUSSIAN = "В гимназии он не был в числе первых учеников, исключение составляли математика и латынь."
CHINESE = "維基大典者，網路為礎；集天下知、四海言、眾人志，書百科焉。始作者，維基媒體基金會也。"
TEXTS: list[Format] = ["auto", "text", "markdown", "html", "csv", "json", "eml"]


# -- encodings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Öffnungszeiten: täglich", "utf-8"),
        ("Öffnungszeiten: täglich", "utf-8-sig"),
        ("Öffnungszeiten: täglich", "utf-16"),
        ("Öffnungszeiten: täglich", "utf-32"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8-r"),
        (CHINESE, "big5"),
        ("名前,年齢,住所\n佐藤太郎,30,東京\n三木英子,25,大阪\n髙橋淳,35,名古屋\n", "cp932"),
    ],
)
def test_text_is_read_in_any_encoding(text: str, encoding: str) -> None:
    assert read_file(text.encode(encoding), "text").text == text


def test_a_page_is_read_in_the_encoding_that_it_declares() -> None:
    page = '<html><meta charset="iso-8859-7"><p>Ελλάδα</p>'
    assert read_file(page.encode("iso-8859-7"), "html").text == "Ελλάδα"
    wrong = '<html><meta charset="no-such"><p>' + RUSSIAN
    assert read_file(wrong.encode("cp1251"), "html").text == RUSSIAN


@given(any_text, st.sampled_from(["text", "markdown", "html", "auto"]))
def test_a_file_reads_like_the_same_text(text: str, format: Format) -> None:
    text = text.encode(errors="replace").decode().replace("\0", "")  # which UTF-16 is full of
    data = text.encode()
    try:
        parsed = read_file(data, format)
    except Unreadable:
        return
    assert parsed == read(text, format)


# -- kinds ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (b"", "is empty"),
        (bytes(99), "is empty"),
        (b"\x1f\x8b\x08", "a gzip archive"),
        (b"MZ\x90\x00", "a program"),
        (b"\0\0\0\x18ftypmp42", "a film"),
        (b"a\0b\0\0\1\2" * 9, "neither text"),
        (b"BM\x86\0\0\0\0\0\0\0", "neither text"),
        (b"<p></p>", "holds no text"),
    ],
)
def test_what_is_no_text_is_refused_with_the_reason(data: bytes, hint: str) -> None:
    assert hint in refusal(data)
    assert hint in refusal(data, "html")


def test_a_file_is_not_read_as_what_it_is_not() -> None:
    assert "is no text file but a pdf file" in refusal(pdf(["One."]), "text")
    assert read_file(pdf(["One."])).text == "One."


@pytest.mark.parametrize("text", ["BM is a mark.", "MZ", "About %PDF-1.4 files", "ID3 tags"])
def test_text_may_begin_like_another_file(text: str) -> None:
    assert read_file(text.encode()).text == text


@pytest.mark.parametrize("format", [*TEXTS, "pdf", "docx", "pptx", "xlsx"])
@given(data=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(format: Format, data: bytes) -> None:
    read_or_refuse(data, format)


# -- CSV ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_delimiter_parts_the_cells(delimiter: str) -> None:
    rows = [["Name", "City"], ["Ana", "Oslo, Norway; north"], ["Bo", "x"]]
    content = "\r\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows)
    parsed = read(content, "csv")
    assert [block[0] for block in blocks(parsed)] == ["table"]
    assert parsed.text == "Name | City\nAna | Oslo, Norway; north\nBo | x"


def test_rows_may_differ_in_length_and_cells_have_lines() -> None:
    assert read('a,b\n1,"2\n3",4\n\n5\n', "csv").text == "a | b\n1 | 2 3 | 4\n5"


@given(any_text | st.text(',;"\n\r\ta'))
def test_any_csv_keeps_the_promises(content: str) -> None:
    assert keeps_promises(read(content, "csv"))


# -- JSON -----------------------------------------------------------------------------------------


def test_json_is_read_as_lines_and_objects_of_a_list_as_blocks() -> None:
    content = """{"title": "Shop", "address": {"city": "Oslo", "zip": 155}, "open": true, "x": null,
      "tags": ["a", "b"], "items": [{"name": "Bell", "sizes": [1, 2]}, {"name": "Pump"}]}"""
    parsed = read(content, "json")
    assert parsed.title == "Shop"
    assert [block[2] for block in blocks(parsed)] == [
        "title: Shop\naddress.city: Oslo\naddress.zip: 155\nopen: true\ntags: a, b",
        "items.name: Bell\nitems.sizes: 1, 2",
        "items.name: Pump",
    ]


@pytest.mark.parametrize(
    "content", ["{", "[1,", "nope", "[" * 100_000, '{"a":' * 200 + "1" + "}" * 200]
)
def test_what_is_no_json_is_refused(content: str) -> None:
    assert "JSON" in refusal(content.encode(), "json")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(-1e9, 1e9) | any_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
    max_leaves=20,
)


@given(json_values)
def test_any_json_is_read(value: object) -> None:
    import json

    assert keeps_promises(read(json.dumps(value), "json"))


# -- emails ---------------------------------------------------------------------------------------


def letter(body: str = "See you at nine.", html: str = "") -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = "Meeting: Grüße"
    message["From"] = "Ana <ana@example.com>"
    message["To"] = "bo@example.com"
    message["Date"] = "Mon, 06 May 2024 07:08:09 +0000"
    message.set_content(body)
    if html:
        message.add_alternative(html, subtype="html")
    return message


def test_an_email_is_its_text_with_its_headers_and_attachments() -> None:
    message = letter("See you.\n\nAna", html="<p>not this")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="plan.pdf")
    parsed = read_file(message.as_bytes(), "eml")
    assert parsed.title == "Meeting: Grüße"
    assert [block[2] for block in blocks(parsed)] == [
        "From: Ana <ana@example.com>\nTo: bo@example.com\nDate: Mon, 06 May 2024 07:08:09 +0000",
        "See you.",
        "Ana",
        "Attachments: plan.pdf",
    ]


def test_an_email_of_html_alone_is_read_as_html() -> None:
    message = letter()
    message.set_content("<h2>Hours</h2><p>Nine &amp; ten", subtype="html")
    assert blocks(read_file(message.as_bytes(), "eml"))[-1] == (
        "paragraph",
        ("Hours",),
        "Nine & ten",
    )


def test_what_is_no_email_is_refused() -> None:
    assert "no email" in refusal(b"Just text.", "eml")


PARTS = b"Subject: a\nContent-Type: multipart/mixed; boundary=b\n\n--b\n"


def boundary(number: int) -> bytes:
    return PARTS.replace(b"=b", b"=%d" % number)


def members(count: int) -> bytes:
    return b",".join(b'"%d":1' % number for number in range(count))


@pytest.mark.parametrize(
    ("made", "size", "format"),
    [
        (lambda size: b"From: " + b"<a@b>,(" * size, 12_500, "eml"),
        (lambda size: PARTS + b"--b\n\nx\n" * size, 11_250, "eml"),
        (lambda size: PARTS + b"".join(boundary(n) for n in range(size)), 375, "eml"),
        (lambda size: b'{"%s": {%s}}' % (b"a" * 9_999, members(size)), 2_500, "json"),
        (lambda size: b"[" + b"1" * size + b"]", 12_500, "json"),
        (lambda size: b'"' * size, 25_000, "csv"),
        (lambda size: b'"a,b\n' * size, 2_500, "csv"),
        (lambda size: bytes(range(256)) * size, 500, "text"),
    ],
)
def test_hostile_files_are_read_or_refused_in_proportion(
    made: Callable[[int], bytes], size: int, format: Format
) -> None:
    assert in_proportion(lambda size: read_or_refuse(made(size), format), size)


@pytest.mark.parametrize("piece", ["<pre>", "[a b=c ", "[caption ", "[[a", "\n", "<!--", " \n"])
def test_hostile_posts_are_read_in_proportion(piece: str) -> None:
    def work(size: int) -> None:
        list(Export(wordpress(("A", "publish"), content="x" + piece * size)).posts())

    assert in_proportion(work, 25_000)


headers = st.sampled_from(
    [
        "Subject: a",
        "From: <",
        "To: @,;",
        "Date: never",
        "MIME-Version: 1.0",
        "",
        "x",
        "--b",
        "--b--",
    ]
    + [f"Content-Type: {t}" for t in ("text/plain; charset=x", "multipart/mixed; boundary=b", "?/")]
    + ["Content-Transfer-Encoding: base64", "Content-Disposition: attachment; filename*=x''%ff"]
)


@given(st.lists(headers | st.text(max_size=20), max_size=20).map("\r\n".join))
def test_any_email_is_read_or_refused(content: str) -> None:
    read_or_refuse(("Subject: x\r\n" + content).encode(errors="replace"), "eml")


# -- WordPress ------------------------------------------------------------------------------------


def test_a_wordpress_export_is_its_published_posts() -> None:
    content = """First line
second line.

[caption id="x" width="3"]<img alt="A bell">Our bell[/caption]

[gallery ids="1,2"]Not [sic] a shortcode.
<ul>
<li>one

<li>two
</ul>
[code lang="python"]
a = 1

b = 2
[/code]"""
    (post,) = Export(wordpress(("One & all", "publish"), ("Two", "draft"), content=content)).posts()
    assert (post.link, post.title) == ("https://blog.example/one & all", "One & all")
    assert post.metadata == {
        "type": "post",
        "date": "2024-05-06 07:08:09",
        "author": "ana",
        "categories": ["News"],
        "tags": ["Tag & x"],
    }
    assert read(post.html, "html").text == (
        "First line\nsecond line.\n\nA bell Our bell\n\nNot [sic] a shortcode.\n\n"
        "- one\n- two\n\na = 1\n\nb = 2"
    )


def test_blocks_of_the_editor_are_read_as_they_are() -> None:
    content = (
        "<!-- wp:paragraph --><p>One</p><!-- /wp:paragraph -->\n\n<!-- wp:x {} /--><h2>Two</h2>"
    )
    (post,) = Export(wordpress(("A", "publish"), content=content)).posts()
    assert read(post.html, "html").text == "One\n\nTwo"


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "attachment"},
        {"kind": "nav_menu_item"},
        {"more": "<wp:post_password>x</wp:post_password>"},
        {"content": " "},
    ],
)
def test_what_is_not_for_readers_is_left_out(fields: dict[str, str]) -> None:
    assert list(Export(wordpress(("A", "publish"), **fields)).posts()) == []


def test_a_prefix_that_is_not_declared_and_control_characters_do_no_harm() -> None:
    data = wordpress(("A", "publish"), more="<atom:link/>", content="a\x08b\x0b c")
    assert [post.html for post in Export(data).posts()] == ["<p>ab c</p>"]


def test_a_damaged_export_is_refused() -> None:
    data = wordpress(("A", "publish"), ("B", "publish"))
    bomb = data.replace(b"<rss", b'<!DOCTYPE a [<!ENTITY b "bb">]><rss', 1)
    for damaged, hint in ((data[:-300], "truncated"), (bomb, "entities")):
        assert is_wordpress_export(damaged)
        with pytest.raises(Unreadable) as caught:
            list(Export(damaged).posts())
        assert hint in caught.value.reason


@given(st.integers(0, 2**32))
def test_any_export_is_read_or_refused(seed: int) -> None:
    import random

    chance = random.Random(seed)
    data = bytearray(wordpress(("A", "publish"), ("B", "publish")))
    for _ in range(chance.randrange(20)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    try:
        for post in Export(bytes(data[: chance.randrange(len(data))])).posts():
            assert keeps_promises(read(post.html, "html"))
    except Unreadable as error:
        assert error.reason


# -- character sets -------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [b"\xff", b"\xe4", b"\x80", b"\xc3", b"\xf0\x9f"])
def test_a_stray_byte_in_utf8_is_one_replacement_character(bad: bytes) -> None:
    line = "Die Öffnungszeiten für größere Aufträge.\n".encode()
    text = read_file(line * 30 + b"x" + bad + b" y\n" + line * 30).text
    assert text.count("Öffnungszeiten für größere Aufträge") == 60
    assert text.count("\ufffd") == 1


@pytest.mark.parametrize(
    "label", ["iso-8859-1", "ISO-8859-1", "latin1", "us-ascii", "windows-1252"]
)
def test_labels_mean_what_they_mean_on_the_web(label: str) -> None:
    text = "\u201cas bought\u201d \u2014 it isn\u2019t taxed; it costs \u20ac5 \u2026"
    page = f"<html><head><meta charset={label}></head><body><p>{text}</p>".encode("cp1252")
    assert read_file(page).text == text
    assert read(text.encode("cp1252").decode("latin-1"), "text").text == text


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Les élèves préfèrent où l\u2019été dure; ça coûte très cher à l\u2019hôtel."),
        ("cp1252", "El niño está en el jardín. ¿Cuánto cuesta? ¡Mañana más!"),
        ("cp1252", "A informação está na secção de saúde; não há razões."),
        ("cp1252", "Più caffè, così sarà già un\u2019attività."),
        ("cp1252", "Grüße aus Köln; Preis 4 \u20ac, Maß 1½ m²."),
        ("cp1252", "It\u2019s 4 \u20ac \u2014 \u201cas bought\u201d."),
        ("cp1254", "Türkçe öğrenmek için güzel bir gün; şehirde ağaçlar yeşil, çocuklar mutlu."),
        ("cp1250", "Łódź jest piękna, a Wisła płynie przez Kraków. Zamówienie wysłane."),
        ("iso8859-2", "Łódź jest piękna, a Wisła płynie przez Kraków. Zamówienie wysłane."),
        ("cp1250", "Příliš žluťoučký kůň úpěl ďábelské ódy."),
        ("cp1250", "Árvíztűrő tükörfúrógép."),
        ("cp1257", "Šiandien gražus oras, o rytoj bus šalčiau; ąžuolas."),
        ("utf-16-le", "Größe und Maß"),
        ("utf-16-le", "Мы открыты с девяти часов утра до шести вечера"),
        ("utf-16-be", "Μας βρίσκετε κάθε μέρα από τις εννέα"),
        ("shift_jis", "これは日本語の文章です。とても長い文章です。"),
        ("iso2022_jp", "事務所は九時に開きます。"),
    ],
)
def test_text_without_a_label_is_read(encoding: str, text: str) -> None:
    assert read_file(f"{text}\n".encode(encoding) * 8).text.splitlines()[0] == text


HARBOUR = {
    ("koi8-r", "cp1251", "cp866"): "Начальник гавани назначает место; Москва, 9 часов",
    ("gb18030",): "港口管理员根据船只的长度分配每个泊位。姓名",
    ("cp932", "euc-jp"): "港長は船の長さによってバースを割り当てます。東京",
    ("cp949",): "항만장은 배의 길이에 따라 정박지를 배정합니다. 서울",
    ("big5",): "港口管理員根據船隻的長度分配每個泊位。臺北",
    ("cp1250", "iso8859-2"): "Přístavní mistr přiděluje každé místo; Kroměříž",
    ("cp1250", "iso-8859-2"): "Kapitan portu przydziela miejsce według długości; Łódź",
    ("cp1252", "iso8859-15", "mac-roman"): "Où ça coûte, à l'été, c'est réglé; cœur; Besançon",
    ("cp1252", "mac-roman", "cp850"): "Größere Öffnungszeiten für Gäste; Straße",
    ("cp1254",): "Işık ağaçların arasından geçiyor; Muğla, Çeşme",
    ("cp1253",): "Ο λιμενάρχης ορίζει τη θέση κάθε σκάφους; Αθήνα",
    ("cp1252",): "Price \u00a35, \u00a512; it\u2019s 6 \u20ac",
}


@pytest.mark.parametrize(
    ("encoding", "text"), [(one, text) for many, text in HARBOUR.items() for one in many]
)
def test_a_few_words_without_a_label_are_read_in_any_kind_of_file(encoding: str, text: str) -> None:
    page = f"<html><head><title>Page</title></head><body><p class='a'>{text}</p></body></html>"
    assert read_file(page.encode(encoding)).text == text
    assert read_file(text.encode(encoding), "text").text == text
    assert text in read_file(f'id,name\n1,"{text}"\n'.encode(encoding), "csv").text
    mail = f"From: a@x.test\nSubject: Hello\n\n{text}\n".encode(encoding)
    assert text in read_file(mail, "eml").text


def test_what_is_cut_within_a_character_is_no_other_encoding() -> None:
    text = "港長は船の長さによって割り当てます。" * 9_000
    assert read_file(text.encode("cp932"), "text").text.startswith(text[:1_000])


@pytest.mark.parametrize(
    ("label", "encoding"),
    [
        ("cp819", "cp1252"),
        ("csISOLatin1", "cp1252"),
        ("iso_8859-9", "cp1254"),
        ("tis-620", "cp874"),
        ("ks_c_5601-1987", "cp949"),
        ("x-sjis", "cp932"),
        ("gb_2312-80", "gb18030"),
        ("Big5", "big5hkscs"),
        ("koi", "koi8-r"),
        ("x-mac-cyrillic", "mac-cyrillic"),
        ("utf-16", "cp1251"),
    ],
)
def test_a_label_of_any_age_is_read_as_browsers_do(label: str, encoding: str) -> None:
    texts = {
        "cp1252": "“quoted” – Größe", "cp1254": "“Işık” – ağaç", "cp874": "“เวลาทำการ”",
        "cp949": "똠방각하 펲시", "cp932": "①髙橋", "gb18030": "€ 镕基", "big5hkscs": "港口嘅價錢",
        "koi8-r": RUSSIAN, "mac-cyrillic": RUSSIAN, "cp1251": RUSSIAN,
    }  # fmt: skip
    text = texts[encoding]
    page = f"<html><head><meta charset={label}></head><body><p>{text}</p>"
    assert read_file(page.encode(encoding)).text == text
