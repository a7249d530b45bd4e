"""Checkers of notebook A3."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from utils.checks import references
from utils.checks.exercise import Attempt, Exercise, Stopped, number, shown

Hits = list[tuple[float, str]]

# Hits of three shards.  "c" comes from two of them, and the best shard holds three of the best four.

SHARDS: list[Hits] = [
    [(0.5, "g"), (0.4, "a"), (0.1, "f")],
    [(0.9, "d"), (0.8, "c"), (0.7, "b"), (0.2, "h")],
    [(0.8, "c"), (0.6, "e"), (0.3, "i")],
]
BEST: Hits = [(0.9, "d"), (0.8, "c"), (0.7, "b"), (0.6, "e")]
ALL: Hits = [*BEST, (0.5, "g"), (0.4, "a"), (0.3, "i"), (0.2, "h"), (0.1, "f")]

TWICE = '"c" was found by two shards and is in your result twice: it is one passage, so it counts once.'
# What typical mistakes give for k=4.
MERGE_MISTAKES: list[tuple[Hits, str]] = [
    ([(0.9, "d"), (0.8, "c"), (0.8, "c"), (0.7, "b")], TWICE),
    (
        [(0.9, "d"), (0.8, "c"), (0.7, "b")],
        'Only three are left: you cut to k while "c" was still there twice. Drop the copy first, then cut.',
    ),
    (
        [(0.5, "g"), (0.4, "a"), (0.1, "f"), (0.9, "d")],
        "Those are the first hits of the first shards: sort the hits of all shards by their scores before you cut.",
    ),
    ([(0.1, "f"), (0.2, "h"), (0.3, "i"), (0.4, "a")], "Those are the worst hits: a higher score is better."),
    (BEST[::-1], "The hits are the right ones, but the best one comes first."),
    (
        [(0.9, "d"), (0.8, "c"), (0.5, "g")],
        "You took only the best hit of each shard, and one shard can hold several of the best: take all its hits.",
    ),
    ([(0.4, "a"), (0.7, "b"), (0.8, "c"), (0.9, "d")], "The hits are sorted by id: sort them by score."),
    (ALL, "Return only the k best, not all of them."),
    (
        [(1.6, "c"), (0.9, "d"), (0.7, "b"), (0.6, "e")],
        'The scores of "c" were added up: two shards found the same passage, and its score stays what it is.',
    ),
    (
        [(0.9, "d"), (0.8, "c"), (0.6, "e"), (0.5, "g")],
        "You took the same number of hits from each shard: how many of the best a shard holds is not known beforehand.",
    ),
]


def diagnose_merge(attempt: Attempt) -> str | None:
    """The first mistake in a learner's merge_shards, or None."""
    found = hits(attempt(shards=SHARDS, k=len(BEST)))
    if found != BEST:
        return next((words for wrong, words in MERGE_MISTAKES if wrong == found), None) or (
            f"For the shards {shown(SHARDS)} and k={len(BEST)} the result should be {shown(BEST)}, and you returned "
            f"{shown(found)}."
        )
    found = hits(attempt(shards=SHARDS, k=20))
    if found != ALL:
        return f"With k=20 all nine passages should come back, and you returned {len(found)}: {shown(found)}."
    if found := hits(attempt(shards=[[], []], k=3)):
        return f"Where no shard has a hit, return an empty list, not {shown(found)}."
    return None


def hits(result: Any) -> Hits:
    """The returned hits as pairs.  Raises Stopped when they are not pairs of a score and an id."""
    if isinstance(result, (set, dict)):
        raise Stopped("Return a list of pairs, the best first: a set or a dictionary has no such order.")
    try:
        found = [(score, name) for score, name in result]
    except (TypeError, ValueError):
        raise Stopped(f"Return a list of pairs, each a score and an id, not {shown(result)}.") from None
    if any(isinstance(score, str) for score, _ in found):
        raise Stopped("In each pair the score comes first, then the id.")
    if not all(isinstance(name, str) for _, name in found):
        raise Stopped(f"Return a list of pairs, each a score and an id, not {shown(result)}.")
    return [(float(score), name) for score, name in found]


def draw_merge(draws: random.Random) -> dict[str, Any]:
    """Up to five shards, some without a hit; some passages are in several, and no two have the same score."""
    scores = draws.sample(range(-50, 100), draws.randint(1, 12))
    passages = [(score / 100, f"p{number}") for number, score in enumerate(scores)]
    shards: list[Hits] = [[] for _ in range(draws.randint(1, 5))]
    for passage in passages:
        for shard in draws.sample(shards, min(len(shards), draws.choice([1, 1, 2]))):
            shard.append(passage)
    return {"shards": [sorted(shard, reverse=True) for shard in shards], "k": draws.choice([1, 3, 5, 20])}


merge_shards = Exercise(
    name="merge_shards",
    difficulty=2,
    minutes=6,
    diagnose=diagnose_merge,
    read=hits,
    draw=draw_merge,
    praise="The best of all shards, each passage once, however many of them one shard holds.",
    clue="A dictionary from id to score holds each passage once. Turn it back into pairs, sort these from the highest "
    "score to the lowest, and cut at k last.",
    sources=(references.merge_shards,),
)

# A power law: sizes, values, the exponent by hand.

SIZES = [1e3, 1e4, 1e5, 1e6]
ROOT = ([100.0, 400.0, 6400.0], [2.0, 4.0, 16.0], 0.5)
STRAIGHT = (SIZES, [3.0, 30.0, 300.0, 3000.0], 1.0)
BENT = (SIZES, [1.0, 10.0, 10.0, 10_000.0], 1.2)
FLAT = (SIZES, [7.0, 7.0, 7.0, 7.0], 0.0)
FALLING = (SIZES, [1000.0, 100.0, 10.0, 1.0], -1.0)

MIXED = "One logarithm is natural and the other decimal: use the same for both."


def _slope(x: Sequence[float], y: Sequence[float]) -> float:
    return float(np.polyfit(x, y, 1)[0])


_X, _Y = np.log(BENT[0]), np.log(BENT[1])
# What typical mistakes give for the sizes and values of BENT.
EXPONENT_MISTAKES = {
    _slope(*BENT[:2]): "That is the slope through the numbers themselves: take the logarithm of both first.",
    _slope(BENT[0], _Y): "Only the values are logarithms there: take the logarithm of the sizes too.",
    _slope(_X, BENT[1]): "Only the sizes are logarithms there: take the logarithm of the values too.",
    _slope(_Y, _X): "The axes are swapped: the sizes belong on the x axis, and the values on the y axis.",
    float(np.polyfit(_X, _Y, 1)[1]): "That is where the line starts: return its slope, which np.polyfit gives first.",
    1.2 / math.log(10): MIXED,
    1.2 * math.log(10): MIXED,
    4 / 3: "That uses only the first and the last point: fit the line to all of them.",
    1.0: "That uses only the first two points: fit the line to all of them.",
    3.0: "That uses only the last two points: fit the line to all of them.",
}


def diagnose_exponent(attempt: Attempt) -> str | None:
    """The first mistake in a learner's growth_exponent, or None."""
    for sizes, values, expected in (BENT, STRAIGHT, ROOT, FLAT, FALLING):
        found = number(attempt(sizes=sizes, values=values))
        if not math.isclose(found, expected, rel_tol=1e-6, abs_tol=1e-9):
            named = (words for value, words in EXPONENT_MISTAKES.items() if math.isclose(found, value, rel_tol=1e-6))
            return (next(named, None) if values is BENT[1] else None) or (
                f"For sizes={shown(sizes)} and values={shown(values)} the exponent should be {expected:g}, and "
                f"yours is {shown(found)}."
            )
    return None


def draw_exponent(draws: random.Random) -> dict[str, Any]:
    """Three to seven different sizes in any order, with values that follow a power law only roughly."""
    sizes = draws.sample([1000, 2000, 3000, 5000, 10_000, 30_000, 70_000, 100_000, 1_000_000], draws.randint(3, 7))
    factor, exponent = draws.choice([0.01, 1.0, 20.0]), draws.choice([-0.5, 0.3, 0.5, 1.0, 1.2])
    values = [factor * size**exponent * draws.uniform(0.7, 1.4) for size in sizes]
    return {"sizes": [float(size) for size in sizes], "values": values}


growth_exponent = Exercise(
    name="growth_exponent",
    difficulty=2,
    minutes=5,
    diagnose=diagnose_exponent,
    read=number,
    draw=draw_exponent,
    praise="The slope of the line through the logarithms, with all points.",
    clue="If value = factor × size ** exponent, then log(value) = log(factor) + exponent × log(size): a straight line. "
    "np.polyfit(x, y, 1) returns the slope of the best line, then where it starts.",
    sources=(references.growth_exponent,),
    imports="import numpy as np",
)
