"""Checkers of notebook 08."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np

from utils.checks import references
from utils.checks.exercise import Attempt, Exercise, number, shown

# A percentile: values, percent, the result by hand, what typical mistakes give, and the words for each.
TEN = [12.0, 11.0, 14.0, 13.0, 90.0, 10.0, 16.0, 15.0, 18.0, 17.0]
UNSORTED = "The values come in any order: sort them first."
OFF_BY_ONE = "You are one place too far: the first place of a sorted list is 0."
BETWEEN = (
    "That lies between two values, as numpy's default does: return one of the values, the smallest that enough of them "
    "do not exceed."
)
LOWER = "That is one place too low: where percent of the values is no whole number of values, round up."
MEAN = "That is the mean, which one slow answer pulls up: find the place in the sorted list."
P_CASES = [
    (TEN, 95, 90.0, {18.0: LOWER, float(np.percentile(TEN, 95)): BETWEEN, 17.0: UNSORTED, 21.6: MEAN,
                     14.5: "That is the median: percent says which place to take.",
                     10.0: "That is the smallest value: sort from the smallest to the largest."}),
    (TEN, 50, 14.0, {15.0: OFF_BY_ONE, 14.5: BETWEEN, 13.0: LOWER,
                     90.0: "That is the largest value: percent says which place to take."}),
    (TEN, 100, 90.0, {}),
    ([7.0], 50, 7.0, {}),
    ([3.0, 1.0, 2.0], 50, 2.0, {1.0: LOWER, 3.0: OFF_BY_ONE}),
]  # fmt: skip


def diagnose_percentile(attempt: Attempt) -> str | None:
    """The first mistake in a learner's percentile, or None."""
    for values, percent, expected, mistakes in P_CASES:
        found = number(attempt(values=list(values), percent=percent))
        named = next((words for value, words in mistakes.items() if math.isclose(found, value)), None)
        if not math.isclose(found, expected):
            return named or (
                f"{percent} percent of {len(values)} values are {percent * len(values) / 100:g}, so the result should "
                f"be {shown(expected)} for values={shown(values)}, and yours is {shown(found)}."
            )
    return None


def draw_percentile(draws: random.Random) -> dict[str, Any]:
    """Some values, often equal ones, and a percentage that is often 50 or 95."""
    count = draws.choice([1, 2, 3, 7, 20, 40])
    values = [draws.choice([draws.randint(1, 9), draws.randint(10, 500)]) / 4 for _ in range(count)]
    percent = draws.choice([1, 5, 50, 95, 99, 100, draws.randint(1, 100)])
    # 0.55 * 20 is a little more than 11 for a computer; numpy and a plain math.ceil then go one place too far.
    exact = math.ceil(percent / 100 * count) == -(-percent * count // 100)
    return {"values": values, "percent": percent if exact else 95}


percentile = Exercise(
    name="percentile",
    difficulty=1,
    minutes=5,
    diagnose=diagnose_percentile,
    read=number,
    draw=draw_percentile,
    praise="One of the values, and at least that share of them is no larger.",
    clue="Sort the values. How many of them must not exceed the result? Round that number up, and mind that the first "
    "place of a list is 0.",
    sources=(references.percentile,),
)


# fixed, each, other_fixed, other_each, and the result by hand.  The first case names the mistakes.
FIRST = (5000.0, 3.0, 9000.0, 1.0, 2_000_000.0)
B_CASES = [FIRST, (0.0, 0.5, 100.0, 0.0, 200_000.0), (10.0, 2.0, 40.0, 1.5, 60_000.0)]
B_MISTAKES = {
    2000.0: "The prices are per 1,000 questions, and the result is a number of questions: multiply by 1,000.",
    -2_000_000.0: "The sign is wrong: what the other costs more at first, divided by what it saves.",
    4_500_000.0: "The first approach has a fixed cost too: only the difference, other_fixed - fixed, has to be earned.",
    4_000_000.0: "That divides by the other's price: divide by what it saves, each - other_each.",
    1_333_333.3333333333: "That divides by the first price: divide by what is saved, each - other_each.",
    1_000_000.0: "Subtract the prices instead of adding them: what counts is what the other saves.",
    2.0: "The prices are per 1,000 questions: multiply by 1,000 instead of dividing.",
    0.0005: "Upside down: divide the extra fixed cost by what is saved.",
    7_000_000.0: "Subtract the fixed costs instead of adding them: only the difference has to be earned.",
}
NEVER = (
    "When the other approach saves nothing per question, it never catches up: return float('inf'). With "
    "each={each} and other_each={other_each} you returned {found}."
)


def diagnose_break_even(attempt: Attempt) -> str | None:
    """The first mistake in a learner's break_even, or None."""
    for fixed, each, other_fixed, other_each, expected in B_CASES:
        case = {"fixed": fixed, "each": each, "other_fixed": other_fixed, "other_each": other_each}
        found = number(attempt(**case))
        if not math.isclose(found, expected, rel_tol=1e-6):
            named = next((words for value, words in B_MISTAKES.items() if math.isclose(found, value)), None)
            if (fixed, each, other_fixed, other_each, expected) == FIRST and named:
                return named
            return (
                f"The other costs {other_fixed - fixed:g} dollars more and saves {each - other_each:g} dollars per "
                f"1,000 questions, so the result should be {expected:,.0f}, and yours is {shown(found)}."
            )
    for each, other_each in ((1.0, 3.0), (2.0, 2.0)):
        found = _with_no_saving(attempt, each, other_each)
        if found != math.inf:
            return NEVER.format(each=each, other_each=other_each, found=shown(found))
    return None


def _with_no_saving(attempt: Attempt, each: float, other_each: float) -> float:
    return number(attempt(fixed=10.0, each=each, other_fixed=40.0, other_each=other_each))


def draw_break_even(draws: random.Random) -> dict[str, Any]:
    """Two approaches; in about a third of the draws the other one saves nothing."""
    fixed, each = draws.randint(0, 400) * 25.0, draws.randint(0, 60) / 4
    other_each = draws.choice([each, draws.randint(0, 60) / 4, each / 2, each / 4])
    return {"fixed": fixed, "each": each, "other_fixed": fixed + draws.randint(1, 400) * 25.0, "other_each": other_each}


break_even = Exercise(
    name="break_even",
    difficulty=2,
    minutes=6,
    diagnose=diagnose_break_even,
    read=number,
    draw=draw_break_even,
    praise="What has to be earned, divided by what each question earns, and never when it earns nothing.",
    clue="How many dollars does the other approach cost more before the first question? How many does it save with "
    "each 1,000 questions? Units matter: the result is in questions.",
    sources=(references.break_even,),
)
