"""LoRA on reading lessons: rows of like length in each batch, the loss on answers alone, a checkpoint that resumes."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from peft import LoraConfig, get_peft_model
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from utils.authoring.pretraining.batches import in_batches
from utils.authoring.pretraining.moments import moments_of, put_moments
from utils.authoring.reading.lessons import STAGES, ReadingLessons, Stage, WeighedRow, weigh
from utils.finetuning.loop import put, under
from utils.models import Generator

POOL = 48
WEIGHTS, MOMENTS = "weight/", "optimizer/"
CHECKPOINT, LOG = "checkpoint.safetensors", "log.jsonl"
LOWEST_RATE = 0.03


@dataclass(frozen=True)
class ReadingPlan:
    """minutes: of training.  tokens: the most in a batch, padding included.  first_layer: those below stay as they are.

    compiled: by torch.compile, which needs a C++ compiler and makes a step a fifth shorter.
    The learning rate is constant, and falls to 3 % over the last `decay` of the run.
    """

    folder: Path
    minutes: float = 360.0
    learning_rate: float = 1e-3
    decay: float = 0.3
    rank: int = 32
    first_layer: int = 8
    tokens: int = 1800
    longest: int = 1000
    warm_up: int = 25
    seed: int = 0
    compiled: bool = True
    save_every_s: float = 300.0
    log_every_s: float = 60.0


@dataclass
class Progress:
    """How far a run has come.  exact: running shares of answers predicted right to the last token, by kind."""

    step: int = 0
    tokens: int = 0
    answers: int = 0
    seconds: float = 0.0
    exact: dict[str, float] = field(default_factory=dict)


class ReadingRun:
    """A run: the model with its adapter, the optimiser and the lessons.  The same folder goes on where it stopped."""

    def __init__(self, base: Generator, plan: ReadingPlan) -> None:
        self.plan = plan
        torch.manual_seed(plan.seed)  # before get_peft_model, which draws the adapter's first values
        self.tuned = Generator(base.name, get_peft_model(base.model, _lora(base, plan)), base.tokenizer)
        self.weights = {name: weight for name, weight in self.tuned.model.named_parameters() if weight.requires_grad}
        self.optimizer = torch.optim.AdamW(self.weights.values(), betas=(0.9, 0.98), weight_decay=0.0)
        if plan.compiled:
            for layer in base.model.base_model.layers:
                layer.compile(dynamic=True)
        self.progress = Progress()
        self._resume()
        seed = f"{plan.seed} from step {self.progress.step}"
        self.lessons, self.order = ReadingLessons(seed), random.Random(seed)

    def train(self) -> Generator:
        """Trains until the minutes are spent, saves, and returns the tuned generator."""
        saved = logged = self.progress.seconds
        while self.share < 1:
            stage = stage_at(self.share)
            for rows in self._batches(stage):
                start = time.monotonic()
                loss = self._step(rows)
                self.progress.seconds += time.monotonic() - start
                if self.progress.seconds - logged > self.plan.log_every_s:
                    logged = self.progress.seconds
                    self._log(loss)
                if self.progress.seconds - saved > self.plan.save_every_s:
                    saved = self.progress.seconds
                    self.save()
                if stage_at(self.share) != stage or self.share >= 1:
                    break
        self.save()
        return self.tuned

    @property
    def share(self) -> float:
        """How much of the run is done, from 0 to 1."""
        return self.progress.seconds / (60 * self.plan.minutes)

    def save(self) -> None:
        """The checkpoint: adapter, optimiser and progress."""
        tensors = {f"{WEIGHTS}{name}": weight.detach() for name, weight in self.weights.items()}
        tensors |= {f"{MOMENTS}{key}": value for key, value in moments_of(self.optimizer).items()}
        part = self.plan.folder / f"{CHECKPOINT}.tmp"
        save_file(tensors, part, {"progress": json.dumps(vars(self.progress))})
        part.replace(self.plan.folder / CHECKPOINT)

    def _resume(self) -> None:
        path = self.plan.folder / CHECKPOINT
        if not path.exists():
            return
        with safe_open(path, "pt") as file:
            self.progress = Progress(**json.loads(file.metadata()["progress"]))
        kept = load_file(path)
        put(under(WEIGHTS, kept), self.weights)
        put_moments(self.optimizer, under(MOMENTS, kept))

    def _batches(self, stage: Stage) -> Iterator[list[WeighedRow]]:
        rows = (weigh(self.lessons.draw(stage), self.tuned.tokenizer) for _ in range(POOL))
        batches = in_batches([row for row in rows if len(row.ids) <= self.plan.longest], self.plan.tokens)
        self.order.shuffle(batches)
        yield from batches

    def _step(self, rows: Sequence[WeighedRow]) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = self.plan.learning_rate * self._rate()
        loss, exact = weighed_loss(self.tuned.model, rows, self.tuned.tokenizer.pad_token_id or 0)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.weights.values(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self._count(rows, exact)
        return loss.item()

    def _rate(self) -> float:
        rising = min(1.0, (self.progress.step + 1) / self.plan.warm_up)
        return rising * min(1.0, max(LOWEST_RATE, (1 - self.share) / self.plan.decay))

    def _count(self, rows: Sequence[WeighedRow], exact: Sequence[Sequence[bool]]) -> None:
        self.progress.step += 1
        for row, right in zip(rows, exact, strict=True):
            self.progress.tokens += len(row.ids)
            self.progress.answers += len(right)
            kind, share = "bare" if row.bare else "plain", sum(right) / len(right)
            self.progress.exact[kind] = 0.95 * self.progress.exact.get(kind, share) + 0.05 * share

    def _log(self, loss: float) -> None:
        with open(self.plan.folder / LOG, "a", encoding="utf-8") as file:
            file.write(json.dumps({**vars(self.progress), "loss": loss}) + "\n")


def stage_at(share: float) -> Stage:
    """The stage of a run of which this share is done."""
    return [stage for stage in STAGES if stage.start <= share][-1]


def weighed_loss(model: torch.nn.Module, rows: Sequence[WeighedRow], pad: int) -> tuple[torch.Tensor, list[list[bool]]]:
    """The weighed mean loss over the answers' tokens; and for each row, which of its answers are predicted right."""
    length = max(len(row.ids) for row in rows)
    ids = torch.tensor([row.ids + [pad] * (length - len(row.ids)) for row in rows])
    weight = torch.tensor([row.weight + [0.0] * (length - len(row.ids)) for row in rows])[:, 1:]
    # Padded on the right, so nothing looks at the padding, and no mask is needed.  Logits only where one is weighed.
    inner = model.get_base_model()
    hidden = inner.base_model(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
    weighed = weight > 0
    logits, wanted = inner.get_output_embeddings()(hidden[weighed]), ids[:, 1:][weighed]
    losses = F.cross_entropy(logits, wanted, reduction="none")
    right = torch.ones_like(weighed)
    right[weighed] = logits.argmax(-1) == wanted
    exact = [_exact(row, one.tolist()) for row, one in zip(rows, right, strict=True)]
    return (losses * weight[weighed]).sum() / weight[weighed].sum(), exact


def _exact(row: WeighedRow, right: Sequence[bool]) -> list[bool]:
    answers = [True] * (max(row.answer) + 1)
    for number, each in zip(row.answer[1:], right, strict=False):
        if number >= 0:
            answers[number] &= each
    return answers


def _lora(base: Generator, plan: ReadingPlan) -> LoraConfig:
    layers = base.model.base_model.layers
    kinds = {name.rpartition(".")[2] for name, part in layers.named_modules() if isinstance(part, torch.nn.Linear)}
    upper = list(range(plan.first_layer, len(layers)))
    return LoraConfig(
        r=plan.rank,
        lora_alpha=2 * plan.rank,
        target_modules=sorted(kinds),
        layers_to_transform=upper,
        task_type="CAUSAL_LM",
    )
