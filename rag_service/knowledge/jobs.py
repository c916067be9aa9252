"""A batch of pushes as a row, and the contract of where it is kept."""

from collections.abc import Iterable
from typing import Literal, Protocol, runtime_checkable

from msgspec import Struct

from rag_service.access.scope import Scope

JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]


class JobCounts(Struct, frozen=True, kw_only=True):
    """Lines. `done` counts every line that has a result, `failed` those that have an error."""

    done: int = 0
    embedded: int = 0
    unchanged: int = 0
    failed: int = 0


class Job(Struct, frozen=True, kw_only=True):
    id: str
    state: JobState
    scope: Scope
    """What its token may write to. The job is not found by a scope that does not cover this."""
    owner: str
    """The server that takes care of it."""
    total: int
    counts: JobCounts
    offset: int
    """Bytes of the spooled lines that have a result."""
    error: str | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    strict: bool = False
    """A document of which something would be left out fails."""


class FailedLine(Struct, frozen=True, kw_only=True):
    line: int
    source_url: str | None
    error: str


@runtime_checkable
class JobStore(Protocol):
    def add(self, job: Job) -> None: ...

    def get(self, scope: Scope, job_id: str) -> Job:
        """Raises NotFound."""
        ...

    def page(
        self, scope: Scope, state: JobState | None, *, limit: int, offset: int
    ) -> tuple[int, list[Job]]:
        """How many the scope covers, and some of them, the newest first."""
        ...

    def failed_lines(
        self, scope: Scope, job_id: str, *, limit: int, offset: int
    ) -> list[FailedLine]: ...

    def cancel(self, scope: Scope, job_id: str) -> Job:
        """A job that is finished is left as it is. Raises NotFound."""
        ...

    # -- for the server that works on it -------------------------------------------------------

    def start(self, job_id: str) -> bool:
        """False when it is finished or cancelled."""
        ...

    def own(self, job_id: str, former: str, owner: str) -> bool:
        """Take an unfinished job over; False when it is not `former`'s any more."""
        ...

    def advance(
        self, job_id: str, counts: JobCounts, offset: int, failed: Iterable[FailedLine]
    ) -> bool:
        """False when it has been cancelled meanwhile."""
        ...

    def finish(self, job_id: str, state: JobState, error: str | None) -> None:
        """Does nothing to a job that is finished."""
        ...

    def unfinished(self) -> list[Job]:
        """Oldest first."""
        ...
