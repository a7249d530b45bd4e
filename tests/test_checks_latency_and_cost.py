"""The checkers of notebook 08: right ways pass, typical mistakes are named.  `test_checks.py` tests the rest."""

import math
import statistics

import numpy as np

from utils import checks as check
from utils import costs
from utils.checks import references

NAMES = ("percentile", "break_even")


# Right ways


def percentile_by_numpy(values, percent):
    return np.percentile(values, percent, method="inverted_cdf")


def percentile_by_counting(values, percent):
    for value in sorted(values):
        if sum(other <= value for other in values) * 100 >= percent * len(values):
            return value
    return max(values)


def percentile_rounded_as_a_float(values, percent):
    return sorted(values)[math.ceil(percent / 100 * len(values)) - 1]


def percentile_in_whole_numbers(values, percent):
    rank, rest = divmod(percent * len(values), 100)
    return sorted(values)[rank - 1 + (rest > 0)]


def percentile_from_above(values, percent):
    return sorted(values, reverse=True)[len(values) - math.ceil(percent * len(values) / 100)]


def break_even_by_cases(fixed, each, other_fixed, other_each):
    saved = each - other_each
    return (other_fixed - fixed) / saved * 1000 if saved > 0 else math.inf


def break_even_per_question(fixed, each, other_fixed, other_each):
    a_question = each / 1000 - other_each / 1000
    return math.inf if each <= other_each else (other_fixed - fixed) / a_question


def break_even_by_numpy(fixed, each, other_fixed, other_each):
    return (
        np.divide(other_fixed - fixed, max(each - other_each, 0.0) / 1000, where=True) if each > other_each else np.inf
    )


def break_even_by_the_course(fixed, each, other_fixed, other_each):
    return costs.break_even(fixed, each / 1000, other_fixed, other_each / 1000)


RIGHT = [
    *(("percentile", way) for way in (
        percentile_by_numpy, percentile_by_counting, percentile_in_whole_numbers, percentile_from_above,
        percentile_rounded_as_a_float,
    )),
    *(("break_even", way) for way in (
        break_even_by_cases, break_even_per_question, break_even_by_numpy, break_even_by_the_course,
    )),
]  # fmt: skip


# Typical mistakes

WRONG_PERCENTILES = {
    "numpy's default": (np.percentile, "lies between two values"),
    "the median for all": (lambda values, percent: statistics.median(values), "That is the median"),
    "unsorted": (lambda values, percent: values[-(-len(values) * percent // 100) - 1], "sort them first"),
    "one too far": (lambda values, percent: sorted(values)[len(values) * percent // 100], "one place too far"),
    "rounded down": (lambda values, percent: sorted(values)[max(0, len(values) * percent // 100 - 1)], "too low"),
    "descending": (
        lambda values, percent: sorted(values, reverse=True)[-(-len(values) * percent // 100) - 1],
        "sort from the smallest to the largest",
    ),
    "the mean": (lambda values, percent: statistics.fmean(values), "That is the mean"),
    "the largest": (lambda values, percent: max(values), "That is the largest"),
    "a share": (lambda values, percent: sorted(values)[math.ceil(percent * len(values)) - 1], "IndexError"),
    "a list": (lambda values, percent: sorted(values)[:5], "Return one number"),
}


def plain(fixed, each, other_fixed, other_each):
    return 1000 * (other_fixed - fixed) / (each - other_each)


def never_else(formula):
    return lambda f, e, of, oe: math.inf if oe >= e else formula(f, e, of, oe)


WRONG_BREAK_EVENS = {
    "no thousand": (never_else(lambda f, e, of, oe: (of - f) / (e - oe)), "multiply by 1,000"),
    "divided by a thousand": (never_else(lambda f, e, of, oe: (of - f) / (e - oe) / 1000), "instead of dividing"),
    "negative": (never_else(lambda f, e, of, oe: 1000 * (f - of) / (e - oe)), "The sign is wrong"),
    "all of the fixed cost": (never_else(lambda f, e, of, oe: 1000 * of / (e - oe)), "only the difference"),
    "by the other's price": (never_else(lambda f, e, of, oe: 1000 * (of - f) / (oe or 1)), "by the other's price"),
    "by the first price": (never_else(lambda f, e, of, oe: 1000 * (of - f) / e), "by the first price"),
    "sum of prices": (never_else(lambda f, e, of, oe: 1000 * (of - f) / (e + oe)), "instead of adding"),
    "sum of fixed costs": (never_else(lambda f, e, of, oe: 1000 * (of + f) / (e - oe)), "Subtract the fixed costs"),
    "upside down": (never_else(lambda f, e, of, oe: (e - oe) / (of - f)), "Upside down"),
    "negative when never": (lambda f, e, of, oe: plain(f, e, of, oe), "it never catches up"),
    "zero when never": (lambda f, e, of, oe: 0 if oe >= e else plain(f, e, of, oe), "it never catches up"),
    "fails when equal": (
        lambda f, e, of, oe: math.inf if oe > e else plain(f, e, of, oe),
        "stopped with ZeroDivisionError",
    ),
    "text": (lambda f, e, of, oe: "never", "Return one number, not 'never'"),
    "something else": (never_else(lambda f, e, of, oe: 1.0), "costs 4000 dollars more and saves 2 dollars per 1,000"),
}

WRONG = [
    *(("percentile", name, *case) for name, case in WRONG_PERCENTILES.items()),
    *(("break_even", name, *case) for name, case in WRONG_BREAK_EVENS.items()),
]

QUIET = [
    ("percentile", "distinct values", lambda v, p: references.percentile(sorted(set(v)), p)),
    ("percentile", "whole numbers", lambda v, p: float(round(references.percentile(v, p)))),
    ("percentile", "90 at most", lambda v, p: references.percentile(v, p if len(v) <= 10 else min(p, 90))),
    ("percentile", "50 at least", lambda v, p: references.percentile(v, max(p, 50))),
    ("break_even", "whole questions", never_else(lambda *case: float(round(plain(*case))))),
    ("break_even", "a billion at most", lambda f, e, of, oe: min(plain(f, e, of, oe), 2e6) if e > oe else math.inf),
    ("break_even", "cheap ones never", lambda f, e, *of: math.inf if 0 < e < 0.5 else references.break_even(f, e, *of)),
    ("break_even", "never for a tiny saving", lambda f, e, of, oe: math.inf if e - oe < 0.5 else plain(f, e, of, oe)),
]  # fmt: skip


def test_the_references_are_what_numpy_and_the_cost_model_compute():
    for case in check.percentile.inputs():
        assert references.percentile(**case) == np.percentile(*case.values(), method="inverted_cdf")
    for case in check.break_even.inputs():
        by_the_model = break_even_by_the_course(**case)
        assert math.isclose(references.break_even(**case), by_the_model)


def test_drawn_inputs_cover_the_domain():
    drawn = check.percentile.inputs()
    assert {50, 95, 100} <= {case["percent"] for case in drawn} and {1, 40} <= {len(case["values"]) for case in drawn}
    assert any(len(set(case["values"])) < len(case["values"]) for case in drawn)
    never = [case["other_each"] >= case["each"] for case in check.break_even.inputs()]
    assert 0.15 < sum(never) / len(never) < 0.85
    assert all(case["other_fixed"] > case["fixed"] >= 0 for case in check.break_even.inputs())
