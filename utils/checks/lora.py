"""Checkers of notebook 05."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import torch

from utils.checks import references
from utils.checks.exercise import Attempt, Exercise, Stopped, side_by_side

# All sizes differ, so that a swapped pair cannot go unnoticed: d_in is 3, d_out 4, the rank 2 and alpha 6.
X = [[1.0, 0.0, 2.0]]
WEIGHT = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 1.0, 1.0]]
A = [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]
B = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [2.0, 0.0]]
ALPHA = 6.0
# By hand: B A is [[1, 0, 0], [0, 1, 1], [1, 1, 1], [2, 0, 0]], and counts alpha / rank = 3 times.
MERGED = [[4.0, 0.0, 0.0], [0.0, 4.0, 3.0], [3.0, 3.0, 4.0], [7.0, 1.0, 1.0]]
OUTPUT = [[4.0, 6.0, 11.0, 9.0]]
# The frozen parts, and the corrections before they are scaled.
FROZEN, CORRECTION = [[1.0, 0.0, 2.0, 3.0]], [[1.0, 2.0, 3.0, 2.0]]
B_TIMES_A = [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [1.0, 1.0, 1.0], [2.0, 0.0, 0.0]]
# What typical mistakes give: so many times the frozen part, and so many times the correction.
MISTAKES = {
    (1, 0): "That is the frozen part alone: add the correction, which A and B make.",
    (0, 3): "That is the correction alone: add it to the frozen part.",
    (1, 1): "The correction is not scaled: multiply it by alpha / rank.",
    (1, 6): "The correction is multiplied by alpha, and should be by alpha / rank: A has rank rows.",
    (1, 0.5): "The correction is divided by the rank, and should be multiplied by alpha / rank.",
    (1, 1 / 3): "The scale is upside down: it is alpha / rank, not rank / alpha.",
    (3, 3): "The frozen part is scaled too: alpha / rank multiplies the correction alone.",
    (1, 2): "alpha is divided by d_in: the rank is the number of rows of A, A.shape[0].",
    (1, 1.5): "alpha is divided by d_out: the rank is the number of columns of B, B.shape[1].",
    (1, -3): "The correction is subtracted: add it.",
}  # fmt: skip


class Drawn(torch.Tensor):
    """A tensor that shows its numbers alone, and quickly: a check shows its arguments many hundred times.

    What is computed from it is a plain tensor.
    """

    __torch_function__ = torch._C._disabled_torch_function_impl  # as torch.nn.Parameter does

    def __repr__(self) -> str:
        return repr(self.tolist())

    def __deepcopy__(self, memo: dict) -> Drawn:
        return self.clone().as_subclass(Drawn)


class Values:
    """A tensor's numbers; two are equal when they have one shape and are close, as right formulas round differently."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor.detach().to(torch.float64)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Values) or self.tensor.shape != other.tensor.shape:
            return False
        return torch.allclose(self.tensor, other.tensor, rtol=1e-4, atol=1e-5)

    __hash__ = None

    def __repr__(self) -> str:
        return repr((self.tensor * 1e4).round().div(1e4).tolist())


def values(result: Any) -> Values:
    """The returned numbers.  Raises Stopped when there are none."""
    try:
        return Values(torch.as_tensor(result))
    except Exception:
        raise Stopped(f"Return a tensor, not {type(result).__name__}.") from None


def diagnose_forward(attempt: Attempt) -> str | None:
    """The first mistake in a learner's lora_forward, or None."""
    case = {"x": X, "weight": WEIGHT, "A": A, "B": B}
    mistake = _first_mistake(attempt, case, OUTPUT, FROZEN, CORRECTION)
    if mistake:
        return mistake
    try:
        deep = _call(attempt, case | {"x": [X, X]})
    except Stopped as stopped:
        return f"x can have more dimensions, such as (texts, tokens, d_in): use x @ weight.T, and so on. {stopped}"
    if deep != Values(_floats([OUTPUT, OUTPUT])):
        return _wrong("For an x of shape (2, 1, 3)", [OUTPUT, OUTPUT], deep)
    return _gradient_mistake(attempt)


def _gradient_mistake(attempt: Attempt) -> str | None:
    trained = {"A": _floats(A).requires_grad_(), "B": _floats(B).requires_grad_()}
    result = attempt(x=_floats(X), weight=_floats(WEIGHT), **trained, alpha=ALPHA)
    if not result.requires_grad:
        return "The result has no gradient, so A and B could not be trained: leave out detach, no_grad and tensor(…)."
    return None


def diagnose_merged(attempt: Attempt) -> str | None:
    """The first mistake in a learner's merged_weight, or None."""
    mistake = _first_mistake(attempt, {"weight": WEIGHT, "A": A, "B": B}, MERGED, WEIGHT, B_TIMES_A)
    if mistake:
        return mistake
    back = _call(attempt, {"weight": MERGED, "A": A, "B": B}, alpha=-ALPHA)
    if back != Values(_floats(WEIGHT)):
        return _wrong("With -alpha the correction is taken out again:", WEIGHT, back)
    return None


def _first_mistake(attempt: Attempt, case: dict[str, list], right: list, frozen: list, correction: list) -> str | None:
    try:
        found = _call(attempt, case)
    except Stopped as stopped:
        if "shapes cannot be multiplied" in str(stopped) or "must match the size" in str(stopped):
            return f"The shapes do not fit: A is (rank, d_in), B is (d_out, rank), weight is (d_out, d_in). {stopped}"
        raise
    if found == Values(_floats(right)):
        return None
    for (of_frozen, of_correction), words in MISTAKES.items():
        if found == Values(of_frozen * _floats(frozen) + of_correction * _floats(correction)):
            return words
    if found.tensor.shape != _floats(right).shape:
        return (
            f"The result should have the shape {tuple(_floats(right).shape)}, (rows of the input, d_out) for an output "
            f"and (d_out, d_in) for a weight, and yours has {tuple(found.tensor.shape)}."
        )
    return _wrong("With rank 2 and alpha 6", right, found)


def _call(attempt: Attempt, case: dict[str, list], alpha: float = ALPHA) -> Values:
    """The numbers that the learner's function returns.  Raises Stopped when it returns no tensor."""
    result = attempt(**{name: _floats(numbers) for name, numbers in case.items()}, alpha=alpha)
    if not isinstance(result, torch.Tensor):
        raise Stopped(f"Return a tensor, not {type(result).__name__}.")
    return values(result)


def _wrong(when: str, right: list, found: Values) -> str:
    expected, yours = side_by_side(Values(_floats(right)), found)
    return f"{when} the result should be {expected}, and yours is {yours}."


def _floats(numbers: list) -> torch.Tensor:
    return torch.tensor(numbers)


def draw_forward(draws: random.Random) -> dict[str, Any]:
    """An input of two or three dimensions, a layer and a pair, all with small whole numbers."""
    case = draw_merged(draws)
    shape = [draws.randint(1, 3) for _ in range(draws.randint(1, 2))]
    return {"x": _drawn(draws, [*shape, case["weight"].shape[1]])} | case


def draw_merged(draws: random.Random) -> dict[str, Any]:
    """A weight and a pair, with small whole numbers; the rank can be larger than the weight."""
    d_in, d_out, rank = (draws.randint(1, 4) for _ in range(3))
    shapes = {"weight": [d_out, d_in], "A": [rank, d_in], "B": [d_out, rank]}
    alpha = draws.choice([0.5, 1.0, 3.0, 8.0, 32.0, -2.0])
    return {name: _drawn(draws, shape) for name, shape in shapes.items()} | {"alpha": alpha}


def _drawn(draws: random.Random, shape: list[int]) -> torch.Tensor:
    size = int(torch.Size(shape).numel())
    return torch.tensor([float(draws.randint(-3, 3)) for _ in range(size)]).reshape(shape).as_subclass(Drawn)


def _exercise(name: str, diagnose: Callable[[Attempt], str | None], draw: Callable, praise: str, clue: str) -> Exercise:
    source = getattr(references, name)
    return Exercise(name, 2, 5, diagnose, values, draw, praise, clue, (source,), imports="import torch")


lora_forward = _exercise(
    "lora_forward",
    diagnose_forward,
    draw_forward,
    praise="The frozen output plus the scaled correction, and gradients for A and B.",
    clue="x @ A.T has one number per rank. Multiply that by B.T, then scale it by alpha / A.shape[0].",
)
merged_weight = _exercise(
    "merged_weight",
    diagnose_merged,
    draw_merged,
    praise="One matrix now does the work of three, and the other way round with -alpha.",
    clue="Which product of A and B has the shape of weight, (d_out, d_in)? Scale it, and add it to a new tensor.",
)
