"""Mailboxes: each mail is a document under a key that stays, and what is none is told."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from promises import refusal

from rag_service.documents import Document
from rag_service.errors import Unreadable
from rag_service.readers import parse
from rag_service.readers.containers import ALL, Push, Within, pushes_of
from rag_service.readers.mbox import Mailbox
from rag_service.sources.folder import Defaults, Sources

FROM = "From ann@harbour.example Mon Jan  1 10:00:00 2024\n"
DATE = "Date: Mon, 01 Jan 2024 10:00:00 +0000\n"


def mail(subject: str, body: str = "Hello.", id: str = "", more: str = "") -> str:
    key = f"Message-ID: <{id}>\n" if id else ""
    return f"From: Ann <ann@harbour.example>\nSubject: {subject}\n{DATE}{key}{more}\n{body}\n"


def mailbox(*mails: str, separator: str = FROM) -> bytes:
    return "".join(f"{separator}{one}\n" for one in mails).encode()


def pushes(data: bytes, name: str = "in.mbox", within: Within = ALL) -> list[Push]:
    return list(pushes_of(name, data, "upload://in.mbox", within))


def read(push: Push) -> tuple[str, str]:
    """Its title, and its text below the headers."""
    content, format = push["content"], push["format"]
    parsed = parse(Document(source_url="mail", content=content, format=format))
    return parsed.title, parsed.text.partition("\n\n")[2]


def reason(read: Callable[[], object]) -> str:
    """Why it is refused."""
    with pytest.raises(Unreadable) as caught:
        read()
    return caught.value.reason


def told(data: bytes) -> list[str]:
    box = Mailbox(data)
    list(box.mails())
    return [kind.sentence for kind in box.left_out]


def keys(data: bytes) -> list[str]:
    return [one.key for one in Mailbox(data).mails()]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "separator",
    [
        FROM,
        "From - Mon Jan 01 10:00:00 2024\n",
        "From 1787@xxx Mon Jan 01 10:00:00 +0000 2024\n",
        "From ann at harbour.example  Mon Jan  1 10:00:00 2024\n",
        "From MAILER-DAEMON Mon Jan  1 10:00 2024\n",
        "From \n",
        "From nobody\n",
    ],
)
def test_each_mail_is_a_document(separator: str, end: str) -> None:
    data = mailbox(mail("Fees", "Pay in March.", "a@x"), mail("Dogs"), separator=separator)
    first, second = pushes(data.replace(b"\n", end.encode()))
    assert read(first) == ("Fees", "Pay in March.")
    assert read(second) == ("Dogs", "Hello.")
    assert first["source_url"] == "upload://in.mbox#message-a@x"


def test_keys_stay_wherever_a_mail_stands() -> None:
    mails = [mail("A", id="a@x"), mail("B"), mail("C", id="<c d@x"), mail("D", id="d" * 900)]
    mails += [mail("E", more="Message-Id:\n <e@x>\n"), mail("F", "Message-ID: <g@x>")]
    found = keys(mailbox(*mails))
    assert sorted(keys(mailbox(*reversed(mails)))) == sorted(found)
    assert keys(mailbox(*mails[2:])) == found[2:]
    assert len(set(found)) == 6
    assert found[0] == "a@x" and found[4] == "e@x"
    assert len(found[3]) == len(found[5]) == 32


def test_of_mails_with_one_message_id_each_is_kept_and_a_copy_is_told() -> None:
    data = mailbox(mail("A", id="a@x"), mail("B", id="a@x"), mail("A", id="a@x"))
    first, second = keys(data)
    assert first == "a@x" and second.startswith("a@x-")
    assert told(data) == ["1 copy of another mail"]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (">From here on.", "From here on."),
        (">>From here on.", ">From here on."),
        ("> From here on.", "> From here on."),
        ("x >From here on.", "x >From here on."),
    ],
)
def test_one_mark_of_a_quoted_line_is_taken_off(written: str, shown: str) -> None:
    first, _ = Mailbox(mailbox(mail("A", f"Well.\n{written}\nEnd."), mail("B"))).mails()
    assert f"\n{shown}\n" in first.data.decode()


def test_a_sentence_that_begins_with_from_begins_no_mail() -> None:
    body = "Hello.\n\nFrom now on we pay:\nlater\n\nFrom 9:30 to 10:15\nnobody is here.\n\nFrom A"
    first, second = pushes(mailbox(mail("A", body), mail("B")))
    assert "nobody is here." in read(first)[1]
    assert read(second)[0] == "B"


def test_a_mail_begins_without_a_blank_line_before_it_where_its_line_has_a_time() -> None:
    data = (FROM + mail("A").rstrip() + "\n" + FROM + mail("B")).encode()
    assert [read(push)[0] for push in pushes(data)] == ["A", "B"]


def test_deleted_mails_and_those_of_programs_are_no_documents() -> None:
    data = mailbox(
        mail("DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA"),
        mail("Gone", more="X-Mozilla-Status: 0009\n"),
        mail("Kept", more="X-Mozilla-Status: 0001\n"),
    )
    [push] = pushes(data)
    assert read(push)[0] == "Kept"
    assert [kind["one"] for kind in push["left_out"]] == ["deleted mail"]
    gone = mailbox(mail("Gone", more="X-Mozilla-Status: 0008\n"))
    assert "without mails: left out were 1 deleted mail" in reason(lambda: pushes(gone))


def test_a_broken_mail_is_refused_by_itself() -> None:
    broken = "Content-Type: text/plain\n\nNobody wrote this.\n"
    first, second, third = pushes(mailbox(mail("A"), broken, mail("B")))
    assert "is no email" in reason(lambda: read(second))
    assert [read(first)[0], read(third)[0]] == ["A", "B"]


def _with_list(subject: str) -> str:
    body = "--x\n\nSee it.\n--x\nContent-Disposition: attachment; filename=list.csv\n\na,b\n--x--"
    more = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n"
    return mail(subject, body, f"{subject}@x", more)


def test_attachments_are_documents_where_they_are_wanted() -> None:
    data = mailbox(_with_list("A"), mail("Broken", "\n--" * 1_001), _with_list("B"))
    assert len(pushes(data)) == 3
    found = pushes(data, within=Within(attachments=True))
    assert [push["source_url"].partition("#")[2] for push in found] == [
        "message-A@x",
        "message-A@x#attachment-1-list.csv",
        found[2]["source_url"].partition("#")[2],
        "message-B@x",
        "message-B@x#attachment-1-list.csv",
    ]
    assert found[1]["content"].strip() == b"a,b"


@pytest.mark.parametrize("name", ["list.txt", "saved.eml"])
def test_a_mailbox_of_another_name_is_known_by_its_content(name: str) -> None:
    assert [read(push)[0] for push in pushes(mailbox(mail("A"), mail("B")), name)] == ["A", "B"]
    [alone] = pushes(mailbox(mail("A")), name)
    assert alone["source_url"] == "upload://in.mbox"
    [text] = pushes(b"From me to you at 9:30\nfrom: here", "list.txt")
    assert text["format"] == "text"


def test_a_single_push_of_a_mailbox_is_refused_with_what_to_do() -> None:
    data = mailbox(mail("A"), mail("B"))
    assert "upload it as a file that is called .mbox" in refusal(data)
    assert "upload it as a file that is called .mbox" in refusal(data, "eml")


@pytest.mark.parametrize("data", [b"", b"Hello.", b"Hello.\n\n" + mailbox(mail("A")), b"From a\n"])
def test_what_is_no_mailbox_is_refused(data: bytes) -> None:
    assert "is no mailbox" in reason(lambda: pushes(data))


def test_a_folder_gives_the_mails_of_its_mailboxes_and_its_books(tmp_path: Path) -> None:
    (tmp_path / "In.MBOX").write_bytes(mailbox(mail("A", id="a@x"), mail("B", id="b@x")))
    (tmp_path / "book.epub").write_bytes(b"PK")
    defaults = Defaults(bot_id=None, content_type=None, longest=1_000_000)
    lines = Sources([tmp_path], defaults).lines()
    names = [(line.source_url or "").rpartition("/")[2] for line in lines]
    assert names == ["In.MBOX#message-a@x", "In.MBOX#message-b@x", "book.epub"]


BODIES = st.lists(
    st.sampled_from(("From here", ">From a 10:00", "", "Subject: x", "Hello.", ">>From ")),
    min_size=1,
    max_size=8,
)


@given(st.lists(BODIES, min_size=1, max_size=4), st.sampled_from(("\n", "\r\n")))
def test_what_was_quoted_comes_back_as_it_was(bodies: Sequence[list[str]], end: str) -> None:
    quoted = [
        "\n".join(f">{line}" if line.lstrip(">").startswith("From ") else line for line in lines)
        for lines in bodies
    ]
    mails = [mail(f"Mail {n}", body, f"{n}@x") for n, body in enumerate(quoted)]
    data = mailbox(*mails).replace(b"\n", end.encode())
    found = [one.data.decode().replace("\r\n", "\n").rstrip("\n") for one in Mailbox(data).mails()]
    originals = ["\n".join(lines) for lines in bodies]
    assert found == [
        mail(f"Mail {n}", body, f"{n}@x").rstrip("\n") for n, body in enumerate(originals)
    ]


@given(st.binary(max_size=200), st.integers(0, 400))
def test_damaged_mailboxes_are_read_or_refused(noise: bytes, at: int) -> None:
    whole = mailbox(_with_list("A"), mail("B", id="b@x"))
    try:
        found = pushes(whole[:at] + noise + whole[at:], within=Within(attachments=True))
    except Unreadable as error:
        assert error.reason
    else:
        assert len({push["source_url"] for push in found}) == len(found)
