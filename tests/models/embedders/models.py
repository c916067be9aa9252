"""Real sentence-transformers folders of a few kilobytes; the random weights are always the same."""

import fcntl
import string
import warnings
from pathlib import Path

TINY_LONGEST = 50
"""Tokens the tiny models read: no multiple of anything, as in models of old."""
MULTILINGUAL_SPEC = "openvino:multilingual-e5-small"
QUERY_PROMPT = "query: "
PASSAGE_PROMPT = "this is a passage: "

_WORDS = ["the", "open", "ship", "##ing", "query", "passage"]


def tiny_models(folder: Path) -> Path:
    """`tiny`, and `prompted`, which has prompts. Made by whichever process comes first."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            _make(folder / "tiny", {}, seed=7)
            _make(folder / "prompted", {"query": QUERY_PROMPT, "document": PASSAGE_PROMPT}, seed=8)
            (folder / "made").touch()
    return folder


def _make(folder: Path, prompts: dict[str, str], seed: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # third parties', while they are imported
        import torch
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
        from transformers import BertConfig, BertModel
        from transformers.utils import logging

        logging.disable_progress_bar()
        torch.manual_seed(seed)
        tokenizer = tiny_tokenizer()
        raw = folder.with_suffix(".raw")
        tokenizer.save_pretrained(raw)
        config = BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=TINY_LONGEST,
            initializer_range=0.1,  # so that different texts have different vectors
        )
        BertModel(config).save_pretrained(raw)
        modules = [Transformer(str(raw)), Pooling(32)]
        SentenceTransformer(modules=modules, prompts=prompts, device="cpu").save(str(folder))


def tiny_tokenizer():
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    letters = string.ascii_lowercase + string.digits
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *string.punctuation]
    words += [f"##{letter}" for letter in letters] + _WORDS
    tokenizer = Tokenizer(
        models.WordPiece({word: row for row, word in enumerate(words)}, unk_token="[UNK]")
    )
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=TINY_LONGEST,
    )
