"""The settings of one LoRA run, checked where they are written down."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from utils.errors import CourseError

Precision = Literal["float32", "bfloat16", "auto"]


@dataclass(frozen=True)
class LoraPlan:
    """Settings of one LoRA run.

    The learning rate is ten to a hundred times a large model's habit: a tiny model needs it, and LoRA wants about
    ten times the rate of full fine-tuning (Biderman et al. 2024, arXiv 2405.09673).

    batch_size: examples in one step, over all processes of a data-parallel run.
    dtype: of the forward pass's products; "auto" takes bfloat16 where the device has instructions for it.  The weights
    stay in the base's own type.
    Raises CourseError for settings with which nothing can be trained.
    """

    rank: int = 16
    alpha: int = 32
    learning_rate: float = 5e-3
    epochs: int = 3
    batch_size: int = 8
    seed: int = 0
    dtype: Precision = "float32"

    def __post_init__(self) -> None:
        for name in ("rank", "alpha", "epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise CourseError(f"The plan's {name} is {getattr(self, name)}: choose 1 or more.")
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise CourseError(f"The plan's learning_rate is {self.learning_rate}: choose a number above 0.")
        if self.dtype not in get_args(Precision):
            raise CourseError(f"The plan's dtype is {self.dtype!r}: choose one of {', '.join(get_args(Precision))}.")
