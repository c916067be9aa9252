"""A minute of what a service meets in months; `benchmarks/soak.py --hours 4` is the real thing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).parents[1] / "benchmarks" / "soak.py"


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_kills_full_disks_and_stepped_clocks_lose_nothing_and_keep_nothing_deleted() -> None:
    environ = {key: value for key, value in os.environ.items() if not key.startswith("RAG_")}
    done = subprocess.run(
        [sys.executable, str(SOAK), "--small", "--seed", "1"],
        env={**environ, "PYTHONPATH": str(SOAK.parents[1])},
        capture_output=True,
        text=True,
    )
    assert done.stdout, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["faults"] == [], done.stderr
    assert done.returncode == 0
    assert found["deleted_texts"] > 50 and found["texts_there"] > 50
    assert found["webhooks"]["taken"] > 50
