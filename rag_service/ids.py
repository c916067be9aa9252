"""Opaque ids that tell their kind and sort by creation: `doc_0199...` (UUIDv7, RFC 9562)."""

from uuid_utils import uuid7


def new_id(kind: str) -> str:
    return f"{kind}_{uuid7().hex}"


def chunk_id(row: int) -> str:
    """The public id of a chunk row. Rows are never reused, so neither are these."""
    return f"chk_{row:016x}"


def chunk_row(chunk_id: str) -> int:
    """The row of a chunk's public id."""
    return int(chunk_id.removeprefix("chk_"), 16)
