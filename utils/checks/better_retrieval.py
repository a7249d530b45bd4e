"""Checkers of notebook 03."""

from __future__ import annotations

from typing import Any

from utils.checks import references
from utils.checks.exercise import Attempt, Exercise, Stopped, shown

HALVES = ("search", "reading")


def diagnose_half(attempt: Attempt) -> str | None:
    """The first mistake in a learner's failed_half, or None."""
    both_there = _half(attempt, {"a"}, {"a", "b"})
    none_there = _half(attempt, {"a"}, {"b", "c"})
    if (both_there, none_there) == HALVES:
        return 'The wrong way round: with every gold article shown, the search did its part, so it is "reading".'
    if both_there != "reading":
        return 'The gold article was among the passages shown, and other ones too: that is a failure of "reading".'
    if none_there != "search":
        return 'The gold article was not among the passages shown: that is a failure of "search".'
    if _half(attempt, {"a", "b"}, {"a", "c"}) != "search":
        return 'Of two gold articles only one was shown: the model cannot read the other, so the "search" failed.'
    if _half(attempt, {"a"}, set()) != "search":
        return 'No passage was shown at all: that is a failure of "search".'
    return None


def _half(attempt: Attempt, gold: set[str], seen: set[str]) -> str:
    result = attempt(gold=gold, shown=seen)
    if isinstance(result, bool):
        raise Stopped('Return the half as text, "search" or "reading", not True or False.')
    if result not in HALVES:
        raise Stopped(f'Return "search" or "reading", not {shown(result)}.')
    return result


def diagnose_rrf(attempt: Attempt) -> str | None:
    """The first mistake in a learner's rrf, or None."""
    alone = _ids(attempt, [["a", "b", "c"]])
    if alone != ["a", "b", "c"]:
        if alone == ["c", "b", "a"]:
            return "The worst stands first: sort by score from high to low."
        return f'A single ranking should come back as it was, ["a", "b", "c"], and you returned {shown(alone)}.'
    shared = _ids(attempt, [["a", "b"], ["c", "b"], ["d", "b"]])
    if sorted(set(shared)) != ["a", "b", "c", "d"] or len(shared) != 4:
        return f"Each id of any ranking should be there once: {shown(shared)} is not that."
    if shared[0] != "b":
        return 'Second in three rankings beats first in one: add up the scores of an id, so that "b" comes first.'
    return _check_smoothing(attempt)


def _check_smoothing(attempt: Attempt) -> str | None:
    rankings = [["a", "x", "y", "z", "b"], ["c", "d", "e", "b", "f"], ["g", "h", "a", "b", "i"]]
    # With k = 0 first places win, with a large k it is the number of rankings that hold an id.
    if _ids(attempt, rankings)[0] != "b":
        return 'In three rankings "b" is near the end each time, and with k=60 that is worth most: use 1 / (k + rank).'
    if _ids(attempt, rankings, k=0)[0] != "a":
        return 'With k=0 the score is 1 / rank and "a" comes first: use the k that is handed over, and count from 1.'
    return None


def _ids(attempt: Attempt, rankings: list[list[str]], k: int = 60) -> list[str]:
    result: Any = attempt(rankings=rankings, k=k)
    if isinstance(result, dict):
        raise Stopped("That is the dictionary of scores: return its ids, best first.")
    if not isinstance(result, (list, tuple)) or not all(isinstance(item, str) for item in result):
        raise Stopped(f"Return a list of ids, best first, not {shown(result)}.")
    return list(result)


failed_half = Exercise(
    name="failed_half",
    difficulty=1,
    minutes=4,
    diagnose=diagnose_half,
    praise="It asks one thing first: could the model have read the answer at all?",
    clue="Sets can be compared: gold <= shown is true when every gold article was shown.",
    sources=(references.failed_half,),
)
rrf = Exercise(
    name="rrf",
    difficulty=2,
    minutes=6,
    diagnose=diagnose_rrf,
    praise="It needs only ranks, so scores of different scales never have to be compared.",
    clue="Keep a dictionary from id to score. enumerate(ranking, start=1) gives the ranks; "
    "sorted(scores, key=scores.get, reverse=True) the order.",
    sources=(references.rrf,),
)
