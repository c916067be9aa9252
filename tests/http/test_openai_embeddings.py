"""Embeddings as OpenAI's clients ask for them."""

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai_shop import Shop, open_shop

from rag_service.http.dialects.openai.vocabulary import count, encoding, text_of

MODEL = "hashing:1024"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


def embed(shop: Shop, given_: Any, **more: Any) -> Any:
    return shop.client.post("/v1/embeddings", json={"model": MODEL, "input": given_, **more})


def vectors(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return np.array([one["embedding"] for one in answer.json()["data"]], dtype=np.float32)


def test_texts_are_embedded_in_their_order(shop):
    answer = embed(shop, ["We open at nine.", "Zebras run."])
    body = answer.json()
    assert (body["object"], body["model"]) == ("list", MODEL)
    assert [(one["object"], one["index"]) for one in body["data"]] == [
        ("embedding", 0),
        ("embedding", 1),
    ]
    found = vectors(answer)
    assert found.shape == (2, 1024)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-3)
    assert np.array_equal(vectors(embed(shop, "Zebras run.")), found[1:])
    assert body["usage"] == {"prompt_tokens": 9, "total_tokens": 9}
    assert np.array_equal(vectors(embed(shop, "Zebras run.", input_type="query")), found[1:])


def test_base64_has_the_same_numbers_little_endian(shop):
    text = "We open at nine."
    (coded,) = embed(shop, text, encoding_format="base64", dimensions=1024).json()["data"]
    numbers = np.frombuffer(base64.b64decode(coded["embedding"]), dtype="<f4")
    assert np.array_equal(numbers, vectors(embed(shop, text))[0])


def test_token_ids_are_the_text_that_they_stand_for(shop):
    whole = "We open at nine, \u00fcbrigens."
    tokens = encoding().encode_ordinary(whole)
    assert np.array_equal(vectors(embed(shop, tokens)), vectors(embed(shop, whole)))
    both = vectors(embed(shop, [tokens, [1919]]))
    assert np.array_equal(both[0], vectors(embed(shop, whole))[0])


def test_a_long_text_is_read_to_its_end(shop):
    words = " ".join(f"word{n}" for n in range(2000))
    one, other = vectors(embed(shop, [f"{words} heron", f"{words} stork"]))
    assert not np.array_equal(one, other)
    assert np.isclose(np.linalg.norm(one), 1, atol=1e-3)


def test_what_cannot_be_embedded_names_its_parameter(shop):
    for param, more in (
        ("input", {"input": ""}),
        ("input", {"input": []}),
        ("input", {"input": ["a", ""]}),
        ("input", {"input": ["a"] * 2049}),
        ("input", {"input": [["a"]]}),
        ("input", {"input": [[]]}),
        ("input", {"input": {"text": "a"}}),
        ("input", {"input": [1, -1]}),
        ("input", {"input": [[100_256]]}),
        ("input", {"input": [10**30]}),
        ("input", {"input": [True]}),
        ("input", {"input": [64, 247, 247, 247, 64]}),
        ("input", {"input": None}),
        ("dimensions", {"dimensions": 256}),
        ("dimensions", {"dimensions": 0}),
        ("encoding_format", {"encoding_format": "int8"}),
        ("input_type", {"input_type": "classification"}),
    ):
        answer = (
            embed(shop, **{"given_": "a", **more})
            if "input" not in more
            else shop.client.post("/v1/embeddings", json={"model": MODEL, **more})
        )
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param), more
    unknown = embed(shop, "a", model="text-embedding-3-small")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "model_not_found")
    assert embed(shop, "a", model="default").status_code == 404
    assert len(embed(shop, ["a"] * 2048).json()["data"]) == 2048


def test_embedding_wants_the_scope_knowledge(shop):
    headers = shop.token("talker", "chat")
    body = {"model": MODEL, "input": "a"}
    assert shop.client.post("/v1/embeddings", json=body, headers=headers).status_code == 403


@given(st.text(max_size=200))
def test_text_and_tokens_say_the_same(text):
    tokens = encoding().encode_ordinary(text)
    assert text_of(tokens) == text
    assert count(text) == len(tokens) or len(text) > 64


@given(st.text(min_size=1, max_size=50), st.integers(0, 60), st.integers(0, 60))
def test_a_cut_between_tokens_loses_at_most_a_character_at_either_end(text, start, end):
    tokens = encoding().encode_ordinary(text)[start:end]
    assert text_of(tokens) in text


def test_a_long_run_is_counted_in_linear_time():
    assert count("a" * 1_000_000) > 10_000
    assert count(" " * 1_000_000) > 10_000
