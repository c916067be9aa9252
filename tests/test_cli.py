"""The command line as its users meet it: streams, exit codes, a terminal, and interrupts."""

import base64
import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from files import docx, pdf, wordpress, xlsx
from shelf import ALL
from shell import Shell, golden

from rag_service.assembly import Service, assemble
from rag_service.settings import Settings, load_settings

COMMANDS = [
    [],
    ["serve"],
    ["ingest"],
    ["search"],
    ["ask"],
    ["chat"],
    ["transcripts"],
    ["check"],
    ["reindex"],
    ["doctor"],
    ["token"],
    ["token", "create"],
    ["token", "list"],
    ["token", "rotate"],
    ["token", "revoke"],
    ["bot"],
    ["bot", "create"],
    ["bot", "list"],
]


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """Five pages, two pushes, and files that are not for us."""
    docs = tmp_path / "docs"
    (docs / "deep" / "deeper").mkdir(parents=True)
    (docs / ".hidden").mkdir()
    (docs / "hours.md").write_text("# Hours\n\nWe open at nine.\n")
    (docs / "plain.TXT").write_text("We ship to Canada.\n")
    (docs / "deep" / "page.html").write_text("<h1>Returns</h1><p>Within thirty days.</p>")
    (docs / "deep" / "deeper" / "ünï 2.htm").write_text("<p>Gift cards never expire.</p>")
    (docs / "deep" / "bom.txt").write_bytes(b"\xef\xbb\xbfWe sell shoes.")
    (docs / "pushes.jsonl").write_text(pushes("a"))
    (docs / "more.jsonl.gz").write_bytes(gzip.compress(pushes("b").encode()))
    (docs / ".hidden" / "secret.md").write_text("secret")
    (docs / ".secret.md").write_text("secret")
    (docs / "picture.png").write_bytes(b"\x89PNG")
    return docs


def pushes(*names: str, **rest: object) -> str:
    bodies = (
        {"source_url": f"https://example.com/{name}", "content": f"This is {name}.", **rest}
        for name in names
    )
    return "".join(json.dumps(body) + "\n" for body in bodies)


def urls(settings: Settings) -> set[str]:
    """Of all documents, with their bot where it is not the default one."""
    with assemble(settings) as service:
        _, infos = service.store.documents(ALL, limit=100_000, offset=0)
    return {
        info.source_url if info.bot_id == "default" else f"{info.bot_id} {info.source_url}"
        for info in infos
    }


# -- help and settings ----------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(shell, command):
    result = shell.quick(*command, "--help", RAG_NONSENSE="even so")
    assert result.exit_code == 0
    assert "Usage:" in result.stdout
    assert result.stderr == ""


def test_help_loads_no_model_and_no_index(shell):
    code = (
        "import sys; from rag_service.cli import cli; cli(['--help'], standalone_mode=False);"
        "heavy = {'torch', 'openvino', 'faiss', 'tantivy', 'transformers', 'tokenizers',"
        " 'sentence_transformers', 'litestar', 'sqlite3'};"
        "print(heavy & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stderr == "set()\n"


def test_the_version_is_told(shell):
    result = shell.quick("--version")
    assert re.fullmatch(r"rag-service, version [\d.]+\n", result.stdout)


@pytest.mark.parametrize(
    "words",
    [
        ["doctor"],
        ["check"],
        ["token", "list"],
        ["search", "x"],
        ["bot", "create", "a"],
        ["reindex"],
        ["serve"],
    ],
    ids=" ".join,
)
def test_an_unknown_setting_ends_every_command(shell, words):
    result = shell.quick(*words, RAG_DATADIR="x", RAG_PORT="y")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "RAG_DATADIR: unknown setting; did you mean RAG_DATA_DIR?" in result.stderr
    assert "RAG_PORT: 'y'" in result.stderr


def test_an_unknown_setting_ends_an_import(shell, docs):
    done = shell.run("ingest", docs, RAG_RATE_DATAS="off")
    assert (done.returncode, done.stdout) == (1, "")
    assert "did you mean RAG_RATE_DATA?" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["search"],
        ["search", " "],
        ["search", "x", "-k", "0"],
        ["search", "x", "-k", "101"],
        ["search", "x", "--mode", "fuzzy"],
        ["serve", "--port", "65536"],
        ["token", "create"],
        ["token", "create", "a", "--scope", "all"],
        ["token", "create", "a", "--rate", "data"],
        ["bot", "create", "a b"],
        ["ingest"],
        ["ingest", "no-such-file"],
    ],
    ids=" ".join,
)
def test_a_command_that_is_typed_wrong_says_so(shell, words):
    result = shell.quick(*words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Error: " in result.stderr


@pytest.mark.parametrize(
    "words", [["check"], ["token", "create", "a"], ["search", "x"], ["bot", "list"]], ids=" ".join
)
def test_a_data_folder_that_cannot_be_written_is_said(shell, tmp_path, words):
    (tmp_path / "file").touch()
    result = shell.quick(*words, RAG_DATA_DIR=str(tmp_path / "file" / "data"))
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "set RAG_DATA_DIR to a folder that can be written" in result.stderr


def test_rows_that_are_damaged_are_said(shell, settings):
    settings.data_dir.mkdir()
    (settings.data_dir / "rag.db").write_bytes(b"no database " * 1000)
    for words in (["check"], ["token", "list"], ["search", "x"], ["reindex"]):
        result = shell.quick(*words)
        assert result.exit_code == 1
        assert "rag.db is damaged: restore it from a backup" in result.stderr


def test_a_model_that_is_missing_is_said(shell, docs):
    done = shell.run("ingest", docs, RAG_EMBEDDING_MODEL="no-such-model")
    assert done.returncode == 1
    assert "nothing is downloaded" in done.stderr
    assert "nothing is downloaded" in shell.quick("search", "x", RAG_EMBEDDING_MODEL="x").stderr


# -- tokens and bots ------------------------------------------------------------------------------


def test_a_new_token_is_alone_on_standard_output(shell, settings):
    done = shell.run("token", "create", "importer")
    assert done.returncode == 0
    assert re.fullmatch(r"[A-Za-z0-9_-]{48}\n", done.stdout)
    assert done.stdout.strip() not in done.stderr
    assert "not shown again" in done.stderr
    with assemble(settings) as service:
        assert service.access.identify(f"Bearer {done.stdout.strip()}").name == "importer"


def test_a_token_is_rotated_and_revoked(shell):
    old = shell.quick("token", "create", "one").stdout
    rotated = shell.quick("token", "rotate", "one")
    assert rotated.exit_code == 0
    assert re.fullmatch(r"[A-Za-z0-9_-]{48}\n", rotated.stdout)
    assert rotated.stdout != old
    revoked = shell.quick("token", "revoke", "one")
    assert (revoked.exit_code, revoked.stdout) == (0, "")
    assert "'one' is revoked" in revoked.stderr
    assert json.loads(shell.quick("token", "list").stdout) == []


def test_tokens_are_listed_without_themselves(shell):
    made = shell.quick("token", "create", "one").stdout.strip()
    words = ["--scope", "chat", "--scope", "admin", "--bot", "shop"]
    rates = ["--rate", "data=off", "--rate", "chat=5/second"]
    shell.quick("token", "create", "two", *words, *rates)
    listed = shell.quick("token", "list")
    assert made not in listed.stdout
    one, two = sorted(json.loads(listed.stdout), key=lambda token: token["name"])
    assert set(one) == {"name", "scopes", "bot_id", "rates", "created_at"}
    assert (one["scopes"], one["bot_id"], one["rates"]) == (
        ["knowledge", "transcripts", "chat"],
        None,
        {},
    )
    assert (two["scopes"], two["bot_id"]) == (["chat", "admin"], "shop")
    assert two["rates"] == {"data": "off", "chat": "5/second"}
    assert one["created_at"].endswith("Z")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["create", "a b"], "a token's name is"),
        (["create", "x" * 101], "a token's name is"),
        (["create", "a", "--rate", "data=many"], "bad rate 'many': use N/second"),
        (["create", "a", "--rate", "data="], "bad rate ''"),
        (["create", "a", "--rate", "date=off"], "unknown class 'date': use chat, data, webhook"),
        (["create", "a", "--bot", "my bot"], "the bot 'my bot' must be"),
        (["rotate", "nobody"], "no token named 'nobody'"),
        (["revoke", "nobody"], "no token named 'nobody'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_token_that_cannot_be_is_refused(shell, words, reason):
    result = shell.quick("token", *words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert reason in result.stderr
    assert json.loads(shell.quick("token", "list").stdout) == []


def test_a_name_is_given_once(shell):
    for words in (["token", "create", "one"], ["bot", "create", "one"]):
        assert shell.quick(*words).exit_code == 0
        again = shell.quick(*words)
        assert (again.exit_code, again.stdout) == (1, "")
        assert "exists" in again.stderr


def test_bots_are_created_and_listed(shell):
    assert shell.quick("bot", "create", "shop").exit_code == 0
    listed = {bot["bot_id"]: bot for bot in json.loads(shell.quick("bot", "list").stdout)}
    assert set(listed) >= {"shop"}
    assert (listed["shop"]["documents"], listed["shop"]["chunks"]) == (0, 0)


# -- ingest ---------------------------------------------------------------------------------------


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
        kinds = [info.content_type for info in service.store.documents(ALL, limit=9, offset=0)[1]]
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
        "picture.png": b"\x89PNG",
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
    assert reasons["picture.png"].startswith(known)
    assert reasons["no-extension"].startswith(known)
    assert reasons["binary.txt"] == "content is neither text nor of a kind that can be read"
    assert reasons["picture.md"] == "content is a PNG picture, which cannot be read"
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
    count = 3000
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
        kept, _ = service.store.documents(ALL, limit=1, offset=0)
        assert report["interrupted"] is True
        assert report["embedded"] <= kept
        assert 0 < kept < count
        assert list(service.store.check()) == []
    code, again = shell.ingest(pages)
    assert (code, again["documents"], again["interrupted"]) == (0, count, False)
    assert (again["unchanged"], again["embedded"]) == (kept, count - kept)
    assert len(urls(settings)) == count
    assert shell.quick("check").exit_code == 0


def wait_for_some(service: Service, process: subprocess.Popen[str]) -> None:
    """Until the import has committed its first documents."""
    while process.poll() is None:
        if service.store.documents(ALL, limit=1, offset=0)[0]:
            return
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
    raise AssertionError(process.communicate())


# -- search, check, reindex, doctor ---------------------------------------------------------------


@pytest.fixture
def filled(shell, tmp_path) -> Shell:
    lines = pushes("hours", title="Opening hours", content="# Sundays\n\nWe open at nine. [0]")
    lines += pushes(
        "odd", title="[/nope] \\[bold]", content="\\[/x] :smile: \x1b[31m we open [bold]"
    )
    lines += pushes("other", bot_id="shop", content_type="page", content="We open never.")
    (tmp_path / "filled.jsonl").write_text(lines)
    assert shell.ingest(tmp_path / "filled.jsonl")[0] == 0
    return shell


def test_a_search_prints_what_the_api_answers(filled):
    answer = json.loads(filled.quick("search", "when do we open").stdout)
    assert set(answer) == {"query", "bot_id", "has_rag_context", "confidence", "results"}
    assert (answer["query"], answer["bot_id"]) == ("when do we open", "default")
    assert {result["source_url"] for result in answer["results"]} == {
        "https://example.com/odd",
        "https://example.com/hours",
    }
    assert all(0 <= result["score"] <= 1 for result in answer["results"])
    assert set(answer["results"][0]) == {
        "chunk_id",
        "document_id",
        "source_url",
        "title",
        "heading",
        "page",
        "text",
        "score",
        "scores",
        "ordinal",
    }


def test_a_search_takes_bot_number_mode_and_content_type(filled):
    def found(*words: str) -> list[str]:
        results = json.loads(filled.quick("search", "we open", *words).stdout)["results"]
        return [result["source_url"].rpartition("/")[2] for result in results]

    assert found("--bot", "shop") == ["other"]
    assert found("--bot", "nobody") == []
    assert len(found("-k", "1")) == 1
    assert sorted(found("--by-document")) == sorted(set(found()))
    assert len(found("--mode", "dense")) == len(found("--mode", "keyword")) == 2
    assert found("--content-type", "page") == []
    assert found("--content-type", "page", "--bot", "shop") == ["other"]


def test_a_search_of_any_bytes_is_answered(filled):
    result = filled.quick("search", "caf\udce9 open")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["query"] == "caf? open"


def test_a_search_of_nothing_is_answered(shell):
    result = shell.quick("search", "anything")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["results"] == []


def test_a_search_on_a_terminal(filled):
    code, shown = filled.on_a_terminal("search", "when do we open on sundays")
    assert code == 0
    golden("search.txt", shown)


def test_tables_on_a_terminal(filled):
    filled.quick("token", "create", "one", "--rate", "data=off", "--rate", "chat=5/second")
    for words, name in ((["token", "list"], "tokens.txt"), (["bot", "list"], "bots.txt")):
        code, shown = filled.on_a_terminal(*words, COLUMNS="140")
        assert code == 0
        golden(name, re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "2026-05-12T09:00:00.000Z", shown))


def test_an_empty_table_says_so(shell):
    assert shell.on_a_terminal("token", "list") == (0, "Tokens: none yet\n")


def test_check_finds_nothing_wrong_with_what_is_whole(filled):
    result = filled.quick("check")
    assert (result.exit_code, json.loads(result.stdout)) == (0, {"ok": True, "faults": []})
    code, shown = filled.on_a_terminal("check")
    assert (code, shown) == (0, "The rows and both views agree.\n")


def test_views_that_are_gone_are_made_again(filled, settings):
    def found() -> list[tuple[str, float]]:
        results = json.loads(filled.quick("search", "we open").stdout)["results"]
        return [(result["chunk_id"], round(result["score"], 4)) for result in results]

    before = found()
    assert len(before) == 2
    shutil.rmtree(settings.index_dir, ignore_errors=True)
    result = filled.quick("reindex")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "default: made again\nshop: made again\n"
    assert found() == before
    assert filled.quick("check").exit_code == 0


def test_one_bot_is_made_again_when_named(filled):
    assert filled.quick("reindex", "--bot", "shop").stderr == "shop: made again\n"
    result = filled.quick("reindex", "--bot", "nobody")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "'nobody'" in result.stderr


@pytest.mark.parametrize("words", [["reindex"], ["check"], ["bot", "list"]], ids=" ".join)
def test_what_needs_no_model_does_not_ask_for_it(filled, words):
    result = filled.quick(*words, RAG_EMBEDDING_MODEL="no-such-model")
    assert result.exit_code == 0


@pytest.mark.parametrize("words", [["search", "x"], ["doctor"]], ids=" ".join)
def test_another_model_than_the_one_that_filled_the_base_is_said(filled, words):
    result = filled.quick(*words, RAG_EMBEDDING_MODEL="hashing:32")
    assert result.exit_code == 1
    assert "hashing:64" in result.output


def test_doctor_names_every_setting_the_model_and_the_hosts(filled, settings):
    result = filled.quick("doctor")
    assert result.exit_code == 0
    found = {finding["what"]: finding for finding in json.loads(result.stdout)}
    assert all(finding["ok"] for finding in found.values())
    for name, value in settings.environ().items():
        assert found[name]["found"] == value
    assert "hashing:64, 64 dimensions" in found["embedding model"]["found"]
    assert found["hosts that could be contacted"]["found"].startswith("none")
    assert found["rows"]["found"] == "3 documents of 2 bots, 0 tokens"


def test_doctor_names_the_hosts_that_webhooks_reach(shell):
    hooks = ("https://hooks.invalid/a", "https://hooks.invalid/b", "https://other.invalid:8443/")
    made = [json.loads(shell.quick("webhook", "create", url).stdout)["id"] for url in hooks]
    shell.quick("webhook", "disable", made[2])
    found = {one["what"]: one["found"] for one in json.loads(shell.quick("doctor").stdout)}
    assert found["hosts that could be contacted"] == "hooks.invalid, by a webhook; no other"


def test_doctor_tells_all_that_is_wrong(shell, tmp_path):
    (tmp_path / "file").touch()
    folders = {
        name: str(tmp_path / "file" / "folder") for name in ("RAG_DATA_DIR", "RAG_INDEX_DIR")
    }
    result = shell.quick("doctor", RAG_EMBEDDING_MODEL="no-such-model", **folders)
    assert result.exit_code == 1
    wrong = {
        finding["what"]: finding["found"]
        for finding in json.loads(result.stdout)
        if not finding["ok"]
    }
    hosts = "hosts that could be contacted"  # those of webhooks are in the rows
    assert set(wrong) == {"data folder", "index folder", "embedding model", "rows", "views", hosts}
    assert "nothing is downloaded" in wrong["embedding model"]


def test_doctor_on_a_terminal(shell, settings):
    code, shown = shell.on_a_terminal("doctor", COLUMNS="400")
    assert code == 0
    for name, value in settings.environ().items():
        assert f"ok    {name}: {value}\n" in shown
    assert "ok    hosts that could be contacted: none" in shown


def test_an_address_that_is_taken_is_said(shell):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = shell.run("serve", "--port", str(taken.getsockname()[1]))
    assert (done.returncode, done.stdout) == (1, "")
    assert "set RAG_PORT or --port" in done.stderr


def test_settings_of_a_child_are_those_of_its_parent(settings):
    assert load_settings(settings.environ()) == settings
