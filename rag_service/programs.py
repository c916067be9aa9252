"""How a module of this package is run as a child process."""

import sys


def program(module: str) -> list[str]:
    """The command. The current folder is not looked through for modules (`-P`), since whoever may
    write there would have a say in what we run; PYTHONPATH and editable installs are."""
    return [sys.executable, "-P", "-m", module]
