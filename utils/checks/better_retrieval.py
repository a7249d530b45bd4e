"""Checkers of notebook 03."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from utils.checks import references
from utils.checks.exercise import Attempt, Exercise, Stopped, shown

HALVES = ("search", "reading")
IDS = "abcdefgh"
LEAST_GAP = 1e-9  # between two fused scores: far more than rounding can move them


def diagnose_half(attempt: Attempt) -> str | None:
    """The first mistake in a learner's failed_half, or None."""
    both_there = _half(attempt, {"a"}, {"a", "b"})
    none_there = _half(attempt, {"a"}, {"b", "c"})
    if (both_there, none_there) == HALVES:
        return 'These are swapped: with every gold article shown, the search did its part, so it is "reading".'
    if both_there != "reading":
        return 'The gold article was among the passages shown, and other ones too: that is a failure of "reading".'
    if none_there != "search":
        return 'The gold article was not among the passages shown: that is a failure of "search".'
    if _half(attempt, {"a", "b"}, {"a", "b"}) != "reading":
        return 'The gold articles were all shown, and nothing else: that is a failure of "reading" too.'
    if _half(attempt, {"a", "b"}, {"a", "c"}) != "search":
        return 'Of two gold articles only one was shown: the model cannot read the other, so the "search" failed.'
    if _half(attempt, {"a"}, set()) != "search":
        return 'No passage was shown at all: that is a failure of "search".'
    return None


def _half(attempt: Attempt, gold: set[str], seen: set[str]) -> str:
    return half(attempt(gold=gold, shown=seen))


def half(result: Any) -> str:
    """The returned half.  Raises Stopped when it is neither."""
    if isinstance(result, bool):
        raise Stopped('Return the half as text, "search" or "reading", not True or False.')
    if result not in HALVES:
        raise Stopped(f'Return "search" or "reading", not {shown(result)}.')
    return result


def draw_shown(draws: random.Random) -> dict[str, Any]:
    """Gold articles, and passages that hold all of them, all but one, or none, with others or without."""
    gold = set(draws.sample(IDS, draws.randint(1, 4)))
    others = sorted(set(IDS) - gold)
    seen = draws.choice([gold, gold - {draws.choice(sorted(gold))}, set()])
    return {"gold": gold, "shown": seen | set(draws.sample(others, draws.randint(0, 4)))}


def diagnose_rrf(attempt: Attempt) -> str | None:
    """The first mistake in a learner's rrf, or None."""
    alone = _ids(attempt, [["a", "b", "c"]])
    if alone != ["a", "b", "c"]:
        if alone == ["c", "b", "a"]:
            return "The worst comes first: sort by score from high to low."
        return f'A single ranking should come back as it was, ["a", "b", "c"], and you returned {shown(alone)}.'
    shared = _ids(attempt, [["a", "b"], ["c", "b"], ["d", "b"]])
    if sorted(set(shared)) != ["a", "b", "c", "d"] or len(shared) != 4:
        return f"Return each id once, from whichever ranking it comes: there are a, b, c and d, not {shown(shared)}."
    if shared[0] != "b":
        return 'Second in three rankings beats first in one: add up the scores of an id, so that "b" comes first.'
    return _check_smoothing(attempt)


# With k=1 the right order is b, c, d, a.
FROM_ONE_OR_ZERO = [["b", "a", "c"], ["d", "c"], ["b", "a", "d", "c"]]
BY_RANKS_FROM_ZERO = ["b", "d", "c", "a"]


def _check_smoothing(attempt: Attempt) -> str | None:
    rankings = [["a", "x", "y", "z", "b"], ["c", "d", "e", "b", "f"], ["g", "h", "a", "b", "i"]]
    # With k = 0 first places win, with a large k it is the number of rankings that hold an id.
    if _ids(attempt, rankings)[0] != "b":
        return '"b" is near the end of three rankings, and with k=60 that is worth most: use 1 / (k + rank).'
    try:
        without_k = _ids(attempt, rankings, k=0)
    except Stopped as stopped:
        if "ZeroDivisionError" in str(stopped) and _ids(attempt, FROM_ONE_OR_ZERO, k=1) == BY_RANKS_FROM_ZERO:
            return "The first place got rank 0: count ranks from 1, with enumerate(ranking, start=1)."
        raise
    if without_k[0] != "a":
        return 'With k=0 the score is 1 / rank and "a" comes first: use the k that is passed in.'
    return None


def _ids(attempt: Attempt, rankings: list[list[str]], k: int = 60) -> list[str]:
    return ids(attempt(rankings=rankings, k=k))


def ids(result: Any) -> list[str]:
    """The returned ids.  Raises Stopped when they are not a list of texts."""
    if isinstance(result, dict):
        raise Stopped("That is the dictionary of scores: return its ids, best first.")
    if not isinstance(result, (list, tuple)) or not all(isinstance(item, str) for item in result):
        raise Stopped(f"Return a list of ids, best first, not {shown(result)}.")
    return list(result)


def draw_rankings(draws: random.Random) -> dict[str, Any]:
    """Some rankings, short and long, with a k or with the usual one; no two ids have the same score."""
    while True:
        names = draws.sample(IDS, draws.randint(1, len(IDS)))
        rankings = [draws.sample(names, draws.randint(0, len(names))) for _ in range(draws.randint(1, 5))]
        k = draws.choice([0, 1, 2, 5, 20, 60, 100])
        if _without_ties(rankings, k):
            return {"rankings": rankings} if k == 60 else {"rankings": rankings, "k": k}


def _without_ties(rankings: Sequence[Sequence[str]], k: int) -> bool:
    names = {name for ranking in rankings for name in ranking}
    scores = sorted(sum(1 / (k + ranking.index(name) + 1) for ranking in rankings if name in ranking) for name in names)
    return all(high - low > LEAST_GAP for low, high in zip(scores, scores[1:], strict=False))


failed_half = Exercise(
    name="failed_half",
    difficulty=1,
    minutes=4,
    diagnose=diagnose_half,
    read=half,
    draw=draw_shown,
    praise="It asks first whether the model could have read the answer at all.",
    clue="Sets can be compared: gold <= shown is true when every gold article was shown.",
    sources=(references.failed_half,),
)
rrf = Exercise(
    name="rrf",
    difficulty=2,
    minutes=6,
    diagnose=diagnose_rrf,
    read=ids,
    draw=draw_rankings,
    praise="It needs only ranks, so scores of different scales never have to be compared.",
    clue="Keep a dictionary from id to score. enumerate(ranking, start=1) gives the ranks; "
    "sorted(scores, key=scores.get, reverse=True) gives the order.",
    sources=(references.rrf,),
)
