"""Checkers of notebook 07."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from utils.checks import references
from utils.checks.exercise import Attempt, Exercise, Stopped, alike, number, shown

# Votes of the nearest tickets: one row for each ticket, one column for each example.

QUEUES = ["red", "blue", "blue", "green", "red"]
SIMILARITIES = [[0.9, 0.5, 0.6, 0.1, -0.2], [0.1, 0.4, 0.2, 0.8, 0.3], [-0.1, 0.7, -0.3, 0.2, 0.65]]

# k, and the queue of each of the three tickets.
VOTE_CASES = [
    (1, ["red", "green", "blue"]),
    (3, ["blue", "green", "blue"]),
    (5, ["red", "blue", "blue"]),
    (9, ["red", "blue", "blue"]),
]
FARTHEST = ["red", "red", "blue"]  # the examples with the lowest similarity


def diagnose_votes(attempt: Attempt) -> str | None:
    """The first mistake in a learner's nearest_votes, or None."""
    for k, expected in VOTE_CASES:
        found = queues(attempt(similarities=np.array(SIMILARITIES), queues=QUEUES, k=k))
        if found != expected:
            return _wrong_votes(found, expected, k)
    return None


def queues(result: Any) -> list[str]:
    """The returned queues as texts.  Raises Stopped when they are not texts."""
    if isinstance(result, str) or not np.iterable(result):
        raise Stopped(f"Return a list with one queue for each ticket, not {shown(result)}.")
    found = list(result)
    if not all(isinstance(queue, str) for queue in found):
        raise Stopped(
            f"Return the names of the queues, and not positions, scores or lists: you returned {shown(found)}."
        )
    return [str(queue) for queue in found]


def _wrong_votes(found: list[str], expected: list[str], k: int) -> str:
    case = f"With k={k}, {len(SIMILARITIES)} tickets and {len(QUEUES)} examples"
    if len(found) != len(expected):
        return f"{case} it returned {len(found)} queues: return one for each ticket, which is one for each row."
    if k == 1 and found == FARTHEST:
        return "The farthest example voted: the highest similarity is the nearest, and argsort puts it last."
    if k == 1 and found == VOTE_CASES[-1][1]:
        return "All examples voted: keep the k nearest ones first, then count."
    if k == 3 and found == ["red", "green", "blue"]:
        return (
            "With k=3 the first ticket's nearest examples are red, blue, blue: the queue with the most votes wins, "
            "here blue, and only among tied queues the nearest example decides."
        )
    if k == 3 and found[1] != "green":
        return (
            "With k=3 the second ticket's nearest examples are green, blue, red, one vote each: of tied queues, "
            "take the one whose nearest example is nearest, here green."
        )
    if k > 3 and found[0] != "red":
        return (
            f"With k={k} the first ticket's examples are red, blue, blue, green, red from the nearest on: red and blue "
            "have two votes each, and the nearest example is red."
        )
    return f"{case} the queues should be {shown(expected)}, and you returned {shown(found)}."


def draw_votes(draws: random.Random) -> dict[str, Any]:
    """A few tickets and examples; the similarities of one ticket all differ."""
    examples, tickets = draws.randint(1, draws.choice([3, 9])), draws.randint(1, 3)
    grid = [number / 100 for number in range(-30, 100)]
    return {
        "similarities": np.array([draws.sample(grid, examples) for _ in range(tickets)]),
        "queues": [draws.choice(["blue", "green", "red"]) for _ in range(examples)],
        "k": draws.randint(1, examples + 1),
    }


nearest_votes = Exercise(
    name="nearest_votes",
    difficulty=2,
    minutes=8,
    diagnose=diagnose_votes,
    read=queues,
    draw=draw_votes,
    praise="The k nearest examples vote, and of tied queues the nearest wins.",
    clue="np.argsort(-row)[:k] gives the positions of the k nearest. Collect their queues, the nearest first; "
    "max(votes, key=votes.count) then takes the first of tied queues.",
    sources=(references.nearest_votes,),
    imports="import numpy as np",
)

# Extraction: which names come out under any of several prompts.

NAMES = ["Ann Lee", "Omar Reyes", "Tove Dahl", "Ines Park"]
ANSWERS = [
    ["Nobody knows.", "Ask for Ann Lee."],
    ["The manager is omar reyes, as ever.", "OMAR REYES"],
    ["Call Tove Dahlberg.", "It is $12."],
    ["Ask for Ann Lee.", "Ask for Lin Park."],
]
ONE_NAME = (["Ann Lee"], [["Ann Lee.", "Ask Omar."]])
NONE_OUT = (["Ann Lee", "Omar Reyes"], [["No."], ["Ann Lee."]])
# What typical mistakes give for the first case, where two of four names come out.
MISTAKES = {
    0.75: '"Tove Dahl" was found inside "Tove Dahlberg": a name must be whole, with no letter next to it.',
    0.375: "That is a share of the answers: a name counts once, as soon as any of its answers holds it.",
    1.0: 'A part of a name is not the name: "Lin Park" does not contain "Ines Park".',
    2.0: "That is how many names come out: divide by the number of names.",
    50.0: "Return a share between 0 and 1: don't multiply by 100.",
}


def diagnose_extraction(attempt: Attempt) -> str | None:
    """The first mistake in a learner's extraction_rate, or None."""
    found = number(attempt(names=NAMES, answers=ANSWERS))
    if not alike(found, 0.5):
        return _wrong_rate(found, attempt)
    cases = [
        (*ONE_NAME, 1.0, "the one name is in the first answer"),
        (*NONE_OUT, 0.0, "a name counts in its own answers"),
    ]
    for names, answers, expected, why in cases:
        found = number(attempt(names=names, answers=answers))
        if not alike(found, expected):
            return (
                f"For names={shown(names)} and answers={shown(answers)} the share is {expected:g}, since {why}: "
                f"you returned {shown(found)}."
            )
    return None


def _wrong_rate(found: float, attempt: Attempt) -> str:
    said = next((words for value, words in MISTAKES.items() if alike(found, value)), None)
    if said:
        return said
    if alike(found, 0.25):
        return _quarter(attempt)
    return (
        "Of four names, Ann Lee and Omar Reyes come out, Tove Dahl and Ines Park do not: the share is 0.5, and you "
        f"returned {shown(found)}."
    )


def _quarter(attempt: Attempt) -> str:
    """What a learner who finds one name of four has missed."""
    later = number(attempt(names=["Ann Lee"], answers=[["No.", "Ann Lee."]]))
    if not alike(later, 1.0):
        return "A name counts when any of its answers holds it, not only the first one, and not only if all do."
    return 'Capitals do not matter: the answer "OMAR REYES" gives the name away too.'


def draw_extraction(draws: random.Random) -> dict[str, Any]:
    """A few names, each with answers that hold it, another name, a longer name, or none."""
    names = draws.sample(["Ann Lee", "Omar Reyes", "Tove Dahl", "Ines Park", "Lee Ann"], draws.randint(1, 4))
    return {"names": names, "answers": [_answers(name, draws) for name in names]}


def _answers(name: str, draws: random.Random) -> list[str]:
    texts = [
        f"Ask for {name}.", f"{name.upper()}!", f"{name}", f"({name.lower()})", f"Ask for {name}son.", f"Mc{name}",
        f"{name.split()[0]}.", f"{name.split()[1]}, {name.split()[0]}.", "Ask for Ann Lee.", "Tove Dahl, I think",
        "No.", "",
    ]  # fmt: skip
    return [draws.choice(texts) for _ in range(draws.randint(1, 3))]


extraction_rate = Exercise(
    name="extraction_rate",
    difficulty=1,
    minutes=5,
    diagnose=diagnose_extraction,
    read=number,
    draw=draw_extraction,
    praise="A name is out as soon as one prompt brings it out.",
    clue="contains_whole(text, name) looks for a whole name. Use any(...) over the answers of one name, then "
    "divide the number of names that come out by the number of names.",
    sources=(references.extraction_rate,),
    imports="from utils.matching import contains_whole",
)
