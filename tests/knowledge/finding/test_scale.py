"""What a model's cosines mean: measured, kept, and measured again where that was damaged."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shelf import CountingEmbedder, page, push, settings_in

from rag_service.assembly import assemble
from rag_service.documents import Vectors
from rag_service.errors import ModelUnavailable
from rag_service.knowledge.finding.scale import REFERENCE, Scale, load_scale
from rag_service.models.embedders.hashing import HashingEmbedder


class AllAlike(CountingEmbedder):
    """As of a folder whose weights are not those of its tokenizer."""

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return np.tile(super().embed_passages(["x"]), (len(texts), 1))

    def embed_query(self, text: str) -> Vectors:
        return self.embed_passages([text])


def same(one: Scale, other: Scale) -> bool:
    levels = (one.chance, one.answer) == (other.chance, other.answer)
    return levels and np.array_equal(one.probes, other.probes)


def test_answers_are_nearer_than_chance_and_probes_are_questions(tmp_path):
    embedder = HashingEmbedder("1024")
    found = load_scale(embedder, tmp_path)
    assert found.chance < found.answer
    assert found.probes.shape[1] == 1024
    assert np.allclose(np.linalg.norm(found.probes, axis=1), 1, atol=1e-3)
    assert found.nearness(found.chance) == pytest.approx(0)
    assert found.nearness(found.answer) == pytest.approx(1)
    assert found.comparable(found.chance) == pytest.approx(REFERENCE[0])
    assert found.comparable(found.answer) == pytest.approx(REFERENCE[1])


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=9))
def test_a_scale_keeps_the_order(cosines):
    scale = Scale(chance=0.7, answer=0.85, probes=np.eye(2, dtype=np.float32))
    placed = [scale.comparable(cosine) for cosine in sorted(cosines)]
    assert placed == sorted(placed)


def test_it_is_measured_once_for_each_model(tmp_path):
    first = load_scale(HashingEmbedder("64"), tmp_path)
    (kept,) = tmp_path.iterdir()
    written = kept.stat().st_mtime_ns
    assert same(load_scale(HashingEmbedder("64"), tmp_path), first)
    assert kept.stat().st_mtime_ns == written
    other = load_scale(HashingEmbedder("256"), tmp_path)
    assert not same(other, first)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"PK\x03\x04 torn"])
def test_a_damaged_file_is_measured_again(tmp_path, damage):
    first = load_scale(HashingEmbedder("64"), tmp_path)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(damage)
    assert same(load_scale(HashingEmbedder("64"), tmp_path), first)


def test_a_torn_file_is_measured_again(tmp_path):
    first = load_scale(HashingEmbedder("64"), tmp_path)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:-40])
    assert same(load_scale(HashingEmbedder("64"), tmp_path), first)


def test_where_it_cannot_be_kept_it_is_measured_all_the_same(tmp_path):
    (tmp_path / "file").touch()
    expected = load_scale(HashingEmbedder("64"), tmp_path)
    assert same(load_scale(HashingEmbedder("64"), tmp_path / "file" / "folder"), expected)


def test_a_model_that_does_not_tell_answers_from_others_is_refused(tmp_path):
    with pytest.raises(ModelUnavailable, match="hashing:64 does not tell answers from other texts"):
        load_scale(AllAlike(HashingEmbedder("64")), tmp_path)


def test_a_model_folder_without_what_is_needed_is_refused_by_a_search(tmp_path: Path):
    empty = tmp_path / "model"
    empty.mkdir()
    with (
        assemble(settings_in(tmp_path, embedding_model=str(empty))) as service,
        pytest.raises(ModelUnavailable, match=str(empty)),
    ):
        push(service, page("a", "We open at nine."))
