"""Calibrations as rows: one a bot, or none."""

from rag_service.access.scope import Scope
from rag_service.knowledge.store import Calibration
from rag_service.storage.sqlite.bots import within
from rag_service.storage.sqlite.database import now
from rag_service.storage.sqlite.driver import sqlite3


def calibrate(connection: sqlite3.Connection, bot: int, found: Calibration | None) -> None:
    connection.execute("delete from calibrations where bot = ?", [bot])
    if found is not None:
        connection.execute(
            """insert into calibrations (bot, scale, shift, made_with, created_at)
            values (?, ?, ?, ?, ?)""",
            [bot, found.scale, found.shift, found.made_with, now(connection)],
        )


def calibration(connection: sqlite3.Connection, bot: int) -> Calibration:
    row = connection.execute(
        "select scale, shift, made_with from calibrations where bot = ?", [bot]
    ).fetchone()
    if row is None:
        return Calibration()
    return Calibration(scale=row[0], shift=row[1], made_with=row[2])


def calibrations(connection: sqlite3.Connection, scope: Scope) -> dict[str, Calibration]:
    seen, of_bots = within(scope)
    rows = connection.execute(
        f"""select name, scale, shift, made_with from calibrations
        join bots on bots.id = calibrations.bot where {seen} order by name""",
        of_bots,
    )
    return {
        name: Calibration(scale=scale, shift=shift, made_with=made_with)
        for name, scale, shift, made_with in rows
    }
