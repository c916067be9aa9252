"""/contacts over HTTP: fields, pages, links to conversations, files, and deletes that are real."""

import csv
import io

import pytest
from test_transcripts import left_after_upkeep, say, traces

from rag_service.assembly import assemble

BOTH = pytest.mark.parametrize("mount", ["", "/api/v1"])


def ok(answer, status=200):
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert (body["success"], body["error"]) == (True, None)
    return body["data"]


def refused(answer, status, code):
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert (body["success"], body["data"], body["error"]["code"]) == (False, None, code)
    return body["error"]["message"]


def add(client, **fields):
    return ok(client.post("/contacts", json=fields), 201)


def page(client, **query):
    return ok(client.get("/contacts", params=query))


def emails(client, **query):
    return [contact["email"] for contact in page(client, **query)["contacts"]]


def told(client):
    answer = client.get("/events", params={"types": "contact.created,contact.updated"}).json()
    return [(event["type"], event["data"]["contact"]) for event in answer["data"]["events"]]


# -- one contact --------------------------------------------------------------------------------


@BOTH
def test_a_contact_is_made_read_changed_and_deleted(client, mount):
    body = {
        "email": " Ann@EXAMPLE.com",
        "name": "Ann Lee",
        "phone": "+1 (415) 555-0123",
        "metadata": {"plan": "pro", "userId": "user_789"},
    }
    made = ok(client.post(f"{mount}/contacts", json=body), 201)
    assert made["id"].startswith("con_")
    assert made["createdAt"] == made["updatedAt"]
    assert made["createdAt"].endswith("Z")
    assert made == {
        "id": made["id"],
        "email": "Ann@example.com",
        "name": "Ann Lee",
        "phone": "+14155550123",
        "userId": "user_789",
        "metadata": body["metadata"],
        "conversations": 0,
        "createdAt": made["createdAt"],
        "updatedAt": made["updatedAt"],
    }
    path = f"{mount}/contacts/{made['id']}"
    assert ok(client.get(path)) == made
    listed = ok(client.get(f"{mount}/contacts"))
    assert listed == {
        "contacts": [made],
        "pagination": {"page": 1, "limit": 20, "total": 1, "hasMore": False},
    }
    changes = {"phone": None, "metadata": {"plan": None, "seats": 3}, "other": 1}
    changed = ok(client.patch(path, json=changes))
    assert (changed["phone"], changed["name"]) == (None, "Ann Lee")
    assert changed["metadata"] == {"userId": "user_789", "seats": 3}
    assert ok(client.delete(path)) == {
        "id": made["id"],
        "deleted": True,
        "conversationsDeleted": 0,
    }
    for method in ("GET", "PATCH", "DELETE"):
        refused(client.request(method, path, json={}), 404, "NOT_FOUND")
    refused(client.get(f"{path}/conversations"), 404, "NOT_FOUND")


def test_what_is_wrong_is_named(client):
    body = {"email": "ann", "name": [5], "phone": "030 123456", "userId": [], "metadata": [1]}
    message = refused(client.post("/contacts", json=body), 400, "INVALID_REQUEST")
    for name in body:
        assert f"{name}: must" in message
    assert "+14155550123" in message
    message = refused(client.post("/contacts", json={"name": "Ann"}), 400, "INVALID_REQUEST")
    assert message.startswith("email: is required")
    refused(client.post("/contacts", content=b"[]"), 400, "INVALID_REQUEST")
    made = add(client, email="a@example.com")
    path = f"/contacts/{made['id']}"
    refused(client.patch(path, json={"email": None}), 400, "INVALID_REQUEST")
    refused(client.patch(path, json={"email": "x"}), 400, "INVALID_REQUEST")
    refused(client.delete(path, params={"conversations": "perhaps"}), 400, "INVALID_REQUEST")
    assert ok(client.get(path)) == made
    for query in ({"page": "0"}, {"limit": "101"}, {"order": "up"}, {"search": "x" * 201}):
        (name,) = query
        message = refused(client.get("/contacts", params=query), 400, "INVALID_REQUEST")
        assert message.startswith(f"{name}: ")


def test_an_email_that_is_taken_is_a_conflict(client):
    first = add(client, email="ann@example.com")
    message = refused(client.post("/contacts", json={"email": "ANN@example.com"}), 409, "CONFLICT")
    assert first["id"] in message
    other = add(client, phone="+14155550123")
    path = f"/contacts/{other['id']}"
    refused(client.patch(path, json={"email": "Ann@Example.com"}), 409, "CONFLICT")
    assert ok(client.get(path)) == other


def test_a_phone_of_a_region_needs_no_plus(client):
    assert add(client, phone="030 123456", region="DE")["phone"] == "+4930123456"


def test_changes_are_events_and_the_same_again_is_none(client):
    made = add(client, email="ann@example.com")
    path = f"/contacts/{made['id']}"
    same = ok(client.patch(path, json={"email": "ann@example.com", "name": None}))
    assert same == made
    ok(client.patch(path, json={"name": "Ann"}))
    (created, first), (updated, then) = told(client)
    assert (created, updated) == ("contact.created", "contact.updated")
    assert set(first) == {
        "contact_id",
        "email",
        "name",
        "phone",
        "user_id",
        "metadata",
        "created_at",
        "updated_at",
    }
    assert (first["contact_id"], first["name"], then["name"]) == (made["id"], None, "Ann")
    ok(client.delete(path))
    assert told(client) == []


# -- pages --------------------------------------------------------------------------------------


def test_pages_are_everything_the_newest_first(client):
    wanted = [f"n{number}@example.com" for number in range(7)]
    for email in wanted:
        add(client, email=email)
    assert emails(client) == wanted[::-1]
    assert emails(client, order="asc") == wanted
    for order, all_ in (("asc", wanted), ("desc", wanted[::-1])):
        pages = [page(client, limit=3, page=number, order=order) for number in (1, 2, 3, 4)]
        assert [one["pagination"]["hasMore"] for one in pages] == [True, True, False, False]
        assert {one["pagination"]["total"] for one in pages} == {7}
        assert [c["email"] for one in pages for c in one["contacts"]] == all_


def test_a_search_finds_parts_of_every_field(client):
    add(client, email="ann@example.com", name="Änne", phone="+14155550123")
    add(client, email="bob@example.com", userId="User_7")
    for search, found in (
        ("ANN@", ["ann@example.com"]),
        ("änn", ["ann@example.com"]),
        ("4155550", ["ann@example.com"]),
        ("user_7", ["bob@example.com"]),
        ("example", ["bob@example.com", "ann@example.com"]),
        ("%", []),
    ):
        assert emails(client, search=search) == found, search


# -- conversations ------------------------------------------------------------------------------


def test_conversations_of_both_dialects_are_linked(client):
    assert client.post("/bots", json={"id": "two"}).status_code == 201
    contact = add(client, userId="u1")
    body = {"message": "Hello there", "metadata": {"userId": "u1"}}
    asked = client.post("/chat/two/message", json=body).json()["data"]
    say(client, "s1", "Good morning")  # by u1
    say(client, "s2", "An agent", "agent")
    say(client, "s3", "Somebody else", sender_id="u2")
    path = f"/contacts/{contact['id']}"
    linked = ok(client.get(f"{path}/conversations"))
    assert linked["pagination"] == {"page": 1, "limit": 20, "total": 2, "hasMore": False}
    first, second = linked["conversations"]
    assert (first["botId"], first["id"], first["messageCount"]) == ("default", "s1", 1)
    assert second == {
        "botId": "two",
        "id": asked["conversationId"],
        "title": None,
        "preview": "Hello there",
        "messageCount": 2,
        "metadata": {},
        "createdAt": second["createdAt"],
        "updatedAt": second["updatedAt"],
    }
    one = ok(client.get(f"{path}/conversations", params={"limit": 1, "page": 2}))
    assert one["conversations"] == [second]
    assert ok(client.get(path))["conversations"] == 2
    assert page(client)["contacts"][0]["conversations"] == 2


@pytest.mark.parametrize("where", ["query", "body"])
def test_a_delete_takes_the_conversations_when_told(client, where):
    contact = add(client, userId="u1")
    say(client, "s1", "mine")
    say(client, "s2", "not mine", sender_id="u2")
    given = {"params": {"conversations": "true"}}
    if where == "body":
        given = {"json": {"conversations": True}}
    gone = ok(client.request("DELETE", f"/contacts/{contact['id']}", **given))
    assert gone["conversationsDeleted"] == 1
    assert client.get("/chat/default/conversations/s1").status_code == 404
    assert client.get("/chat/default/conversations/s2").status_code == 200


def test_a_delete_without_conversations_leaves_them(client):
    contact = add(client, userId="u1")
    say(client, "s1", "mine")
    assert ok(client.delete(f"/contacts/{contact['id']}"))["conversationsDeleted"] == 0
    assert client.get("/chat/default/conversations/s1").status_code == 200


def test_a_delete_leaves_nothing_in_any_table_or_file(client, settings):
    secret = "zanzibar"
    contact = add(
        client,
        email=f"{secret}1@example.com",
        name=secret,
        userId=f"{secret}2",
        metadata={secret: secret},
    )
    path = f"/contacts/{contact['id']}"
    ok(client.patch(path, json={"email": f"{secret}3@example.com", "name": f"{secret}4"}))
    message = say(client, "s1", f"I am {secret}", sender_id=f"{secret}2")
    note = {"message_id": message["id"], "language": "de", "text": secret}
    assert client.post("/transcripts/translations", json=note).status_code == 200
    tables = {"contacts", "conversation_users", "events", "messages", "translations"}
    assert tables <= set(traces(settings, secret.encode()))
    assert ok(client.delete(path, params={"conversations": "1"}))["conversationsDeleted"] == 1
    assert left_after_upkeep(settings, secret.encode()) == []
    assert secret not in client.get("/events", params={"limit": 1000}).text


# -- files --------------------------------------------------------------------------------------


def send(client, text, **query):
    data = text.encode() if isinstance(text, str) else text
    return client.post(
        "/contacts/import", content=data, params=query, headers={"Content-Type": "text/csv"}
    )


@BOTH
def test_a_file_is_imported_line_by_line(client, mount):
    add(client, email="ann@example.com", name="Ann", phone="+14155550123")
    text = "\r\n".join(
        [
            "Email;Name;userId;Plan",
            "ANN@example.com;Anna;;pro",
            "nobody;Bob;;",
            "cy@example.com;Cy;u7;",
            ";;u7;free",
            "",
        ]
    )
    answer = client.post(
        f"{mount}/contacts/import", content=text.encode(), headers={"Content-Type": "text/csv"}
    )
    report = ok(answer)
    (error,) = report.pop("errors")
    assert report == {"created": 1, "updated": 2, "unchanged": 0, "failed": 1}
    assert error["line"] == 3
    assert error["reason"].startswith("email must be an address")
    cy, ann = page(client)["contacts"]
    assert (ann["email"], ann["name"], ann["phone"]) == ("ANN@example.com", "Anna", "+14155550123")
    assert (ann["metadata"], cy["metadata"], cy["userId"]) == (
        {"Plan": "pro"},
        {"Plan": "free"},
        "u7",
    )


def test_a_file_comes_as_a_form_too(client):
    files = {"file": ("contacts.csv", b"phone,name\n030 123456,Ann\n", "text/csv")}
    report = ok(client.post("/contacts/import", files=files, data={"region": "de"}))
    assert report["created"] == 1
    assert page(client)["contacts"][0]["phone"] == "+4930123456"
    two = [("file", ("a.csv", b"email\n")), ("file", ("b.csv", b"email\n"))]
    for given in ({"files": two}, {"files": {"region": (None, "DE")}}):
        message = refused(client.post("/contacts/import", **given), 400, "INVALID_REQUEST")
        assert message == "file: has to be one file"


def test_a_file_that_is_none_is_refused(client):
    for data in (b"", b"Ann,Bob\n", b"\x00\x01\x02" * 99, b'{"email": 1}'):
        assert refused(send(client, data), 400, "INVALID_REQUEST").startswith("file: ")
    assert refused(send(client, "email\n", region="Mars"), 400, "INVALID_REQUEST").startswith(
        "region: "
    )
    assert ok(send(client, "email\n"))["created"] == 0


def test_an_export_has_all_that_match_no_formula_and_comes_back(client):
    names = ["=1+1", "+1", "-1", "@SUM(A1)", 'a "quoted", cell', "'=x", "fine"]
    for number, name in enumerate(names):
        add(client, email=f"n{number}@example.com", name=name, phone="+14155550123")
    add(client, email="other@example.org")
    query = {"search": "example.com", "order": "asc", "limit": 2}
    answer = client.get("/contacts", params=query, headers={"Accept": "text/csv"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    assert 'filename="contacts.csv"' in answer.headers["content-disposition"]
    lines = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"), newline="")))
    assert [line["email"] for line in lines] == [f"n{n}@example.com" for n in range(len(names))]
    for line in lines:
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in line.values())
    before = page(client)
    report = ok(send(client, answer.text))
    assert (report["unchanged"], report["failed"]) == (len(names), 0)
    assert page(client) == before
    for contact in before["contacts"]:
        ok(client.delete(f"/contacts/{contact['id']}"))
    assert ok(send(client, answer.text))["created"] == len(names)
    assert [contact["name"] for contact in page(client, order="asc")["contacts"]] == names


# -- access -------------------------------------------------------------------------------------

ROUTES = (
    ("GET", "/contacts"),
    ("POST", "/contacts"),
    ("POST", "/contacts/import"),
    ("GET", "/contacts/con_1"),
    ("PATCH", "/contacts/con_1"),
    ("DELETE", "/contacts/con_1"),
    ("GET", "/contacts/con_1/conversations"),
)


def test_contacts_are_for_admins_of_all_bots(client, settings):
    with assemble(settings) as service:
        others = [
            service.access.create("scoped", ["knowledge", "transcripts", "chat"]),
            service.access.create("bound", ["admin"], bot_id="default"),
        ]
    for token in others:
        headers = {"Authorization": f"Bearer {token}"}
        for method, path in ROUTES:
            refused(client.request(method, path, headers=headers), 403, "FORBIDDEN")
    for method, path in ROUTES:
        answer = client.request(method, path, headers={"Authorization": "Bearer x"})
        refused(answer, 401, "INVALID_API_KEY")
