"""`rag-service ingest`: files of all kinds, bad lines, a terminal, and interrupts."""

import base64
import gzip
import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from files import docx, pdf, wordpress, xlsx
from msgspec.structs import replace
from shelf import ALL
from shell import golden, pushes

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import Service, assemble
from rag_service.cli.ingest import IngestReport
from rag_service.settings import Settings


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With few dimensions: an import of many chunks builds their index."""
    return replace(settings, embedding_model="hashing:64")


def urls(settings: Settings) -> set[str]:
    """Of all documents, with their bot where it is not the default one."""
    with assemble(settings) as service:
        _, infos = service.store.knowledge.documents(ALL_BOTS, ALL, limit=100_000, offset=0)
    return {
        info.source_url if info.bot_id == "default" else f"{info.bot_id} {info.source_url}"
        for info in infos
    }


def test_a_folder_is_read_with_all_its_folders(shell, docs, settings):
    code, report = shell.ingest(docs)
    assert code == 0
    assert report.pop("seconds") >= 0
    assert report == {
        "documents": 7,
        "embedded": 7,
        "unchanged": 0,
        "failed": 0,
        "chunks_embedded": 7,
        "chunks_reused": 0,
        "chunks_removed": 0,
        "interrupted": False,
        "failures": [],
        "left_out": [],
        "warnings": {},
        "skipped": {".psd": 1},
    }
    files = ["hours.md", "plain.TXT", "deep/page.html", "deep/deeper/ünï 2.htm", "deep/bom.txt"]
    assert urls(settings) == {
        *((docs / file).as_uri() for file in files),
        "https://example.com/a",
        "https://example.com/b",
    }
    code, report = shell.ingest(docs)
    assert (code, report["unchanged"], report["chunks_embedded"]) == (0, 7, 0)


def test_only_what_changed_is_embedded(shell, docs):
    shell.ingest(docs)
    (docs / "hours.md").write_text("# Hours\n\nWe open at ten.\n")
    code, report = shell.ingest(docs)
    assert (code, report["embedded"], report["unchanged"]) == (0, 1, 6)
    assert (report["chunks_embedded"], report["chunks_removed"]) == (1, 1)


def test_formats_are_told_by_the_extension(shell, docs):
    shell.ingest(docs)
    found = json.loads(shell.quick("search", "returns within thirty days").stdout)["results"][0]
    assert (found["title"], found["source_url"]) == (
        "Returns",
        (docs / "deep" / "page.html").as_uri(),
    )
    assert "<" not in found["text"]


def test_bot_and_content_type_are_for_what_names_none(shell, tmp_path, settings):
    (tmp_path / "page.txt").write_text("A page.")
    lines = pushes("a") + pushes("b", bot_id="own", content_type="own")
    (tmp_path / "pushes.ndjson").write_text(lines)
    files = [tmp_path / "page.txt", tmp_path / "pushes.ndjson"]
    code, _ = shell.ingest(*files, "--bot", "shop", "--content-type", "page")
    assert code == 0
    assert urls(settings) == {
        f"shop {files[0].as_uri()}",
        "shop https://example.com/a",
        "own https://example.com/b",
    }
    with assemble(settings) as service:
        kinds = [
            info.content_type
            for info in service.store.knowledge.documents(ALL_BOTS, ALL, limit=9, offset=0)[1]
        ]
    assert sorted(kinds) == ["own", "page", "page"]


def test_a_hidden_file_is_read_when_it_is_named(shell, docs):
    code, report = shell.ingest(docs / ".secret.md", docs / ".hidden")
    assert (code, report["embedded"]) == (0, 2)


def test_an_empty_folder_is_no_failure(shell, tmp_path):
    (tmp_path / "empty").mkdir()
    code, report = shell.ingest(tmp_path / "empty")
    assert (code, report["documents"]) == (0, 0)


def test_files_of_all_kinds_are_read_and_a_bad_one_is_named(shell, tmp_path, settings):
    files = {
        "guide.pdf": pdf(["One.", "Two."]),
        "letter.docx": docx("Dear reader."),
        "prices.xlsx": xlsx([["Bell", 12]]),
        "people.csv": "Name;City\nJos\xe9;M\xe1laga\n".encode("cp1252"),
        "data.json": b'{"name": "Bell"}',
        "mail.eml": b"Subject: Hours\r\n\r\nWe open at nine.",
        "blog.xml": wordpress(("One", "publish"), ("Two", "publish"), ("Three", "draft")),
        "feed.xml": b"<rss><channel/></rss>",
        "cut.pdf": pdf(["One."])[:200],
        "locked.pdf": pdf(["One."], password="x"),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    code, report = shell.ingest(tmp_path)
    assert code == 1
    assert (report["documents"], report["embedded"], report["failed"]) == (10, 8, 2)
    reasons = {Path(failure["source_url"]).name: failure["error"] for failure in report["failures"]}
    assert "damaged" in reasons["cut.pdf"]
    assert "password" in reasons["locked.pdf"]
    assert {"https://blog.example/one", "https://blog.example/two"} < urls(settings)
    code, report = shell.ingest(tmp_path)
    assert (report["unchanged"], report["failed"]) == (8, 2)


def test_files_that_cannot_be_read_are_listed_and_stop_nothing(shell, tmp_path, settings):
    files = {
        "drawing.psd": b"8BPS",
        "no-extension": b"text",
        "binary.txt": b"\0\1\2\3" * 99,
        "picture.md": b"\x89PNG\r\n\x1a\n",
        "blank.md": b" \n\t\xef\xbb\xbf ",
        "large.txt": b"word " * 300_000,
        "fine.txt": b"This is fine.",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    code, report = shell.ingest(*(tmp_path / name for name in files), RAG_MAX_BODY_MB="1")
    assert code == 1
    assert (report["documents"], report["embedded"], report["failed"]) == (7, 1, 6)
    reasons = {Path(failure["source_url"]).name: failure["error"] for failure in report["failures"]}
    known = "files of this kind cannot be read: use .md, "
    assert reasons["drawing.psd"].startswith(known)
    assert reasons["no-extension"].startswith(known)
    assert reasons["binary.txt"] == "content is neither text nor of a kind that can be read"
    assert reasons["picture.md"].startswith("content is no markdown file but a picture file")
    assert reasons["blank.md"] == "content holds no text"
    assert reasons["large.txt"] == "the file is larger than 1048576 bytes (RAG_MAX_BODY_MB)"
    assert urls(settings) == {(tmp_path / "fine.txt").as_uri()}


def test_bad_lines_are_listed_with_their_file_and_number(shell, tmp_path, settings):
    lines = [
        pushes("first").strip(),
        "",
        "no json",
        '{"source_url": "https://example.com/x"}',
        '{"source_url": "https://example.com/long", "content": "' + "x" * (1 << 20) + '"}',
        "[1]",
        "[" * 100_000,
        '{"source_url": "https://example.com/y", "content": "y", "bot_id": "a b", "title": 7}',
        pushes("last").strip(),
    ]
    file = tmp_path / "some.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + "\n".join(lines).encode())
    code, report = shell.ingest(file, RAG_MAX_BODY_MB="1")
    assert code == 1
    assert (report["documents"], report["embedded"], report["failed"]) == (8, 2, 6)
    failures = {failure["line"]: failure for failure in report["failures"]}
    assert list(failures) == [3, 4, 5, 6, 7, 8]
    assert all(failure["error"].startswith("some.jsonl: ") for failure in failures.values())
    assert "not JSON" in failures[3]["error"]
    assert failures[4]["error"] == "some.jsonl: content is required"
    assert failures[4]["source_url"] == "https://example.com/x"
    assert "longer than 1048576 bytes (RAG_MAX_BODY_MB)" in failures[5]["error"]
    assert "not a JSON object" in failures[6]["error"]
    assert "bot_id must be" in failures[8]["error"]
    assert "title must be a string" in failures[8]["error"]
    assert urls(settings) == {"https://example.com/first", "https://example.com/last"}


def test_a_file_in_base64_may_be_as_large_as_one_that_is_pushed(shell, tmp_path, settings):
    def line(name, size):
        encoded = base64.b64encode(f"# {name}\n\n".encode() + b"word " * (size // 5)).decode()
        url = f"https://example.com/{name}"
        return json.dumps({"source_url": url, "content_base64": encoded, "format": "markdown"})

    file = tmp_path / "some.jsonl"
    file.write_text(f"{line('fits', 1_000_000)}\n{line('over', 1_400_000)}\n{line('small', 10)}\n")
    code, report = shell.ingest(file, RAG_MAX_BODY_MB="1")
    assert code == 1
    assert urls(settings) == {"https://example.com/fits", "https://example.com/small"}
    (failure,) = report["failures"]
    assert failure["line"] == 2
    assert "(RAG_MAX_BODY_MB)" in failure["error"]


@pytest.mark.parametrize("damage", ["truncated", "flipped", "not gzip", "tail"])
def test_a_damaged_archive_is_listed_and_stops_nothing(shell, tmp_path, settings, damage):
    content = gzip.compress("".join(pushes(f"n{i}") for i in range(300)).encode())
    match damage:
        case "truncated":
            content = content[: len(content) // 2]
        case "flipped":
            middle = len(content) // 2
            content = content[:middle] + bytes(64) + content[middle + 64 :]
        case "not gzip":
            content = pushes("a").encode()
        case "tail":
            content += b"garbage"
    (tmp_path / "bad.jsonl.gz").write_bytes(content)
    (tmp_path / "good.JSONL.GZ").write_bytes(gzip.compress(pushes("good").encode()))
    code, report = shell.ingest(tmp_path / "bad.jsonl.gz", tmp_path / "good.JSONL.GZ")
    assert code == 1
    assert any(
        failure["error"].startswith("bad.jsonl.gz cannot be read: ")
        for failure in report["failures"]
    )
    assert "https://example.com/good" in urls(settings)


def test_names_of_any_bytes_are_read_and_told(shell, tmp_path, settings):
    folder = os.fsencode(tmp_path)
    for name, content in ((b"caf\xe9.txt", "a page"), (b"caf\xe9.jsonl", "no json")):
        try:
            Path(os.fsdecode(folder + b"/" + name)).write_text(content)
        except OSError:
            pytest.skip("this file system takes UTF-8 alone")
    code, report = shell.ingest(".")
    assert (code, report["embedded"], report["failed"]) == (1, 1, 1)
    assert report["failures"][0]["error"].startswith("caf\ufffd.jsonl: ")
    assert {url.rpartition("/")[2] for url in urls(settings)} == {"caf%E9.txt"}


def test_of_two_lines_with_one_url_the_later_one_stays(shell, tmp_path):
    lines = pushes("a", content="The former text.") + pushes("a", content="The latter text.")
    (tmp_path / "twice.jsonl").write_text(lines)
    code, report = shell.ingest(tmp_path / "twice.jsonl")
    assert (code, report["embedded"]) == (0, 2)
    results = json.loads(shell.quick("search", "text").stdout)["results"]
    assert [result["text"] for result in results] == ["The latter text."]


def test_failures_are_printed_on_a_terminal(shell, tmp_path):
    (tmp_path / "some.jsonl").write_text(pushes("good") + "[bold]no\x1b[2J json[/nope] :smile:\n")
    (tmp_path / "picture.txt").write_bytes(b"\x89PNG\r\n\x1a\n")
    code, shown = shell.on_a_terminal("ingest", "some.jsonl", "picture.txt")
    assert code == 1
    shown = re.sub(r"\d+\.\d+ s", "0.01 s", shown[shown.index("3 documents") :])
    golden("ingest.txt", shown.replace(tmp_path.as_uri(), "file:///docs"))


def test_progress_is_shown_on_a_terminal_alone(shell, docs):
    code, shown = shell.on_a_terminal("ingest", docs)
    assert code == 0
    assert re.search(r"Ingesting .*7/7", shown)
    assert "7 documents in" in shown
    done = shell.run("ingest", docs, FORCE_COLOR="1")
    assert done.stderr == ""
    assert json.loads(done.stdout)["unchanged"] == 7


def test_json_is_printed_on_a_terminal_when_asked_for(shell, docs):
    code, shown = shell.on_a_terminal("ingest", docs, "--json")
    assert code == 0
    assert json.loads(shown[shown.index("{") :])["embedded"] == 7


def test_an_interrupted_import_goes_on_and_loses_nothing(shell, tmp_path, settings):
    count = 8000
    long = "and so on. " * 60
    pages = tmp_path / "many.jsonl"
    pages.write_text("".join(pushes(f"p{i}", content=f"Page {i} {long}") for i in range(count)))
    process = shell.start("ingest", pages)
    with assemble(settings) as service:
        wait_for_some(service, process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert process.returncode not in (0, None)
        assert "Traceback" not in err
        assert "the same command goes on" in err
        report = json.loads(out)
        kept, _ = service.store.knowledge.documents(ALL_BOTS, ALL, limit=1, offset=0)
        assert report["interrupted"] is True
        assert report["embedded"] <= kept
        assert 0 < kept < count
        assert list(service.store.views.check()) == []
    code, again = shell.ingest(pages)
    assert (code, again["documents"], again["interrupted"]) == (0, count, False)
    assert (again["unchanged"], again["embedded"]) == (kept, count - kept)
    assert len(urls(settings)) == count
    assert shell.quick("check").exit_code == 0


def wait_for_some(service: Service, process: subprocess.Popen[str]) -> None:
    """Until the import has committed its first documents."""
    while process.poll() is None:
        if service.store.knowledge.documents(ALL_BOTS, ALL, limit=1, offset=0)[0]:
            return
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
    raise AssertionError(process.communicate())


def test_what_is_left_out_is_summed_up_and_may_be_a_failure(shell, tmp_path):
    for name in ("a.xml", "b.xml"):
        (tmp_path / name).write_bytes(
            wordpress((f"One {name}", "publish"), ("Two", "draft"), ("Three", "draft"))
        )
    code, report = shell.ingest(tmp_path)
    assert code == 0
    drafts = "entries of type post with status draft"
    assert report["left_out"] == [{"what": drafts, "count": 4, "documents": 2}]
    told = shell.run("ingest", str(tmp_path), "--strict")
    assert told.returncode == 1
    code, report = shell.ingest(tmp_path, "--strict")
    assert (code, report["failed"]) == (1, 2)
    assert "2 entries of type post with status draft" in report["failures"][0]["error"]


def test_what_a_folder_has_beside_its_documents_is_told_in_a_line_each():
    nothing = dict.fromkeys(("documents", "embedded", "unchanged", "failed"), 0)
    nothing |= dict.fromkeys(("chunks_embedded", "chunks_reused", "chunks_removed"), 0)
    empty = {"seconds": 0.0, "interrupted": False, "failures": [], "left_out": [], "warnings": {}}

    def told(**skipped: int) -> list[str]:
        by_ending = {f".{ending}" if ending else "": n for ending, n in skipped.items()}
        return IngestReport(**nothing, **empty, skipped=by_ending).skipped_sentences

    assert told() == []
    assert told(png=1) == ["skipped 1 picture (pip install 'rag-service[ocr]' reads them)"]
    assert told(doc=2, png=2, jpg=1, css=1) == [
        "skipped 3 pictures (pip install 'rag-service[ocr]' reads them)",
        "skipped 3 files of kinds that cannot be read (.doc, .css)",
    ]
    many = {f"x{n}": 1 for n in range(11)}
    assert told(**many)[0].endswith(", .x9 and more)")
