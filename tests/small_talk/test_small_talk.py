"""Small talk is told from questions, in many languages, whatever it is decorated with."""

import random
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_service.small_talk import recognise, reply

EXAMPLES = tomllib.loads(Path(__file__).with_name("small_talk.toml").read_text(encoding="utf-8"))
ALL_SAID = [(kind, said) for kind, several in EXAMPLES["said"].items() for said in several]
WORDY = [said for kind, said in ALL_SAID if kind not in ("reaction", "signs")]
ENDS = [
    "!",
    "?",
    "...",
    " :)",
    "\N{WAVING HAND SIGN}",
    " \N{HEAVY BLACK HEART}\ufe0f",
    "!!!\n",
    " \u200b",
]
CONTENT = [
    "parcel",
    "invoice",
    "Versandkosten",
    "livraison",
    "entrega",
    "доставка",
    "退款",
    "返品",
    "배송비",
    "42",
]


@pytest.mark.parametrize(("kind", "said"), ALL_SAID)
def test_what_people_say_without_asking_is_recognised(kind, said):
    talk = recognise(said)
    assert talk is not None
    assert talk.kind == kind


@pytest.mark.parametrize("question", EXAMPLES["questions"])
def test_a_question_is_no_small_talk_though_it_begins_like_one(question):
    assert recognise(question) is None


@given(st.sampled_from(WORDY), st.lists(st.sampled_from(ENDS), max_size=4), st.randoms())
def test_case_punctuation_and_emoji_do_not_matter(said, ends, chance):
    plain = recognise(said)
    for changed in (said.upper(), said.lower(), said.title()):
        assert (
            recognise(chance.choice(["", " ", "\N{PARTY POPPER}"]) + changed + "".join(ends))
            == plain
        )


@given(st.sampled_from(WORDY), st.sampled_from(CONTENT), st.booleans())
def test_with_one_word_of_content_it_is_small_talk_no_more(said, word, first):
    assert recognise(f"{word} {said}" if first else f"{said} {word}") is None


@given(st.text(max_size=200))
def test_any_text_is_read(text):
    talk = recognise(text)
    assert talk is None or reply(talk)


def test_nothing_at_all_is_no_small_talk():
    assert recognise("") is None
    assert recognise(" \n\t") is None


def test_only_questions_about_the_assistant_may_be_answered_by_a_page():
    kinds = {talk.kind for _, said in ALL_SAID if (talk := recognise(said)) and talk.asks}
    assert kinds == {"about", "opening"}


def test_the_language_is_told_where_it_is_clear():
    for said, language in (
        ("Thank you kindly", "en"),
        ("Danke schön", "de"),
        ("ok merci", "fr"),
        ("¡Hola!", "es"),
        ("спасибо", "ru"),
        ("дякую", "uk"),
        ("谢谢", "zh"),
        ("ありがとう", "ja"),
        ("ok", None),
        ("hi", None),
        ("\N{THUMBS UP SIGN}", None),
    ):
        talk = recognise(said)
        assert talk is not None
        assert talk.language == language, said


def test_a_reply_is_of_the_kind_and_in_the_language_of_the_message():
    replies = {said: reply(recognise(said)) for said in ("Danke", "Hallo", "merci", "ok", "???")}
    assert len(set(replies.values())) == len(replies)
    assert replies["Danke"].startswith("Gern geschehen")
    assert replies["merci"].startswith("Avec plaisir")
    assert replies["ok"].isascii()
    assert all(reply(recognise(said)) for _, said in ALL_SAID)


@pytest.mark.parametrize(
    "text",
    [
        "hello " * 3_400,
        "a" * 20_000,
        "ha" * 10_000 + " refund",
        "he" + "y" * 20_000 + " how much",
        "\N{GRINNING FACE}" * 1_000_000 + " refund",
        "a" + "\u0301\u0327" * 10_000,
        "<3" * 10_000 + "x",
        "x_" * 10_000,
        "hi " * 30 + "hello there " * 30,
    ],
)
def test_long_texts_are_read_in_time_and_are_no_small_talk(text):
    assert recognise(text) is None


def test_a_million_emoji_are_a_reaction():
    talk = recognise("\N{GRINNING FACE}" * 1_000_000)
    assert talk is not None
    assert talk.kind == "reaction"


def test_drawn_out_words_are_read_however_long():
    chance = random.Random(7)
    for word in ("hello", "hey", "thanks", "bye", "danke", "ciao", "no"):
        drawn = word[:-1] + word[-1] * chance.randint(3, 5_000)
        assert recognise(drawn) == recognise(word), word
