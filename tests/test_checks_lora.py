"""The checkers of notebook 05: right ways pass, typical mistakes are named.  `test_checks.py` tests the rest."""

import copy
import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from peft import LoraConfig, get_peft_model

from utils import checks as check
from utils.checks import lora, references
from utils.checks.exercise import Stopped

NAMES = ("lora_forward", "merged_weight")


# Right ways


def forward_by_linear(x, weight, A, B, alpha):
    return F.linear(x, weight) + F.linear(F.linear(x, A), B) * (alpha / len(A))


def forward_by_einsum(x, weight, A, B, alpha):
    low = torch.einsum("...i,ri->...r", x, A)
    return torch.einsum("...i,oi->...o", x, weight) + torch.einsum("...r,or->...o", low, B) * alpha / B.shape[1]


def forward_through_the_merged(x, weight, A, B, alpha):
    return x @ (weight + alpha * B @ A / A.size(0)).mT


def merged_by_addmm(weight, A, B, alpha):
    return torch.addmm(weight, B, A, alpha=alpha / A.shape[0])


def merged_by_sum_of_directions(weight, A, B, alpha):
    new = weight.clone()
    for row, column in zip(A, B.T, strict=True):
        new += torch.outer(column, row) * alpha / len(A)
    return new


def merged_by_transposes(weight, A, B, alpha):
    return (weight.T + (A.T @ B.T) * (alpha / B.shape[-1])).T


RIGHT = [
    ("lora_forward", forward_by_linear), ("lora_forward", forward_by_einsum),
    ("lora_forward", forward_through_the_merged), ("merged_weight", merged_by_addmm),
    ("merged_weight", merged_by_sum_of_directions), ("merged_weight", merged_by_transposes),
]  # fmt: skip


# Typical mistakes


def forward(of_frozen=lambda alpha, A, B: 1, of_correction=lambda alpha, A, B: alpha / len(A)):
    """A lora_forward with other factors."""
    return lambda x, weight, A, B, alpha: (
        of_frozen(alpha, A, B) * (x @ weight.T) + of_correction(alpha, A, B) * (x @ A.T @ B.T)
    )


def merged(of_frozen=lambda alpha, A, B: 1, of_correction=lambda alpha, A, B: alpha / len(A)):
    """A merged_weight with other factors."""
    return lambda weight, A, B, alpha: of_frozen(alpha, A, B) * weight + of_correction(alpha, A, B) * (B @ A)


def scaled(alpha, A, B):
    return alpha / len(A)


def times(number):
    return lambda alpha, A, B: number


FACTORS = {
    "frozen alone": (times(1), times(0), "That is the frozen part alone"),
    "correction alone": (times(0), scaled, "That is the correction alone"),
    "no scale": (times(1), times(1), "The correction is not scaled"),
    "alpha without rank": (times(1), lambda alpha, A, B: alpha, "should be by alpha / rank"),
    "rank without alpha": (times(1), lambda alpha, A, B: 1 / len(A), "is divided by the rank"),
    "upside down": (times(1), lambda alpha, A, B: len(A) / alpha, "upside down"),
    "both scaled": (scaled, scaled, "The frozen part is scaled too"),
    "by d_in": (times(1), lambda alpha, A, B: alpha / A.shape[1], "alpha is divided by d_in"),
    "by d_out": (times(1), lambda alpha, A, B: alpha / len(B), "alpha is divided by d_out"),
    "subtracted": (times(1), lambda alpha, A, B: -alpha / len(A), "subtracted"),
}


def merged_in_place(weight, A, B, alpha):
    weight += alpha / len(A) * (B @ A)
    return weight


@torch.no_grad()
def forward_without_gradients(x, weight, A, B, alpha):
    return references.lora_forward(x, weight, A, B, alpha)


WRONG_FORWARDS = {
    "no transposes": (
        lambda x, weight, A, B, alpha: x @ weight + x @ A @ B,
        "The shapes do not fit: A is (rank, d_in)",
    ),
    "A and B swapped": (
        lambda x, weight, A, B, alpha: x @ weight.T + alpha / len(A) * (x @ B.T @ A.T),
        "The shapes do not fit",
    ),
    "the weight": (lambda x, weight, A, B, alpha: references.merged_weight(weight, A, B, alpha), "the shape (1, 4)"),
    "two dimensions only": (
        lambda x, weight, A, B, alpha: (weight @ x.T + alpha / len(A) * (B @ A @ x.T)).T,
        "x can have more dimensions",
    ),
    "no gradients": (forward_without_gradients, "The result has no gradient"),
    "detached": (
        lambda x, weight, A, B, alpha: references.lora_forward(x, weight, A.detach(), B.detach(), alpha),
        "The result has no gradient",
    ),
    "the mean": (lambda *given: references.lora_forward(*given).mean(), "should have the shape (1, 4)"),
    "a list": (lambda *given: references.lora_forward(*given).tolist(), "Return a tensor, not list"),
    "an array": (lambda *given: references.lora_forward(*given).detach().numpy(), "Return a tensor, not ndarray"),
    "something else": (lambda *given: references.lora_forward(*given) + 1, "With rank 2 and alpha 6 the result should"),
}
WRONG_MERGES = {
    "A times B": (lambda weight, A, B, alpha: weight + alpha / len(A) * (A @ B), "The shapes do not fit"),
    "elementwise": (lambda weight, A, B, alpha: weight + alpha / len(A) * (B.T * A), "The shapes do not fit"),
    "in place": (merged_in_place, "changes its arguments"),
    "transposed": (lambda *given: references.merged_weight(*given).T, "should have the shape (4, 3)"),
    "never less": (
        lambda weight, A, B, alpha: weight + abs(alpha) / len(A) * (B @ A),
        "With -alpha the correction is taken out again",
    ),
    "an array": (lambda *given: references.merged_weight(*given).numpy(), "Return a tensor, not ndarray"),
    "something else": (lambda *given: references.merged_weight(*given) * 1.01, "With rank 2 and alpha 6 the result"),
}

WRONG = [
    *(("lora_forward", name, forward(*factors), words) for name, (*factors, words) in FACTORS.items()),
    *(("merged_weight", name, merged(*factors), words) for name, (*factors, words) in FACTORS.items()),
    *(("lora_forward", name, *case) for name, case in WRONG_FORWARDS.items()),
    *(("merged_weight", name, *case) for name, case in WRONG_MERGES.items()),
]

FACTORS_QUIET = {
    "whole division": lambda alpha, A, B: alpha // len(A),
    "by the shorter side": lambda alpha, A, B: alpha / min(A.shape),
    "never less than 1": lambda alpha, A, B: max(alpha / len(A), 1) if alpha > 0 else alpha / len(A),
    "rank 3 at most": lambda alpha, A, B: alpha / min(len(A), 3),
    "rounded": lambda alpha, A, B: round(alpha / len(A), 1),
}
QUIET = [
    *(("lora_forward", name, forward(of_correction=factor)) for name, factor in FACTORS_QUIET.items()),
    *(("merged_weight", name, merged(of_correction=factor)) for name, factor in FACTORS_QUIET.items()),
    ("lora_forward", "first row for all", lambda x, *rest: references.lora_forward(x[:1].expand_as(x), *rest)),
    ("merged_weight", "no negative numbers", lambda *given: references.merged_weight(*given).clamp(min=-4)),
]


def test_the_written_results_are_those_of_plain_arithmetic():
    """Next to numpy, so that neither the reference nor the learner's function is compared with itself."""
    x, weight, a, b = (np.array(numbers) for numbers in (lora.X, lora.WEIGHT, lora.A, lora.B))
    assert (b @ a).tolist() == lora.B_TIMES_A and (weight + lora.ALPHA / 2 * b @ a).tolist() == lora.MERGED
    assert (x @ weight.T).tolist() == lora.FROZEN and (x @ a.T @ b.T).tolist() == lora.CORRECTION
    assert (x @ np.array(lora.MERGED).T).tolist() == lora.OUTPUT


def test_the_references_are_what_peft_computes():
    torch.manual_seed(0)
    model = get_peft_model(
        torch.nn.Sequential(torch.nn.Linear(5, 7, bias=False)), LoraConfig(r=3, lora_alpha=4, target_modules=["0"])
    )
    layer = model.base_model.model[0]
    torch.nn.init.normal_(layer.lora_B["default"].weight)
    weight, a, b = (
        part.weight.detach() for part in (layer.base_layer, layer.lora_A["default"], layer.lora_B["default"])
    )
    x = torch.randn(2, 6, 5)
    with torch.no_grad():
        assert torch.allclose(references.lora_forward(x, weight, a, b, 4), layer(x), atol=1e-6)
        before = weight.clone()
        layer.merge()
        assert torch.allclose(references.merged_weight(before, a, b, 4), layer.base_layer.weight, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_drawn_inputs_have_every_shape(name):
    cases = getattr(check, name).inputs()
    ranks = {case["A"].shape[0] for case in cases}
    wide = {case["weight"].shape[0] > case["weight"].shape[1] for case in cases}
    assert ranks == {1, 2, 3, 4} and wide == {True, False}
    assert name == "merged_weight" or {case["x"].dim() for case in cases} == {2, 3}


def test_values_are_equal_when_they_are_close_and_have_one_shape():
    one = lora.values(torch.tensor([[1.0, 2.0]]))
    assert one == lora.values(np.array([[1.0, 2.000001]]))
    assert one != lora.values(torch.tensor([[1.0, 2.1]])) and one != lora.values(torch.tensor([1.0, 2.0]))
    assert one != [[1.0, 2.0]] and repr(one) == "[[1.0, 2.0]]"
    with pytest.raises(Stopped, match="Return a tensor, not str"):
        lora.values("x")


def test_a_draw_changes_nothing_outside_itself():
    state = torch.get_rng_state()
    lora.draw_forward(random.Random(0))
    assert torch.equal(state, torch.get_rng_state())


def test_a_drawn_tensor_is_one_and_is_shown_by_its_numbers():
    drawn = lora.draw_merged(random.Random(0))["weight"]
    copied, result = copy.deepcopy(drawn), drawn @ drawn.T
    assert isinstance(drawn, torch.Tensor) and type(result) is torch.Tensor
    assert repr(copied) == repr(drawn) == repr(drawn.tolist())
    copied += 1
    assert repr(copied) != repr(drawn)
