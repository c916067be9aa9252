"""Bases of every schema that ever was, and what keeps versions apart.

`bases/NN.db.gz` has the tables of the first NN migrations, with rows in each of them.
"""

import gzip
import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from shelf import names, page, push, settings_in
from shell import Shell

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import assemble
from rag_service.conversations.store import TranscriptFilter
from rag_service.errors import OtherVersion, StorageFailed
from rag_service.knowledge.filters import read_filter
from rag_service.settings import Settings
from rag_service.storage.sqlite.driver import check_version, sqlite3
from rag_service.storage.sqlite.upgrade import LATEST

BASES = sorted((Path(__file__).parent / "bases").glob("*.db.gz"))
OWN = ("_sqlite", "sqlite_", "messages_text", "documents_text", "message_counts")
"""Tables of SQLite, of its libraries, or counted by triggers."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """As the bases were filled."""
    return settings_in(tmp_path)


def put_back(base: Path, settings: Settings) -> Path:
    settings.data_dir.mkdir()
    path = settings.data_dir / "rag.db"
    path.write_bytes(gzip.decompress(base.read_bytes()))
    return path


@contextmanager
def rows(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def everything(path: Path) -> dict[str, list[dict[str, Any]]]:
    with rows(path) as connection:
        connection.row_factory = sqlite3.Row
        tables = connection.execute("select name from sqlite_master where type = 'table'")
        return {
            table: [dict(row) for row in connection.execute(f"select * from {table}")]
            for (table,) in tables.fetchall()
            if not table.startswith(OWN)
        }


def with_sources(tables: dict[str, list[dict[str, Any]]]) -> None:
    """Contexts as they were when each had copies of its passages."""
    quotes = {row["id"]: row for row in tables.pop("quotes", [])}
    links = tables.pop("context_quotes", [])
    for context in tables.get("contexts", []):
        if "sources" in context:
            context["sources"] = json.loads(context["sources"])
            continue
        mine = [link for link in links if link["context"] == context["id"]]
        context["sources"] = [
            {
                **{key: quotes[link["quote"]][key] for key in ("source_url", "chunk_id", "title")},
                "score": link["score"],
                "text": quotes[link["quote"]]["text"],
                **({} if link["used"] is None else {"used": bool(link["used"])}),
            }
            for link in sorted(mine, key=lambda link: link["place"])
        ]


def ignore(progress: str) -> None:
    pass


# -- bases from before -------------------------------------------------------------------------


def test_a_base_of_each_schema_is_kept() -> None:
    assert [int(base.name[:2]) for base in BASES] == list(range(1, LATEST + 1))
    assert all(base.stat().st_size < 100_000 for base in BASES)


@pytest.mark.parametrize("base", BASES, ids=lambda base: base.name[:2])
def test_every_row_of_a_former_base_is_still_there(base: Path, settings: Settings) -> None:
    path = put_back(base, settings)
    former = everything(path)
    with assemble(settings, upgrade=ignore) as service:
        present = everything(path)
        assert list(service.store.views.check()) == []
        assert names(service, "heron reeds")[0] == "heron"
        assert names(service, "stork roofs", "keyword", bot_id="birds") == ["other"]
        if "messages" in former:
            where = TranscriptFilter(q="heron wait")
            total, said = service.store.transcripts.page(
                ALL_BOTS, where, limit=9, offset=0, ascending=True
            )
            assert total == 2 and said[0].context is not None
            assert said[0].context[0].score == 0.123456789012345
            assert service.store.transcripts.delete(ALL_BOTS, ["c1"], cascade=True).transcripts == 2
        push(service, page("new", "A page that came later."))
        assert names(service, "came later", "keyword") == ["new"]
    with_sources(former)
    with_sources(present)
    for table, kept in former.items():
        pairs = zip(kept, present[table], strict=True)
        assert kept == [{key: row[key] for key in former} for former, row in pairs], table
    with rows(path) as connection:
        assert connection.execute("pragma integrity_check").fetchone()[0] == "ok"
        assert connection.execute("pragma foreign_key_check").fetchall() == []


def test_filters_find_what_was_pushed_before_there_were_any(settings: Settings) -> None:
    path = put_back(BASES[15], settings)
    with rows(path) as connection:
        connection.execute("update documents set metadata = ? where id = 1", ['{"topic": "birds"}'])
    with assemble(settings, upgrade=ignore) as service:
        assert set(names(service, "steel", only=read_filter({"topic": "birds"}))) == {"heron"}
        assert set(names(service, "heron", only=read_filter({"not": {"topic": "birds"}}))) == {
            "steel"
        }


def test_a_copy_is_kept_until_the_next_upgrade(settings: Settings) -> None:
    path = put_back(BASES[9], settings)
    former = everything(path)
    (settings.data_dir / "rag.db.before-3").write_text("the copy before an earlier upgrade")
    told: list[str] = []
    with assemble(settings, upgrade=told.append):
        pass
    (copy,) = settings.data_dir.glob("rag.db.before-*")
    assert copy.name != "rag.db.before-3"
    assert everything(copy) == former
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert copy.name in told[0] and "step 11" in told[1]
    with assemble(settings, upgrade=told.append):  # nothing is left to be done
        pass
    assert len(told) == len(set(told))


def test_a_new_base_needs_no_copy(settings: Settings) -> None:
    with assemble(settings):
        pass
    assert list(settings.data_dir.glob("rag.db.before-*")) == []


def test_without_room_for_the_copy_nothing_is_changed(settings: Settings) -> None:
    path = put_back(BASES[0], settings)
    former = everything(path)
    for number in range(100):  # in the way of every name that the copy could have
        (settings.data_dir / f"rag.db.before-{number}.partial").mkdir()
    with pytest.raises(StorageFailed, match="no copy of rag"):
        assemble(settings, upgrade=ignore).__enter__()
    assert everything(path) == former


def test_an_upgrade_that_was_killed_goes_on(settings: Settings) -> None:
    path = put_back(BASES[1], settings)
    former = everything(path)

    def killed(progress: str) -> None:
        if "step 6" in progress:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        assemble(settings, upgrade=killed).__enter__()
    with rows(path) as connection:
        assert connection.execute("pragma user_version").fetchone()[0] == 5
    with assemble(settings, upgrade=ignore) as service:
        assert list(service.store.views.check()) == []
        assert names(service, "heron reeds")[0] == "heron"
    (copy,) = settings.data_dir.glob("rag.db.before-*")
    assert everything(copy) == former


def test_many_may_open_a_new_base_at_once(settings: Settings) -> None:
    """None of them finds it half made, though none may upgrade."""
    begin = threading.Barrier(8)

    def open_it() -> int:
        begin.wait()
        with assemble(settings) as service:
            return len(service.store.tokens.all())

    with ThreadPoolExecutor(8) as pool:
        assert [opened.result() for opened in [pool.submit(open_it) for _ in range(8)]] == [0] * 8


# -- other versions ----------------------------------------------------------------------------


def test_what_a_later_version_wrote_is_refused_and_left_alone(settings: Settings) -> None:
    with assemble(settings):
        pass
    path = settings.data_dir / "rag.db"
    with rows(path) as connection:
        connection.execute("pragma user_version = 9999")
    former = path.read_bytes()
    with pytest.raises(OtherVersion, match="later version of rag-service"):
        assemble(settings, upgrade=ignore).__enter__()
    assert path.read_bytes() == former


def test_only_the_server_and_its_command_upgrade(settings: Settings, shell: Shell) -> None:
    path = put_back(BASES[9], settings)
    former = path.read_bytes()
    for command in (["search", "heron"], ["bot", "list"], ["check"], ["transcripts"]):
        refused = shell.run(*command)
        assert refused.returncode == 1, command
        assert "rag-service upgrade" in refused.stderr
    assert path.read_bytes() == former
    upgraded = shell.run("upgrade")
    assert upgraded.returncode == 0 and "step 11" in upgraded.stderr
    assert "heron" in shell.run("search", "heron").stdout


def test_a_process_stops_when_another_version_upgrades_the_rows(settings: Settings) -> None:
    with assemble(settings) as service:
        push(service, page("a", "The heron."))
        with rows(settings.data_dir / "rag.db") as connection:
            newest = connection.execute("pragma user_version").fetchone()[0]
            connection.execute(f"pragma user_version = {newest + 1}")
        with pytest.raises(OtherVersion, match="restart"):
            push(service, page("b", "The stork."))
        with pytest.raises(OtherVersion, match="restart"):
            names(service, "heron")


def test_a_background_process_of_another_version_steps_aside(settings: Settings) -> None:
    """It upgrades nothing below its server, and does not end either: that would start another."""
    path = put_back(BASES[9], settings)
    former = path.read_bytes()
    with subprocess.Popen(
        [sys.executable, "-m", "rag_service.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **settings.environ()},
        text=True,
    ) as worker:
        assert worker.stdin is not None and worker.stderr is not None
        assert "earlier version" in worker.stderr.readline()
        worker.stdin.write('{"do": "job", "what": "job_2"}\n')
        worker.stdin.flush()
        assert worker.poll() is None
        out, _ = worker.communicate()
    assert (worker.returncode, out) == (0, "")
    assert path.read_bytes() == former


def test_an_old_sqlite_is_refused_with_what_needs_a_later_one() -> None:
    with pytest.raises(StorageFailed, match=r"SQLite 3.42.0 or later.*has 3.40.1"):
        check_version((3, 40, 1))
    check_version((3, 42, 0))
