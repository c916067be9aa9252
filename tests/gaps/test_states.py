"""What counts as an answer to a question that had none."""

import pytest

from rag_service.conversations.signals import SIGNAL_KINDS, Judgement
from rag_service.gaps.states import Former, is_answered

OPEN = Former(answered=False, confidence=0.1, is_replaced=False)
CLOSED = Former(answered=True, confidence=0.9, is_replaced=False)
NEWEST = 10


def judged(confidence: float) -> Judgement:
    return Judgement(
        has_rag_context=confidence >= 0.5,
        confidence=confidence,
        chunk_id=None,
        score=None,
        nearest=0.5,
        readable=True,
        absent=[],
        seen=1,
    )


def answered(kind, confidence, former, chunk, **rest):
    return is_answered(
        kind, judged(confidence), former, weak_below=0.7, newest_then=NEWEST, chunk=chunk, **rest
    )


@pytest.mark.parametrize("kind", SIGNAL_KINDS)
def test_a_passage_that_came_since_answers(kind):
    assert answered(kind, 0.6, OPEN, NEWEST + 1)


def test_what_found_nothing_is_answered_by_whatever_answers_now():
    assert answered("none", 0.6, OPEN, NEWEST)
    assert not answered("none", 0.4, OPEN, NEWEST + 1)


@pytest.mark.parametrize("kind", ["rejected", "weak"])
def test_an_answer_that_did_not_please_takes_a_passage_that_came_since(kind):
    assert not answered(kind, 0.6, OPEN, NEWEST)


def test_what_was_answered_stays_so_a_little_below_the_threshold():
    assert answered("none", 0.6, CLOSED, NEWEST)
    assert answered("none", 0.46, CLOSED, NEWEST)
    assert not answered("none", 0.4, CLOSED, NEWEST + 1)


def test_what_was_there_takes_the_place_of_a_passage_that_went_only_where_it_is_as_sure():
    lost = Former(answered=True, confidence=0.9, is_replaced=True)
    assert answered("none", 0.9, lost, NEWEST)
    assert not answered("none", 0.8, lost, NEWEST)
