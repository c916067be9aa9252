"""Mails: all that was said is read once, in order, whatever program wrote them."""

import base64
import quopri
from email.message import EmailMessage

import pytest
from promises import blocks, read_file, refusal

from rag_service.readers.email import MOST_NESTED, attachments_of

HEAD = b"From: a@b.example\r\nSubject: Boats\r\nMIME-Version: 1.0\r\n"


def mail(*parts: bytes, kind: str = "mixed") -> bytes:
    body = b"".join(b"--x\r\n" + part + b"\r\n" for part in parts)
    return (
        HEAD + f"Content-Type: multipart/{kind}; boundary=x\r\n\r\n".encode() + body + b"--x--\r\n"
    )


def part(text: str, kind: str = "text/plain", more: str = "") -> bytes:
    return f"Content-Type: {kind}; charset=utf-8\r\n{more}\r\n{text}".encode()


def said(data: bytes) -> list[str]:
    """Below the headers."""
    return [block[2] for block in blocks(read_file(data, "eml"))][1:]


HTML = part("<p>The boat leaves at 10:15 from pier 3.</p>", "text/html")


@pytest.mark.parametrize("plain", ["", " \r\n", "\u00a0", "Your program cannot show this."])
@pytest.mark.parametrize("kind", ["alternative", "mixed"])
def test_a_plain_part_that_says_less_does_not_hide_the_html(plain: str, kind: str) -> None:
    for parts in ((part(plain), HTML), (HTML, part(plain))):
        assert "The boat leaves at 10:15 from pier 3." in said(mail(*parts, kind=kind))


def test_of_two_ways_to_say_the_same_one_is_read() -> None:
    data = mail(part("The boat leaves at 10:15 from pier 3."), HTML, kind="alternative")
    assert said(data) == ["The boat leaves at 10:15 from pier 3."]


def test_all_text_parts_stand_in_their_order() -> None:
    assert said(mail(part("One."), HTML, part("Two."))) == [
        "One.",
        "The boat leaves at 10:15 from pier 3.",
        "Two.",
    ]


def test_a_forwarded_mail_is_read_below_its_subject() -> None:
    inner = HEAD.replace(b"Boats", b"Gate") + b"\r\nThe code is 7431."
    for kind in (b"Content-Type: message/rfc822\r\n\r\n", b""):
        data = mail(part("See below."), kind + inner, kind="mixed" if kind else "digest")
        if not kind:
            data = mail(b"\r\n" + inner, kind="digest")
        assert "The code is 7431." in said(data)
        assert ("Gate",) in [block[1] for block in blocks(read_file(data, "eml"))]


def test_mails_within_mails_end_somewhere_and_are_told() -> None:
    message = EmailMessage()
    message["Subject"] = "innermost"
    message.set_content("deep")
    for n in range(12):
        outer = EmailMessage()
        outer["Subject"] = f"mail {n}"
        outer.set_content("see")
        outer.add_attachment(message)
        message = outer
    parsed = read_file(message.as_bytes(), "eml")
    assert [kind.many for kind in parsed.left_out] == ["mails within mails"]


@pytest.mark.parametrize(
    ("label", "encoding"),
    [("iso-8859-1", "cp1252"), ("iso-8859-1", "utf-8"), ("us-ascii", "utf-8"), ("", "cp1252")],
)
def test_the_text_is_what_its_bytes_say_whatever_the_label(label: str, encoding: str) -> None:
    text = (
        "On est ouvert\u00a0: une cr\u00eape co\u00fbte 4 \u20ac \u2014 le quai "
        "\u201cbleu\u201d est ferm\u00e9 l\u2019\u00e9t\u00e9."
    )
    head = f"Content-Type: text/plain; charset={label}\r\n" if label else ""
    data = HEAD + head.encode() + b"\r\n" + text.encode(encoding)
    assert said(data) == [text]


def test_lines_that_flow_are_joined() -> None:
    data = HEAD + b"Content-Type: text/plain; format=flowed\r\n\r\nThe boat \r\nleaves.\r\n\r\nBye."
    assert said(data) == ["The boat leaves.", "Bye."]


def test_an_invitation_says_what_when_and_where() -> None:
    event = part(
        "BEGIN:VEVENT\r\nSUMMARY:Regatta\r\nDTSTART;TZID=Europe/Berlin:20240601T100000\r\n"
        "LOCATION:Pier\\, north\r\nEND:VEVENT",
        "text/calendar",
    )
    assert said(mail(part("Come!"), event)) == [
        "Come!",
        "Summary: Regatta\nDtstart: 20240601T100000\nLocation: Pier, north",
    ]


def test_what_is_attached_is_named_and_can_be_read_by_itself() -> None:
    csv = part("a,b", "text/csv", "Content-Disposition: attachment; filename=list.csv\r\n")
    data = mail(part("See the list."), csv)
    assert said(data) == ["See the list.", "Attachments: list.csv"]
    assert list(attachments_of(data)) == [("list.csv", b"a,b")]


def test_an_encrypted_mail_is_refused_and_an_encrypted_part_is_told() -> None:
    secret = b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\nx"
    assert "encrypted" in refusal(HEAD + secret, "eml")
    parsed = read_file(mail(part("Read this."), secret), "eml")
    assert [kind.one for kind in parsed.left_out] == ["encrypted part of a mail"]


def test_words_that_only_the_other_version_has_are_told() -> None:
    html = part("<p>The boat leaves at 10:15 from pier 3.</p><p>Bring a coat.</p>", "text/html")
    plain = part("The boat leaves at 10:15 from pier 3. Unsubscribe")
    parsed = read_file(mail(plain, html, kind="alternative"), "eml")
    assert "Bring a coat." in parsed.text
    assert "Unsubscribe" not in parsed.text
    assert [(kind.count, kind.one[:7]) for kind in parsed.left_out] == [(1, "word of")]


@pytest.mark.parametrize("coding", ["base64", "quoted-printable"])
def test_a_forwarded_mail_is_read_though_it_is_encoded(coding: str) -> None:
    inner = HEAD.replace(b"Boats", b"Gate") + b"\r\nThe code is 7431 = four digits."
    packed = base64.encodebytes(inner) if coding == "base64" else quopri.encodestring(inner)
    head = f"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: {coding}\r\n\r\n"
    assert "The code is 7431 = four digits." in said(mail(part("See."), head.encode() + packed))


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_raw_letters_in_a_header_are_read(encoding: str) -> None:
    data = HEAD.replace(b"Boats", "Gr\u00fc\u00dfe".encode(encoding)) + b"\r\nText."
    assert read_file(data, "eml").title == "Gr\u00fc\u00dfe"


def test_lines_that_flow_may_have_a_blank_that_is_none() -> None:
    head = b"Content-Type: text/plain; charset=utf-8; format=flowed; delsp=yes\r\n\r\n"
    text = "\u65e5\u672c \r\n\u8a9e\u3067\u3059\u3002\r\n"
    assert said(HEAD + head + text.encode()) == ["\u65e5\u672c\u8a9e\u3067\u3059\u3002"]


def test_a_mail_within_its_signature_is_told() -> None:
    signed = b"Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n\r\nx"
    parsed = read_file(mail(part("Read this."), signed), "eml")
    [told] = parsed.left_out
    assert told.sentence.startswith("1 mail within a signature (opaque S/MIME)")
    assert "Read this." in parsed.text


@pytest.mark.parametrize(
    ("content_type", "is_signed"),
    [("1.2.840.113549.1.7.2", True), ("1.2.840.113549.1.7.3", False)],
)
def test_a_sealed_mail_without_a_label_is_told_by_its_content(
    content_type: str, is_signed: bool
) -> None:
    last = int(content_type.rpartition(".")[2])
    sealed = bytes.fromhex("3080 0609 2a864886f70d0107") + bytes([last]) + b"\xa0\x80" + bytes(99)
    head = b"Content-Type: application/x-pkcs7-mime; name=smime.p7m\r\n"
    body = head + b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(sealed)
    if is_signed:
        [told] = read_file(HEAD + body, "eml").left_out
        assert "opaque S/MIME" in told.sentence
    else:
        assert "encrypted" in refusal(HEAD + body, "eml")


@pytest.mark.timeout(60)
@pytest.mark.parametrize("deep", [25, 31, 400])
def test_parts_within_parts_are_read_once_or_refused(deep: int) -> None:
    words = " ".join(f"word{n}" for n in range(40_000))
    data = part(f"<p>{words}</p>", "text/html")
    for n in range(deep):
        head = f"Content-Type: multipart/alternative; boundary=b{n}\r\n\r\n--b{n}\r\n"
        data = head.encode() + data + f"\r\n--b{n}--\r\n".encode()
    if deep < MOST_NESTED:
        assert "word39999" in read_file(HEAD + data, "eml").text
    else:
        assert "within parts" in refusal(HEAD + data, "eml")


def test_a_date_that_no_calendar_has_is_no_date() -> None:
    date = b"Date: Mon, 99999999999999999999 Jan 2024 10:00:00 +0000\r\n"
    assert said(HEAD + date + b"\r\nThe boat leaves.") == ["The boat leaves."]
