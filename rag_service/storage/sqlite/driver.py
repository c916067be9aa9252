"""The SQLite that everything here uses: the one that `pysqlite3` carries, or else Python's own.

Python's own may be years old (3.40 on Debian 12). No other library of SQLite may open rag.db in
this process: closing its file would release the locks that this one holds.
"""

import sys
from typing import TYPE_CHECKING

from rag_service.errors import StorageFailed

if TYPE_CHECKING:
    import sqlite3
else:
    try:
        from pysqlite3 import dbapi2 as sqlite3
    except ImportError:
        import sqlite3

__all__ = ["check_version", "sqlite3"]

_LEAST = (3, 42, 0)
"""FTS5 erases deleted text piece by piece from 3.42 on (`secure-delete`); before, a delete
rewrites the whole index. The rest is older: `->>` 3.38, `drop column` and `returning` 3.35,
trigrams 3.34."""


def check_version(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> None:
    """Raises StorageFailed when SQLite is older than what the rows need."""
    if version < _LEAST:
        raise StorageFailed(
            f"SQLite {'.'.join(map(str, _LEAST))} or later is needed, which erases deleted text "
            f"from its index, and this Python ({sys.executable}) has "
            f"{'.'.join(map(str, version))}: `pip install pysqlite3`, or use a newer Python"
        )
