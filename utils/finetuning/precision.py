"""In which type a training step takes its products."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

from utils.finetuning.plan import Precision


def products_in(device: torch.device, dtype: Precision) -> torch.dtype:
    """The type that a plan's `dtype` means on a device.

    Without instructions for bfloat16, a processor takes products in it several times slower than in float32.
    """
    if dtype == "auto":
        return torch.bfloat16 if has_bfloat16(device) else torch.float32
    return torch.bfloat16 if dtype == "bfloat16" else torch.float32


def has_bfloat16(device: torch.device) -> bool:
    """Whether the device has instructions for bfloat16."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()


def products(device: torch.device, dtype: torch.dtype) -> AbstractContextManager[object]:
    """Inside it, matrix products are taken in `dtype`, and the weights keep their own.  Nothing changes for float32."""
    return nullcontext() if dtype == torch.float32 else torch.autocast(device.type, dtype)
