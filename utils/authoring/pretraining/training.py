"""The training loop: answers count fully, context a little; checkpoints that resume after a kill; a live log.

Runs in one process, or in several with `torchrun --nproc-per-node N`, which average their gradients.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.distributed as dist
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from utils.authoring.pretraining.architecture import build_model
from utils.authoring.pretraining.batches import Batch, BatchStream
from utils.authoring.pretraining.curriculum import GOING_ON, Curriculum, copy_rows
from utils.authoring.pretraining.moments import moments_of, put_moments
from utils.authoring.pretraining.quick_forward import hidden_states
from utils.authoring.pretraining.tokenizer import train_tokenizer
from utils.finetuning.distributed import add_up
from utils.finetuning.loop import under
from utils.finetuning.precision import products_in

CONTEXT_WEIGHT = 0.1
CONTEXT_SHARE = 0.1
# Where a phrase, a sentence or a source begins, the model chooses; the rest is copying, learned early.  With a weight
# on the first token of answers alone, formats stayed hard: their first token is a greeting, and the sentence is chosen
# after it.
CHOICE_WEIGHT = 4.0
# Each token of a bare value must be found in the middle of a sentence, a skill that needs weight to start, like citing.
VALUE_WEIGHT = 12.0
LOWEST_RATE = 0.02
COPY_ROWS = 48
PRODUCTS = products_in(torch.device("cpu"), "auto")


@dataclass(frozen=True)
class Plan:
    """One training run.

    minutes: wall-clock budget; the learning rate falls to 2 % over the last `decay` of it.
    tokens: per step and process.
    trained: folder of a trained model that goes on, instead of a new one.
    learning_rate: of AdamW; matrix_learning_rate: of Muon for the matrices, 0 for AdamW everywhere.
    """

    folder: Path
    trained: Path | None = None
    minutes: float = 118.0
    architecture: str = "lfm2"
    width: int = 192
    layers: int = 6
    tokens: int = 3072
    learning_rate: float = 3e-3
    matrix_learning_rate: float = 0.015
    warm_up: int = 100
    decay: float = 0.6
    max_length: int = 1024
    seed: int = 0
    save_every_s: float = 240.0
    log_every_s: float = 20.0


@dataclass
class Clock:
    """How far a run has come; kept in the checkpoint."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0


class Trainer:
    """A run: model, optimisers, curriculum and data, saved together."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.rank = dist.get_rank() if dist.is_initialized() else 0
        self.world = dist.get_world_size() if dist.is_initialized() else 1
        self.tokenizer = load_or_train_tokenizer(plan.trained or plan.folder)
        vocabulary = len(self.tokenizer)
        self.model: PreTrainedModel = (
            AutoModelForCausalLM.from_pretrained(plan.trained, dtype=torch.float32)
            if plan.trained
            else build_model(plan.architecture, plan.width, plan.layers, vocabulary, plan.seed)
        )
        self.optimizers = make_optimizers(self.model, plan)
        self.curriculum, self.clock = Curriculum(GOING_ON if plan.trained else 0), Clock()
        self._resume()
        seed = f"train {plan.seed} rank {self.rank} from step {self.clock.step}"
        self.stream = BatchStream(self.tokenizer, seed, plan.tokens, plan.max_length)
        self.stream.level = self.curriculum.level
        self.batches = iter(self.stream)
        self.random = torch.Generator().manual_seed(hash_seed(seed))
        self.brackets = opening_brackets(self.tokenizer)

    def run(self) -> None:
        """Trains until the budget is spent, then saves."""
        start, logged, saved = time.monotonic() - self.clock.seconds, 0.0, self.clock.seconds
        while not self._agree(self.clock.seconds >= self.plan.minutes * 60):
            self._set_rates()
            loss, exact, cited = self._step()
            self.clock.step += 1
            self.clock.seconds = time.monotonic() - start
            ended = self.curriculum.note(exact, cited)
            self.stream.level = self.curriculum.level
            if ended or self.clock.seconds - logged > self.plan.log_every_s:
                logged = self.clock.seconds
                self._log(loss, exact)
            if self.rank == 0 and self.clock.seconds - saved > self.plan.save_every_s:
                saved = self.clock.seconds
                self.save()
        if self.rank == 0:
            self.save()

    def _step(self) -> tuple[float, float, float]:
        if self.curriculum.warms_up:
            rows = copy_rows(self.curriculum.stage, len(self.tokenizer), COPY_ROWS, self.random)
            answer = torch.zeros_like(rows, dtype=torch.bool)
            answer[:, rows.shape[1] // 2 + 1 :] = True
            batch = Batch(rows, answer, *torch.zeros((3, *rows.shape), dtype=torch.bool))
        else:
            batch = next(self.batches)
        weight = self.curriculum.level.citation_weight
        loss, exact, cited = batch_loss(self.model, batch, self.random, self.brackets, weight)
        loss.backward()
        self._average_gradients()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad()
        self.clock.tokens += batch.tokens * self.world
        return loss.item(), self._mean(exact), self._mean(cited)

    def _average_gradients(self) -> None:
        if self.world == 1:
            return
        add_up(list(self.model.parameters()), torch.zeros(()))
        for parameter in self.model.parameters():
            parameter.grad /= self.world

    def _mean(self, number: float) -> float:
        if self.world == 1:
            return number
        tensor = torch.tensor(number)
        dist.all_reduce(tensor)
        return tensor.item() / self.world

    def _agree(self, done: bool) -> bool:
        return self._mean(float(done)) > 0

    def _set_rates(self) -> None:
        share_left = 1 - self.clock.seconds / (self.plan.minutes * 60)
        warm = min(1.0, (self.clock.step + 1) / self.plan.warm_up)
        factor = warm * max(LOWEST_RATE, min(1.0, share_left / self.plan.decay))
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["base_rate"] * factor

    def _log(self, loss: float, exact: float) -> None:
        if self.rank == 0:
            row = asdict(self.clock) | asdict(self.curriculum) | {"loss": loss, "exact": exact}
            line = json.dumps({key: round(value, 4) for key, value in row.items()})
            print(line, flush=True)
            with (self.plan.folder / "log.jsonl").open("a") as log:
                log.write(line + "\n")

    def save(self) -> None:
        """Writes the model for `from_pretrained`, and what a resumed run needs, each large file in one move."""
        folder, beside = self.plan.folder, self.plan.folder / "model.tmp"
        folder.mkdir(parents=True, exist_ok=True)
        self.model.save_pretrained(beside)
        for path in sorted(beside.iterdir()):
            path.replace(folder / path.name)
        beside.rmdir()
        self.tokenizer.save_pretrained(folder)
        tensors = {
            f"{index}.{key}": value
            for index, optimizer in enumerate(self.optimizers)
            for key, value in moments_of(optimizer).items()
        }
        save_file(tensors, folder / "optimizer.tmp")
        (folder / "optimizer.tmp").replace(folder / "optimizer.safetensors")
        state = {"clock": asdict(self.clock), "curriculum": asdict(self.curriculum)}
        (folder / "training.tmp").write_text(json.dumps(state))
        (folder / "training.tmp").replace(folder / "training.json")

    def _resume(self) -> None:
        folder = self.plan.folder
        if not (folder / "training.json").exists():
            return
        state = json.loads((folder / "training.json").read_text())
        self.clock, self.curriculum = Clock(**state["clock"]), Curriculum(**state["curriculum"])
        self.model = type(self.model).from_pretrained(folder)
        self.optimizers = make_optimizers(self.model, self.plan)
        tensors = load_file(folder / "optimizer.safetensors")
        for index, optimizer in enumerate(self.optimizers):
            put_moments(optimizer, under(f"{index}.", tensors))


def load_or_train_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """The run's own tokenizer when it resumes: one trained anew on changed text would scramble the embeddings."""
    saved = (folder / "tokenizer.json").exists()
    return AutoTokenizer.from_pretrained(folder) if saved else train_tokenizer()


def make_optimizers(model: PreTrainedModel, plan: Plan) -> list[torch.optim.Optimizer]:
    """AdamW for all, or Muon for the matrices and AdamW for the rest."""
    named = list(model.named_parameters())
    matrices = [p for n, p in named if p.ndim == 2 and "embed" not in n] if plan.matrix_learning_rate else []
    chosen = {id(p) for p in matrices}
    rest = [p for _, p in named if id(p) not in chosen]
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(rest, lr=plan.learning_rate, betas=(0.9, 0.95), weight_decay=0.05)
    ]
    if matrices:
        optimizers.append(torch.optim.Muon(matrices, lr=plan.matrix_learning_rate, momentum=0.95, weight_decay=0.01))
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["base_rate"] = group["lr"]
    return optimizers


def opening_brackets(tokenizer: PreTrainedTokenizerBase) -> torch.Tensor:
    """Ids of the tokens that end with "[": what follows one in an answer is a passage's number."""
    texts = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    return torch.tensor([index for index, text in enumerate(texts) if text.endswith("[")])


def batch_loss(
    model: PreTrainedModel,
    batch: Batch,
    generator: torch.Generator,
    brackets: torch.Tensor,
    citation_weight: float = CHOICE_WEIGHT,
) -> tuple[torch.Tensor, float, float]:
    """Mean cross-entropy of the answers plus 0.1 × that of a tenth of the context; shares of exact answers and numbers.

    brackets: token ids after which an answer's passage numbers come.  These count `citation_weight` times in the loss,
    tokens of bare values `VALUE_WEIGHT` times, the batch's other choices four times.  The share of exact answers leaves
    the numbers out, since citing comes long after reading; that of right numbers is nan where there are none.
    Only the chosen positions go through the output layer, which is a fifth of the work.
    """
    hidden = hidden_states(model, batch.ids, PRODUCTS)[:, :-1]
    answer = batch.answer[:, 1:]
    lottery = torch.rand(answer.shape, generator=generator) < CONTEXT_SHARE
    context = batch.context[:, 1:] & lottery
    chosen = answer | context
    logits = F.linear(hidden[chosen].to(PRODUCTS), model.lm_head.weight.to(PRODUCTS)).float()
    target = batch.ids[:, 1:][chosen]
    losses = F.cross_entropy(logits, target, reduction="none")
    is_answer = answer[chosen]
    cites = torch.isin(batch.ids[:, :-1][chosen], brackets)[is_answer]
    weights = torch.where(batch.choice[:, 1:][answer], CHOICE_WEIGHT, 1.0)
    weights = torch.where(batch.sought[:, 1:][answer], VALUE_WEIGHT, weights)
    weights = torch.where(cites, citation_weight, weights)
    loss = (losses[is_answer] * weights).sum() / weights.sum()
    if context.any():
        loss = loss + CONTEXT_WEIGHT * losses[~is_answer].mean()
    right = logits[is_answer].argmax(-1) == target[is_answer]
    return loss, 1 - share_of_answers(answer, ~right & ~cites), right[cites].float().mean().item()


def share_of_answers(answer: torch.Tensor, wrong: torch.Tensor) -> float:
    """Share of answers with a wrong token.

    answer: (rows, length) bool, runs of True are answers.  wrong: one bool for each True, row by row.
    """
    starts = answer & ~F.pad(answer, (1, 0))[:, :-1]
    number = starts.flatten().cumsum(0)[answer.flatten()]
    return len(number[wrong].unique()) / int(starts.sum())


def hash_seed(text: str) -> int:
    """A number for torch from a seed in words; the same on every machine."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")
