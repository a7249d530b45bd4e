"""The checkers of notebook 06: right ways pass, typical mistakes are named.  `test_checks.py` tests the rest."""

import math
import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from utils import checks as check
from utils.checks import references, style_and_format
from utils.checks.exercise import Stopped
from utils.finetuning.lora import IGNORED, completion_loss, pad_left

NAMES = ("masked_loss", "training_step")


# Right ways


def loss_by_gather(logits, labels):
    chances = logits[:, :-1].log_softmax(-1)
    wanted = labels[:, 1:]
    counted = wanted != -100
    chosen = chances.gather(-1, wanted.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    return -(chosen * counted).sum() / counted.sum()


def loss_by_selection(logits, labels):
    counted = labels[:, 1:] != -100
    return F.cross_entropy(logits[:, :-1][counted], labels[:, 1:][counted])


def loss_by_columns(logits, labels):
    return F.cross_entropy(logits[:, :-1].transpose(1, 2), labels[:, 1:])


def loss_by_loops(logits, labels):
    losses = []
    for text, tokens in zip(logits, labels, strict=True):
        for place in range(1, len(tokens)):
            if tokens[place] >= 0:
                losses.append(-text[place - 1].log_softmax(0)[tokens[place]])
    return torch.stack(losses).mean()


def step_that_clears_afterwards(model, optimizer, batch, loss_of):
    loss = loss_of(model, batch)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


def step_that_clears_in_the_middle(model, optimizer, batch, loss_of):
    loss = loss_of(model, batch)
    optimizer.zero_grad(set_to_none=False)
    loss.backward()
    optimizer.step()
    return float(loss.detach())


def step_by_the_model(model, optimizer, batch, loss_of):
    model.train()
    model.zero_grad()
    loss = loss_of(model, batch)
    before = np.float64(loss.item())
    loss.backward()
    optimizer.step()
    return before


RIGHT = [
    ("masked_loss", loss_by_gather), ("masked_loss", loss_by_selection), ("masked_loss", loss_by_columns),
    ("masked_loss", loss_by_loops), ("training_step", step_that_clears_afterwards),
    ("training_step", step_that_clears_in_the_middle), ("training_step", step_by_the_model),
]  # fmt: skip


# Typical mistakes


def loss_with(predictions=np.s_[:, :-1], tokens=np.s_[:, 1:], finish=lambda loss: loss, **how):
    """A masked_loss with another shift, another mean, or another end."""
    return lambda logits, labels: finish(
        F.cross_entropy(logits[predictions].flatten(0, 1), labels[tokens].flatten(), **how)
    )


def loss_of_each_text(logits, labels):
    return torch.stack([references.masked_loss(*text) for text in zip(logits.split(1), labels.split(1), strict=True)])


@torch.no_grad()
def loss_without_gradient(logits, labels):
    return references.masked_loss(logits, labels)


WRONG_LOSSES = {
    "no shift": (loss_with(np.s_[:], np.s_[:]), "The tokens are not shifted"),
    "other way": (loss_with(np.s_[:, 1:], np.s_[:, :-1]), "The shift goes the wrong way"),
    "sum": (loss_with(reduction="sum"), "That is the sum"),
    "over all tokens": (loss_with(reduction="none", finish=lambda loss: loss.mean()), "divided by all tokens"),
    "mean of means": (lambda *given: loss_of_each_text(*given).mean(), "the mean of each text's mean"),
    "sign": (loss_with(finish=lambda loss: -loss), "The sign is wrong"),
    "softmax": (
        lambda logits, labels: references.masked_loss(logits.softmax(-1), labels),
        "cross_entropy computes the probabilities itself",
    ),
    "first text": (lambda logits, labels: references.masked_loss(logits[:1], labels[:1]), "Only the first text counts"),
    "not flat": (lambda logits, labels: F.cross_entropy(logits[:, :-1], labels[:, 1:]), "so flatten both"),
    "-100 is no token": (loss_with(ignore_index=-1), "It skips the label -100 by itself"),
    "not reduced": (loss_with(reduction="none"), "Return one loss, the mean over the tokens that count, not (6,)"),
    "each text": (loss_of_each_text, "Return one loss"),
    "a number": (lambda *given: references.masked_loss(*given).item(), "Return a tensor, not float"),
    "an array": (lambda *given: references.masked_loss(*given).detach().numpy(), "Return a tensor, not "),
    "no gradient": (loss_without_gradient, "The loss has no gradient"),
    "detached": (loss_with(finish=lambda loss: loss.detach()), "The loss has no gradient"),
    "something else": (loss_with(label_smoothing=0.1), "For two short texts the loss should be"),
}


def step_with(events, finish=lambda loss: loss.item(), of_loss=lambda loss: loss):
    """A training step that does these things, in this order."""

    def attempt(model, optimizer, batch, loss_of):
        for event in events:
            if event == "loss":
                loss = of_loss(loss_of(model, batch))
            elif event == "backward":
                loss.backward(retain_graph=True)
            else:
                getattr(optimizer, event)()
        return finish(loss)

    return attempt


ORDER = ("zero_grad", "loss", "backward", "step")


def step_with_clipping(model, optimizer, batch, loss_of):
    optimizer.zero_grad()
    loss = loss_of(model, batch)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()


def step_that_returns_the_loss_after(model, optimizer, batch, loss_of):
    references.training_step(model, optimizer, batch, loss_of)
    return loss_of(model, batch).item()


WRONG_STEPS = {
    "never cleared": (step_with(("loss", "backward", "step")), "The second step is wrong"),
    "no gradient": (step_with(("zero_grad", "loss", "step")), "No gradient is computed"),
    "no step": (step_with(("zero_grad", "loss", "backward")), "call optimizer.step()"),
    "step first": (step_with(("zero_grad", "loss", "step", "backward")), "optimizer.step() comes before backward()"),
    "cleared too late": (
        step_with(("loss", "backward", "zero_grad", "step")),
        "zero_grad() comes between backward() and step()",
    ),
    "two steps": (step_with((*ORDER, "step")), "more than one step"),
    "two gradients": (step_with((*ORDER[:3], "backward", "step")), "more than one step"),
    "a tensor": (step_with(ORDER, lambda loss: loss), "Return loss.item()"),
    "loss after": (step_that_returns_the_loss_after, "That is the loss after the step"),
    "half the loss": (step_with(ORDER, of_loss=lambda loss: loss / 2), "change neither the loss nor the gradient"),
    "clipped": (step_with_clipping, "change neither the loss nor the gradient"),
    "twice the loss": (step_with(ORDER, lambda loss: 2 * loss.item()), "is 2.5 before the step, and you returned 5"),
    "a text": (step_with(ORDER, lambda loss: "done"), "Return one number, not 'done'"),
    "nothing": (step_with(ORDER, lambda loss: None), "end it with `return`"),
}

WRONG = [
    *(("masked_loss", name, *case) for name, case in WRONG_LOSSES.items()),
    *(("training_step", name, *case) for name, case in WRONG_STEPS.items()),
]


def step_in_the_first(calls):
    """A training step that does nothing from some call on."""
    done = []

    def attempt(model, optimizer, batch, loss_of):
        done.append(batch)
        if len(done) > calls:
            return loss_of(model, batch).item()
        return references.training_step(model, optimizer, batch, loss_of)

    return attempt


QUIET = [
    ("masked_loss", "two texts at most", lambda logits, labels: references.masked_loss(logits[:2], labels[:2])),
    ("masked_loss", "last two tokens", lambda logits, labels: references.masked_loss(logits[:, -4:], labels[:, -4:])),
    ("masked_loss", "without token 0", loss_with(weight=torch.tensor([0.1, 1, 1, 1], dtype=torch.float64))),
    ("masked_loss", "rounded", loss_with(finish=lambda loss: loss + (loss.detach().round(decimals=2) - loss.detach()))),
    ("masked_loss", "ten at most", loss_with(finish=lambda loss: loss.clamp(max=3))),
    ("training_step", "once", step_in_the_first(1)),
    ("training_step", "twice", step_in_the_first(2)),
    ("training_step", "rounded", step_with(ORDER, lambda loss: round(loss.item(), 1))),
    ("training_step", "one row", lambda m, o, batch, loss_of: references.training_step(m, o, batch[:1], loss_of)),
    ("training_step", "not above 9", step_with(ORDER, lambda loss: min(loss.item(), 9))),
]


def test_the_written_loss_is_that_of_plain_arithmetic():
    """Next to the math module, so that the reference is not only compared with itself."""
    losses = []
    for text, labels in zip(style_and_format.LOGITS, style_and_format.LABELS, strict=True):
        for scores, label in zip(text, labels[1:], strict=False):
            if label >= 0:
                losses.append(math.log(sum(map(math.exp, scores))) - scores[label])
    logits, labels = torch.tensor(style_and_format.LOGITS), torch.tensor(style_and_format.LABELS)
    assert len(losses) == 5
    assert references.masked_loss(logits, labels).item() == pytest.approx(sum(losses) / 5, rel=1e-6)


def test_the_reference_is_the_loss_of_the_library():
    """`completion_loss` keeps only the last logits; on whole texts the reference gives the same."""

    class Scores(torch.nn.Module):
        def forward(self, ids, mask, logits_to_keep=0, use_cache=False):
            torch.manual_seed(0)
            self.logits = torch.randn(*ids.shape, 7)[:, -logits_to_keep:]
            return self

    batch = pad_left([([1, 2, 3, 4], 2), ([5, 6, 1], 1)], pad=0)
    wanted = completion_loss(Scores(), batch)
    logits = Scores()(batch["input_ids"], None).logits
    assert (batch["labels"] == IGNORED).any() and IGNORED == -100
    assert references.masked_loss(logits, batch["labels"]).item() == pytest.approx(wanted.item(), rel=1e-5)


def test_the_written_steps_are_those_of_plain_arithmetic():
    weights, rate = np.array(style_and_format.WEIGHTS), style_and_format.RATE
    model = style_and_format.Line(style_and_format.WEIGHTS)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    for batch in style_and_format.BATCHES:
        rows = np.array(batch)
        loss = references.training_step(model, optimizer, torch.tensor(rows), style_and_format.MeanSquare())
        assert loss == pytest.approx(((rows @ weights) ** 2).mean())
        weights = weights - rate * 2 * rows.T @ (rows @ weights) / len(rows)
        assert model.weight.detach().numpy() == pytest.approx(weights)


@pytest.mark.parametrize("result, words", [(1.0, "not float"), (torch.ones(2), "Return one loss"), ("x", "not str")])
def test_what_is_no_loss_is_named(result, words):
    with pytest.raises(Stopped, match=words):
        style_and_format.loss_number(result)


def test_drawn_texts_differ_in_the_length_of_their_completions():
    cases = check.masked_loss.inputs()
    lengths = [{int((row != -100).sum()) for row in case["labels"].tolist() and case["labels"]} for case in cases]
    assert any(len(found) > 1 for found in lengths) and {len(case["labels"]) for case in cases} == {1, 2, 3}
    assert all((case["labels"][:, 0] == -100).all() and (case["labels"][:, -1] != -100).all() for case in cases)


def test_a_drawn_optimizer_moves_the_drawn_model():
    case = style_and_format.draw_step(random.Random(3))
    before, shown = case["model"].weight.tolist(), repr(case)
    references.training_step(**case)
    assert case["model"].weight.tolist() != before and repr(case) == shown
