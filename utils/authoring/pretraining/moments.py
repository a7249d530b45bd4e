"""What an optimiser remembers of earlier steps, as tensors for a checkpoint, and back."""

from __future__ import annotations

from collections.abc import Mapping

import torch


def moments_of(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """The optimiser's state by the number of the weight and its name there: "0.exp_avg"."""
    return {
        f"{number}.{name}": torch.as_tensor(value).contiguous()
        for number, state in optimizer.state_dict()["state"].items()
        for name, value in state.items()
    }


def put_moments(optimizer: torch.optim.Optimizer, moments: Mapping[str, torch.Tensor]) -> None:
    """Gives an optimiser of the same weights what `moments_of` took from one."""
    kept = optimizer.state_dict()
    for key, value in moments.items():
        number, name = key.split(".", 1)
        kept["state"].setdefault(int(number), {})[name] = value
    optimizer.load_state_dict(kept)
