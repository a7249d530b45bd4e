"""The generator's shape: stock transformers architectures, set to a few million parameters."""

from __future__ import annotations

import torch
from transformers import Lfm2Config, Lfm2ForCausalLM, LlamaConfig, LlamaForCausalLM, PreTrainedModel

CONTEXT = 2048
HEAD_SIZE = 32


def build_model(kind: str, width: int, layers: int, vocabulary: int, seed: int) -> PreTrainedModel:
    """A freshly initialised model.

    kind: "lfm2" (short convolutions and attention in turn) or "llama" (attention only).
    Raises ValueError for another kind.
    """
    feed_forward = int(width * 8 / 3) // 32 * 32
    heads = width // HEAD_SIZE
    shared = {
        "vocab_size": vocabulary, "hidden_size": width, "intermediate_size": feed_forward, "num_hidden_layers": layers,
        "num_attention_heads": heads, "num_key_value_heads": heads // 2, "max_position_embeddings": CONTEXT,
        "tie_word_embeddings": True, "pad_token_id": 0, "bos_token_id": None, "eos_token_id": 1,
    }  # fmt: skip
    torch.manual_seed(seed)
    if kind == "llama":
        return LlamaForCausalLM(LlamaConfig(**shared))
    if kind == "lfm2":
        turns = (["conv", "full_attention"] * layers)[:layers]
        extra = {
            "block_ff_dim": feed_forward,
            "block_auto_adjust_ff_dim": False,
            "layer_types": turns,
            "conv_L_cache": 3,
        }
        return Lfm2ForCausalLM(Lfm2Config(**shared, **extra))
    raise ValueError(f"no such architecture: {kind!r}; choose lfm2 or llama")
