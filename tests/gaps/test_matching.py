"""Clusters keep their labels from grouping to grouping."""

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from rag_service.gaps.matching import matched


def groups_of(labels: list[int]) -> list[list[int]]:
    found: dict[int, list[int]] = {}
    for question, label in enumerate(labels):
        found.setdefault(label, []).append(question)
    return list(found.values())


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=30))
def test_labels_stay_and_every_lost_one_leads_on(pairs):
    former = dict(enumerate(label for label, _ in pairs))
    groups = groups_of([group for _, group in pairs])
    found = matched(former, groups, count(100).__next__)
    assert found.labels.keys() == former.keys()
    by_group = [{found.labels[one] for one in group} for group in groups]
    assert all(len(labels) == 1 for labels in by_group)
    assert len(set.union(*by_group)) == len(groups)
    now = set(found.labels.values())
    assert found.merged.keys() == set(former.values()) - now
    assert set(found.merged.values()) <= now
    made = [label for label in now if label >= 100]
    assert len(made) == max(0, len(groups) - len(now & set(former.values())))


def test_the_largest_overlap_keeps_the_label():
    former = {0: 1, 1: 1, 2: 1, 3: 2}
    found = matched(former, [[0], [1, 2, 3]], count(9).__next__)
    assert found.labels == {0: 9, 1: 1, 2: 1, 3: 1}
    assert found.merged == {2: 1}
    assert found.moved == {0: (1, 9), 3: (2, 1)}


def test_the_same_groups_keep_all_labels():
    former = {0: 4, 1: 4, 2: 7}
    found = matched(former, [[2], [0, 1]], count(9).__next__)
    assert (found.labels, found.merged, found.moved) == (former, {}, {})


def test_a_cluster_that_parts_leaves_its_label_with_the_larger_half():
    found = matched(dict.fromkeys(range(5), 3), [[0, 1], [2, 3, 4]], count(9).__next__)
    assert found.labels == {0: 9, 1: 9, 2: 3, 3: 3, 4: 3}
    assert found.merged == {}
