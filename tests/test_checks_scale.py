"""The checkers of notebook A3: right ways pass, typical mistakes are named.  `test_checks.py` tests the rest."""

import heapq
import itertools
import math
import statistics

import numpy as np
import pandas as pd

from utils import checks as check
from utils.checks import references, scale
from utils.scale import fit_power_law

NAMES = ("merge_shards", "growth_exponent")


# Right ways


def merge_by_a_loop(shards, k):
    best, seen = [], set()
    for hit in sorted(itertools.chain.from_iterable(shards), key=lambda hit: -hit[0]):
        if hit[1] not in seen and len(best) < k:
            seen.add(hit[1])
            best.append(hit)
    return best


def merge_by_a_heap(shards, k):
    return heapq.nlargest(k, set().union(*map(set, shards)))


def merge_of_sorted_lists(shards, k):
    in_order = heapq.merge(*shards, key=lambda hit: hit[0], reverse=True)
    return [list(hit) for hit, _ in itertools.groupby(in_order)][:k]


def merge_by_pandas(shards, k):
    table = pd.DataFrame([hit for hits in shards for hit in hits], columns=["score", "id"]).drop_duplicates("id")
    return list(table.sort_values("score", ascending=False).head(k).itertuples(index=False, name=None))


def exponent_by_sums(sizes, values):
    x, y = [math.log2(size) for size in sizes], [math.log2(value) for value in values]
    n = len(x)
    products = sum(a * b for a, b in zip(x, y, strict=True))
    return (n * products - sum(x) * sum(y)) / (n * sum(a * a for a in x) - sum(x) ** 2)


def exponent_by_statistics(sizes, values):
    return statistics.linear_regression(list(map(math.log10, sizes)), list(map(math.log10, values))).slope


def exponent_by_covariance(sizes, values):
    covariance = np.cov(np.log10(sizes), np.log10(values))
    return covariance[0, 1] / covariance[0, 0]


def exponent_by_the_course(sizes, values):
    return fit_power_law(sizes, values).exponent.mean


RIGHT = [
    *(("merge_shards", way) for way in (merge_by_a_loop, merge_by_a_heap, merge_of_sorted_lists, merge_by_pandas)),
    *(("growth_exponent", way) for way in (
        exponent_by_sums, exponent_by_statistics, exponent_by_covariance, exponent_by_the_course,
    )),
]  # fmt: skip


# Typical mistakes


def joined(shards):
    return [hit for hits in shards for hit in hits]


def best_first(hits):
    return sorted(hits, reverse=True)


def distinct(shards):
    return best_first(set(joined(shards)))


def added_up(shards, k):
    scores = {}
    for score, name in joined(shards):
        scores[name] = scores.get(name, 0) + score
    return best_first((score, name) for name, score in scores.items())[:k]


def of_each_shard(count):
    return lambda shards, k: best_first(set(joined(hits[:count] for hits in shards)))[:k]


WRONG_MERGES = {
    "twice": (lambda shards, k: best_first(joined(shards))[:k], "counts once"),
    "cut first": (lambda shards, k: best_first(set(best_first(joined(shards))[:k])), "Drop the copy first"),
    "unsorted": (lambda shards, k: list(dict.fromkeys(joined(shards)))[:k], "first hits of the first shards"),
    "ascending": (lambda shards, k: distinct(shards)[::-1][:k], "a higher score is better"),
    "best last": (lambda shards, k: distinct(shards)[:k][::-1], "the best one comes first"),
    "the best of each": (of_each_shard(1), "only the best hit of each shard"),
    "two of each": (of_each_shard(2), "the same number of hits from each shard"),
    "by id": (lambda shards, k: sorted(distinct(shards)[:k], key=lambda hit: hit[1]), "the result should be"),
    "sorted by id": (lambda shards, k: sorted(set(joined(shards)), key=lambda hit: hit[1])[:k], "sort them by score"),
    "all": (lambda shards, k: distinct(shards), "only the k best"),
    "added up": (added_up, "were added up"),
    "ids": (lambda shards, k: [name for _, name in distinct(shards)][:k], "each a score and an id"),
    "turned": (lambda shards, k: [(name, score) for score, name in distinct(shards)][:k], "the score comes first"),
    "a dictionary": (lambda shards, k: {name: score for score, name in distinct(shards)[:k]}, "has no such order"),
    "a set": (lambda shards, k: set(distinct(shards)[:k]), "has no such order"),
    "a number": (lambda shards, k: k, "each a score and an id, not 4"),
    "k needed": (lambda shards, k: [distinct(shards)[place] for place in range(k)], "stopped with IndexError"),
    "nine at most four": (lambda shards, k: distinct(shards)[: min(k, 4)], "all nine passages"),
    "empty shards": (lambda shards, k: distinct(shards)[:k] or [(0.0, "")], "return an empty list"),
}


def slope(x, y):
    return np.polyfit(x, y, 1)[0]


WRONG_EXPONENTS = {
    "no logarithm": (slope, "through the numbers themselves"),
    "values only": (lambda sizes, values: slope(sizes, np.log(values)), "of the sizes too"),
    "sizes only": (lambda sizes, values: slope(np.log(sizes), values), "of the values too"),
    "swapped": (lambda sizes, values: slope(np.log(values), np.log(sizes)), "The axes are swapped"),
    "start": (lambda sizes, values: np.polyfit(np.log(sizes), np.log(values), 1)[1], "where the line starts"),
    "mixed": (lambda sizes, values: slope(np.log(sizes), np.log10(values)), "use the same for both"),
    "mixed the other way": (lambda sizes, values: slope(np.log10(sizes), np.log(values)), "use the same for both"),
    "both ends": (
        lambda s, v: math.log(v[-1] / v[0]) / math.log(s[-1] / s[0]), "the first and the last"
    ),
    "first two": (lambda s, v: math.log(v[1] / v[0]) / math.log(s[1] / s[0]), "only the first two"),
    "last two": (lambda s, v: math.log(v[-1] / v[-2]) / math.log(s[-1] / s[-2]), "only the last two"),
    "both": (lambda sizes, values: np.polyfit(np.log(sizes), np.log(values), 1), "Return one number"),
    "a guess": (lambda sizes, values: 1.2, "the exponent should be 1, and yours is 1.2"),
    "never falling": (lambda s, v: abs(references.growth_exponent(s, v)), "the exponent should be -1"),
}  # fmt: skip

WRONG = [
    *(("merge_shards", name, *case) for name, case in WRONG_MERGES.items()),
    *(("growth_exponent", name, *case) for name, case in WRONG_EXPONENTS.items()),
]

QUIET = [
    ("merge_shards", "positive scores", lambda shards, k: [hit for hit in distinct(shards) if hit[0] > 0][:k]),
    ("merge_shards", "three shards", lambda shards, k: distinct(shards[:3])[:k]),
    ("merge_shards", "nine hits at most", lambda shards, k: distinct(shards)[: min(k, 9)]),
    ("merge_shards", "one decimal", lambda shards, k: [(round(s, 1), name) for s, name in distinct(shards)][:k]),
    ("growth_exponent", "four points", lambda s, v: references.growth_exponent(s[:4], v[:4])),
    ("growth_exponent", "one decimal", lambda s, v: round(references.growth_exponent(s, v), 1)),
    ("growth_exponent", "sorted values", lambda s, v: references.growth_exponent(s, v if v[0] > v[-1] else sorted(v))),
    ("growth_exponent", "from 100 on", lambda s, v: references.growth_exponent(
        *zip(*[pair for pair in zip(s, v, strict=True) if pair[0] < 1e6 or len(s) < 5], strict=True))),
]  # fmt: skip


def test_the_written_cases_are_what_the_references_return():
    assert references.merge_shards(scale.SHARDS, 4) == scale.BEST
    assert references.merge_shards(scale.SHARDS, 20) == scale.ALL
    for sizes, values, expected in (scale.ROOT, scale.STRAIGHT, scale.BENT, scale.FLAT, scale.FALLING):
        assert math.isclose(references.growth_exponent(sizes, values), expected, abs_tol=1e-9)


def test_drawn_inputs_cover_the_domain():
    cases = check.merge_shards.inputs()
    copies = [len(joined(case["shards"])) - len(set(joined(case["shards"]))) for case in cases]
    assert sum(count > 0 for count in copies) > 50 and sum(count == 0 for count in copies) > 20
    assert any(not hits for case in cases for hits in case["shards"])
    assert {len(case["shards"]) for case in cases} == {1, 2, 3, 4, 5}
    lengths = {len(case["sizes"]) for case in check.growth_exponent.inputs()}
    assert lengths == {3, 4, 5, 6, 7}
