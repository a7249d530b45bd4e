"""Checkers of notebook 10."""

from __future__ import annotations

import random
from typing import Any

from utils.checks import references
from utils.checks.exercise import Attempt, Exercise, Stopped, shown

END, ENOUGH = "end of the ladder", "enough"
CLOSE, MISSING = "too close to call", "not measured"
VERDICTS = (ENOUGH, CLOSE, MISSING, END)

LOW, HIGH, WIDE = (0.1, 0.2), (0.8, 0.9), (0.4, 0.7)
# shares, bar, the result by hand, and why.
N_CASES = [
    ({"prompt": LOW, "RAG": HIGH}, 0.5, ("RAG", ENOUGH), "the prompt fails, and all of RAG's interval reaches the bar"),
    ({"prompt": HIGH, "RAG": None}, 0.5, ("prompt", ENOUGH), "the first step is enough already"),
    ({"prompt": LOW, "RAG": WIDE, "LoRA": HIGH}, 0.5, ("RAG", CLOSE),
     "the bar lies inside RAG's interval, whatever its middle is and whatever comes after it"),
    ({"prompt": WIDE}, 0.6, ("prompt", CLOSE), "the bar lies inside the interval, although above its middle"),
    ({"prompt": LOW, "RAG": None, "LoRA": HIGH}, 0.5, ("RAG", MISSING), "RAG was not measured, so the walk ends there"),
    ({"prompt": None}, 0.5, ("prompt", MISSING), "the first step was not measured"),
    ({"prompt": LOW, "RAG": LOW}, 0.5, (None, END), "both steps failed"),
    ({"prompt": LOW, "RAG": LOW, "LoRA": HIGH}, 0.5, ("LoRA", ENOUGH), "two failed steps do not end the walk"),
    ({"prompt": (0.5, 0.7)}, 0.5, ("prompt", ENOUGH), "a lower bound exactly at the bar reaches it"),
    ({"prompt": (0.3, 0.5)}, 0.5, ("prompt", CLOSE), "an upper bound exactly at the bar reaches it, so a part does"),
    ({}, 0.5, (None, END), "there is no step at all"),
]  # fmt: skip


def diagnose_next_step(attempt: Attempt) -> str | None:
    """The first mistake in a learner's next_step, or None."""
    for shares, bar, expected, why in N_CASES:
        found = step_and_verdict(attempt(shares=shares, bar=bar))
        if found != expected:
            return (
                f"For {shares} and the bar {bar} the result should be {expected}, since {why}. Yours is {shown(found)}."
            )
    return None


def step_and_verdict(result: Any) -> tuple[str | None, str]:
    """The step's name, or None, and the verdict.  Raises Stopped for anything else."""
    if isinstance(result, (tuple, list)) and len(result) == 2 and result[1] in VERDICTS:
        return result[0], result[1]
    allowed = ", ".join(repr(verdict) for verdict in VERDICTS)
    raise Stopped(f"Return a step and one of {allowed}, as a pair, not {shown(result)}.")


def draw_next_step(draws: random.Random) -> dict[str, Any]:
    """Up to five steps, most of which fail; some are not measured."""
    bar = draws.choice([0.5, 0.6, 0.7])
    steps = ["prompt", "RAG", "template", "LoRA", "hybrid"][: draws.randint(1, 5)]
    return {"shares": {step: _interval(draws, bar) for step in steps}, "bar": bar}


def _interval(draws: random.Random, bar: float) -> tuple[float, float] | None:
    kind = draws.choice(["fails", "fails", "fails", "reaches", "straddles", "none"])
    below, above = draws.randint(1, 40) / 100, draws.randint(1, 29) / 100
    return {
        "fails": (round(bar - below - 0.05, 2), round(bar - below, 2)),
        "reaches": (round(bar + above - 0.01, 2), round(bar + above, 2)),
        "straddles": (round(bar - below, 2), round(bar + above, 2)),
        "none": None,
    }[kind]


next_step = Exercise(
    name="next_step",
    difficulty=2,
    minutes=8,
    diagnose=diagnose_next_step,
    read=step_and_verdict,
    draw=draw_next_step,
    praise="Up the ladder, and no further than the measurements ask for.",
    clue="Walk with `for step, interval in shares.items()`. Ask for None first, then whether the lower end reaches the "
    "bar, then whether the upper end does. If none of these holds, the step has failed and the loop goes on.",
    sources=(references.next_step,),
)
