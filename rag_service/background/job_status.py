"""How far a batch is, for whoever asks."""

from datetime import datetime

from msgspec import Struct

from rag_service.knowledge.jobs import FailedLine, Job


class JobStatus(Struct, frozen=True, kw_only=True):
    job: Job
    failed_lines: list[FailedLine]
    rate: float | None
    """Lines a second since it started."""
    eta_s: float | None
    note: str | None = None
    """Why it waits, while it does."""


def rate_of(job: Job, now: datetime) -> float | None:
    if job.started_at is None or not job.counts.done:
        return None
    start = datetime.fromisoformat(job.started_at)
    end = datetime.fromisoformat(job.finished_at) if job.finished_at else now
    seconds = (end - start).total_seconds()
    return round(job.counts.done / seconds, 2) if seconds > 0 else None
