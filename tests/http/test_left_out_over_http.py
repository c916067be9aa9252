"""What the reader of a file left out reaches whoever pushed it, and may be made a failure."""

import base64
import io
import json
from functools import cache

import openpyxl
import pytest
from files import saved, wordpress

PAGE = {"source_url": "https://a/1", "content": "We open at nine."}


@cache
def book() -> bytes:
    """A sheet, and one that is hidden. It is made once: it would not be the same a second later,
    since the file holds the time at which it was saved."""
    workbook = openpyxl.Workbook()
    workbook.active.append(["Berth", "Fee"])
    workbook.active.append(["B1", 18])
    hidden = workbook.create_sheet("Old")
    hidden.append(["secret"])
    hidden.sheet_state = "hidden"
    return saved(workbook)


def body(**more):
    content = base64.b64encode(book()).decode()
    return {"source_url": "https://a/fees", "content_base64": content, **more}


def is_told(warnings: list[str]) -> bool:
    return any("hidden sheet" in warning for warning in warnings)


def test_a_push_tells_it_and_tells_it_again_when_nothing_has_changed(client):
    for is_unchanged in (False, True):
        answer = client.post("/knowledge", json=body()).json()
        assert answer["unchanged"] is is_unchanged
        assert is_told(answer["warnings"])
    assert is_told(client.post("/knowledge?dry_run=true", json=body()).json()["warnings"])


def test_a_document_keeps_it(client):
    pushed = client.post("/knowledge", json=body()).json()
    assert is_told(client.get(f"/knowledge/{pushed['document_id']}").json()["warnings"])
    other = client.post("/knowledge", json=PAGE).json()
    assert client.get(f"/knowledge/{other['document_id']}").json()["warnings"] == []


@pytest.mark.parametrize("where", ["query", "body"])
def test_where_it_is_strict_such_a_document_fails_whole(client, where):
    query = "?strict=true" if where == "query" else ""
    given = body(**({"strict": True} if where == "body" else {}))
    answer = client.post(f"/knowledge{query}", json=given)
    assert answer.status_code == 400
    assert "hidden sheet" in answer.json()["data"]["params"]["content"]
    assert client.get("/knowledge").json()["total"] == 0
    assert client.post("/knowledge?strict=true", json=PAGE).status_code == 200


def test_it_is_strict_about_what_is_there_already(client):
    assert client.post("/knowledge", json=body()).status_code == 200
    assert client.post("/knowledge?strict=true", json=body()).status_code == 400


@pytest.mark.parametrize("wait", [True, False])
def test_a_strict_batch_fails_the_line_and_goes_on(client, wait):
    lines = "\n".join(json.dumps(line) for line in (body(), PAGE))
    for query, succeed in (("", [True, True]), ("&strict=true", [False, True])):
        answer = client.post(f"/knowledge/batch?wait={wait}{query}", content=lines)
        if wait:
            results = [json.loads(line) for line in answer.text.splitlines()]
            assert [line["success"] for line in results] == succeed
            first = results[0]
            assert "hidden sheet" in (first["error"] if query else " ".join(first["warnings"]))
            assert set(results[1]) >= {"warnings", "chunks"}
            assert not {"left_out", "unsuited"} & set(results[1])


def test_an_upload_tells_it_by_file(client):
    files = {"f": ("fees.xlsx", io.BytesIO(book()))}
    (line,) = client.post("/knowledge/upload?wait=true", files=files).text.splitlines()
    assert is_told(json.loads(line)["warnings"])
    (line,) = client.post("/knowledge/upload?wait=true&strict=1", files=files).text.splitlines()
    assert json.loads(line)["success"] is False


def test_an_export_tells_what_of_it_is_no_document(client):
    export = wordpress(("One", "publish"), ("Two", "draft"), ("Three", "publish"))
    answer = client.post("/knowledge/upload?wait=true", files={"f": ("blog.xml", export)})
    results = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["success"] for line in results] == [True, True]
    assert "1 post with status draft" in results[-1]["warnings"]
    files = {"f": ("blog.xml", export)}
    (line,) = client.post("/knowledge/upload?wait=true&types=page", files=files).text.splitlines()
    assert "3 entries of type post" in json.loads(line)["error"]


def test_attachments_are_documents_of_their_own_where_that_is_asked(client):
    mail = (
        b"Subject: Fees\r\nFrom: a@b.example\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nSee the list.\r\n"
        b"--x\r\nContent-Disposition: attachment; filename=list.csv\r\n\r\n"
        b"berth,fee\r\nB1,18\r\n--x--\r\n"
    )
    for query, count in (("", 1), ("&attachments=true", 2)):
        files = {"f": ("fees.eml", mail)}
        answer = client.post(f"/knowledge/upload?wait=true{query}", files=files)
        assert [json.loads(line)["success"] for line in answer.text.splitlines()] == [True] * count
    urls = {item["source_url"] for item in client.get("/knowledge").json()["items"]}
    assert urls == {"upload://fees.eml", "upload://fees.eml#attachment-1-list.csv"}


def test_the_menu_of_a_page_is_told_and_is_no_loss(client):
    html = "<html><body><nav><a href=/a>Home</a> <a href=/b>News</a></nav><p>We open at nine.</p>"
    page = {**PAGE, "content": html}
    answer = client.post("/knowledge?strict=true", json=page)
    assert answer.status_code == 200
    assert any("navigation" in warning for warning in answer.json()["warnings"])
