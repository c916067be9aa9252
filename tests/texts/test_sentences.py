"""Is every text cut into a few spans of about a sentence, and always alike?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_service.texts.sentences import MOST, SHORTEST, spans

any_text = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=300),
    st.lists(
        st.sampled_from(
            [
                "We open at nine o'clock in the morning. ",
                "\n",
                "Yes! ",
                "图书馆每天开放。",
                "a",
                " ?",
            ]
        ),
        max_size=80,
    ).map("".join),
)


@given(any_text)
def test_spans_come_in_order_and_leave_out_white_space_only(text):
    found = spans(text)
    assert found == spans(text)
    assert len(found) <= MOST
    end = 0
    for start, stop in found:
        assert text[end:start].strip() == ""
        assert end <= start < stop <= len(text)
        assert text[start:stop].strip()
        end = stop
    assert text[end:].strip() == ""


@given(any_text)
def test_only_a_text_that_is_short_itself_has_a_short_span(text):
    found = spans(text)
    assert len(found) == 1 or all(stop - start >= SHORTEST for start, stop in found)


SENTENCES = {
    "English": [
        "The reading room opens at nine in the morning. ",
        "Bags and coats stay in the lockers below the stairs.",
    ],
    "Chinese": [
        "图书馆的阅览室每天早上九点开门并且一直开放到晚上六点钟周末的时候也同样开放给所有的读者使用。",
        "借出去的图书必须在三个星期之内归还逾期的话每一本书每一天都要向图书馆支付一定数额的费用。",
    ],
    "Hindi": [
        "शहर का पुस्तकालय तीन सप्ताह के लिए किताबें उधार देता है। ",
        "वार्षिक कार्ड का मूल्य चार यूरो प्रति व्यक्ति होता है।",
    ],
    "Arabic": [
        "متى تفتح مكتبة المدينة أبوابها في أيام الأسبوع المختلفة؟ ",
        "تفتح المكتبة أبوابها في التاسعة صباحا كل يوم من أيام الأسبوع.",
    ],
    "lines": [
        "Opening hours of the reading room and café\n",
        "Lockers are below the stairs of the entrance",
    ],
}


@pytest.mark.parametrize("language", SENTENCES)
def test_a_sentence_of_its_own_is_a_span(language):
    sentences = SENTENCES[language]
    text = "".join(sentences)
    assert [text[start:end] for start, end in spans(text)] == sentences
