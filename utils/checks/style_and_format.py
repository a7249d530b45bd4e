"""Checkers of notebook 06."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from utils.checks import references
from utils.checks.exercise import Attempt, Exercise, Stopped, number, shown
from utils.checks.lora import Drawn

# The masked loss.  Two texts of four tokens over a vocabulary of four; two tokens count in one, three in the other.
LOGITS = [
    [[0.0, 1.0, 2.0, 0.0], [1.0, 0.0, 3.0, 1.0], [2.0, 0.0, 0.0, 1.0], [0.0, 4.0, 1.0, 2.0]],
    [[1.0, 2.0, 0.0, 0.0], [0.0, 3.0, 1.0, 1.0], [1.0, 0.0, 5.0, 2.0], [2.0, 1.0, 0.0, 3.0]],
]
LABELS = [[-100, -100, 2, 1], [-100, 0, 1, 2]]


def _over_all(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return _loss(logits, labels, "sum") / labels[:, 1:].numel()


def _mean_of_texts(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return torch.stack([_loss(*text) for text in zip(logits.split(1), labels.split(1), strict=True)]).mean()


def _loss(logits: torch.Tensor, labels: torch.Tensor, reduction: str = "mean") -> torch.Tensor:
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), reduction=reduction)


# What typical mistakes compute, and the line for each.
LOSS_MISTAKES: tuple[tuple[Callable[[torch.Tensor, torch.Tensor], torch.Tensor], str], ...] = (
    (
        lambda logits, labels: F.cross_entropy(logits.flatten(0, 1), labels.flatten()),
        "The tokens are not shifted: the prediction for a token comes from the position before it, so pair "
        "logits[:, :-1] with labels[:, 1:].",
    ),
    (
        lambda logits, labels: F.cross_entropy(logits[:, 1:].flatten(0, 1), labels[:, :-1].flatten()),
        "The shift goes the wrong way: a token is predicted before it is read, so pair logits[:, :-1] with "
        "labels[:, 1:].",
    ),
    (lambda *given: _loss(*given, "sum"), "That is the sum: divide it by the number of tokens that count."),
    (_over_all, "That is divided by all tokens: only those whose label is not -100 count."),
    (
        _mean_of_texts,
        "That is the mean of each text's mean, in which tokens of short completions count more: average over all "
        "tokens that count.",
    ),
    (lambda *given: -_loss(*given), "The sign is wrong: the loss is the negative logarithm of the probability."),
    (
        lambda logits, labels: _loss(logits.softmax(-1), labels),
        "cross_entropy computes the probabilities itself: pass it the logits.",
    ),
    (lambda logits, labels: _loss(logits[:1], labels[:1]), "Only the first text counts in your loss."),
)


def diagnose_loss(attempt: Attempt) -> str | None:
    """The first mistake in a learner's masked_loss, or None."""
    logits, labels = torch.tensor(LOGITS, dtype=torch.float64), torch.tensor(LABELS)
    try:
        result = attempt(logits=logits.clone().requires_grad_(), labels=labels)
    except Stopped as stopped:
        if "target" in str(stopped).lower():
            return (
                "cross_entropy needs logits of shape (tokens, vocabulary) and labels of shape (tokens,), so flatten "
                f"both: logits with .flatten(0, 1). It skips the label -100 by itself. {stopped}"
            )
        raise
    found = loss_number(result)
    for mistaken, words in LOSS_MISTAKES:
        if abs(found - mistaken(logits, labels).item()) < 1e-9:
            return words
    expected = _loss(logits, labels).item()
    if abs(found - expected) > 1e-6:
        return f"For two short texts the loss should be {shown(expected)}, and yours is {shown(found)}."
    if not result.requires_grad:
        return "The loss has no gradient, so nothing could be trained: leave out detach, no_grad and tensor(…)."
    return None


def loss_number(result: Any) -> float:
    """A loss as a plain number.  Raises Stopped when it is not one number in a tensor."""
    if not isinstance(result, torch.Tensor):
        raise Stopped(f"Return a tensor, not {type(result).__name__}: training needs its gradient.")
    if result.dim():
        raise Stopped(f"Return one loss, the mean over the tokens that count, not {tuple(result.shape)} of them.")
    return result.item()


def plain_number(result: Any) -> float:
    """`result` as a plain number, also from a tensor with a gradient.  Raises Stopped when it is not one number."""
    return number(result.detach() if isinstance(result, torch.Tensor) else result)


def draw_loss(draws: random.Random) -> dict[str, Any]:
    """One to three texts, each with a completion at its end."""
    texts, tokens, words = draws.randint(1, 3), draws.randint(2, 5), draws.randint(2, 4)
    logits = [[[draws.randint(-6, 6) / 2 for _ in range(words)] for _ in range(tokens)] for _ in range(texts)]
    labels = []
    for _ in range(texts):
        counted = draws.randint(1, tokens - 1)
        labels.append([-100] * (tokens - counted) + [draws.randrange(words) for _ in range(counted)])
    return {
        "logits": torch.tensor(logits, dtype=torch.float64).as_subclass(Drawn),
        "labels": torch.tensor(labels).as_subclass(Drawn),
    }


masked_loss = Exercise(
    name="masked_loss",
    difficulty=2,
    minutes=8,
    diagnose=diagnose_loss,
    read=plain_number,
    draw=draw_loss,
    praise="The completion's tokens count, each predicted from the position before it, and nothing else does.",
    clue="Leave out the last position of the logits and the first of the labels, flatten both, and let "
    "F.cross_entropy skip the label -100, as it does by default.",
    sources=(references.masked_loss,),
    imports="import torch\nimport torch.nn.functional as F",
)


# A training step.  The model is one row of weights, and its loss the mean square of what the rows of a batch give.
WEIGHTS, RATE = [1.0, -2.0], 0.25
BATCHES = ([[1.0, 0.0], [4.0, 1.0]], [[0.0, 2.0]], [[2.0, 1.0], [1.0, 1.0], [0.0, 1.0]])


class Line(torch.nn.Module):
    """A model with a row of weights.  It is shown by those it began with, since a step changes them."""

    def __init__(self, weights: list[float]) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(weights, dtype=torch.float64))
        self.began = weights

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """One number for each row of the batch."""
        return batch @ self.weight

    def __repr__(self) -> str:
        return f"Line({self.began})"


class Descent:
    """A plain optimizer: each step takes `rate` times the gradient from the weight."""

    def __init__(self, model: Line, rate: float) -> None:
        self.weight, self.rate = model.weight, rate

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets the gradient, as PyTorch's optimizers do."""
        self.weight.grad = None if set_to_none else torch.zeros_like(self.weight)

    @torch.no_grad()
    def step(self) -> None:
        """Moves the weight against its gradient; without one, nothing moves."""
        if self.weight.grad is not None:
            self.weight -= self.rate * self.weight.grad

    def __repr__(self) -> str:
        return f"Descent({self.rate})"


class MeanSquare:
    """The loss of a model on a batch."""

    def __call__(self, model: Line, batch: torch.Tensor) -> torch.Tensor:
        """The mean of the squared numbers that the model gives."""
        return model(batch).square().mean()

    def __repr__(self) -> str:
        return "mean_square"


class _Watched:
    """Not copied when it is passed on, so that the check can see afterwards what was done to it."""

    def __deepcopy__(self, memo: dict) -> _Watched:
        return self


class _WatchedLine(_Watched, Line):
    def __init__(self, weights: list[float], events: list[str]) -> None:
        super().__init__(weights)
        self.weight.register_hook(lambda gradient: events.append("backward"))


class _WatchedDescent(_Watched, Descent):
    def __init__(self, model: Line, rate: float, events: list[str]) -> None:
        super().__init__(model, rate)
        self.events = events

    def zero_grad(self, set_to_none: bool = True) -> None:
        self.events.append("zero_grad")
        super().zero_grad(set_to_none)

    def step(self) -> None:
        self.events.append("step")
        super().step()


def diagnose_step(attempt: Attempt) -> str | None:
    """The first mistake in a learner's training_step, or None."""
    events: list[str] = []
    losses, weights = _three_steps(attempt, events)
    mistake = _order_mistake(events)
    if mistake:
        return mistake
    expected_losses, expected_weights = _three_steps(references.training_step, [])
    if not _close(weights[0], expected_weights[0]):
        return (
            f"After a step with rate {RATE} the weights should be {_rounded(expected_weights[0])}, and yours are "
            f"{_rounded(weights[0])}: change neither the loss nor the gradient."
        )
    if not _close(weights[1], expected_weights[1]):
        return (
            "The second step is wrong: `backward` adds to the gradients of earlier batches, so clear them with "
            "optimizer.zero_grad() in every step."
        )
    if not _close(weights[2], expected_weights[2]):
        return "The first two steps are right, and the third is not: do the same in every step."
    return _returned_mistake(losses, expected_losses, expected_weights)


def _three_steps(step: Callable[..., Any], events: list[str]) -> tuple[list[Any], list[list[float]]]:
    """What three calls return, and the weights after each; `events` gets what the first one does."""
    happened: list[str] = []
    model = _WatchedLine(WEIGHTS, happened)
    optimizer = _WatchedDescent(model, RATE, happened)
    losses, weights = [], []
    for batch in BATCHES:
        rows = torch.tensor(batch, dtype=torch.float64)
        losses.append(step(model=model, optimizer=optimizer, batch=rows, loss_of=MeanSquare()))
        weights.append(model.weight.tolist())
        if len(losses) == 1:
            events += happened
    return losses, weights


def _order_mistake(events: list[str]) -> str | None:
    if "backward" not in events:
        return "No gradient is computed: call backward() on the loss that loss_of(model, batch) returns."
    if "step" not in events:
        return "The gradients are computed, but the weights do not move: call optimizer.step()."
    if events.count("step") > 1 or events.count("backward") > 1:
        return "That is more than one step: call backward() and optimizer.step() once each."
    if events.index("step") < events.index("backward"):
        return "optimizer.step() comes before backward(), when the batch's gradients do not exist yet."
    if "zero_grad" in events[events.index("backward") : events.index("step")]:
        return (
            "zero_grad() comes between backward() and step(), and clears the gradients that the step needs: call it "
            "before backward()."
        )
    return None


def _returned_mistake(losses: list[Any], expected: list[float], weights: list[list[float]]) -> str | None:
    if isinstance(losses[0], torch.Tensor):
        return "Return loss.item(), a plain number: a tensor keeps all that it was computed from in memory."
    if _close(list(map(number, losses)), expected):
        return None
    after = [_mean_square(batch, weight) for batch, weight in zip(BATCHES, weights, strict=True)]
    if _close(list(map(number, losses)), after):
        return "That is the loss after the step: return the one that was computed before it."
    return f"The loss of the first batch is {shown(expected[0])} before the step, and you returned {shown(losses[0])}."


def _mean_square(batch: list[list[float]], weights: list[float]) -> float:
    model = Line(weights)
    return MeanSquare()(model, torch.tensor(batch, dtype=torch.float64)).item()


def _close(first: list[float], second: list[float]) -> bool:
    return all(abs(a - b) <= 1e-9 * max(1, abs(b)) for a, b in zip(first, second, strict=True))


def _rounded(weights: list[float]) -> list[float]:
    return [round(weight, 4) for weight in weights]


def draw_step(draws: random.Random) -> dict[str, Any]:
    """A model with one to three weights, and a batch of one to four rows for it."""
    size = draws.randint(1, 3)
    model = Line([float(draws.randint(-4, 4)) for _ in range(size)])
    batch = [[float(draws.randint(-3, 3)) for _ in range(size)] for _ in range(draws.randint(1, 4))]
    return {
        "model": model,
        "optimizer": Descent(model, draws.choice([0.125, 0.5, 1.0])),
        "batch": torch.tensor(batch, dtype=torch.float64).as_subclass(Drawn),
        "loss_of": MeanSquare(),
    }


training_step = Exercise(
    name="training_step",
    difficulty=1,
    minutes=5,
    diagnose=diagnose_step,
    read=number,
    draw=draw_step,
    praise="Old gradients cleared, new ones computed, one step, and the loss as a number.",
    clue="Four calls: optimizer.zero_grad(), loss_of(model, batch), backward() on its result, optimizer.step(). "
    "Then return the loss as a number, with .item().",
    sources=(references.training_step,),
    imports="from collections.abc import Callable\nfrom typing import Any\n\nimport torch",
)
