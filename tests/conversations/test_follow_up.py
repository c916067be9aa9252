"""What a question means after what was said before it."""

from rag_service.conversations.follow_up import in_context, is_answered_by
from rag_service.conversations.messages import Message

PRICE = "What is the price of a tent pitch in July?"
DOGS = "Are dogs allowed on the beach of the campsite?"
LONG = "Does the campsite have a swimming pool for children?"


def after(*asked):
    turns = ((Message("user", text), Message("assistant", "It is so.")) for text in asked)
    return [message for turn in turns for message in turn]


def test_a_first_question_stands_by_itself():
    assert in_context("And those?", []) is None
    assert in_context("And those?", [Message("assistant", "Welcome!")]) is None


def test_a_whole_question_stands_by_itself():
    assert in_context(LONG, after(PRICE)) is None


def test_a_question_that_goes_on_is_put_below_the_one_it_goes_on_from():
    for question in (
        "And for a caravan with three adults?",
        "what about a caravan with three adults",
        "How much is it in the month of August?",
        "In August?",
        "Why?",
    ):
        assert in_context(question, after(PRICE)) == f"{PRICE}\n{question}"


def test_it_goes_on_from_the_last_whole_question_only():
    assert in_context("And cats?", after(PRICE, DOGS)) == f"{DOGS}\nAnd cats?"


def test_a_chain_of_follow_ups_is_kept_to_its_beginning_and_to_three():
    assert in_context("Why?", after(DOGS, "And cats?")) == f"{DOGS}\nAnd cats?\nWhy?"
    long = after(DOGS, "And cats?", "And birds?", "And fish?")
    assert in_context("Why?", long) == "And cats?\nAnd birds?\nAnd fish?\nWhy?"


def test_small_talk_in_between_is_passed_over():
    thanks = [Message("user", "thanks", True), Message("assistant", "You are welcome!", True)]
    assert in_context("And cats?", [*after(DOGS), *thanks]) == f"{DOGS}\nAnd cats?"
    assert in_context("And cats?", thanks) is None


def test_answers_do_not_enter():
    question = in_context("Why?", [*after(PRICE), Message("system", "A person joined.")])
    assert question == f"{PRICE}\nWhy?"


def test_what_is_found_with_it_has_to_speak_of_what_a_follow_up_names():
    canada = "Shipping to Canada costs 20 dollars."
    assert is_answered_by("and to Canada?", [canada])
    assert not is_answered_by("and to Mexico?", [canada])
    assert not is_answered_by("gift cards?", [canada])
    assert is_answered_by("how long does it take?", [canada])
    assert is_answered_by("why?", [canada])
    assert not is_answered_by("and to Canada?", [])
