"""The command line as its users meet it: help, settings, tokens and bots."""

import json
import re
import subprocess
import sys

import pytest

from rag_service.assembly import assemble

COMMANDS = [
    [],
    ["serve"],
    ["openapi"],
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
    ["webhook"],
    ["webhook", "create"],
    ["webhook", "list"],
    ["webhook", "test"],
    ["webhook", "deliveries"],
    ["webhook", "redeliver"],
    ["webhook", "rotate"],
    ["webhook", "enable"],
    ["webhook", "disable"],
    ["webhook", "delete"],
    ["contact"],
    ["contact", "list"],
    ["contact", "import"],
    ["contact", "export"],
]


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
        ["openapi"],
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
    assert set(one) == {"name", "scopes", "bot_id", "rates", "origins", "created_at"}
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
