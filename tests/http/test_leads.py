"""/leads over HTTP: contacts by what became of their conversations."""

import pytest
from test_contacts import add
from test_transcripts import delete, faults, say

from rag_service.assembly import assemble


def leads(client, **query):
    answer = client.get("/leads", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(client, **query):
    return [lead["user_id"] for lead in leads(client, **query)["leads"]]


@pytest.fixture
def people(client):
    """An orphan, one who talks, and one whose conversation is deleted."""
    for user in ("orphan", "talks", "gone"):
        add(client, userId=user, email=f"{user}@example.com")
    say(client, "s1", "Hello", sender_id="talks")
    say(client, "s2", "Hello", sender_id="gone")
    assert delete(client, ["s2"]).status_code == 200


@pytest.mark.parametrize("mount", ["", "/wp-json/mxchat/v1"])
def test_a_lead_has_every_field_of_its_contact(client, mount):
    made = add(client, email="ann@example.com", name="Ann", phone="+14155550123", userId="u1")
    assert client.get(f"{mount}/leads").json() == {
        "leads": [
            {
                "id": made["id"],
                "email": "ann@example.com",
                "name": "Ann",
                "phone": "+14155550123",
                "user_id": "u1",
                "metadata": {},
                "status": "orphan",
                "conversations": 0,
                "created_at": made["createdAt"],
                "updated_at": made["updatedAt"],
            }
        ],
        "page": 1,
        "per_page": 50,
        "total_count": 1,
        "total_pages": 1,
    }


def test_a_status_narrows(client, people):
    statuses = {lead["user_id"]: lead["status"] for lead in leads(client)["leads"]}
    assert statuses == {"orphan": "orphan", "talks": "active", "gone": "chat_deleted"}
    assert ids(client, status="all") == ["gone", "talks", "orphan"]
    assert ids(client, status="orphan") == ["orphan"]
    assert ids(client, status="chat_deleted") == ["gone"]
    assert delete(client, ["s1"]).status_code == 200
    assert ids(client, status="chat_deleted", order="asc") == ["talks", "gone"]
    say(client, "s4", "Hello again", sender_id="gone")
    assert ids(client, status="chat_deleted") == ["talks"]


def test_since_and_search_narrow_together(client, people):
    assert ids(client, since="yesterday") == ["gone", "talks", "orphan"]
    assert ids(client, since="tomorrow") == []
    assert ids(client, search="TALKS@") == ["talks"]
    assert ids(client, search="example.com", status="orphan", since="-1 week") == ["orphan"]
    second = leads(client, order="asc")["leads"][1]["created_at"]
    assert ids(client, since=second, order="asc")[0] in ("orphan", "talks")
    assert "gone" in ids(client, since=second)


def test_pages_are_everything(client, people):
    pages = [leads(client, per_page=2, page=number, order="asc") for number in (1, 2, 3)]
    assert [lead["user_id"] for one in pages for lead in one["leads"]] == [
        "orphan",
        "talks",
        "gone",
    ]
    for number, one in enumerate(pages, start=1):
        assert (one["page"], one["per_page"]) == (number, 2)
        assert (one["total_count"], one["total_pages"]) == (3, 2)
    nobody = leads(client, search="nobody")
    assert (nobody["leads"], nobody["total_count"], nobody["total_pages"]) == ([], 0, 0)
    assert leads(client, per_page=200)["per_page"] == 200


def test_parameters_out_of_range_are_named(client):
    for query, names in (
        ({"per_page": "0", "page": "0"}, {"per_page", "page"}),
        ({"per_page": "201"}, {"per_page"}),
        ({"since": "rubbish", "status": "active", "order": "up"}, {"since", "status", "order"}),
        ({"search": "x" * 201}, {"search"}),
    ):
        assert faults(client.get("/leads", params=query)) == names, query


def test_leads_are_for_admins_of_all_bots(client, settings):
    with assemble(settings) as service:
        others = [
            service.access.create("scoped", ["knowledge", "transcripts", "chat"]),
            service.access.create("bound", ["admin"], bot_id="default"),
        ]
    for token in others:
        answer = client.get("/leads", headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.json()["code"]) == (403, "mxchat_rest_forbidden")
