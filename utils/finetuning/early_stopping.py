"""Early stopping: after each epoch a score on dev says whether to go on, and the best adapter is kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch

from utils.errors import CourseError
from utils.finetuning.distributed import rank, same_everywhere
from utils.finetuning.examples import TrainingExample
from utils.finetuning.rows import completion_loss, encode_example, pad_left
from utils.models import Generator


@dataclass
class EarlyStopping:
    """Stops a run that no longer gets better on dev; the adapter with the best score is the result.

    score: of the tuned generator after each epoch; higher is better.
    patience: the run stops after this many epochs in a row without a better score.
    dev: the examples that the score looks at, if any; training refuses them when it has one of them itself.
    scores: one for each epoch of the last run, filled in by `train_lora`.
    """

    score: Callable[[Generator], float]
    patience: int = 1
    dev: Sequence[TrainingExample] = ()
    scores: list[float] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        if self.patience < 1:
            raise CourseError(f"The patience of early stopping is {self.patience}: choose 1 epoch or more.")

    def note(self, tuned: Generator) -> bool:
        """Scores the generator; whether that is the best score so far.  With several processes, the first one scores.

        Raises CourseError for a score that is not a number.
        """
        value = torch.zeros(1, dtype=torch.float64)
        if rank() == 0:
            with torch.random.fork_rng(), torch.no_grad():  # whatever the score draws, training goes on as without it
                value[0] = float(self.score(tuned))
        same_everywhere([value])
        score = value.item()
        if math.isnan(score):
            raise CourseError(
                f"The dev score after epoch {len(self.scores) + 1} is not a number: correct the function that gives it."
            )
        best = score > max(self.scores, default=-math.inf) or not self.scores
        self.scores.append(score)
        return best

    @property
    def best_epoch(self) -> int | None:
        """The epoch with the best score, counted from 1; the first of them where several are equal."""
        return self.scores.index(max(self.scores)) + 1 if self.scores else None

    @property
    def out_of_patience(self) -> bool:
        """Whether the last `patience` epochs brought no better score."""
        return bool(self.scores) and len(self.scores) - self.best_epoch >= self.patience


def mean_loss(generator: Generator, examples: Sequence[TrainingExample], batch_size: int = 8) -> float:
    """Mean cross-entropy per token of the completions, without training: its negative is a score for early stopping.

    Raises CourseError without examples, and as `encode_example` does.
    """
    if not examples:
        raise CourseError("There is no example to measure the loss on: give at least one.")
    rows = [encode_example(generator, example) for example in examples]
    total, was_training = 0.0, generator.model.training
    generator.model.eval()  # without dropout, also between two steps of a training
    try:
        with torch.no_grad():
            for start in range(0, len(rows), batch_size):
                part = rows[start : start + batch_size]
                batch = pad_left(part, generator.tokenizer.pad_token_id, generator.model.device)
                total += completion_loss(generator.model, batch).item() * sum(length for _, length in part)
    finally:
        generator.model.train(was_training)
    return total / sum(length for _, length in rows)
