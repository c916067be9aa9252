"""Which former cluster a new one goes on as. Pure."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct


class Regrouped(Struct, frozen=True, kw_only=True):
    """What a new grouping of the same questions changes."""

    labels: dict[int, int]
    """By question, its cluster now."""
    merged: dict[int, int]
    """By cluster that is no more, the one that most of its questions went to."""
    moved: dict[int, tuple[int, int]]
    """By question whose cluster is another one now, the cluster it was of and that one."""


def matched(
    former: Mapping[int, int], groups: Sequence[Sequence[int]], new_label: Callable[[], int]
) -> Regrouped:
    """Each group keeps the label that most of its questions had, unless a group with more of them
    keeps it; of equal ones, the smaller label and the earlier group. What is left gets new labels.

    `former` has the label of every question, and every question is in exactly one group.
    """
    shared = Counter(
        (former[question], place) for place, group in enumerate(groups) for question in group
    )
    by_size = sorted(shared, key=lambda pair: (-shared[pair], pair))
    of_group: dict[int, int] = {}
    kept: set[int] = set()
    for label, place in by_size:
        if label not in kept and place not in of_group:
            of_group[place] = label
            kept.add(label)
    for place in range(len(groups)):
        if place not in of_group:
            of_group[place] = new_label()
    labels = {question: of_group[at] for at, group in enumerate(groups) for question in group}
    merged: dict[int, int] = {}
    for label, place in by_size:
        if label not in kept:
            merged.setdefault(label, of_group[place])
    return Regrouped(
        labels=labels,
        merged=merged,
        moved={
            question: (former[question], label)
            for question, label in labels.items()
            if former[question] != label
        },
    )
