"""What a caller may see and change. Every store asks for it, and no handler compares bots."""

from msgspec import Struct

from rag_service.documents import DEFAULT_BOT
from rag_service.errors import Forbidden


class Scope(Struct, frozen=True):
    """The bots that a caller may use: their documents, conversations, jobs, events and webhooks.

    A row outside it is not found. A bot outside it that is named is Forbidden, whether there is
    one of that name or not.
    """

    bot_ids: frozenset[str] | None = None
    """None for all bots, and for what belongs to none."""

    def __post_init__(self) -> None:
        if self.bot_ids is not None and not self.bot_ids:
            raise ValueError("a scope holds one bot at least")

    def admits(self, bot_id: str | None) -> bool:
        """Whether what belongs to this bot may be seen; None and "" are no bot."""
        return self.bot_ids is None or bot_id in self.bot_ids

    def covers(self, other: "Scope") -> bool:
        """Whether all that the other one admits may be seen."""
        if self.bot_ids is None or other.bot_ids is None:
            return self.bot_ids is None
        return other.bot_ids <= self.bot_ids

    def need(self, bot_id: str | None) -> None:
        """Raises Forbidden where this bot may not be used; None stands for all of them."""
        if not self.admits(bot_id):
            raise Forbidden(f"This token is bound to the bot {self._names}.")

    def need_all(self, what: str) -> None:
        """For what belongs to no bot. Raises Forbidden."""
        if self.bot_ids is not None:
            raise Forbidden(
                f"This token is bound to the bot {self._names}, and {what} belong to no bot."
            )

    def only(self, bot_id: str | None) -> "Scope":
        """Narrowed to this bot, where one is named. Raises Forbidden."""
        if bot_id is None:
            return self
        self.need(bot_id)
        return Scope(frozenset({bot_id}))

    @property
    def one_bot(self) -> str | None:
        """The only bot there is in it, if that is so."""
        if self.bot_ids is None or len(self.bot_ids) > 1:
            return None
        return next(iter(self.bot_ids))

    @property
    def default_bot(self) -> str:
        """The bot of what names none."""
        return self.one_bot or DEFAULT_BOT

    @property
    def _names(self) -> str:
        return ", ".join(map(repr, sorted(self.bot_ids or ())))


ALL_BOTS = Scope()
"""Of the command line, of the service itself, and of a token that is bound to no bot."""
