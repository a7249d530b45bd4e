"""Checker of notebook 00."""

from __future__ import annotations

import math

from utils.checks import references
from utils.checks.exercise import Attempt, Exercise, number, shown
from utils.matching import contains_whole

DIVIDE = "divide by the number of answers"

# One answer, its gold value, whether it is right, and what it means when a function disagrees.
SINGLE_CASES = [
    ("You have 30 days.", "30 days", True,
     "An answer is a sentence that contains the value, not the value alone: look with `in`, not with `==`."),
    ("We open on MONDAY.", "Monday", True,
     'Capitals should not matter: "MONDAY" and "Monday" are the same day. Compare both in lower case.'),
    ("It costs $45 [1].", "$45", True,
     'The "$45" in "It costs $45 [1]." was missed: in a pattern, "$" means the end, so put the value through '
     r"re.escape; and \b sees no edge beside a $, so use (?<!\w) and (?!\w)."),
    ("It takes 115 days.", "15 days", False,
     '"15 days" was found inside "115 days": make sure that no letter or digit stands right before the value.'),
    ("It costs $450.", "$45", False,
     '"$45" was found inside "$450": make sure that no letter or digit stands right after the value.'),
]  # fmt: skip
# Of four answers the first, second and fourth are right; of five only the last.
FOUR = (
    ["Now 5 days.", "Ask Dana Okafor.", "Only 7 kg.", "On 14 March."],
    ["5 days", "Dana Okafor", "9 kg", "14 March"],
)
FIVE = (["2 km", "3 km", "4 km", "5 km", "6 km"], ["3 km", "4 km", "5 km", "2 km", "6 km"])


def diagnose(attempt: Attempt) -> str | None:
    """The first mistake in a learner's share_right, or None."""
    for answer, gold, right, mistake in SINGLE_CASES:
        share = number(attempt(answers=[answer], gold_values=[gold]))
        if share == 100:
            return "A share lies between 0 and 1: 100 of 100 is 1.0, so don't multiply by 100."
        if share != right:
            return mistake
    return _check_counting(attempt)


def _check_counting(attempt: Attempt) -> str | None:
    four = number(attempt(answers=FOUR[0], gold_values=FOUR[1]))
    if four == 3:
        return f"That is how many answers are right: {DIVIDE} to make it a share."
    if not math.isclose(four, 0.75):
        return f"Three of four answers are right, 0.75, and yours says {shown(four)}: {DIVIDE}."
    five = number(attempt(answers=FIVE[0], gold_values=FIVE[1]))
    if math.isclose(five, 1.0):
        return "Each answer was compared with every gold value: compare it with its own only, pairing them with zip."
    if not math.isclose(five, 0.2):
        return f"One of five answers is right, 0.2, and yours says {shown(five)}: {DIVIDE}."
    return None


share_right = Exercise(
    name="share_right",
    difficulty=1,
    minutes=5,
    diagnose=diagnose,
    praise="It counts whole values only, in capitals or not, and divides by the number of answers.",
    clue="Write a small test for one answer first: re.search with re.escape(value) between (?<!\\w) and (?!\\w), "
    "and re.IGNORECASE. Then add up and divide.",
    sources=(contains_whole, references.share_right),
    imports="import re",
)
