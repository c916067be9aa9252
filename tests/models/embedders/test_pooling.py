"""From the states of tokens to vectors of spans, on states that are made up."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rag_service.models.embedders.pooling import pool_spans

WHOLE = np.array([1.0, 0.0, 0.0], np.float32)
STATES = np.eye(3, dtype=np.float32)[[1, 2, 1, 2]]


def test_a_span_has_the_mean_of_the_states_of_its_tokens():
    places = np.array([2, 5, 9, 12], np.int32)
    found = pool_spans(WHOLE, STATES, places, [(0, 4), (4, 10), (10, 20)])
    assert np.allclose(found, [[0, 1, 0], [0, 0.5**0.5, 0.5**0.5], [0, 0, 1]])


def test_a_span_without_a_token_has_the_vector_of_the_text():
    places = np.array([-1, 5, 5, -1], np.int32)
    found = pool_spans(WHOLE, STATES, places, [(0, 4), (4, 10), (10, 20)])
    assert np.allclose(found[[0, 2]], WHOLE)
    assert np.allclose(pool_spans(WHOLE, STATES, np.full(4, -1, np.int32), [(0, 9)]), WHOLE)


def test_states_that_cancel_out_leave_the_vector_of_the_text():
    states = np.array([[0, 1, 0], [0, -1, 0]], np.float32)
    assert np.allclose(pool_spans(WHOLE, states, np.array([1, 2], np.int32), [(0, 4)]), WHOLE)


def test_no_spans_have_no_vectors():
    assert pool_spans(WHOLE, STATES, np.array([2, 5, 9, 12], np.int32), []).shape == (0, 3)


@given(st.lists(st.integers(1, 9), max_size=6), st.lists(st.integers(-1, 40), max_size=30))
def test_every_vector_has_length_one(lengths, places):
    ends = np.cumsum([0, *lengths]).tolist()
    spans = list(pairwise(ends))
    places = np.array(sorted(places), np.int32)
    states = np.random.default_rng(1).standard_normal((max(0, len(places) - 2), 3))
    found = pool_spans(WHOLE, states.astype(np.float32), places, spans)
    assert found.shape == (len(spans), 3)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
