"""Runs a module of the service with a wall clock that is ahead by what a file says.

`soak_launch.py CLOCK MODULE ARGUMENTS`: of the child processes too. Monotonic time stays the
machine's own, as it does when NTP or somebody sets the clock.
"""

import mmap
import os
import runpy
import struct
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rag_service.background import orders
from rag_service.clock import SystemClock


def main(clock: Path, module: str, *arguments: str) -> None:
    descriptor = os.open(clock, os.O_RDONLY)
    ahead = mmap.mmap(descriptor, 8, access=mmap.ACCESS_READ)

    def now(_: SystemClock) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=struct.unpack("d", ahead[:8])[0])

    setattr(SystemClock, "now", now)  # noqa: B010  all that asks the time asks it here
    setattr(orders, "program", lambda name: [sys.executable, __file__, str(clock), name])  # noqa: B010
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
