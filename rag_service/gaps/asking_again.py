"""Which questions a change of the knowledge can answer, or take the answer from. Pure."""

from collections.abc import Collection, Sequence

import numpy as np
from msgspec import Struct

from rag_service.documents import Vectors
from rag_service.gaps.store import Member, Moved
from rag_service.ids import chunk_row
from rag_service.knowledge.finding.confidence import Signs, least_nearness
from rag_service.knowledge.finding.scale import Scale
from rag_service.knowledge.store import Calibration

_MARGIN = 0.05
"""Of nearness: the levels of a corpus move a little with every page."""
_BLOCK = 2048
"""Vectors that are multiplied at once."""


class Bounds(Struct, frozen=True, kw_only=True):
    """How near a sentence has to come to a question for the decision to change."""

    near: float
    with_code: float


def bounds_of(seen: Signs, calibration: Calibration) -> Bounds:
    """From what any search of the bot saw."""
    return Bounds(
        near=least_nearness(seen, calibration) - _MARGIN,
        with_code=least_nearness(seen, calibration, with_code=True) - _MARGIN,
    )


def touched(members: Sequence[Member], moved: Moved, scale: Scale, bounds: Bounds) -> list[Member]:
    """Those that may be judged in another way since the change.

    A question rests on its best passage. It can be answered by a passage that comes near enough, or
    that has words of it that no passage had before. One that a search has seen the change with is
    not among them.
    """
    stale = [member for member in members if member.now.seen < moved.until]
    resting = [member for member in stale if rests_on(member, moved.gone)]
    open_ones = [member for member in stale if not member.answered]
    nearness = _nearest(open_ones, moved.vectors, scale)
    reached = [
        member
        for member, near in zip(open_ones, nearness.tolist(), strict=True)
        if _is_reached(member, near, moved.terms, bounds)
    ]
    found = {member.signal: member for member in (*resting, *reached)}
    return list(found.values())


def rests_on(member: Member, gone: Collection[int]) -> bool:
    """Whether the best passage of a question is one of those."""
    chunk = member.now.chunk_id
    return chunk is not None and chunk_row(chunk) in gone


def _is_reached(member: Member, near: float, terms: set[str] | None, bounds: Bounds) -> bool:
    if near >= bounds.near:
        return True
    if terms is not None and terms.isdisjoint(member.now.absent):
        return False
    return not member.now.readable or max(near, member.now.nearest) >= bounds.with_code


def _nearest(members: Sequence[Member], vectors: Vectors, scale: Scale) -> Vectors:
    """By member, how near the nearest of these vectors comes; shape (members,)."""
    if not members or not len(vectors):
        return np.full(len(members), -np.inf, np.float32)
    different = {id(member.vector): member.vector for member in members}
    places = {key: place for place, key in enumerate(different)}
    distinct = list(different.values())
    best = np.full(len(distinct), -np.inf, np.float32)
    for start in range(0, len(distinct), _BLOCK):
        questions = np.stack(distinct[start : start + _BLOCK])
        for first in range(0, len(vectors), _BLOCK):
            cosines = questions @ vectors[first : first + _BLOCK].T
            block = best[start : start + _BLOCK]
            np.maximum(block, cosines.max(axis=1), out=block)
    return scale.nearness(best[[places[id(member.vector)] for member in members]])
