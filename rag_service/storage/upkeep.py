"""The contract of looking after what is stored: what was deleted, and what has outlived its use."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable


@runtime_checkable
class UpkeepStore(Protocol):
    def owes(self, now: datetime) -> bool:
        """Deleted text is in some file still, or `remove_outlived` was not called for a day."""
        ...

    def erase_deleted(self, now: datetime) -> datetime | None:
        """Take deleted text out of the files that still hold it.

        Returns when to try again where a reader is in the way, or where making the views of a
        large bot anew can wait for more; None when nothing is owed any more.
        """
        ...

    def outlived_at(self) -> datetime:
        """When `remove_outlived` ended the last time, or the base was made."""
        ...

    def remove_outlived(
        self, now: datetime, *, jobs_before: datetime, events_before: datetime
    ) -> int:
        """Remove rows that nobody will ask for, in transactions of a moment; how many they were.

        They are jobs that ended and events that happened before these moments; deliveries that
        ended a month ago; changes that all sealed views have; and vectors that no chunk has had for
        a day. Views with text that was replaced are made anew, and a file of rows of less than
        512 MiB as well, without copies of deleted rows in the free space of its pages.
        """
        ...

    def unknown_jobs(self, job_ids: Sequence[str]) -> set[str]:
        """Those that are not there, or no more."""
        ...
