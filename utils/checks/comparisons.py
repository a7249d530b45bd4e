"""Checkers of notebook A2."""

from __future__ import annotations

import random
from typing import Any

from utils.checks import references
from utils.checks.exercise import Attempt, Exercise, Stopped, shown

# Scores of two arms, paired by question: the arms ran in different orders, and not on the same questions.

Pair = tuple[float, float]

FIRST = {"q1": 1.0, "q2": 0.0, "q3": 1.0, "q6": 0.0, "q4": 0.0}
SECOND = {"q3": 0.0, "q1": 1.0, "q5": 1.0, "q2": 1.0, "q4": 0.0}
PAIRS: list[Pair] = [(1.0, 1.0), (0.0, 1.0), (1.0, 0.0), (0.0, 0.0)]
ALONE = ["q5", "q6"]

BY_POSITION = (
    "You paired the scores by their position, and the arms answered in different orders: look the id of the first "
    "arm's question up in the second."
)
FILLED = "A question that only one arm answered has no second score: leave it out of the pairs instead of filling in 0."
IN_SECONDS_ORDER = "The pairs are right, but not in the first arm's order: go through the first arm's ids."
TURNED = "In each pair the first arm's score comes first."
ZERO_IS_A_SCORE = "A score of 0 is a score too: ask whether the id is in the other arm, not whether the score is true."
# What typical mistakes give for the pairs of the first case.
PAIR_MISTAKES: list[tuple[list[Pair], str]] = [
    ([(1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0)], BY_POSITION),
    ([(1.0, 1.0), (0.0, 1.0), (1.0, 0.0), (0.0, 0.0), (0.0, 0.0)], FILLED),
    ([(1.0, 1.0), (0.0, 1.0), (1.0, 0.0), (0.0, 0.0), (0.0, 0.0), (0.0, 1.0)], FILLED),
    ([(1.0, 1.0), (0.0, 1.0), (1.0, 0.0), (0.0, 0.0), (0.0, 1.0), (0.0, 0.0)], FILLED),
    ([(1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 1.0), (0.0, 0.0)], FILLED),
    ([(1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0)], IN_SECONDS_ORDER),
    ([(1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)], TURNED),
    ([(1.0, 1.0)], ZERO_IS_A_SCORE),
    ([(1.0, 1.0), (1.0, 0.0)], ZERO_IS_A_SCORE),
    ([(1.0, 1.0), (0.0, 1.0)], ZERO_IS_A_SCORE),
]
ALONE_MISTAKES = {
    ("q6",): "That is what only the first arm answered: ids that only the second answered belong there too.",
    ("q5",): "That is what only the second arm answered: ids that only the first answered belong there too.",
    ("q1", "q2", "q3", "q4"): "Those are the questions that both answered: return the ids that only one of them has.",
    (): "Return the ids that only one arm answered as well, since the comparison says nothing about them.",
}


def diagnose_pairs(attempt: Attempt) -> str | None:
    """The first mistake in a learner's same_questions, or None."""
    pairs, alone = pairs_and_others(attempt(first=FIRST, second=SECOND))
    if pairs != PAIRS:
        named = next((words for wrong, words in PAIR_MISTAKES if wrong == pairs), None)
        return named or (
            f"For first={shown(FIRST)} and second={shown(SECOND)} the pairs should be {shown(PAIRS)}, and you returned "
            f"{shown(pairs)}."
        )
    if alone != ALONE:
        return ALONE_MISTAKES.get(tuple(alone)) or (
            f"The ids that only one arm answered are {shown(ALONE)}, and you returned {shown(alone)}."
        )
    return None


def pairs_and_others(result: Any) -> tuple[list[Pair], list[str]]:
    """The returned pairs and the other ids, these sorted.  Raises Stopped when they are something else."""
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise Stopped(f"Return two things, the pairs and the other ids, not {shown(result)}.")
    pairs, alone = result
    if not isinstance(pairs, (tuple, list)) or not all(_is_pair(pair) for pair in pairs):
        raise Stopped(f"The first result is a list of pairs of two scores, not {shown(pairs)}.")
    if not isinstance(alone, (tuple, list, set)) or not all(isinstance(name, str) for name in alone):
        raise Stopped(f"The second result is a list of ids, not {shown(alone)}.")
    return [(float(one), float(other)) for one, other in pairs], sorted(alone)


def _is_pair(pair: Any) -> bool:
    numbers = isinstance(pair, (tuple, list)) and [isinstance(one, (int, float)) for one in pair]
    return numbers == [True, True]


def draw_pairs(draws: random.Random) -> dict[str, Any]:
    """Two arms with some questions in common, seldom none or all, in different orders."""
    ids = [f"q{number}" for number in range(1, draws.choice([3, 5, 9]))]
    arms = [draws.sample(ids, draws.randint(1, len(ids))) for _ in range(2)]
    first, second = ({name: draws.choice([0.0, 0.25, 1.0]) for name in arm} for arm in arms)
    return {"first": first, "second": second}


same_questions = Exercise(
    name="same_questions",
    difficulty=2,
    minutes=7,
    diagnose=diagnose_pairs,
    read=pairs_and_others,
    draw=draw_pairs,
    praise="Paired by id, and what only one arm answered is named instead of averaged.",
    clue="Go through first.items(), and keep a score where its id is in second. For the other ids, the keys of two "
    "dictionaries work like sets: a ^ b is what only one of them has.",
    sources=(references.same_questions,),
)

# Test questions whose wording is in the training set.

TRAINING = [
    "how long may I keep a rented tent", "What does delivery cost?", "Is the shop open on Sunday?", "Check in online",
    "May I bring my dog?",
]  # fmt: skip
TEST = [
    "How long may I keep a rented tent?", "What does  DELIVERY cost?", "Is the shop open?",
    "Is the shop open on Sunday?", "Check-in online?", "May I bring my dog to the shop?", "Does delivery cost what?",
    "What does  DELIVERY cost?",
]  # fmt: skip
LEAKED = [0, 1, 3, 4, 7]
LEAK_MISTAKES = {
    (3,): "Only exact copies were found: compare the letters and digits alone, in small letters.",
    (1, 3, 7): "A missing question mark hides a copy: compare the letters and digits alone.",
    (0, 3): "Two spaces or a hyphen hide a copy: compare the letters and digits alone.",
    (3, 4): "Capitals hide a copy: write both texts in small letters first.",
    (0, 1, 3): '"What does  DELIVERY cost?" is in the test twice: return it each time that it comes.',
    (0, 1, 3, 4): '"What does  DELIVERY cost?" is in the test twice: return it each time that it comes.',
    (0, 1, 3, 7): '"Check-in" and "Check in" have the same letters: a hyphen or a space must not hide a copy.',
    (2, 5, 6): "Those are the questions that are not in the training set: return the others.",
    (0, 1, 2, 3, 4, 7): '"Is the shop open?" is only a part of a training text: the whole wording must be equal.',
    (0, 1, 3, 4, 5, 7): "A training text is only a part of a test question there: the whole wording must be equal.",
    (0, 1, 2, 3, 4, 5, 7): "A text that is only a part of the other is no copy: the whole wording must be equal.",
    (0, 1, 3, 4, 6, 7): "The same words in another order are another wording: compare the texts, not sets of words.",
    (0, 1, 3, 6, 7): "The same words in another order are another wording: compare the texts, not sets of words.",
    (): "No leaked question was found, and five are in the training set: compare the letters and digits alone.",
}


def diagnose_leaked(attempt: Attempt) -> str | None:
    """The first mistake in a learner's leaked, or None."""
    expected = [TEST[place] for place in LEAKED]
    found = questions(attempt(training=TRAINING, test=TEST))
    if found == expected:
        return None
    return _wrong_texts(found) or next(
        (words for places, words in LEAK_MISTAKES.items() if found == [TEST[place] for place in places]),
        f"For training={shown(TRAINING)} the leaked questions should be {shown(expected)}, and you returned "
        f"{shown(found)}.",
    )


def _wrong_texts(found: list[str]) -> str | None:
    """What is wrong where texts came back that are no test questions."""
    if not found or set(found) <= set(TEST):
        return None
    if set(found) <= set(TRAINING) | set(TEST):
        return "Return the texts of the test questions, and not those of the training set."
    return f"Return the test questions as they are, and not as you compared them: you returned {shown(found)}."


def questions(result: Any) -> list[str]:
    """The returned questions as texts.  Raises Stopped when they are not a list of texts."""
    if isinstance(result, set):
        raise Stopped("Return a list, in the order of the test: a set has no order.")
    if not isinstance(result, (list, tuple)) or not all(isinstance(text, str) for text in result):
        raise Stopped(f"Return a list with the texts of the leaked test questions, not {shown(result)}.")
    return list(result)


def draw_leaked(draws: random.Random) -> dict[str, Any]:
    """Short texts that differ in words, or only in capitals, spaces and punctuation."""
    texts = [_typed(_wording(draws), draws) for _ in range(draws.choice([2, 5, 9]))]
    middle = draws.randint(1, len(texts) - 1)
    return {"training": texts[:middle], "test": texts[middle:]}


def _wording(draws: random.Random) -> str:
    start = draws.choice(["Who opens", "When opens", "who opens up", "9 opens"])
    return f"{start} {draws.choice(['the shop', 'the shop-door', 'shop 9', 'shop 19', 'it'])}"


def _typed(text: str, draws: random.Random) -> str:
    """The text as somebody types it."""
    changed = draws.choice(
        [text, text.lower(), text.upper(), text.replace(" ", "  "), text.replace(" ", "-"), f" {text}"]
    )
    return changed + draws.choice(["", "?", ".", " ?", "!!", "'"])


leaked = Exercise(
    name="leaked",
    difficulty=1,
    minutes=5,
    diagnose=diagnose_leaked,
    read=questions,
    draw=draw_leaked,
    praise="A copy is found in whatever capitals, spaces and punctuation it was typed.",
    clue="Write a small function that keeps the letters and digits of a text in small letters: "
    '"".join(filter(str.isalnum, text.lower())). Then ask for each test question whether its letters are in a set that '
    "was made from the training texts.",
    sources=(references.leaked,),
)
