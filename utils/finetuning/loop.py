"""The training loop: steps and epochs, and what a checkpoint and early stopping need of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from tqdm.auto import tqdm

from utils.errors import CourseError
from utils.finetuning.checkpoint import Checkpoints, Tensors, TrainingState
from utils.finetuning.distributed import add_up, rank, same_everywhere, share
from utils.finetuning.early_stopping import EarlyStopping
from utils.finetuning.plan import LoraPlan
from utils.finetuning.precision import products, products_in
from utils.finetuning.rows import Row, completion_loss, pad_left
from utils.models import Generator

WARM_UP = 0.1


class DivergedError(CourseError):
    """Loss or gradient are no longer numbers.

    tuned: the generator with the last good adapter: the best that early stopping saw, else the last one with which the
    loss was a number.  losses: those before.
    """

    def __init__(self, sentence: str, tuned: Generator, losses: list[float]) -> None:
        super().__init__(sentence)
        self.tuned, self.losses = tuned, losses


class Run:
    """One training run: adapter, optimiser, schedule and order of the examples, saved and restored together.

    tuned: a generator with a fresh adapter, which is trained in place.  before_step: called with the steps done.
    """

    def __init__(
        self,
        tuned: Generator,
        rows: Sequence[Row],
        plan: LoraPlan,
        checkpoints: Checkpoints | None = None,
        stopping: EarlyStopping | None = None,
        before_step: Callable[[int], object] = lambda done: None,
    ) -> None:
        self.before_step = before_step
        self.tuned, self.rows, self.plan, self.checkpoints, self.stopping = tuned, rows, plan, checkpoints, stopping
        self.adapter = {name: weight for name, weight in tuned.model.named_parameters() if weight.requires_grad}
        self.device = next(iter(self.adapter.values())).device
        self.per_epoch = -(-len(rows) // plan.batch_size)
        self.optimizer = torch.optim.AdamW(self.adapter.values(), lr=plan.learning_rate, weight_decay=0.0)
        self.schedule = one_cycle(self.optimizer, plan.learning_rate, plan.epochs * self.per_epoch)
        self.shuffle = torch.Generator().manual_seed(plan.seed)
        self.order_from = self.shuffle.get_state()  # the order of the epoch at hand is drawn from it
        self.losses: list[float] = []
        self.good: Tensors = {}
        self.best: Tensors = {}
        self.stopped = False

    def train(self) -> list[float]:
        """Trains to the end, from the checkpoint if there is one; returns the loss of each step.

        Raises DivergedError when loss or gradient are no longer numbers.
        """
        if self.stopping:
            self.stopping.scores.clear()
        self._resume()
        same_everywhere(list(self.adapter.values()))
        self.tuned.model.train()
        done = len(self.losses) // self.per_epoch
        for _ in tqdm(range(done, self.plan.epochs), desc="epochs", leave=False, disable=rank() > 0):
            if self.stopped:
                break
            self._epoch()
        self._end(self.best)
        return self.losses

    def _epoch(self) -> None:
        order = torch.randperm(len(self.rows), generator=self.shuffle).tolist()
        size = self.plan.batch_size
        for number in range(len(self.losses) % self.per_epoch, self.per_epoch):
            self.before_step(len(self.losses))
            self._step([self.rows[index] for index in order[number * size : (number + 1) * size]])
            if number + 1 < self.per_epoch and self.checkpoints and len(self.losses) % self.checkpoints.every == 0:
                self._save()
        self.order_from = self.shuffle.get_state()
        self._look_at_dev()
        self._save()

    def _step(self, batch: Sequence[Row]) -> None:
        loss = add_up(list(self.adapter.values()), self._loss_and_gradients(batch)).item()
        length = torch.nn.utils.clip_grad_norm_(self.adapter.values(), 1.0).item()
        if not (math.isfinite(loss) and math.isfinite(length)):
            self._give_up(loss, length)
        self.good = {name: weight.detach().clone() for name, weight in self.adapter.items()}
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.schedule.step()
        self.losses.append(loss)

    def _loss_and_gradients(self, batch: Sequence[Row]) -> torch.Tensor:
        """The share that this process has of the batch's loss, in a data-parallel run; else the loss."""
        part = share(batch)
        if not part:
            return torch.zeros((), device=self.device)
        rows = pad_left(part, self.tuned.tokenizer.pad_token_id, self.device)
        with products(self.device, products_in(self.device, self.plan.dtype)):
            loss = completion_loss(self.tuned.model, rows)
        if len(part) < len(batch):  # the mean over all tokens of the batch, as one process takes it
            loss = loss * (sum(length for _, length in part) / sum(length for _, length in batch))
        loss.backward()
        return loss.detach()

    def _look_at_dev(self) -> None:
        if not self.stopping:
            return
        self.tuned.model.eval()
        if self.stopping.note(self.tuned):
            self.best = {name: weight.detach().clone() for name, weight in self.adapter.items()}
        self.tuned.model.train()
        self.stopped = self.stopping.out_of_patience

    def _give_up(self, loss: float, length: float) -> None:
        what = f"loss is {loss}" if not math.isfinite(loss) else f"gradient's length is {length}"
        # A loss that is no number comes from the step before; a gradient has not changed the adapter yet.
        self._end(self.best or ({} if math.isfinite(loss) else self.good))
        raise DivergedError(
            f"The {what} in step {len(self.losses) + 1}, so training stopped and kept the last good adapter (the "
            f"error's `tuned`): lower the learning rate, {self.plan.learning_rate:g} now, or look for an odd example.",
            self.tuned,
            self.losses,
        )

    def _end(self, adapter: Tensors) -> None:
        """Leaves the model ready to use, with the given values in its adapter, if any."""
        self.optimizer.zero_grad()
        put(adapter, self.adapter)
        self.tuned.model.eval()

    def _save(self) -> None:
        if not self.checkpoints or rank() > 0:
            return
        state = self.optimizer.state_dict()
        tensors = {f"adapter/{name}": weight for name, weight in self.adapter.items()}
        tensors |= {f"best/{name}": weight for name, weight in self.best.items()}
        for number, name in enumerate(self.adapter):
            tensors |= {f"optimizer/{name}/{key}": value for key, value in state["state"][number].items()}
        tensors |= {"random/order": self.order_from} | random_states(self.device)
        settings = [{key: value for key, value in group.items() if key != "params"} for group in state["param_groups"]]
        self.checkpoints.save(
            TrainingState(
                losses=self.losses,
                scores=self.stopping.scores if self.stopping else [],
                stopped=self.stopped,
                groups=settings,
                schedule=self.schedule.state_dict(),
            ),
            tensors,
        )

    def _resume(self) -> None:
        found = self.checkpoints.load() if self.checkpoints else None
        if not found:
            return
        state, tensors = found
        put(under("adapter/", tensors), self.adapter)
        self.best = under("best/", tensors)
        self.optimizer.load_state_dict(self._optimizer_state(state, tensors))
        self.schedule.load_state_dict(state.schedule)
        self.losses, self.stopped = list(state.losses), state.stopped
        if self.stopping:
            self.stopping.scores.extend(state.scores)
        self.order_from = tensors["random/order"]
        self.shuffle.set_state(self.order_from)
        set_random_states(tensors, self.device)

    def _optimizer_state(self, state: TrainingState, tensors: Tensors) -> dict[str, object]:
        kept = self.optimizer.state_dict()
        groups = [old | saved for old, saved in zip(kept["param_groups"], state.groups, strict=True)]
        moments = {number: under(f"optimizer/{name}/", tensors) for number, name in enumerate(self.adapter)}
        return {"state": moments, "param_groups": groups}


def one_cycle(
    optimizer: torch.optim.Optimizer, learning_rate: float, steps: int
) -> torch.optim.lr_scheduler.OneCycleLR:
    """The learning rate rises over the first tenth of the steps, then falls in a straight line."""
    # With exactly ten steps, the rise would take no time, and PyTorch would divide by it.
    rise = WARM_UP if steps * WARM_UP != 1 else 1.1 * WARM_UP
    return torch.optim.lr_scheduler.OneCycleLR(
        optimizer, learning_rate, total_steps=steps, pct_start=rise, anneal_strategy="linear"
    )


def put(values: Tensors, weights: dict[str, torch.nn.Parameter]) -> None:
    """Copies values into the weights of the same name."""
    with torch.no_grad():
        for name, value in values.items():
            weights[name].copy_(value)


def under(prefix: str, tensors: Tensors) -> Tensors:
    """The tensors whose names begin with the prefix, named without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def random_states(device: torch.device) -> Tensors:
    """The random states from which dropout is drawn, if the model has any."""
    states = {"random/cpu": torch.get_rng_state()}
    return states | ({"random/cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else {})


def set_random_states(tensors: Tensors, device: torch.device) -> None:
    """Goes on drawing where `random_states` was taken."""
    torch.set_rng_state(tensors["random/cpu"])
    if device.type == "cuda" and "random/cuda" in tensors:
        torch.cuda.set_rng_state(tensors["random/cuda"], device)
