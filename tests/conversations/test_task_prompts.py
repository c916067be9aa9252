"""What front ends ask for themselves is told from what people ask."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from task_requests import (
    COMPLETION,
    EMOJI,
    FOLLOW_UPS,
    IN_JSON,
    IN_SYSTEM,
    LOCALIZED,
    OF_PEOPLE,
    PERSONA,
    QUERIES,
    STANDALONE,
    TAGS,
    WITH_HEADINGS,
    WITH_ROLES,
    WORDINGS,
    alone,
)

from rag_service.conversations.messages import Message
from rag_service.conversations.task_prompts import recognise_task
from rag_service.conversations.task_replies import short_reply


@pytest.mark.parametrize(("kind", "messages"), WORDINGS + LOCALIZED)
def test_what_a_front_end_asks_for_itself_is_known(kind, messages):
    task = recognise_task(messages)
    assert task is not None
    assert task.kind == kind


@pytest.mark.parametrize("messages", OF_PEOPLE, ids=lambda messages: messages[-1].text[:40])
def test_what_people_ask_is_a_question(messages):
    assert recognise_task(messages) is None


@pytest.mark.parametrize(
    ("messages", "reply"),
    [
        (WITH_HEADINGS, '{"title":"How do I reset my password"}'),
        (TAGS, '{"tags":["Reset","Password"]}'),
        (FOLLOW_UPS, '{"follow_ups":[]}'),
        (QUERIES, '{"queries":["How do I reset my password?"]}'),
        (COMPLETION, '{"text":""}'),
        (EMOJI, "\N{SPEECH BALLOON}"),
        (WITH_ROLES, "How do I reset my password"),
        (IN_SYSTEM, "How do I reset my password"),
        (PERSONA, "How do I reset my password"),
        (STANDALONE, "And on the phone?"),
        (IN_JSON, '{"tags":["Reset","Password"]}'),
    ],
)
def test_a_short_reply_is_made_of_the_text_in_the_form_that_is_wanted(messages, reply):
    task = recognise_task(messages)
    assert task is not None
    assert short_reply(task) == reply


@given(st.lists(st.builds(Message, st.sampled_from(["system", "user", "assistant"]), st.text())))
def test_any_request_is_one_or_the_other(messages):
    task = recognise_task(messages)
    if task is not None and task.key is not None:
        assert json.loads(short_reply(task)).keys() == {task.key}


@pytest.mark.parametrize(
    "text",
    ["based on ", "given chat ", "title conversation only ", "\n-", "you are a ", "<chat>\n"],
)
@pytest.mark.timeout(60)
def test_hostile_text_is_read_in_linear_time(text):
    for size in (6_000, 1_000_000):
        hostile = (text * size)[:size]
        assert recognise_task([Message("system", hostile), *alone(hostile)]) is None
