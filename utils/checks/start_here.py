"""Checker of notebook 00."""

from __future__ import annotations

import random
from typing import Any

from utils.checks import references
from utils.checks.exercise import Attempt, Exercise, alike, number, shown

DIVIDE = "divide by the number of answers"
PLACES = ("We give you 30 days", "30 days are left", "You have 30 days left")

# One answer, its gold value, whether it is right, and what it means when a function disagrees.  Each case adds one
# difficulty to those before it, so that its sentence names the reason.
SINGLE_CASES = [
    ("You have 30 days.", "30 days", True,
     '"30 days" was missed in "You have 30 days.": a full stop may follow the value.'),
    ("We open on MONDAY now", "Monday", True,
     'Capitals should not matter: "MONDAY" and "Monday" are the same day. Compare both in lower case.'),
    ("It costs $45 now", "$45", True,
     'The "$45" in "It costs $45 now" was missed. In a pattern, "$" means the end, so put the value through '
     r"re.escape; and \b sees no edge beside a $, so use (?<!\w) and (?!\w)."),
    ("It costs $45 [1].", "$45", True,
     '"$45" was missed in "It costs $45 [1].": a citation may follow the value.'),
    ("It takes 115 days.", "15 days", False,
     '"15 days" was found inside "115 days": make sure that there is no letter or digit right before the value.'),
    ("It costs $450.", "$45", False,
     '"$45" was found inside "$450": make sure that there is no letter or digit right after the value.'),
]  # fmt: skip
# Of four answers the first, second and fourth are right; of five only the last.
FOUR = (
    ["Now 5 days.", "Ask Dana Okafor.", "Only 7 kg.", "On 14 March."],
    ["5 days", "Dana Okafor", "9 kg", "14 March"],
)
FIVE = (["2 km", "3 km", "4 km", "5 km", "6 km"], ["3 km", "4 km", "5 km", "2 km", "6 km"])


def diagnose(attempt: Attempt) -> str | None:
    """The first mistake in a learner's share_right, or None."""
    return _check_one(attempt) or _check_places(attempt) or _check_values(attempt) or _check_counting(attempt)


def _share(attempt: Attempt, answer: str, value: str) -> float:
    return number(attempt(answers=[answer], gold_values=[value]))


def _check_one(attempt: Attempt) -> str | None:
    """The plainest answers: does it count at all, and as a share?"""
    right, wrong = _share(attempt, "30 days", "30 days"), _share(attempt, "You have 9 days left", "30 days")
    if right == 100:
        return "A share lies between 0 and 1: 100 of 100 is 1.0, so don't multiply by 100."
    if right == 0:
        return "An answer that is exactly '30 days' contains the value '30 days', and yours does not count it."
    if right != 1:
        return f"With one answer, which is right, the share should be 1, and yours is {shown(right)}: {DIVIDE}."
    if wrong != 0:
        return "'You have 9 days left' does not contain '30 days', and yours counts it: look for the whole value."
    return None


def _check_places(attempt: Attempt) -> str | None:
    missed = [place for place in PLACES if _share(attempt, place, "30 days") != 1]
    if len(missed) == len(PLACES):
        return "An answer is a sentence that contains the value, not the value alone: look with `in`, not with `==`."
    if missed:
        return f"The value can be anywhere in the answer, and '30 days' was missed in {shown(missed[0])}."
    return None


def _check_values(attempt: Attempt) -> str | None:
    for answer, gold, right, mistake in SINGLE_CASES:
        if _share(attempt, answer, gold) != right:
            return mistake
    return None


def _check_counting(attempt: Attempt) -> str | None:
    four = number(attempt(answers=FOUR[0], gold_values=FOUR[1]))
    if four == 3:
        return f"That is how many answers are right: {DIVIDE} to make it a share."
    if four == 0.25:
        return "Three of four answers are right, and only one was counted: `return` belongs after the loop."
    if not alike(four, 0.75):
        return (
            f"Three of four answers are right, 0.75, and yours says {shown(four)}: count the right ones and {DIVIDE}."
        )
    five = number(attempt(answers=FIVE[0], gold_values=FIVE[1]))
    if alike(five, 1.0):
        return "Each answer was compared with every gold value: compare it with its own only, pairing them with zip."
    if not alike(five, 0.2):
        return f"One of five answers is right, 0.2, and yours says {shown(five)}: count the right ones and {DIVIDE}."
    return None


VALUES = ("15 days", "$45", "Monday", "Dana Okafor", "7", "dark green")
HOLDING = ("{}", "It is {}.", "Yes, {}, we think.", "{} is right", "Only ({}) counts!", 'Ask for "{}" [1].')
# A letter or digit touches the value.
TOUCHING = ("It is {}0.", "{}s are fine.", "Not 1{}.", "For x{} only.")
# In front of a "$" a letter changes nothing for some right functions.
AFTER_A_SIGN = ("It is {}0.", "Or {}x.")


def draw_answers(draws: random.Random) -> dict[str, Any]:
    """Answers with their own value, with another's, or with theirs inside a longer one, and some the same."""
    pairs = [_pair(draws) for _ in range(draws.randint(1, draws.choice([1, 3, 7])))]
    pairs = [draws.choice(pairs) if draws.random() < 0.2 else pair for pair in pairs]
    return {"answers": [answer for answer, _ in pairs], "gold_values": [value for _, value in pairs]}


def _pair(draws: random.Random) -> tuple[str, str]:
    value, other = draws.sample(VALUES, 2)
    whole = draws.choice(HOLDING).format(draws.choice([value, value.upper(), value.lower()]))
    inside = draws.choice(AFTER_A_SIGN if value.startswith("$") else TOUCHING).format(value)
    answer = draws.choice([whole, whole, inside, f"{inside} {whole}", draws.choice(HOLDING).format(other)])
    return answer, value


share_right = Exercise(
    name="share_right",
    difficulty=1,
    minutes=5,
    diagnose=diagnose,
    read=number,
    draw=draw_answers,
    praise="It counts only whole values, in capitals or not, and divides by the number of answers.",
    clue="Write a small test for one answer first: re.search with re.escape(value) between (?<!\\w) and (?!\\w), "
    "and re.IGNORECASE. Then add up and divide.",
    sources=(references.share_right,),
    imports="import re",
)
