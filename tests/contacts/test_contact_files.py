"""What is told of a person, and files of contacts."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_service.access.scope import ALL_BOTS
from rag_service.contacts.fields import read_changes, read_contact
from rag_service.contacts.files import COLUMNS, ContactFile, csv_lines, import_contacts
from rag_service.contacts.store import Contact, ContactChanges, ContactFields, ContactFilter
from rag_service.errors import Invalid

FORMULA = ("=", "+", "-", "@", "\t", "\r")
ALL = ContactFilter()


def refused(body: dict[str, Any], region: str | None = None) -> dict[str, str]:
    with pytest.raises(Invalid) as error:
        read_contact(body, region)
    return error.value.params


# -- fields ------------------------------------------------------------------------------------


def test_an_email_is_kept_as_it_is_written_to():
    for given_, kept in (
        ("ann@example.com", "ann@example.com"),
        (" Ann.Lee@EXAMPLE.com ", "Ann.Lee@example.com"),
        ("ann@mail.test", "ann@mail.test"),
        ("ann+news@example.co.uk", "ann+news@example.co.uk"),
        ("ann@bücher.example", "ann@bücher.example"),
    ):
        assert read_contact({"email": given_}).email == kept


@pytest.mark.parametrize(
    "email", ["ann", "ann@", "ann@localhost", "a@b..com", "Ann <a@b.com>", "a b@c.com", "", 7, []]
)
def test_what_is_no_email_is_refused(email):
    assert list(refused({"email": email})) == ["email"]


def test_a_phone_is_kept_as_an_international_number():
    for phone, region, kept in (
        ("+49 30 123456", None, "+4930123456"),
        ("+1 (415) 555-0123", None, "+14155550123"),
        ("+1 555 123 4567", None, "+15551234567"),
        ("030 123456", "DE", "+4930123456"),
        ("+1 415 555 0123", "DE", "+14155550123"),
    ):
        assert read_contact({"phone": phone}, region).phone == kept
    assert read_contact({"phone": "030 123456", "region": "de"}).phone == "+4930123456"
    assert read_contact({"phone": "(415) 555-0123", "region": "US"}, "DE").phone == "+14155550123"


@pytest.mark.parametrize("phone", ["030 123456", "+1", "+14155550123456", "+999 1", "call me", ""])
def test_a_phone_that_is_impossible_is_refused_with_what_is_wanted(phone):
    faults = refused({"phone": phone})
    assert list(faults) == ["phone"]
    if phone:
        assert faults["phone"] == "must be an international number such as +14155550123"


def test_no_part_of_a_phone_is_lost_silently():
    assert "without an extension" in refused({"phone": "+14155550123 ext. 5"})["phone"]
    assert "country" in refused({"phone": "030 123456", "region": "Germany"})["region"]


def test_a_user_id_is_the_one_at_the_top_or_in_the_metadata():
    for body, user_id in (
        ({"userId": "u1", "metadata": {"userId": "u2"}}, "u1"),
        ({"user_id": "u1"}, "u1"),
        ({"userId": 42}, "42"),
        ({"metadata": {"userId": "u2"}}, "u2"),
        ({"metadata": {"userId": 42}}, "42"),
        ({"email": "a@example.com", "metadata": {"userId": " "}}, None),
        ({"email": "a@example.com", "metadata": {"userId": None}}, None),
        ({"email": "a@example.com", "userId": None, "metadata": {"userId": "u2"}}, None),
    ):
        assert read_contact(body).user_id == user_id
    assert refused({"metadata": {"userId": "u" * 201}}) == {
        "metadata": "has a userId that must have at most 200 characters"
    }


def test_every_field_at_fault_is_named():
    body = {"email": 1, "name": "n" * 201, "phone": [], "userId": {}, "metadata": 5, "region": 1}
    assert set(refused(body)) == set(body)
    assert refused({"name": "a\nb"}).keys() == {"name", "email"}
    assert refused({"name": "Ann", "metadata": {}}).keys() == {"email"}


def test_changes_are_what_is_given_and_null_removes():
    assert read_changes({"other": 1}) == ContactChanges()
    assert read_changes({"name": None, "metadata": {"a": None}}) == ContactChanges(
        name=None, metadata={"a": None}
    )
    assert read_changes({"metadata": {"userId": "u1"}}).user_id == "u1"
    with pytest.raises(Invalid) as error:
        read_changes({"email": "x", "phone": "y"})
    assert set(error.value.params) == {"email", "phone"}


# -- files -------------------------------------------------------------------------------------


def read(text: str | bytes, region: str | None = None) -> list[ContactFields]:
    data = text.encode() if isinstance(text, str) else text
    rows = list(ContactFile(data, region).rows())
    assert [row.error for row in rows] == [""] * len(rows)
    return [row.fields for row in rows if row.fields is not None]


def errors(text: str) -> dict[int, str]:
    return {row.line: row.error for row in ContactFile(text.encode()).rows() if row.error}


def unfit(data: bytes) -> str:
    with pytest.raises(Invalid) as error:
        list(ContactFile(data).rows())
    assert list(error.value.params) == ["file"]
    return str(error.value)


def contact(fields: ContactFields) -> Contact:
    return Contact(
        contact_id="con_1",
        email=fields.email,
        name=fields.name,
        phone=fields.phone,
        user_id=fields.user_id,
        metadata=fields.metadata,
        created_at="2026-05-12T09:00:00.000Z",
        updated_at="2026-05-12T09:00:00.000Z",
        conversations=2,
        status="active",
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_of_any_delimiter_line_end_and_encoding_is_read(delimiter, end, encoding):
    lines = (
        ["Email", "NAME", " phone ", "userId", "Plan"],
        ["ann@example.com", "Änne Müller", "+49 30 123456", "u1", "größer"],
        ["bob@example.com", "", "", "", ""],
    )
    text = end.join(delimiter.join(line) for line in lines) + end
    ann, bob = read(text.encode(encoding))
    assert (ann.email, ann.name, ann.phone) == ("ann@example.com", "Änne Müller", "+4930123456")
    assert (ann.user_id, ann.metadata) == ("u1", {"Plan": "größer"})
    assert bob == ContactFields(email="bob@example.com")


def test_what_old_spreadsheets_write_is_guessed():
    names = ["Änne Müller", "Jörg Groß", "Zoë Díaz", "Bärbel Köhler", "Jürgen Weiß"]
    text = "phone;name\r\n" + "".join(f"+4930123456;{name}\r\n" for name in names * 4)
    assert [fields.name for fields in read(text.encode("cp1252"))] == names * 4


def test_metadata_and_columns_of_others_come_together():
    text = 'email,metadata,Plan,,created_at,contact_id\na@b.com,"{""a"": [1]}",pro,x,2026,con_1\n'
    assert read(text) == [ContactFields(email="a@b.com", metadata={"a": [1], "Plan": "pro"})]


def test_a_national_phone_is_read_by_its_region():
    (ann,) = read("phone\n030 123456\n", "DE")
    assert ann.phone == "+4930123456"


def test_blank_lines_are_no_lines_and_short_ones_are_whole():
    text = "\n\nemail,name,phone\n\n,,\n  \na@b.com\n"
    assert read(text) == [ContactFields(email="a@b.com")]


def test_cells_of_several_lines_keep_the_count_of_lines():
    text = 'email,note\na@b.com,"one\ntwo"\nnobody,x\nc@d.com,y\n'
    assert list(errors(text)) == [4]


def test_a_bad_line_has_its_number_and_reason_and_stops_no_other():
    lines = [
        "email,name,phone,metadata",
        "a@b.com,Ann,,",
        "nobody,,12,nothing",
        "c@d.com,Cy,,,,",
        'e@f.com,"Eve "The Cat" Lee",,',
        'g@h.com,"Gus,,',
        "i@j.com,Ida,,[1]",
        ",Jo,,",
        "k@l.com,Kim,,{}",
    ]
    rows = list(ContactFile("\n".join(lines).encode()).rows())
    assert [row.line for row in rows] == list(range(2, 10))
    assert [row.fields.email for row in rows if row.fields] == ["a@b.com", "k@l.com"]
    reasons = {row.line: row.error for row in rows if row.error}
    for name in ("email", "phone", "metadata"):
        assert f"{name} must be" in reasons[3]
    assert reasons[4] == "has 6 cells where the header has 4"
    assert "expected after" in reasons[5]
    assert reasons[6] == "a quotation mark is opened and not closed"
    assert reasons[7] == "metadata must be an object"
    assert reasons[8] == "email is required where there is neither phone nor userId"


def test_a_cell_without_end_takes_no_other_line_with_it():
    lines = ["email,note", 'a@b.com,"open', *(f"n{n}@b.com,{'x' * 90}" for n in range(3000))]
    rows = list(ContactFile("\n".join(lines).encode()).rows())
    assert [row.line for row in rows if row.error] == [2]
    assert len(rows) == 3001


def test_a_file_that_can_hold_no_contacts_is_refused():
    assert "header that names" in unfit(b"")
    assert "header that names" in unfit(b"a@b.com,Ann\n")
    assert "header that names" in unfit(b"name,metadata\nAnn,{}\n")
    assert "two columns 'email'" in unfit(b"email,EMAIL\n")
    assert "two columns 'Plan'" in unfit(b"email,Plan,Plan\n")
    assert "header that cannot be read" in unfit(b'email,"name\n')
    assert "neither text" in unfit(b"\x00\x01\x02\x03" * 99)
    assert read("email\n") == []


def test_no_cell_of_an_export_is_a_formula():
    texts = ["=1+1", "+1", "-1", "@SUM(A1)", "'=1", "''", "'x", "fine", '"quoted", cell']
    contacts = [
        contact(ContactFields(name=text, phone="+4930123456", user_id=text)) for text in texts
    ]
    text = "".join(csv_lines([contacts]))
    assert text.startswith("\ufeff")  # Excel would take it for another encoding
    rows = list(csv.DictReader(io.StringIO(text[1:], newline="")))
    assert list(rows[0]) == list(COLUMNS)
    assert not any(cell.startswith(FORMULA) for row in rows for cell in row.values())
    assert rows[0]["phone"] == "'+4930123456"
    assert [row["name"] for row in rows[5:]] == texts[5:]
    assert [fields.name for fields in read(text)] == texts


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
_AWKWARD = st.one_of(_TEXT, _TEXT.map(lambda text: f"={text}"), _TEXT.map(lambda text: f"'+{text}"))
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def _known(draw: st.DrawFn) -> ContactFields:
    """Somebody as a client may describe them; what is refused is described anew."""
    body = {
        "email": draw(st.none() | st.sampled_from(["a@b.com", "Ünï@bücher.example", "-x@y.test"])),
        "name": draw(st.none() | _AWKWARD),
        "phone": draw(st.none() | st.sampled_from(["+4930123456", "+14155550123"])),
        "userId": draw(st.none() | _AWKWARD),
        "metadata": draw(st.dictionaries(_TEXT, _JSON.filter(lambda of: of is not None))),
    }
    try:
        return read_contact(body)
    except Invalid:
        name = draw(st.sampled_from(["=Ann", "'Ann", "Ann, Lee", 'Ann "A"']))
        return ContactFields(email="a@b.com", name=name, metadata=body["metadata"])


@given(st.lists(_known(), max_size=5))
def test_what_is_exported_is_read_again_as_it_was(known):
    text = "".join(csv_lines([[contact(fields) for fields in known]]))
    assert read(text) == known


# -- imports -----------------------------------------------------------------------------------


def test_an_import_counts_what_it_did_and_tells_how_far_it_is(service):
    lines = ["email,name", *(f"n{n}@example.com,N{n}" for n in range(1200)), "nobody,x"]
    done: list[int] = []

    def run(text: str) -> Any:
        return import_contacts(
            service.store.contacts, ALL_BOTS, ContactFile(text.encode()), done.append
        )

    report = run("\n".join(lines))
    assert (report.created, report.updated, report.unchanged, report.failed) == (1200, 0, 0, 1)
    assert [error.line for error in report.errors] == [1202]
    assert sum(done) == 1202
    assert len(done) > 2
    report = run("email,name\nn0@example.com,\nn1@example.com,New\nnew@example.com,\n")
    assert (report.created, report.updated, report.unchanged, report.failed) == (1, 1, 1, 0)


def test_an_export_that_is_imported_again_changes_nothing(service):
    people = (
        {"email": "Ann@example.com", "name": "=Ann", "metadata": {"a": {"b": None}}},
        {"phone": "+49 30 123456", "name": "Bob"},
        {"userId": "u1", "metadata": {"userId": "another"}},
    )
    for body in people:
        service.store.contacts.add(ALL_BOTS, read_contact(body))

    def exported() -> bytes:
        return "".join(
            csv_lines(service.store.contacts.export(ALL_BOTS, ALL, ascending=True))
        ).encode()

    before = exported()
    report = import_contacts(service.store.contacts, ALL_BOTS, ContactFile(before))
    assert (report.unchanged, report.created, report.updated, report.failed) == (3, 0, 0, 0)
    assert exported() == before


def test_only_the_first_thousand_errors_are_told(service):
    text = "email\n" + "nobody\n" * 1100
    report = import_contacts(service.store.contacts, ALL_BOTS, ContactFile(text.encode()))
    assert (report.failed, len(report.errors)) == (1100, 1000)
    assert report.errors[-1].line == 1001
