"""A real cross-encoder of a few kilobytes: does it order, and is what is no such model refused?"""

import fcntl
import warnings
from pathlib import Path

import msgspec
import pytest
from models import tiny_tokenizer
from shelf import names, page, push, settings_in

from rag_service.access.scope import ALL_BOTS
from rag_service.assembly import assemble
from rag_service.cli.doctor import examine
from rag_service.errors import ModelUnavailable
from rag_service.models.rerankers import load_reranker


def make(folder: Path, labels: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # third parties', while they are imported
        import torch
        from transformers import BertConfig, BertForSequenceClassification
        from transformers.utils import logging

        logging.disable_progress_bar()
        torch.manual_seed(3)
        tokenizer = tiny_tokenizer()
        config = BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=50,
            initializer_range=0.5,  # so that different texts have different scores
            num_labels=labels,
        )
        tokenizer.save_pretrained(folder)
        BertForSequenceClassification(config).save_pretrained(folder)


@pytest.fixture(scope="session")
def cross_encoders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if base.name.startswith("popen") else base) / "cross-encoders"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            make(folder / "one", 1)
            make(folder / "three", 3)
            (folder / "made").touch()
    return folder


def test_scores_are_probabilities_and_depend_on_both_texts(cross_encoders):
    reranker = load_reranker(str(cross_encoders / "one"))
    texts = ["open the ship", "ship the passage", "x" * 5000, ""]
    scores = reranker.score("when open", texts)
    assert all(0 <= score <= 1 for score in scores)
    assert len(set(scores)) == 4
    assert reranker.score("a query", texts) != scores
    assert reranker.score("when open", texts[::-1]) == pytest.approx(scores[::-1], abs=1e-5)


def test_the_best_passages_are_in_the_order_of_the_cross_encoder(tmp_path, cross_encoders):
    settings = settings_in(tmp_path, rerank_model=str(cross_encoders / "one"))
    pages = [page(f"p{n}", f"The ship {n} is open, {'passage ' * (n % 7)}") for n in range(30)]
    with assemble(settings) as service:
        push(service, *pages)
        found = service.knowledge.search(ALL_BOTS, "ship open", "default", k=10)
        scores = [hit.score for hit in found.hits]
        assert len(scores) == 10
        assert scores == sorted(scores, reverse=True)
        reranker = load_reranker(settings.rerank_model)
        again = reranker.score("ship open", [hit.passage.text for hit in found.hits])
        assert scores == pytest.approx(again, abs=1e-4)
        with_it = names(service, "ship open", k=10)
        assert names(service, "ship open", "dense", k=10) != with_it
    with assemble(msgspec.structs.replace(settings, rerank_model="")) as service:
        assert names(service, "ship open", k=10) != with_it


def test_what_is_no_cross_encoder_is_refused(tmp_path, cross_encoders):
    for spec, reason in (
        (str(cross_encoders / "three"), "3 labels"),
        (str(tmp_path), "no cross-encoder"),
        ("nobody/nothing", "not on this machine"),
    ):
        with pytest.raises(ModelUnavailable, match=reason):
            load_reranker(spec)
        findings = examine(settings_in(tmp_path, rerank_model=spec))
        (finding,) = (f for f in findings if f.what == "reranking model")
        assert not finding.ok
        assert reason in finding.found
