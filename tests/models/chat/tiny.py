"""Real causal language models of a megabyte, whose weights make them say what we want.

Every token is a unit vector, attention and the feed-forward part add nothing, and the head maps
each token to the one that follows it: a chain, which begins at the end of the prompt.
"""

import fcntl
import json
import warnings
from itertools import pairwise
from pathlib import Path

ANSWER = "We open at nine 😀日ü soon."
LONGEST = 1024
"""Tokens the models read."""
TEMPLATE = (
    "{% for message in messages %}"
    "<|{{ message.role }}|>{{ message.content }}<|end|>"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
STRICT = (
    "{% for message in messages %}"
    "{% if (message.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('roles must alternate') }}"
    "{% endif %}{% endfor %}"
) + TEMPLATE
_CONTROLS = ["<|system|>", "<|user|>", "<|assistant|>", "<|end|>"]


def tiny_models(folder: Path) -> Path:
    """Made by whichever process comes first.

    `tiny` says ANSWER and ends, `endless` goes round and round, `slow` does so for seconds,
    `strict` is `tiny` with a template that takes no system message, and `plain` has no template and
    asks the next question itself. Each is there once more as NAME.gguf.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            _make(folder / "tiny", TEMPLATE, ["<|assistant|>", ANSWER, "<|end|>"])
            _make(folder / "strict", STRICT, ["<|assistant|>", ANSWER, "<|end|>"])
            _make(folder / "endless", TEMPLATE, ["<|assistant|>", " on", " and", " on"])
            _make(folder / "slow", TEMPLATE, ["<|assistant|>", " on", " and", " on"], layers=32)
            _make(folder / "plain", None, [":", ANSWER, "\nUser", ":"])
            for name in ("tiny", "strict", "endless", "slow", "plain"):
                _as_gguf(folder / name)
            (folder / "made").touch()
    return folder


def _make(folder: Path, template: str | None, chain: list[str], layers: int = 2) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # third parties', while they are imported
        import torch
        from transformers import LlamaConfig, LlamaForCausalLM
        from transformers.utils import logging

        logging.disable_progress_bar()
        tokenizer = _tokenizer()
        tokenizer.chat_template = template
        size = len(tokenizer)
        config = LlamaConfig(
            vocab_size=size,
            hidden_size=size,
            num_hidden_layers=layers,
            num_attention_heads=2,
            head_dim=8,
            intermediate_size=16,
            max_position_embeddings=LONGEST,
            eos_token_id=tokenizer.eos_token_id,
        )
        model = LlamaForCausalLM(config)
        with torch.no_grad():
            model.model.embed_tokens.weight.copy_(torch.eye(size))
            model.lm_head.weight.zero_()
            for layer in model.model.layers:
                layer.self_attn.o_proj.weight.zero_()
                layer.mlp.down_proj.weight.zero_()
            tokens = [token for text in chain for token in tokenizer(text).input_ids]
            for token, follower in pairwise(tokens):
                assert not model.lm_head.weight[:, token].any(), tokenizer.decode([token])
                model.lm_head.weight[follower, token] = 1
        # as real folders have it, and as nobody here wants it
        model.generation_config.update(do_sample=True, temperature=0.7, top_p=0.9)
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)


def _as_gguf(folder: Path) -> None:
    """The same weights and tokenizer in one file, as llama.cpp reads them."""
    import gguf
    from transformers import AutoTokenizer, LlamaForCausalLM

    model = LlamaForCausalLM.from_pretrained(folder)
    config = model.config
    writer = gguf.GGUFWriter(folder.with_suffix(".gguf"), "llama")
    writer.add_context_length(LONGEST)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_attention_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokens = sorted(tokenizer["model"]["vocab"], key=tokenizer["model"]["vocab"].get)
    controls = {token["content"] for token in tokenizer["added_tokens"]}
    kinds = [gguf.TokenType.NORMAL, gguf.TokenType.CONTROL]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([kinds[token in controls] for token in tokens])
    writer.add_token_merges([" ".join(pair) for pair in tokenizer["model"]["merges"]])
    writer.add_eos_token_id(config.eos_token_id)
    writer.add_add_bos_token(False)
    if template := AutoTokenizer.from_pretrained(folder).chat_template:
        writer.add_chat_template(template)
    for name, weights in model.state_dict().items():
        writer.add_tensor(_gguf_name(name), weights.float().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _gguf_name(name: str) -> str:
    for ours, theirs in _GGUF_NAMES.items():
        name = name.replace(ours, theirs)
    return name


_GGUF_NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "model.layers": "blk",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "post_attention_layernorm": "ffn_norm",
    "input_layernorm": "attn_norm",
}


def _tokenizer():
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        special_tokens=_CONTROLS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["We open at nine soon on and\nUser: Assistant:"] * 9, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|end|>",
        additional_special_tokens=_CONTROLS[:3],
        model_max_length=LONGEST,
    )


def without(folder: Path, target: Path, *files: str, **config: object) -> Path:
    """A copy of a model folder that lacks files, or whose config.json has other values."""
    target.mkdir()
    for path in folder.iterdir():
        if path.name not in files:
            (target / path.name).write_bytes(path.read_bytes())
    if config:
        path = target / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | config))
    return target
