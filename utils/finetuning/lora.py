"""LoRA fine-tuning with PEFT in a plain PyTorch loop (built in notebook 06).

`train_lora` puts the pieces together: `plan` has the settings, `rows` the batches and their loss, `loop` the steps.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers.pytorch_utils import Conv1D

from utils.errors import CourseError
from utils.finetuning.checkpoint import Checkpoints, run_identity
from utils.finetuning.early_stopping import EarlyStopping
from utils.finetuning.examples import TrainingExample, refuse_overlap
from utils.finetuning.loop import Run
from utils.finetuning.plan import LoraPlan
from utils.finetuning.rows import IGNORED, completion_loss, encode_example, pad_left
from utils.models import Generator

__all__ = ["IGNORED", "LoraPlan", "completion_loss", "encode_example", "feed_forward_layers", "pad_left", "train_lora"]

# What the blocks between the attention layers are called in LFM2, and in nearly every other architecture.
FEED_FORWARD = ("feed_forward", "mlp")
USUAL_PLAN = LoraPlan()


def train_lora(
    base: Generator,
    examples: Sequence[TrainingExample],
    plan: LoraPlan = USUAL_PLAN,
    *,
    checkpoint: Path | str | None = None,
    checkpoint_every: int = 20,
    stopping: EarlyStopping | None = None,
    before_step: Callable[[int], object] = lambda done: None,
) -> tuple[Generator, list[float]]:
    """A copy of the generator with a trained adapter, and the loss at each step.  The base stays as it was.

    Seeds torch's own random numbers with plan.seed.

    checkpoint: a folder that keeps the run, every so many steps and at the end of each epoch.  The same call, made
    again after a kill, goes on from there and gives the adapter of a run that nothing interrupted.
    stopping: scores the generator after each epoch, and the adapter with the best score is the result.
    before_step: called with the number of steps that are done, for a log of one's own.
    Under `torchrun`, inside `process_group()`, the processes share each batch, and all get the same adapter.
    Raises CourseError without examples, for one that does not fit the model or is a dev example too, and for another
    run's checkpoint; its subclass DivergedError, with the last good adapter, when the loss is no longer a number.
    """
    if not examples:
        raise CourseError("There is nothing to learn from: give at least one training example.")
    if stopping:
        refuse_overlap(examples, stopping.dev)
    rows = [encode_example(base, example, f"Training example {n}") for n, example in enumerate(examples, start=1)]
    checkpoints = None
    if checkpoint is not None:
        run = run_identity(base.model, rows, plan, stopping)
        checkpoints = Checkpoints(Path(os.path.expanduser(checkpoint)), checkpoint_every, run)
    torch.manual_seed(plan.seed)  # before get_peft_model, which draws the adapter's first values
    targets = feed_forward_layers(base.model)
    transposed = any(isinstance(module, Conv1D) for module in base.model.modules())  # as GPT-2 keeps its weights
    config = LoraConfig(
        r=plan.rank, lora_alpha=plan.alpha, target_modules=targets, task_type="CAUSAL_LM", fan_in_fan_out=transposed
    )
    tuned = Generator(base.name, get_peft_model(copy.deepcopy(base.model), config), base.tokenizer)
    return tuned, Run(tuned, rows, plan, checkpoints, stopping, before_step).train()


def feed_forward_layers(model: torch.nn.Module) -> list[str] | str:
    """Names of the linear layers in feed-forward blocks, for PEFT's `target_modules`; without any, "all-linear".

    An adapter for a format should not change how the model finds its place in the passages, which attention does.
    The model's card compares this choice with every linear layer.
    """
    names = [
        name
        for name, module in model.named_modules()
        if isinstance(module, (torch.nn.Linear, Conv1D)) and any(part in FEED_FORWARD for part in name.split("."))
    ]
    return names or "all-linear"
