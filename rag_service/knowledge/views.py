"""The contract of the views that find passages: vectors and words, made from the rows."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable


@runtime_checkable
class ViewStore(Protocol):
    """A view holds nothing of its own. It is read by searches, and looked after by the service."""

    def warm(self) -> None:
        """Load the views, so that the first search need not."""
        ...

    def wants_sealing(self, bot_id: str) -> bool:
        """So much has changed that a search pays for it: time for `seal`."""
        ...

    def seal(self, bot_id: str, *, share: float | None = None) -> bool:
        """Write the bot's views to disk up to now, if more than `share` of its chunks changed.

        0 always writes; None leaves it to the store. Slow, and needs no embedding model. False
        when there was nothing to do, or another process is at it.
        """
        ...

    def check(self) -> Iterator[str]:
        """Compare rows and views; yields what is wrong, a sentence each."""
        ...

    def reindex(self, bot_id: str) -> None:
        """Throw the bot's views away and make them from the rows."""
        ...
