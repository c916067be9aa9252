"""Average linkage without a matrix of all pairs gives what that with one gives."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage

from rag_service.gaps.linkage import Points, average_linkage, nearest_rows


def points(seed: int, size: int, codes: int = 1) -> Points:
    """Around a few directions, so that there is something to find."""
    chance = np.random.default_rng(seed)
    means = (
        chance.normal(size=(size, 6))
        + 2 * chance.normal(size=(5, 6))[chance.integers(5, size=size)]
    )
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    return Points(
        means=means.astype(np.float32),
        signs=np.ones(6, np.float32),
        sizes=np.ones(size, np.float32),
        codes=chance.integers(codes, size=size),
    )


def partition(labels: np.ndarray) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels)}


@given(st.integers(0, 10_000), st.integers(2, 60), st.floats(-0.5, 0.95))
def test_groups_are_those_of_average_linkage(seed, size, least):
    made = points(seed, size)
    distance = (2 - made.means @ made.means.T)[np.triu_indices(size, 1)]
    heights = linkage(distance.astype(np.float64), "average")
    if np.abs(heights[:, 2] - (2 - least)).min() < 1e-4:
        return  # rounding decides
    expected = fcluster(heights, 2 - least, "distance")
    assert partition(average_linkage(made, least)) == partition(expected)


@given(st.integers(0, 10_000), st.integers(1, 60), st.floats(-0.5, 0.95))
def test_points_of_different_codes_are_never_together(seed, size, least):
    made = points(seed, size, codes=4)
    for group in partition(average_linkage(made, least)):
        assert len({int(made.codes[one]) for one in group} - {0}) <= 1


@given(st.integers(0, 10_000), st.integers(1, 60))
def test_points_are_left_as_they_are(seed, size):
    made, same = points(seed, size), points(seed, size)
    average_linkage(made, 0.3)
    assert np.array_equal(made.means, same.means)
    assert np.array_equal(made.sizes, same.sizes)


def test_equal_points_are_all_together():
    made = points(1, 1)
    many = made.take(np.zeros(500, np.int64))
    assert partition(average_linkage(many, 0.9)) == {frozenset(range(500))}


@given(st.integers(0, 10_000), st.integers(2, 40), st.integers(1, 10), st.integers(1, 50))
def test_the_nearest_rows_are_found_likest_first(seed, size, count, block):
    made = points(seed, size)
    likeness = made.means @ made.means.T
    np.fill_diagonal(likeness, -np.inf)
    seen = []
    for rows, _, found in nearest_rows(made, count, block):
        seen += rows.tolist()
        expected = -np.sort(-likeness[rows], axis=1)[:, : found.shape[1]]
        assert found.shape[1] == min(count, size)
        assert np.allclose(found, expected, atol=1e-5)
    assert seen == list(range(size))
