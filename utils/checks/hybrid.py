"""Checker of notebook 09."""

from __future__ import annotations

from utils.checks import references
from utils.checks.exercise import Attempt, Exercise, shown
from utils.matching import contains_whole

OUTCOMES = ("correct", "wrong", "unsupported", "abstained rightly", "abstained wrongly")
SOURCES = [
    "Parcels: Delivery takes 115 days. Delivery costs $12.",
    "Returns: You can return goods for 30 days after they arrive.",
]
NO = "The handbook does not say."

FIRST_ABSTENTION = "Look for the abstention first"
NO_GOLD = "Where gold is None, any answer but an abstention misses"

# The answer, the gold value, the outcome, and what it means when a function disagrees.
CASES = [
    ("Delivery costs $12. [1]", "$12", "correct", "An answer that contains the gold value is correct."),
    (NO, None, "abstained rightly", f"{FIRST_ABSTENTION}: it is right when gold is None."),
    (NO, "30 days", "abstained wrongly", f"{FIRST_ABSTENTION}: it is wrong when there is a gold value."),
    ("Sorry. The handbook does not say whether 30 days apply.", "30 days", "abstained wrongly",
     f"{FIRST_ABSTENTION}, anywhere in the answer: this one happens to hold the gold value too."),
    ("Goods go back within 30 days. [2]", "30 days", "correct",
     "Look for the gold value before the sources: a right answer in words of its own is still correct."),
    ("We open on MONDAY. [1]", "Monday", "correct",
     'Capitals should not matter: "MONDAY" and "Monday" are the same day.'),
    ("Delivery costs $12 [1]", "30 days", "wrong",
     "This sentence stands in a source and answers another question, so it is wrong: "
     "cut off the citation mark before you look for it."),
    ("You can return goods for 30 days. [2]", "$12", "wrong",
     "This sentence begins one in a source, so it is wrong, not unsupported: "
     "take off its full stop before you look for it."),
    ("Delivery takes 115 days. [1]", "15 days", "wrong",
     '"15 days" is not in "115 days" as a whole: contains_whole from notebook 00 tells.'),
    ("Delivery costs $19. [1]", "$12", "unsupported",
     "This sentence stands in no source: it is unsupported, however well it reads."),
    ("Delivery costs $12. [1]", None, "wrong", f"{NO_GOLD}; this one stands in a source, so it is wrong."),
    ("Dogs are welcome. [1]", None, "unsupported", f"{NO_GOLD}; this one stands in no source, so it is unsupported."),
]  # fmt: skip


def diagnose(attempt: Attempt) -> str | None:
    """The first mistake in a learner's outcome, or None."""
    for answer, gold, expected, mistake in CASES:
        found = attempt(answer=answer, gold=gold, sources=SOURCES)
        if not isinstance(found, str) or found not in OUTCOMES:
            return f"{shown(found)} is none of the five outcomes: {', '.join(OUTCOMES)}."
        if found != expected:
            return f'{mistake} The answer was "{answer}", gold {shown(gold)}; yours says "{found}".'
    return None


outcome = Exercise(
    name="outcome",
    difficulty=2,
    minutes=10,
    diagnose=diagnose,
    praise="All five outcomes, and the tests in the right order.",
    clue="The order decides: first abstention, then the gold value, then the sources. "
    "For the sources, cut the answer at its citation mark and take off the full stop.",
    sources=(contains_whole, references.outcome),
    imports="import re",
)
