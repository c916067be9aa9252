from hypothesis import given
from hypothesis import strategies as st

from rag_service.conversations.continuations import (
    digest_after,
    digest_of_request,
    digest_of_said,
    owner_of,
)
from rag_service.conversations.messages import Message

MESSAGES = st.lists(
    st.builds(Message, st.sampled_from(["system", "user", "assistant"]), st.text(max_size=9)),
    max_size=6,
)
OWNER = owner_of("token", "u1")


@given(MESSAGES, st.text(min_size=1))
def test_what_is_said_is_digested_alike_at_once_and_message_by_message(messages, text):
    answer = Message("assistant", text + ".")
    before = digest_of_said(OWNER, messages)
    assert digest_of_said(OWNER, [*messages, answer]) == digest_after(before, answer)


@given(MESSAGES, MESSAGES)
def test_other_requests_have_other_digests(one, other):
    alike = digest_of_request(OWNER, "c", one) == digest_of_request(OWNER, "c", other)
    assert alike == (one == other)


def test_owners_and_the_places_of_words_tell_digests_apart():
    said = [Message("user", "a b"), Message("assistant", "c")]
    owners = [owner_of("t", "u"), owner_of("t", None), owner_of("tu", None), owner_of("t", "u ")]
    assert len({digest_of_said(owner, said) for owner in owners}) == 4
    moved = [Message("user", "a"), Message("assistant", "b c")]
    assert digest_of_said(OWNER, said) != digest_of_said(OWNER, moved)
    assert digest_of_said(OWNER, said) == digest_of_said(
        OWNER, [Message("system", "It is noon."), Message("user", " a\n b"), said[1]]
    )
