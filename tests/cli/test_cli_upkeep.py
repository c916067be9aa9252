"""`rag-service search`, `check`, `reindex` and `doctor`."""

import json
import re
import shutil

import pytest
from shell import Shell, golden, pushes

from rag_service.settings import load_settings


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


def test_a_filter_narrows_searches_lists_answers_and_deletes(shell, tmp_path):
    lines = pushes("a", metadata={"topic": "hours"}) + pushes("b", metadata={"topic": "other"})
    (tmp_path / "pages.jsonl").write_text(lines)
    assert shell.ingest(tmp_path / "pages.jsonl")[0] == 0
    only = ["--filter", '{"topic": "hours"}']

    def urls(*words: str) -> list[str]:
        told = json.loads(shell.quick(*words).stdout)
        found = told if isinstance(told, list) else told.get("results") or told["sources"]
        return [one["source_url"].rpartition("/")[2] for one in found]

    assert urls("search", "open", *only) == ["a"]
    assert urls("list", *only) == ["a"]
    assert len(urls("list")) == 2
    assert "b" not in urls("ask", "When do we open?", *only)
    wrong = shell.quick("search", "open", "--filter", '{"topic": {"like": 1}}')
    assert wrong.exit_code == 2 and "no operator 'like'" in wrong.stderr
    assert shell.quick("delete").exit_code == 2
    dry = json.loads(shell.quick("delete", *only).stdout)
    assert (dry["dry_run"], dry["urls_deleted"]) == (True, 1)
    assert shell.quick("delete", *only, "--confirm", "2").exit_code == 1
    assert len(urls("list")) == 2
    assert json.loads(shell.quick("delete", *only, "--confirm", "1").stdout)["urls_deleted"] == 1
    assert urls("list") == ["b"]
    assert json.loads(shell.quick("delete", "https://example.com/b").stdout)["urls_deleted"] == 1


def test_a_search_of_any_bytes_is_answered(filled):
    result = filled.quick("search", "caf\udce9 open")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["query"] == "caf? open"


def test_a_search_of_nothing_is_answered(shell):
    result = shell.quick("search", "anything")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["results"] == []


def test_a_search_on_a_terminal(filled):
    words = ["search", "when do we open on sundays"]
    code, shown = filled.on_a_terminal(*words)
    assert code == 0
    answer = json.loads(filled.quick(*words).stdout)
    verdict = "answers" if answer["has_rag_context"] else "no answer found"
    first = f"{verdict}   confidence {answer['confidence']:.2f}\n"
    assert shown.startswith(first)
    golden("search.txt", shown.removeprefix(first))  # the figure changes when weights are fitted


def test_a_search_explains_itself(filled):
    words = ["search", "when do we opne on sundays", "--explain"]
    answer = json.loads(filled.quick(*words).stdout)
    evidence = answer["evidence"]
    assert set(evidence) == {"signs", "weights", "log_odds", "calibration"}
    assert sum(evidence["weights"].values()) == pytest.approx(evidence["log_odds"], abs=0.001)
    code, shown = filled.on_a_terminal(*words)
    assert code == 0
    assert "What was seen" in shown
    assert f"{evidence['signs']['nearest']:.3f}" in shown
    assert "What it weighs" in shown
    for name, weight in evidence["weights"].items():
        assert re.search(rf"{name} +│ +{re.escape(f'{weight:+.2f}')}", shown)
    assert f"{evidence['log_odds']:+.2f}" in shown
    assert "evidence" not in json.loads(filled.quick(*words[:2]).stdout)


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
    assert "hashing:1024" in result.output


def test_doctor_names_every_setting_the_model_and_the_hosts(filled, settings):
    result = filled.quick("doctor")
    assert result.exit_code == 0
    found = {finding["what"]: finding for finding in json.loads(result.stdout)}
    assert all(finding["ok"] for finding in found.values())
    for name, value in settings.environ().items():
        assert found[name]["found"] == value
    assert "hashing:1024, 1024 dimensions" in found["embedding model"]["found"]
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
    assert set(wrong) == {
        "data folder",
        "index folder",
        "embedding model",
        "rows",
        "views",
        "languages",
        "calibrations",
        hosts,
    }
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
