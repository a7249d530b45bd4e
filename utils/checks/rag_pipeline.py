"""Checker of notebook 02."""

from __future__ import annotations

from typing import Any

import numpy as np

from utils.checks import references
from utils.checks.exercise import Attempt, Exercise, Stopped, shown

SCORES = [0.31, 0.78, 0.44, 0.92, 0.05, 0.66]
BEST_FIRST = [3, 1, 5, 2, 0, 4]
WRONG_ORDER = "The right positions in the wrong order: sort them by score, the best first (argpartition does not)."


def diagnose(attempt: Attempt) -> str | None:
    """The first mistake in a learner's top_k, or None."""
    return (
        _check_order(_positions(attempt, SCORES, 3))
        or _check_count(attempt)
        or _check_negative(_positions(attempt, [-0.2, -0.1, -0.9], 2))
        or _check_many(attempt)
    )


def _positions(attempt: Attempt, scores: list[float], k: int) -> list[int]:
    """The returned positions as plain ints.  Raises Stopped when they are none."""
    result = attempt(scores=np.array(scores), k=k)
    if not np.iterable(result) or isinstance(result, (str, dict)):
        raise Stopped(f"Return a list of positions, best first, not {shown(result)}.")
    found = list(result)
    if any(isinstance(item, (bool, np.bool_)) for item in found):
        raise Stopped("That is a mask of True and False: return the positions of the best scores, as numbers.")
    if set(found) <= set(scores) and not _are_whole(found):
        raise Stopped("Those are the scores themselves: return where they stand, their positions (np.argsort helps).")
    if not _are_whole(found):
        raise Stopped(f"Positions are whole numbers such as 0 or 3, and you returned {shown(found)}.")
    return [int(item) for item in found]


def _are_whole(found: list[Any]) -> bool:
    return all(isinstance(item, (int, np.integer)) for item in found)


def _check_order(found: list[int]) -> str | None:
    if found == BEST_FIRST[:3]:
        return None
    if found in (BEST_FIRST, BEST_FIRST[::-1]):
        return "All positions came back: keep only the first k, with [:k]."
    if found == BEST_FIRST[::-1][:3]:
        return "Those are the worst: np.argsort puts the smallest first. Sort -scores, or turn the order round."
    if found == BEST_FIRST[:3][::-1]:
        return "The right positions, but the best should come first: turn the order round with [::-1]."
    if sorted(found) == sorted(BEST_FIRST[:3]):
        return WRONG_ORDER
    return f"For the scores {SCORES} and k=3 the positions are {BEST_FIRST[:3]}, and you returned {shown(found)}."


def _check_count(attempt: Attempt) -> str | None:
    for k in (1, 2, 5):
        found = _positions(attempt, SCORES, k)
        if len(found) != k:
            return f"With k={k} it returned {len(found)} positions: use k, not a fixed number."
        if found != BEST_FIRST[:k]:
            return f"With k={k} the positions are {BEST_FIRST[:k]}, and you returned {shown(found)}."
    if _positions(attempt, [0.2, 0.7], 5) != [1, 0]:
        return "With two scores and k=5 there are only two positions to return, best first: [1, 0]."
    return None


def _check_negative(found: list[int]) -> str | None:
    if found != [1, 0]:
        return "A cosine can be negative, and -0.1 is better than -0.9: compare the scores as they are, without abs."
    return None


def _check_many(attempt: Attempt) -> str | None:
    """2000 scores made from a known order, enough for argpartition not to be sorted by luck."""
    best_first = np.random.default_rng(0).permutation(2000).tolist()
    scores = [0.0] * 2000
    for place, position in enumerate(best_first):
        scores[position] = 1 - place / 2000
    found = _positions(attempt, scores, 400)
    if found == best_first[:400]:
        return None
    if sorted(found) == sorted(best_first[:400]):
        return WRONG_ORDER
    return "On six scores it was right, on 2000 it was not: look at every score, and at nothing but the scores."


top_k = Exercise(
    name="top_k",
    difficulty=1,
    minutes=4,
    diagnose=diagnose,
    praise="The k best positions, best first: the whole search, once the scores are there.",
    clue="np.argsort gives the positions in the order of the scores, the smallest first. "
    "Which end do you need, and how many?",
    sources=(references.top_k,),
    imports="import numpy as np",
)
