"""LoRA fine-tuning with PEFT in a plain PyTorch loop (built in notebook 06)."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from peft import LoraConfig, get_peft_model
from tqdm.auto import tqdm
from transformers.pytorch_utils import Conv1D

from utils.chat import render
from utils.errors import CourseError
from utils.finetuning.examples import TrainingExample
from utils.models import Generator

IGNORED = -100
# What the blocks between the attention layers are called in LFM2, and in nearly every other architecture.
FEED_FORWARD = ("feed_forward", "mlp")


@dataclass(frozen=True)
class LoraPlan:
    """Settings of one LoRA run.

    The learning rate is ten to a hundred times a large model's habit: a tiny model needs it, and LoRA wants about
    ten times the rate of full fine-tuning (Biderman et al. 2024, arXiv 2405.09673).
    """

    rank: int = 16
    alpha: int = 32
    learning_rate: float = 5e-3
    epochs: int = 3
    batch_size: int = 8
    seed: int = 0


def train_lora(
    base: Generator, examples: Sequence[TrainingExample], plan: LoraPlan = LoraPlan()
) -> tuple[Generator, list[float]]:
    """A copy of the generator with a trained adapter, and the loss at each step.  The base stays as it was.

    Raises ValueError without examples.
    """
    if not examples:
        raise ValueError("there is nothing to learn from: give at least one training example")
    torch.manual_seed(plan.seed)  # before get_peft_model, which draws the adapter's first values
    targets = feed_forward_layers(base.model)
    config = LoraConfig(r=plan.rank, lora_alpha=plan.alpha, target_modules=targets, task_type="CAUSAL_LM")
    model = get_peft_model(copy.deepcopy(base.model), config)
    tuned = Generator(base.name, model, base.tokenizer)
    rows = [encode_example(base, example) for example in examples]
    losses = _train(model, rows, base.tokenizer.pad_token_id, plan)
    model.eval()
    return tuned, losses


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


def encode_example(generator: Generator, example: TrainingExample) -> tuple[list[int], int]:
    """Token ids of prompt and completion, and how many of them, at the end, are the completion.

    Raises CourseError when they are more than the model reads, and ValueError for a chat template that puts the
    completion elsewhere.
    """
    tokenizer = generator.tokenizer
    told = [*example.messages, {"role": "assistant", "content": example.completion}]
    prompt, whole = generator.prompt(example.messages), render(tokenizer, told, prompt=False)
    if not whole.startswith(prompt):
        raise ValueError("this model's chat template does not put the completion after its generation prompt")
    ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in (prompt, whole[len(prompt) :])]
    if len(ids[0]) + len(ids[1]) > generator.context:
        raise CourseError(
            f"A training example has {len(ids[0]) + len(ids[1]):,} tokens, and the model reads "
            f"{generator.context:,}: show fewer passages in it."
        )
    return ids[0] + ids[1], len(ids[1])


def _train(model: torch.nn.Module, rows: Sequence[tuple[list[int], int]], pad: int, plan: LoraPlan) -> list[float]:
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trainable, lr=plan.learning_rate, weight_decay=0.0)
    per_epoch = -(-len(rows) // plan.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, plan.learning_rate, total_steps=plan.epochs * per_epoch, pct_start=0.1, anneal_strategy="linear"
    )
    shuffle = torch.Generator().manual_seed(plan.seed)
    losses = []
    model.train()
    for _ in tqdm(range(plan.epochs), desc="epochs", leave=False):
        order = torch.randperm(len(rows), generator=shuffle).tolist()
        for start in range(0, len(order), plan.batch_size):
            batch = pad_left([rows[index] for index in order[start : start + plan.batch_size]], pad)
            loss = completion_loss(model, batch)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trainable, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
            losses.append(loss.item())
    return losses


def completion_loss(model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Mean cross-entropy per completion token; only the last positions, where the completions are, need logits."""
    longest = int((batch["labels"] != IGNORED).sum(dim=1).max())
    output = model(batch["input_ids"], batch["attention_mask"], logits_to_keep=longest + 1, use_cache=False)
    return F.cross_entropy(output.logits[:, :-1].flatten(0, 1), batch["labels"][:, -longest:].flatten())


def pad_left(rows: Sequence[tuple[list[int], int]], pad: int) -> dict[str, torch.Tensor]:
    """Rows as input_ids, attention_mask and labels, each (rows, length); only completions count in the labels."""
    length = max(len(ids) for ids, _ in rows)
    ids = torch.full((len(rows), length), pad)
    mask = torch.zeros_like(ids)
    labels = torch.full_like(ids, IGNORED)
    for index, (row, completion) in enumerate(rows):
        ids[index, -len(row) :] = torch.tensor(row)
        mask[index, -len(row) :] = 1
        labels[index, -completion:] = torch.tensor(row[-completion:])
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}
