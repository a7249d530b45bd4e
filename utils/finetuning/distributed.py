"""Several processes train one adapter: each takes its share of a batch, and their gradients are added up.

`torchrun --nproc-per-node 2 …` starts the processes.  In a single process, nothing here does anything.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch
import torch.distributed as dist

T = TypeVar("T")


@contextmanager
def process_group(backend: str = "gloo") -> Iterator[None]:
    """Joins the processes that torchrun has started, and leaves them at the end; does nothing without torchrun."""
    if "LOCAL_RANK" not in os.environ or dist.is_initialized():
        yield
        return
    dist.init_process_group(backend)
    try:
        yield
    finally:
        dist.destroy_process_group()


def rank() -> int:
    """The number of this process, from 0."""
    return dist.get_rank() if _several() else 0


def share(batch: Sequence[T]) -> list[T]:
    """The part of a batch for this process: every row goes to one of them.  Empty when there are too few rows."""
    return list(batch[rank() :: dist.get_world_size()]) if _several() else list(batch)


def add_up(parameters: Sequence[torch.nn.Parameter], loss: torch.Tensor) -> torch.Tensor:
    """Adds up gradients and loss over all processes, in one message; returns the sum of the losses.

    Every process gets the same numbers, bit by bit, so all of them take the same step.
    """
    if not _several():
        return loss
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    flat = torch.cat([*(gradient.flatten().float() for gradient in gradients), loss.detach().float().reshape(1)])
    dist.all_reduce(flat)
    places = flat[:-1].split([parameter.numel() for parameter in parameters])
    for parameter, summed in zip(parameters, places, strict=True):
        parameter.grad = summed.view_as(parameter).to(parameter.dtype)
    return flat[-1]


def same_everywhere(tensors: Sequence[torch.Tensor]) -> None:
    """Copies the first process's values into the tensors of the others."""
    if _several():
        for tensor in tensors:
            dist.broadcast(tensor, src=0)


def _several() -> bool:
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1
