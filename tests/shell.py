"""The command line, run as its users run it."""

import json
import os
import pty
import re
import select
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner, Result

from rag_service.cli import cli
from rag_service.settings import Settings

GOLDEN = Path(__file__).parent / "golden"


class Shell:
    """Runs `rag-service` in a folder, as another process or, quicker, in this one."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self.settings = settings

    def environ(self, **changes: str) -> dict[str, str]:
        rest = {name: value for name, value in os.environ.items() if not name.startswith("RAG_")}
        return {**rest, **self.settings.environ(), "COLUMNS": "100", **changes}

    def start(self, *words: str | Path, **changes: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "rag_service", *map(str, words)],
            cwd=self.folder,
            env=self.environ(**changes),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str | Path, **changes: str) -> subprocess.CompletedProcess[str]:
        with self.start(*words, **changes) as process:
            try:
                out, err = process.communicate(timeout=120)
            finally:
                process.kill()  # one that is too slow is not left to the tests after it
        assert "Traceback" not in err, err
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def ingest(self, *words: str | Path, **changes: str) -> tuple[int, dict]:
        done = self.run("ingest", *words, **changes)
        return done.returncode, json.loads(done.stdout)

    def quick(self, *words: str, **changes: str | None) -> Result:
        """Not for `ingest`, which lowers the priority of its process."""
        others = {name: None for name in os.environ if name.startswith("RAG_")}
        environ = {**others, **self.settings.environ(), **changes}
        result = CliRunner().invoke(cli, words, env=environ)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    def on_a_terminal(self, *words: str | Path, **changes: str) -> tuple[int, str]:
        """The exit code, and what was shown, without colours."""
        leader, follower = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "rag_service", *map(str, words)],
            cwd=self.folder,
            env=self.environ(TERM="xterm-256color", **changes),
            stdin=follower,
            stdout=follower,
            stderr=follower,
        )
        os.close(follower)
        shown = b""
        try:
            while select.select([leader], [], [], 60)[0]:
                try:
                    part = os.read(leader, 65536)
                except OSError:  # how Linux says that the other side is closed
                    break
                if not part:
                    break
                shown += part
        finally:
            os.close(leader)
            code = process.wait(60)
        text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode())
        return code, text.replace("\r\n", "\n")


def pushes(*names: str, **rest: object) -> str:
    bodies = (
        {"source_url": f"https://example.com/{name}", "content": f"This is {name}.", **rest}
        for name in names
    )
    return "".join(json.dumps(body) + "\n" for body in bodies)


def golden(name: str, shown: str) -> None:
    """Write the file anew by deleting it and running the test."""
    path = GOLDEN / name
    shown = "\n".join(line.rstrip() for line in shown.strip().splitlines()) + "\n"
    if not path.exists():
        path.write_text(shown)
    assert shown == path.read_text()
