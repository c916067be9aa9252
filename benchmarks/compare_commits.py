"""Is this commit slower than a former one?

`compare_commits.py FORMER start search` runs those benchmarks, each commit's own and in small, by
turns on both: whatever else the machine does hits both alike. Which of the two begins changes from
pair to pair. Prints of each figure that both have the medians and the median of the pairs' ratios;
`processor_s` is the processor time of a whole run, which a busy machine changes least.
The commit that is checked out is measured as it stands.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from figures import finish, say

HERE = Path(__file__).parents[1]
PAIRS = 6
_LEFT_OUT = ("machine.", "settings.", "versions.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.set_defaults(busy_before=None)
    parser.add_argument("former", help="a commit, tag or branch")
    parser.add_argument("benchmarks", nargs="+", help="such as start, for bench_start.py")
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--options", default="--small", help="of the benchmarks, in one string")
    settings = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        former = Path(folder)
        _check_out(settings.former, former)
        figures = {
            name: compare(name, [former, HERE], settings.pairs, settings.options.split())
            for name in settings.benchmarks
        }
    finish("compare_commits", figures, settings)


def compare(name: str, places: list[Path], pairs: int, options: list[str]) -> dict[str, Any]:
    runs: list[list[dict[str, float]]] = [[], []]
    for pair in range(pairs):
        for which in (0, 1) if pair % 2 == 0 else (1, 0):
            say(f"{name}: pair {pair + 1} of {pairs}, {('the former', 'this one')[which]}")
            runs[which].append(_run(name, places[which], options))
    common = [key for key in runs[1][0] if all(key in run for side in runs for run in side)]
    return {
        key: {
            "former": median(run[key] for run in runs[0]),
            "now": median(run[key] for run in runs[1]),
            "ratio": median(
                now[key] / former[key] for former, now in zip(*runs, strict=True) if former[key]
            ),
        }
        for key in common
        if any(former[key] for former in runs[0])
    }


def _run(name: str, place: Path, options: list[str]) -> dict[str, float]:
    before = _processor_s()
    done = subprocess.run(
        [sys.executable, place / "benchmarks" / f"bench_{name}.py", *options],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(place)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"bench_{name}.py of {place} failed:\n{done.stderr[-2000:]}")
    figures = dict(_numbers(json.loads(done.stdout.splitlines()[-1])))
    return figures | {"processor_s": _processor_s() - before}


def _processor_s() -> float:
    """Of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _numbers(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """Each figure by its path; lists are what the medians were taken of."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _numbers(inner, f"{path}{key}.")
    elif isinstance(value, int | float) and not path.startswith(_LEFT_OUT):
        yield path.rstrip("."), float(value)


def _check_out(commit: str, folder: Path) -> None:
    archive = folder / "commit.tar"
    subprocess.run(
        ["git", "archive", f"--output={archive}", commit, "rag_service", "benchmarks"],
        cwd=HERE,
        check=True,
    )
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")


if __name__ == "__main__":
    main()
