"""How a server starts its background process."""

import subprocess
import sys
from pathlib import Path

import pytest

FORKS = """
import asyncio, ctypes, sys
import uvloop
from pathlib import Path
from shelf import settings_in
from rag_service.background.orders import Background, Order

forks = []
PREPARE = ctypes.CFUNCTYPE(None)
prepare = PREPARE(lambda: forks.append(1))
assert ctypes.CDLL(None).__register_atfork(prepare, None, None, None) == 0

async def main():
    program = 'print("{}", flush=True); print(input() and "{}", flush=True); open(0).read()'
    background = Background(settings_in(Path(sys.argv[1])), command=[sys.executable, "-c", program])
    heard = asyncio.Event()
    background.take = lambda report: heard.set()
    async with background.running():
        background.order(Order("upkeep"))
        await heard.wait()

uvloop.run(main())
print(len(forks))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the C library tells of forks otherwise")
def test_it_is_started_without_a_fork_which_waits_for_threads_that_compute(tmp_path: Path) -> None:
    """Numerical libraries have a lock taken before each fork; a soak found a server that hung."""
    done = subprocess.run(
        [sys.executable, "-c", FORKS, str(tmp_path)],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert (done.stdout, done.stderr) == ("0\n", "")
