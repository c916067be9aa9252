"""The views of each bot: loaded, sealed, compared with the rows, and made anew."""

from collections.abc import Iterator

from rag_service.errors import NotFound, StorageFailed
from rag_service.storage.sqlite.base import Base
from rag_service.storage.sqlite.database import RowsFile
from rag_service.storage.sqlite.ledger import check_ledger


class SqliteViews:
    def __init__(self, rows: RowsFile, base: Base) -> None:
        self._rows = rows
        self._base = base

    def warm(self) -> None:
        indexes = self._base.indexes
        for bot in self._bot_rows().values():
            indexes.warm(bot)

    def wants_sealing(self, bot_id: str) -> bool:
        bot = self._bot_rows().get(bot_id)
        return bot is not None and self._base.known_indexes().wants_sealing(bot)

    def seal(self, bot_id: str, *, share: float | None = None) -> bool:
        bot = self._bot_rows().get(bot_id)
        try:
            return bot is not None and self._base.known_indexes().seal(bot, share)
        except OSError as error:
            raise StorageFailed(
                f"the views in {self._base.folder} could not be written: {error}"
            ) from error

    def check(self) -> Iterator[str]:
        indexes = self._base.known_indexes()
        with self._rows.reading() as connection:
            for table in ("documents_text", "messages_text"):
                # SQLite 3.53 checks a table by what this connection remembers of its structure
                connection.execute(f"select 1 from {table} where {table} match 'aaa'").fetchone()
            found = connection.execute("pragma quick_check").fetchone()[0]
        if found != "ok":
            yield f"rag.db: {found}"
        with self._rows.reading() as connection:
            yield from check_ledger(connection)
        for name, bot in self._bot_rows().items():
            yield from indexes.check(bot, name)

    def reindex(self, bot_id: str) -> None:
        bot = self._bot_rows().get(bot_id)
        if bot is None:
            raise NotFound(f"no bot {bot_id!r}")
        self._base.known_indexes().discard(bot)
        self.seal(bot_id, share=0)

    def _bot_rows(self) -> dict[str, int]:
        with self._rows.reading() as connection:
            return dict(connection.execute("select name, id from bots").fetchall())
