"""Tokens as rows. A reader sees a change with its next query, in every process."""

import msgspec

from rag_service.access.store import Token
from rag_service.errors import Conflict, NotFound
from rag_service.storage.sqlite.database import RowsFile, as_json
from rag_service.storage.sqlite.driver import sqlite3


class SqliteTokens:
    def __init__(self, rows: RowsFile) -> None:
        self._rows = rows

    def add(self, token: Token) -> None:
        with self._rows.writing() as connection:
            if connection.execute("select 1 from tokens where name = ?", [token.name]).fetchone():
                raise Conflict(
                    f"a token named {token.name!r} exists: rotate it, or take another name"
                )
            connection.execute(
                """insert into tokens (name, digest, scopes, bot_id, rates, origins, created_at)
                values (?, ?, ?, ?, ?, ?, ?)""",
                [
                    token.name,
                    token.digest,
                    as_json(token.scopes),
                    token.bot_id,
                    as_json(token.rates),
                    as_json(token.origins),
                    token.created_at,
                ],
            )

    def rotate(self, name: str, digest: bytes) -> None:
        with self._rows.writing() as connection:
            _found(
                name,
                connection.execute("update tokens set digest = ? where name = ?", [digest, name]),
            )

    def revoke(self, name: str) -> None:
        with self._rows.writing() as connection:
            _found(name, connection.execute("delete from tokens where name = ?", [name]))

    def signing_key(self) -> bytes:
        with self._rows.reading() as connection:
            (key,) = connection.execute("select key from signing_keys").fetchone()
            return bytes(key)

    def version(self) -> int:
        return self._rows.version()

    def all(self) -> list[Token]:
        with self._rows.reading() as connection:
            rows = connection.execute(
                """select name, digest, scopes, bot_id, rates, origins, created_at from tokens
                order by created_at, name"""
            ).fetchall()
        return [
            Token(
                name=name,
                digest=digest,
                scopes=msgspec.json.decode(scopes),
                bot_id=bot_id,
                rates=msgspec.json.decode(rates),
                origins=msgspec.json.decode(origins),
                created_at=created_at,
            )
            for name, digest, scopes, bot_id, rates, origins, created_at in rows
        ]


def _found(name: str, changed: sqlite3.Cursor) -> None:
    if not changed.rowcount:
        raise NotFound(f"no token named {name!r}: `rag-service token list` shows those there are")
