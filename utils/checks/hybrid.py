"""Checker of notebook 09."""

from __future__ import annotations

import random
from typing import Any

from utils.checks import references
from utils.checks.exercise import Attempt, Exercise, Stopped, shown
from utils.evaluation import OUTCOMES

SOURCES = [
    "Delivery takes 115 days. Delivery costs $12.",
    "You can return goods for 30 days after they arrive.",
]
NO = "The handbook does not say."
ABSTENTION = "Look for an abstention before the sources"
NO_GOLD = "Where gold is None, any answer but an abstention is a mistake"

# The answer, the gold value, the outcome, and what it means when a function disagrees.
CASES = [
    ("Delivery costs $12. [1]", "$12", "correct", "An answer that contains the gold value is correct."),
    (NO, None, "abstained rightly", f"{ABSTENTION}: it is right when gold is None."),
    (NO, "30 days", "abstained wrongly", f"{ABSTENTION}: it is wrong when there is a gold value."),
    ("Sorry, I don't know.", None, "abstained rightly",
     "A model can abstain in other words: use is_abstention, which knows several phrases."),
    ("Sorry, dear customer. The handbook does not say whether it is 40 days.", "30 days", "abstained wrongly",
     "An abstention can be anywhere in the answer: use is_abstention on the whole text."),
    ("Goods go back within 30 days. [2]", "30 days", "correct",
     "Look for the gold value before the sources: a right answer in words of its own is still correct."),
    ("Goods go back within 30 days. The handbook does not say more.", "30 days", "correct",
     "Look for the gold value before the abstention: this answer gives the value, so it is correct."),
    ("We open on MONDAY. [1]", "Monday", "correct",
     'Capitals do not matter in a value: "MONDAY" and "Monday" are the same day.'),
    ("Delivery costs $12.", "30 days", "wrong",
     "This sentence is in a source and answers another question, so it is wrong: the answer need only hold one whole "
     "sentence of a source."),
    ("Delivery costs $19. [1]", "$12", "unsupported",
     "This sentence is in no source: it is unsupported, however good it sounds."),
    ("Delivery costs $12. [1]", "30 days", "wrong",
     "This answer holds more than the sentence of the source, a citation: look for each sentence of a source in the "
     "answer, not the answer in the source."),
    ("You can return goods for 30 days. [2]", "$12", "unsupported",
     "This sentence is not a whole sentence of a source, only the beginning of one, so it is unsupported."),
    ("Delivery costs $12. Anything else?", "30 days", "wrong",
     "This answer holds more than the sentence of the source: look for each sentence of a source in the answer."),
    ("Delivery takes 115 days. [1]", "15 days", "wrong",
     '"15 days" is not in "115 days" as a whole: use contains_whole. The sentence is in a source, so it is wrong.'),
    ("Delivery costs\u00a0$12.", "30 days", "wrong",
     "Spaces of every kind count as one space: look for the sentences with contains_whole, which knows that."),
    ("Delivery costs $120. [1]", "30 days", "unsupported",
     "No sentence of a source is in this answer as a whole, since $120 is not $12: use contains_whole."),
    ("Delivery costs $12. [1]", None, "wrong", f"{NO_GOLD}; this one is in a source, so it is wrong."),
    ("Dogs are welcome. [1]", None, "unsupported", f"{NO_GOLD}; this one is in no source, so it is unsupported."),
    ("", "30 days", "unsupported",
     "An empty answer holds no sentence of a source, so it is unsupported: look for the sentences in the answer."),
]  # fmt: skip


def diagnose(attempt: Attempt) -> str | None:
    """The first mistake in a learner's outcome, or None."""
    for answer, gold, expected, mistake in CASES:
        found = label(attempt(answer=answer, gold=gold, sources=SOURCES))
        if found != expected:
            return f"{mistake} The answer was {shown(answer)}, gold {shown(gold)}; you returned {shown(found)}."
    return None


def label(result: Any) -> str:
    """The returned outcome.  Raises Stopped when it is not one of the five."""
    if not isinstance(result, str) or result not in OUTCOMES:
        raise Stopped(f"{shown(result)} is none of the five outcomes: {', '.join(OUTCOMES)}.")
    return result


TEXTS = (
    "Delivery takes 115 days. Delivery costs $12. It is free above $120.",
    "You can return goods for 30 days after they arrive. Who pays for that? We do.",
    "Dogs are welcome! We open on Monday.",
)
VALUES = ("15 days", "115 days", "30 days", "$12", "Monday")
# Parts of answers: of sentences in TEXTS, wholly or nearly (never in other capitals or without the full stop, where a
# search for the bare sentence would be right as well); of other sentences, with values or without; abstentions.
QUOTED = ("Delivery takes 115 days.", "Delivery costs $12.", "It is free above $120.", "Who pays for that?", "We do.",
          "You can return goods for 30 days after they arrive.", "Dogs are welcome!", "We open on Monday.")  # fmt: skip
ALTERED = ("Delivery costs $120.", "You can return goods.", "We open on")
INVENTED = ("It costs $19.", "It takes 15 days.", "You have 30 days, no more.", "On MONDAY.", "The price is $12!")
ABSTAINED = (NO, "the handbook does not say", "THE HANDBOOK DOES NOT SAY.", "I don't know.", "I do not know whether.")
MARKS = ("[1]", "[1, 2]", "[3]")


def draw_answer(draws: random.Random) -> dict[str, Any]:
    """An answer of no part to three, with a gold value or without, and some of the sources."""
    kinds = [draws.choice((QUOTED, QUOTED, ALTERED, INVENTED, ABSTAINED, MARKS)) for _ in range(draws.randint(0, 3))]
    answer = " ".join(draws.choice(kind) for kind in kinds)
    for space in ("  ", "\u00a0", "\n"):
        if draws.random() < 0.1:
            answer = answer.replace(" ", space, draws.randint(1, 9))
    gold = draws.choice((None, None, *VALUES))
    return {"answer": answer, "gold": gold, "sources": draws.sample(TEXTS, draws.randint(0, len(TEXTS)))}


outcome = Exercise(
    name="outcome",
    difficulty=2,
    minutes=10,
    diagnose=diagnose,
    read=label,
    draw=draw_answer,
    praise="All five outcomes, and the tests in the right order.",
    clue="The order matters: first the gold value, then the abstention, then the sources. For the sources, go through "
    "the sentences of each and look for it in the answer with contains_whole, without its full stop.",
    sources=(references.outcome,),
    imports="from utils.matching import contains_whole\n"
    "from utils.prompts import is_abstention\n"
    "from utils.sentences import sentences",
)
