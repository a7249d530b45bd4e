"""Checkers of notebook 11."""

from __future__ import annotations

import random
from typing import Any

from utils.checks import references
from utils.checks.exercise import Attempt, Exercise, Stopped, shown

# facts, the result by hand, and why.
S_CASES = [
    ({"q1": "price", "q2": "size"}, (["q1"], ["q2"]), "one question is half of two"),
    ({"q1": "price", "q2": "price", "q3": "size", "q4": "view"}, (["q1", "q2"], ["q3", "q4"]),
     "the two questions on the price are half of four, so training is full"),
    ({"q1": "price", "q2": "size", "q3": "price", "q4": "view"}, (["q1", "q3"], ["q2", "q4"]),
     "q3 is about the price as well, so it follows q1"),
    ({"q1": "price", "q2": "size", "q3": "size", "q4": "size", "q5": "view", "q6": "view"},
     (["q1", "q2", "q3", "q4"], ["q5", "q6"]), "a fact goes over as a whole, even where training gets more than half"),
    ({"q1": "price", "q2": "size", "q3": "view"}, (["q1", "q2"], ["q3"]),
     "one question is less than half of three, so a second fact goes to training"),
    ({"q1": "price", "q2": "price"}, (["q1", "q2"], []), "both are about one fact, and a fact is never divided"),
    ({"q2": "size", "q1": "price"}, (["q2"], ["q1"]), "the order is that of the questions, not of their names"),
]  # fmt: skip


def diagnose_split_questions(attempt: Attempt) -> str | None:
    """The first mistake in a learner's split_questions, or None."""
    for facts, expected, why in S_CASES:
        found = two_halves(attempt(facts=facts))
        if found == expected:
            continue
        shared = {facts.get(one) for one in found[0]} & {facts.get(one) for one in found[1]}
        if shared - {None}:
            return f"For {facts} the fact {min(shared)!r} is on both sides: {shown(found)}."
        if sorted(found[0] + found[1]) != sorted(facts):
            return f"For {facts} each question should be on one side, once, and yours are {shown(found)}."
        return f"For {facts} the halves should be {expected}, since {why}. Yours are {shown(found)}."
    return None


def two_halves(result: Any) -> tuple[list[str], list[str]]:
    """The two halves as lists, each in the order in which it came.  Raises Stopped for anything else."""
    halves = list(result) if isinstance(result, (tuple, list)) else []
    if len(halves) == 2 and all(isinstance(half, (list, tuple)) for half in halves):
        if all(isinstance(one, str) for half in halves for one in half):
            return list(halves[0]), list(halves[1])
        raise Stopped(f"The halves should hold the names of questions, such as 'q1', not {shown(result)}.")
    raise Stopped(f"Return two lists, the training half and the test half, not {shown(result)}.")


def draw_split_questions(draws: random.Random) -> dict[str, Any]:
    """Up to nine questions on up to five facts."""
    facts = ["price", "size", "view", "floor", "bed"][: draws.randint(1, 5)]
    names = draws.sample([f"q{number}" for number in range(1, 10)], draws.randint(1, 9))
    return {"facts": {name: draws.choice(facts) for name in names}}


split_questions = Exercise(
    name="split_questions",
    difficulty=2,
    minutes=8,
    diagnose=diagnose_split_questions,
    read=two_halves,
    draw=draw_split_questions,
    praise="No fact is on both sides, and no question is lost.",
    clue="First collect the questions of each fact: `groups.setdefault(fact, []).append(question)` keeps the order in "
    "which the facts come. Then go through the groups, and look at the length of `training` before each.",
    sources=(references.split_questions,),
)
