"""/knowledge/upload over HTTP, with the real background process."""

import base64
import io
import json
import time

import msgspec
import pypdfium2
import pytest
from files import docx, pdf, wordpress, xlsx
from litestar.testing import TestClient

from rag_service.assembly import assemble
from rag_service.http.app import create_app
from rag_service.readers.recognition import recogniser


def upload(client, *files, wait="true", query=None, **fields):
    answer = client.post(
        "/knowledge/upload",
        params={"wait": wait, **(query or {})},
        files=[("files", file) for file in files],
        data=fields,
    )
    assert answer.status_code == (200 if wait == "true" else 202), answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def refused(client, **request):
    answer = client.post("/knowledge/upload", **request)
    assert answer.status_code == 400
    return answer.json()


def test_files_of_all_kinds_are_stored_in_order_and_found(client):
    letter = docx("We deliver on Tuesdays.")
    lines = upload(
        client,
        (
            "handbook.pdf",
            pdf(["Parking costs four euros a day.", "The office dog is called Bruno."]),
        ),
        ("letter.docx", letter),
        ("prices.xlsx", xlsx([["Item", "Price"], ["Bicycle bell", 12.5]])),
        ("notes.txt", "Caf\xe9s open at seven.".encode("latin-1")),
        ("faq.md", b"# Returns\n\nWithin thirty days."),
    )
    assert [line["line"] for line in lines] == [1, 2, 3, 4, 5]
    assert [line["file"] for line in lines] == [
        "handbook.pdf",
        "letter.docx",
        "prices.xlsx",
        "notes.txt",
        "faq.md",
    ]
    assert all(line["success"] for line in lines), lines
    assert lines[0]["source_url"] == "upload://handbook.pdf"
    assert lines[0]["chunks"]["total"] == 2
    found = client.get("/search", params={"query": "what is the dog called"}).json()["results"][0]
    assert (found["source_url"], found["page"]) == ("upload://handbook.pdf", 2)
    again = upload(client, ("letter.docx", letter))
    assert again[0]["unchanged"] is True


def test_without_wait_it_is_a_job(client):
    answer = client.post("/v1/../knowledge/upload", files={"file": ("a.txt", b"Some text.")})
    assert answer.status_code == 202
    url = answer.json()["status_url"]
    for _ in range(200):
        job = client.get(url).json()
        if job["state"] not in ("queued", "running"):
            break
        time.sleep(0.05)
    assert job["state"] == "succeeded"
    assert job["counts"]["embedded"] == 1


def test_the_mount_of_an_upload_is_the_mount_of_its_job(client):
    prefix = "/wp-json/mxchat/v1"
    answer = client.post(f"{prefix}/knowledge/upload", files={"file": ("a.txt", b"Some text.")})
    assert answer.json()["status_url"].startswith(f"{prefix}/jobs/")


def test_a_picture_of_a_page_can_be_searched(client):
    if recogniser() is None:
        pytest.skip("the extra [ocr] is not installed")
    sentence = "The harbour master assigns each berth by the length of the boat."
    picture = io.BytesIO()
    pypdfium2.PdfDocument(pdf([sentence]))[0].render(scale=3).to_pil().save(picture, "PNG")
    [line] = upload(client, ("berth.PNG", picture.getvalue()))
    assert line["success"] is True, line
    [found] = client.get("/search", params={"query": "who assigns a berth"}).json()["results"]
    assert found["text"] == sentence
    blank = io.BytesIO()
    pypdfium2.PdfDocument(pdf([""]))[0].render().to_pil().save(blank, "PNG")
    [line] = upload(client, ("blank.png", blank.getvalue()))
    assert (line["success"], line["warnings"]) == (True, ["1 picture without text (page 1)"])


def test_the_mails_of_a_mailbox_are_found_and_stay_when_it_is_sent_again(client):
    mails = [
        f"From a@x.test Mon Jan  1 10:00:00 2024\nFrom: a@x.test\nMessage-ID: <{name}@x.test>\n"
        f"Subject: About the {name}\n\nThe {name} is called Bruno.\n\n"
        for name in ("dog", "boat")
    ]
    lines = upload(client, ("inbox.mbox", "".join(mails).encode()))
    assert [line["source_url"] for line in lines] == [
        "upload://inbox.mbox#message-dog@x.test",
        "upload://inbox.mbox#message-boat@x.test",
    ]
    found = client.get("/search", params={"query": "what is the dog called"}).json()["results"][0]
    assert (found["source_url"], found["title"]) == (lines[0]["source_url"], "About the dog")
    broken = "From b@x.test Mon Jan  1 10:00:00 2024\nX-Nothing: here\n\nHello.\n\n"
    again = upload(client, ("inbox.mbox", "".join((broken, *mails)).encode()))
    assert [line.get("unchanged") for line in again[1:]] == [True, True]
    assert "is no email" in again[0]["error"]


def test_a_file_that_cannot_be_read_does_not_stop_the_others(settings, client):
    lines = upload(
        client,
        ("scan.pdf", pdf([""])),
        (
            "locked.docx",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
        ),
        ("drawing.psd", b"8BPS"),
        ("picture.pdf", b"\x89PNG\r\n\x1a\n"),
        ("empty.txt", b""),
        ("long.txt", b"x" * (settings.max_body_bytes + 1)),
        ("fine.txt", b"This is fine."),
    )
    assert [line["success"] for line in lines] == [False] * 6 + [True]
    assert [line["file"] for line in lines][:2] == ["scan.pdf", "locked.docx"]
    errors = [line["error"] for line in lines[:6]]
    hints = ["without text", "password", "kind", "picture", "is empty", "RAG_MAX_BODY_MB"]
    for error, hint in zip(errors, hints, strict=True):
        assert error.startswith("content ") and hint in error, error
    assert client.get("/knowledge").json()["total"] == 1


def test_a_file_may_be_as_long_as_a_body(settings, token):
    settings = msgspec.structs.replace(settings, max_body_mb=1)
    with TestClient(create_app(settings)) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        line = upload(client, ("a.csv", b"a,b\n" * (settings.max_body_bytes // 4)))[0]
    assert line["success"] is True
    assert line["bytes"] == settings.max_body_bytes


def test_fields_come_with_the_form_or_in_the_query(client):
    fields = {"bot_id": "shop", "content_type": "report", "source_url": "https://example.com/r"}
    for given in ({"query": fields}, fields):
        line = upload(client, ("a.txt", b"Some text."), **given)[0]
        assert (line["bot_id"], line["content_type"]) == ("shop", "report")
        assert line["source_url"] == "https://example.com/r"


@pytest.mark.parametrize(
    ("name", "file", "url"),
    [
        ("../../etc/passwd.txt", "passwd.txt", "upload://passwd.txt"),
        ("C:\\temp\\a b.txt", "a b.txt", "upload://a%20b.txt"),
        ("/.txt/", ".txt", "upload://.txt"),
        ("Gr\u00fc\u00dfe?.txt", "Gr\u00fc\u00dfe?.txt", "upload://Gr%C3%BC%C3%9Fe%3F.txt"),
        ("a\x7f\u202e.txt", "a.txt", "upload://a.txt"),
        ("..", "..", "upload://.."),
    ],
)
def test_a_name_is_a_name_and_no_path(client, name, file, url):
    line = upload(client, (name, b"Some text."))[0]
    assert (line["file"], line["source_url"]) == (file, url)


def test_a_wordpress_export_becomes_a_line_for_each_post(client):
    lines = upload(client, ("export.xml", wordpress(("One", "publish"), ("Two", "draft"))))
    assert [line["source_url"] for line in lines] == ["https://blog.example/one"]
    assert lines[0]["file"] == "export.xml"
    stored = client.get(f"/knowledge/{lines[0]['document_id']}").json()
    assert stored["title"] == "One"
    assert stored["metadata"]["categories"] == ["News"]


def test_what_is_wrong_with_the_form_is_said(client):
    assert "multipart" in refused(client, json={"a": 1})["message"]
    body = b"--x\r\nContent-Disposition: form-data; name=a; filename=a.txt\r\n\r\ncut"
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert "whole" in refused(client, content=body, headers=headers)["message"]
    fields = {"files": {"bot_id": (None, "shop")}}
    assert "files" in refused(client, **fields)["data"]["params"]
    two = [("a", ("a.txt", b"a")), ("b", ("b.txt", b"b"))]
    fault = refused(client, files=two, data={"source_url": "https://example.com/a"})
    assert "single" in fault["data"]["params"]["source_url"]
    bad = {"source_url": "no url", "bot_id": "a b", "wait": "maybe"}
    fault = refused(client, files=two[:1], data=bad)
    assert set(fault["data"]["params"]) == set(bad)
    assert "field" in refused(client, files={"a": (None, "x" * 100_000)})["message"]


def test_a_bound_token_uploads_to_its_own_bot(settings, client):
    with assemble(settings) as service:
        headers = {"Authorization": f"Bearer {service.access.create('bound', bot_id='mine')}"}
    file = {"file": ("a.txt", b"Some text.")}
    answer = client.post("/knowledge/upload?wait=1", files=file, headers=headers)
    assert json.loads(answer.text)["bot_id"] == "mine"
    answer = client.post("/knowledge/upload?bot_id=theirs", files=file, headers=headers)
    assert answer.status_code == 403


def test_a_file_can_be_pushed_as_json(client):
    data = base64.b64encode(pdf(["Parking costs four euros."])).decode()
    body = {"source_url": "https://example.com/p", "content_base64": data}
    assert client.post("/knowledge", json=body).json()["chunks"]["total"] == 1
    assert client.post("/knowledge", json=body).json()["unchanged"] is True
    lines = client.post("/knowledge/batch?wait=1", content=json.dumps(body).encode())
    assert json.loads(lines.text)["unchanged"] is True
    broken = body | {"content_base64": base64.b64encode(b"%PDF-1.4 cut").decode()}
    for answer in (
        client.post("/knowledge", json=broken),
        client.post("/knowledge?dry_run=true", json=broken),
    ):
        assert answer.status_code == 400
        assert answer.json()["code"] == "rest_invalid_param"
        assert "damaged" in answer.json()["data"]["params"]["content"]
    found = client.get("/search", params={"query": "parking"}).json()["results"]
    assert [result["page"] for result in found] == [1]


def test_an_upload_and_an_import_make_the_same_chunks(client, settings, shell, tmp_path):
    files = {
        "a.pdf": pdf(["Parking costs four euros.", "The dog is called Bruno."]),
        "b.docx": docx("We deliver on Tuesdays.", "Ask for Ana."),
        "c.txt": "Caf\xe9s open at seven.".encode("latin-1"),
        "d.md": b"# Returns\n\nWithin thirty days.\n\n## Fees\n\nNone.",
        "e.csv": b"Name;City\nAna;Oslo\n",
    }
    folder = tmp_path / "files"
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    code, _ = shell.ingest(folder)
    assert code == 0
    for line in upload(client, *files.items()):
        assert line["chunks"]["embedded"] == 0, "each of its chunks is known"
        other = client.get("/knowledge", params={"q": f"files/{line['file']}"}).json()["items"][0]
        uploaded, imported = (
            [
                (chunk["text"], chunk["heading"], chunk["page"])
                for chunk in client.get(f"/knowledge/{document_id}").json()["chunks"]
            ]
            for document_id in (line["document_id"], other["document_id"])
        )
        assert uploaded == imported


def test_a_bad_file_in_a_batch_is_the_error_of_its_line(client):
    def line(n, data):
        encoded = base64.b64encode(data).decode()
        return json.dumps({"source_url": f"https://a/{n}", "content_base64": encoded})

    body = "\n".join([line(1, b"One."), line(2, b"%PDF-1.4"), line(3, b"Three."), line(1, b"MZ\0")])
    answer = client.post("/knowledge/batch?wait=1", content=body.encode())
    lines = [json.loads(result) for result in answer.text.splitlines()]
    assert [result["success"] for result in lines] == [True, False, True, False]
    assert lines[1]["error"].startswith("content is a damaged PDF")
    assert client.get("/search", params={"query": "one"}).json()["results"][0]["text"] == "One."
