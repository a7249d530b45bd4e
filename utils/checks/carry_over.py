"""Checkers of notebook 12."""

from __future__ import annotations

import random
from typing import Any

from utils.checks import references
from utils.checks.exercise import Attempt, Exercise, Stopped, shown

PASSAGES = [["Delivery costs $12.", "It takes 3 days."], ["Returns are free.", "Send them within 30 days."]]
NEAR = [[0.2, 0.1], [0.3, 0.9]]
QUOTED = "Send them within 30 days. [2]"
Q_MISTAKES = {
    "Send them within 30 days.": "The citation is missing: end with a space and the passage's number, such as [2].",
    "Send them within 30 days.[2]": "There should be a space between the sentence and its citation.",
    "[2] Send them within 30 days.": "The citation comes after the sentence, not before it.",
    "Send them within 30 days. [1]": "That cites passage 1, and the sentence stands in passage 2: passages count from "
    "1, and each sentence keeps its own passage's number.",
    "Send them within 30 days. [4]": "That counts sentences: the number in brackets is the passage's.",
    "Delivery costs $12. [1]": "That looks at the first passage only: the nearest sentence can be in any of them.",
    "It takes 3 days. [1]": "That is the sentence with the lowest similarity: take the highest.",
    "Returns are free. [2]": "That is the right passage, and not its nearest sentence.",
}


def diagnose_quote(attempt: Attempt) -> str | None:
    """The first mistake in a learner's quote_nearest, or None."""
    found = one_text(attempt(passages=PASSAGES, similarities=NEAR))
    if found != QUOTED:
        named = Q_MISTAKES.get(found)
        return named or f"The result should be {QUOTED!r}, and yours is {shown(found)}."
    found = one_text(attempt(passages=PASSAGES, similarities=[[-0.1, -0.4], [-0.2, -0.3]]))
    if found != "Delivery costs $12. [1]":
        return f"Similarities can be negative, and -0.1 is the highest here: yours is {shown(found)}."
    return None


def one_text(result: Any) -> str:
    """The returned text.  Raises Stopped when it is not a text."""
    if not isinstance(result, str):
        raise Stopped(f"Return one text, not {shown(result)}.")
    return result


def draw_quote(draws: random.Random) -> dict[str, Any]:
    """One to three passages of one to three sentences, and similarities that all differ."""
    lengths = [draws.randint(1, 3) for _ in range(draws.randint(1, 3))]
    numbers = iter(draws.sample(range(-50, 100), sum(lengths)))
    similarities = [[next(numbers) / 100 for _ in range(length)] for length in lengths]
    passages = [[f"Sentence {n} of text {p}." for n in range(length)] for p, length in enumerate(lengths)]
    return {"passages": passages, "similarities": similarities}


quote_nearest = Exercise(
    name="quote_nearest",
    difficulty=1,
    minutes=6,
    diagnose=diagnose_quote,
    read=one_text,
    draw=draw_quote,
    praise="The nearest sentence, with its passage's number.",
    clue="Walk through all passages and all their sentences, with enumerate(passages, start=1), and keep the sentence "
    "with the highest similarity together with its passage's number.",
    sources=(references.quote_nearest,),
)


SAME, OTHER, UNCLEAR = "same verdict", "other verdict", "cannot tell"
# first, second: the verdict by hand, and why.
C_CASES = [
    ((0.2, 0.5), (0.1, 0.3), SAME, "both exclude zero, on the same side"),
    ((-0.6, -0.5), (-0.3, -0.1), SAME, "both are clearly below zero, even though they do not overlap"),
    ((0.1, 0.3), (-0.4, -0.2), OTHER, "they lie on opposite sides of zero"),
    ((0.5, 0.7), (-0.05, 0.2), OTHER, "they do not overlap, and only the first one excludes zero"),
    ((-0.05, 0.2), (0.5, 0.7), OTHER, "they do not overlap, and only the second one excludes zero"),
    ((0.1, 0.4), (-0.1, 0.2), UNCLEAR, "they overlap, and the second one includes zero"),
    ((-0.1, 0.2), (-0.2, 0.1), UNCLEAR, "both include zero: two unclear results do not confirm each other"),
    ((0.1, 0.4), (0.0, 0.2), UNCLEAR, "they overlap, and an interval that touches zero does not exclude it"),
]


def diagnose_carries_over(attempt: Attempt) -> str | None:
    """The first mistake in a learner's carries_over, or None."""
    for first, second, expected, why in C_CASES:
        found = verdict_text(attempt(first=first, second=second))
        if found != expected:
            return f"For {first} and {second} the result should be {expected!r}, since {why}. Yours is {found!r}."
    return None


def verdict_text(result: Any) -> str:
    """One of the three verdicts.  Raises Stopped for anything else."""
    if isinstance(result, str) and result in (SAME, OTHER, UNCLEAR):
        return result
    raise Stopped(f"Return {SAME!r}, {OTHER!r} or {UNCLEAR!r}, not {shown(result)}.")


def draw_carries_over(draws: random.Random) -> dict[str, Any]:
    """Two intervals whose four ends all differ; none of them is zero."""
    ends = [n / 100 for n in draws.sample([n for n in range(-60, 61, 3) if n], 4)]
    ends = draws.choice([ends, [abs(end) for end in ends], sorted(ends)])
    if len(set(ends)) < 4:
        return draw_carries_over(draws)
    return {"first": tuple(sorted(ends[:2])), "second": tuple(sorted(ends[2:]))}


carries_over = Exercise(
    name="carries_over",
    difficulty=2,
    minutes=8,
    diagnose=diagnose_carries_over,
    read=verdict_text,
    draw=draw_carries_over,
    praise="Clear and alike, clearly apart, or neither.",
    clue="Begin with a small test: on which side of zero does an interval lie, above, below or neither? Two intervals "
    "do not overlap when the lower end of one is above the upper end of the other.",
    sources=(references.carries_over,),
)
