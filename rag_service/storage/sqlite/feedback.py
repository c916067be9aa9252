"""What people think of answers, as rows."""

from rag_service.access.scope import Scope
from rag_service.conversations.messages import Rating
from rag_service.conversations.signals import Signal
from rag_service.errors import Conflict, NotFound
from rag_service.storage.sqlite.bots import within
from rag_service.storage.sqlite.database import RowsFile, now
from rag_service.storage.sqlite.driver import sqlite3
from rag_service.storage.sqlite.gap_rows import settling
from rag_service.storage.sqlite.signals import keep_signal


class SqliteFeedback:
    def __init__(self, rows: RowsFile) -> None:
        self._rows = rows

    def rate(
        self,
        scope: Scope,
        message_id: str,
        rating: Rating | None,
        comment: str,
        signal: Signal | None,
    ) -> None:
        seen, values = within(scope)
        with self._rows.erasing() as connection:
            found = connection.execute(
                f"""select answer.id, question.id from messages as answer
                join bots on bots.id = answer.bot
                left join messages as question on question.message_id = answer.reply_to
                and question.conversation = answer.conversation
                where answer.message_id = ? and {seen}""",
                [message_id, *values],
            ).fetchone()
            if found is None:
                raise NotFound(f"no message {message_id!r}")
            answer, question = found
            if question is None:
                raise Conflict(f"the message {message_id!r} answers no question")
            connection.execute("delete from feedback where message = ?", [answer])
            if rating is not None:
                connection.execute(
                    "insert into feedback values (?, ?, ?, ?)",
                    [answer, rating, comment, now(connection)],
                )
            if signal is not None:
                keep_signal(connection, question, signal)
            else:
                _forget_rejected(connection, question)


def _forget_rejected(connection: sqlite3.Connection, question: int) -> None:
    """The signal that a rating has left, which somebody took back."""
    where = "message = ? and kind = 'rejected'"
    with settling(connection, f"select id from signals where {where}", [question], "rated"):
        connection.execute(f"delete from signals where {where}", [question])
