"""Does the ledger of gaps survive SIGKILL at any moment of asking, pushing, answering, merging?

The program of tests/gap_crashing.py does all of that at random, in a process that is killed
`--kills` times. After each, every question that it said it had written is of exactly one gap, every
gap that it named is there or part of another one, and `check` finds nothing.
"""

import sys
import tempfile
from pathlib import Path

from corpus import SEED
from figures import arguments, finish, say

sys.path.insert(0, str(Path(__file__).parent.with_name("tests")))

from gap_killing import Told, kill


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=SEED)
    settings = parser.parse_args()
    if settings.small:
        settings.kills = 3
    told, found = Told(), list[str]()
    with tempfile.TemporaryDirectory(prefix="rag-bench-") as folder:
        for number, (told, faults) in enumerate(kill(Path(folder), settings.kills, settings.seed)):
            say(f"kill {number + 1}: {len(told.asked)} questions, {len(told.gaps)} gaps; {faults}")
            found += faults
    figures = {"questions": len(told.asked), "gaps": len(told.gaps), "faults": found}
    finish("kill_gaps", figures, settings)
    return int(bool(found))


if __name__ == "__main__":
    raise SystemExit(main())
